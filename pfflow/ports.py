"""The smallest protocols between judgement and hands: Clock, Store, Mailer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from pfflow.domain.decision import Decision, Holdings
from pfflow.domain.manners import FREE, Manners
from pfflow.domain.notices import Notice
from pfflow.domain.parties import Contact
from pfflow.domain.trouble import Trouble
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

    `busy`: another worker has it; `unchanged`: nothing is new at as_of; `past`: a decision at a later instant stands,
    that of `stands_at`.
    """

    reason: str
    stands_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A letter taken from the outbox to be sent before `until`; `merged` are the other notices it tells.

    `message_id` is the notice's key, or the bundle's where one mail tells several.
    """

    message_id: str
    notice: Notice
    contact: Contact
    attempts: int
    until: datetime
    merged: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a claimed letter.

    `outcome` is sent, held (kept from leaving: not on the allow-list, stop switch), retry (a temporary refusal, to be
    tried again at `retry_at`), left (not tried; may go at `retry_at`, at once where that is None; no attempt is
    counted) or failed (for good). `digest` is the SHA-256 of the bytes that left. `trouble` says why a letter failed,
    or that it is put off through our own fault, which counts as no attempt of its own.
    """

    message_id: str
    outcome: str
    at: datetime
    digest: str = ""
    response: str = ""
    retry_at: datetime | None = None
    trouble: Trouble | None = None


class Taken(tuple[Claimed, ...]):  # noqa: SLOT001 - a tuple with more to say has no slots
    """The letters that a claim gives out; `settled` are the receipts of those it held or failed by itself."""

    settled: tuple[Receipt, ...]

    def __new__(cls, claimed: Iterable[Claimed] = (), settled: Iterable[Receipt] = ()) -> Self:
        """Give the claimed letters with what was settled beside them."""
        taken = super().__new__(cls, claimed)
        taken.settled = tuple(settled)
        return taken


class Store(Protocol):
    """The book of record. Each method is one transaction."""

    def project_refs(self) -> tuple[str, ...]:
        """Give all project refs in order."""
        ...

    def deciding(self, project_ref: str, stage: Stage, as_of: datetime) -> AbstractContextManager[Deciding | NotHeld]:
        """Hold a project while a stage decides for it, in one transaction with what it records."""
        ...

    def claim(
        self,
        worker: str,
        now: datetime,
        limit: int,
        seconds: float,
        manners: Manners = FREE,
        *,
        chat: bool = False,
    ) -> Taken:
        """Take up to `limit` letters (or chat texts) that manners let go for `seconds`; nobody else is given them.

        Nothing is given while the stop switch is on. What is of no use any more, or cannot be told, is settled at once.
        """
        ...

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold letters this worker has claimed until another instant; gives those it still had."""
        ...

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Write down what became of claimed letters, in the outbox and in the ledger."""
        ...

    def waiting(self, now: datetime, *, chat: bool = False) -> tuple[int, datetime | None]:
        """Give how many letters (or chat texts) may be claimed now, and when the next of the others may, or None."""
        ...


class Mailer(Protocol):
    """Renders, composes and sends letters; never raises for one letter's fault."""

    @property
    def connections(self) -> int:
        """How many deliveries may be under way at once."""
        ...

    def kept_open(self) -> AbstractAsyncContextManager[None]:
        """Keep connections from one delivery to the next while the block runs, and close them at its end."""
        ...

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        """Send the letters, one after the other; gives one receipt each, in order."""
        ...
