"""The one noun: an obligation is something a party owes another by a day.

A meeting to hold, a report to send, a fact to supply, an approval to give, a covenant to certify: one life, one key.
Overdue is derived, never stored. `TRANSITIONS` is the whole life; a move that is not in it is the error. What a plan
cancelled another plan may want again: it is the same obligation, so it goes back to planned and keeps its key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import quote

from pfflow.domain.changing import changing
from pfflow.domain.words import Json, Stage, Words

_STRAY_DOT = re.compile(r"^\.|\.$|(?<=\.)\.")


class Status(StrEnum):
    """Where an obligation stands. Planned: nothing was said of it yet. Open: its ladder has begun."""

    PLANNED = "planned"
    OPEN = "open"
    FULFILLED = "fulfilled"
    WAIVED = "waived"
    CANCELLED = "cancelled"


STATUS_WORDS: Mapping[Status, Words] = MappingProxyType(
    {
        Status.PLANNED: Words("计划", "planned"),
        Status.OPEN: Words("进行中", "open"),
        Status.FULFILLED: Words("已完成", "fulfilled"),
        Status.WAIVED: Words("已豁免", "waived"),
        Status.CANCELLED: Words("已取消", "cancelled"),
    }
)
"""What a status is called."""


class ObligationKind(StrEnum):
    """What is owed."""

    MEETING = "meeting"
    REPORT = "report"
    FACT = "fact"
    APPROVAL = "approval"
    OFFER = "offer"
    NOTICE = "notice"
    SURVEY = "survey"
    COVENANT = "covenant"
    ACTION = "action"
    ISSUE = "issue"


TRANSITIONS: Mapping[Status, frozenset[Status]] = MappingProxyType(
    {
        Status.PLANNED: frozenset({Status.OPEN, Status.FULFILLED, Status.WAIVED, Status.CANCELLED}),
        Status.OPEN: frozenset({Status.FULFILLED, Status.WAIVED, Status.CANCELLED}),
        Status.FULFILLED: frozenset(),
        Status.WAIVED: frozenset(),
        Status.CANCELLED: frozenset({Status.PLANNED}),
    }
)


INVITED, ASKED, HANDED, INVITED_AT = "invited", "asked", "handed", "invited_at"
TOLD = (INVITED, ASKED)
"""The details that say who was told of an obligation's date: contact refs, invited into calendars or asked by letter.

Who was told then is no matter of who holds which role now, so it is kept and not derived.
"""
ISSUE, AWAITING = "issue", "awaiting"
"""The details of a reported problem: its ext_id, and the confirmation (a key) that its solution waits for."""
KEPT = (*TOLD, HANDED, INVITED_AT)
"""The details that people brought about, and that a plan or a request made anew leaves as they are.

