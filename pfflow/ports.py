"""The smallest protocols between judgement and hands: Clock, Store, Mailer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pfflow.domain.decision import Decision, Holdings
from pfflow.domain.notices import Notice
from pfflow.domain.parties import Contact
from pfflow.domain.words import Stage


class Clock(Protocol):
    """Gives the current instant, aware, UTC."""

    def __call__(self) -> datetime: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording a decision added; what was there already is not counted."""

    obligations: int = 0
    firings: int = 0
    notices: int = 0
    entries: int = 0


class Deciding(Protocol):
    """A project held for one decision: nobody else decides for it until the hold ends."""

    @property
    def holdings(self) -> Holdings:
        """What is held on the project."""
        ...

    def record(self, decision: Decision) -> Recorded:
        """Write the decision down; it is kept when the hold ends without an exception."""
        ...


@dataclass(frozen=True, slots=True)
class NotHeld:
    """Why a project was not given to decide for.

    `busy`: another worker has it; `unchanged`: nothing is new at as_of; `past`: a decision at a later instant stands.
    """

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A letter taken from the outbox to be sent before `until`."""

    message_id: str
    notice: Notice
    contact: Contact
    attempts: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a claimed letter.

    `outcome` is sent, held (kept from leaving: not on the allow-list, stop switch), retry (a temporary refusal, to be
    tried again at `retry_at`) or failed (for good). `digest` is the SHA-256 of the bytes that left.
    """

    message_id: str
    outcome: str
    at: datetime
    digest: str = ""
    response: str = ""
    retry_at: datetime | None = None


class Store(Protocol):
    """The book of record. Each method is one transaction."""

    def project_refs(self) -> tuple[str, ...]:
        """Give all project refs in order."""
        ...

    def deciding(self, project_ref: str, stage: Stage, as_of: datetime) -> AbstractContextManager[Deciding | NotHeld]:
        """Hold a project while a stage decides for it, in one transaction with what it records."""
        ...

    def claim(self, worker: str, now: datetime, limit: int, seconds: float) -> tuple[Claimed, ...]:
        """Take up to `limit` waiting letters for `seconds`; nobody else is given them until then."""
        ...

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Write down what became of claimed letters, in the outbox and in the ledger."""
        ...

    def waiting(self, now: datetime) -> tuple[int, datetime | None]:
        """Give how many letters may be claimed now, and when the next of the others may; None where none waits."""
        ...


class Mailer(Protocol):
    """Renders, composes and sends letters; never raises for one letter's fault."""

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        """Send the letters; gives one receipt each, in order."""
        ...