Under HANDED stands to whom (contact_ref) whose part in an obligation was handed over, under INVITED_AT the address each
was invited at: whoever has another one since still has the meeting in the calendar of the old. Addresses are never put
in the ledger.
"""


class ObligationError(ValueError):
    """A move an obligation's life does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligation:
    """Something `debtor` owes `creditor` by `due_at`. Key: `key`, which is project/obligation/period.

    `debtor` and `creditor` are roles or party refs. `unadjusted_on` is the date the rule gives, `due_on` the business
    day it is rolled to, `due_at` the instant (UTC) in the obligation's `timezone`. `subject` is what it is about (a
    party, a package, a department), `content` names the report that fulfils it, `details` is what its letters say.
    `ladder` names what it climbs, with a + between two; `climbing` holds those ladders as they were when its first
    letter went out (`pfflow.domain.courses`).
    """

    key: str
    project_ref: str
    stage: Stage
    kind: ObligationKind
    title: Words
    due_at: datetime
    due_on: date
    unadjusted_on: date
    timezone: str
    ladder: str
    activity: str = ""
    debtor: str = ""
    creditor: str = ""
    subject: str = ""
    template: str = ""
    content: str = ""
    period_start: date | None = None
    period_end: date | None = None
    provisional: bool = False
    minutes: int = 0
    sequence: int = 0
    status: Status = Status.PLANNED
    held_until: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    closed_because: str = ""
    details: Mapping[str, Json] = field(default_factory=dict)
    climbing: Mapping[str, Json] = field(default_factory=dict)

    def told(self, how: str) -> tuple[str, ...]:
        """Give the refs of the contacts who were told of it: INVITED or ASKED, in order."""
        refs = self.details.get(how)
        if not refs:
            return ()
        return tuple(map(str, refs)) if isinstance(refs, Sequence) and not isinstance(refs, str) else ()

    def telling(self, how: str, refs: Iterable[str]) -> Obligation:
        """Give it with these contacts as the ones who were told of it."""
        others = {name: value for name, value in self.details.items() if name != how}
        told = sorted(set(refs))
        return _changed(self, details={**others, how: told} if told else others)

    def inviting(self, at: Mapping[str, str]) -> Obligation:
        """Give it with these contacts, by ref with their addresses, as the ones who are invited."""
        others = {name: value for name, value in self.details.items() if name not in (INVITED, INVITED_AT)}
        invited = {INVITED: sorted(at), INVITED_AT: dict(sorted(at.items()))}
        return _changed(self, details={**others, **invited} if at else others)

    @property
    def invited_at(self) -> Mapping[str, str]:
        """The addresses contacts were invited at, by ref; without those of a time when they were not kept."""
        kept = self.details.get(INVITED_AT)
        return {str(ref): str(address) for ref, address in kept.items()} if isinstance(kept, Mapping) else {}

    @property
    def handed(self) -> Mapping[str, str]:
        """Who has taken over whose part in it, contact refs by contact refs."""
        pairs = self.details.get(HANDED)
        if not pairs:
            return {}
        return {str(one): str(other) for one, other in pairs.items()} if isinstance(pairs, Mapping) else {}

    def without_ladders(self, details: Mapping[str, Json]) -> Obligation:
        """Give it with these details and none of the ladders it began with: smaller, to be shown."""
        return _changed(self, details=details, climbing={})

    @property
    def kept_details(self) -> dict[str, Json]:
        """Its details that are left as they are when others are put in place: KEPT."""
        return {name: value for name, value in self.details.items() if name in KEPT}

    @property
    def live(self) -> bool:
        """Whether it is still owed."""
        return self.status in (Status.PLANNED, Status.OPEN)

    def overdue(self, as_of: datetime) -> bool:
        """Whether it is still owed after its due instant."""
        return self.live and self.due_at < as_of

    def begun(self, climbing: Mapping[str, Json]) -> Obligation:
        """Give it open, with the ladders it climbs; raises ObligationError where it is open already, or over."""
        self._refuse(Status.OPEN)
        return _changed(self, status=Status.OPEN, climbing=climbing)

    def moved_to(self, status: Status, *, at: datetime, by: str = "", because: str = "") -> Obligation:
        """Give the obligation in another status.

        Raises ObligationError for a move `TRANSITIONS` does not have, or a waiver without who and why.
        """
        self._refuse(status)
        if status is Status.WAIVED and not (by and because):
            raise ObligationError(f"{self.key}: a waiver names who waives and why")
        if status is Status.OPEN:
            return _changed(self, status=status)
        if status is Status.PLANNED:
            return _changed(self, status=status, closed_at=None, closed_by="", closed_because="")
        return _changed(self, status=status, closed_at=at, closed_by=by, closed_because=because, held_until=None)

    def _refuse(self, status: Status) -> None:
        if status not in TRANSITIONS[self.status]:
            raise ObligationError(f"{self.key} is {self.status} and cannot become {status}")


_changed = changing(Obligation)


@lru_cache(maxsize=65536)
def derived_key(*parts: str) -> str:
    """Give the key made of the parts: readable, stable, and fit for a Message-ID (RFC 5322 section 3.6.4).

    Characters outside ASCII letters, digits and ``-_.+`` are percent-encoded, so a Chinese reference stays unique;
    a dot that would stand at an edge or doubled (a dot-atom has neither) is encoded as well.

    >>> derived_key("G1", "fund-use-report", "2026-01-15")
    'G1/fund-use-report/2026-01-15'
    >>> derived_key("项目", "a b")
    '%E9%A1%B9%E7%9B%AE/a%20b'
    """
    encoded = [quote(part, safe="+-_") for part in parts]
    if not all(encoded):
        raise ObligationError(f"a key has no empty part: {parts!r}")
    return "/".join(_STRAY_DOT.sub("%2E", part) for part in encoded)
