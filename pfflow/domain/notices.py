"""A notice is one thing to tell one contact once; rendered it is a letter, composed a message, sent a receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pfflow.domain.obligations import derived_key
from pfflow.domain.reports import Report
from pfflow.domain.words import NO_WORDS, Json, Words


class Method(StrEnum):
    """iTIP methods (RFC 5546 section 1.4) the house uses."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class Attendee:
    """Someone invited: a contact, with the address and name the calendar shows."""

    contact_ref: str
    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A meeting as a calendar sees it (RFC 5545 VEVENT): same `uid` for life, `sequence` up with every change.

    `starts_at` and `ends_at` are UTC instants, shown in `timezone` (IANA name). A CANCEL that `uninvites` takes its
    attendees out of a meeting that is held without them, so it says no STATUS (RFC 5546 section 3.2.5).
    """

    uid: str
    sequence: int
    method: Method
    starts_at: datetime
    ends_at: datetime
    timezone: str
    summary: Words
    description: Words
    organizer_name: Words
    organizer_email: str
    attendees: tuple[Attendee, ...]
    location: Words = NO_WORDS
    uninvites: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell one contact once. `key` is project/obligation/period/rung/contact and becomes the Message-ID.

    `template` is a folder below templates/, such as communication/reminder. `context` is what the templates read; its
    shape is fixed in `pfflow.domain.escalation.letter_context`. A `report` goes into the letter and along as XLSX.
    """

    key: str
    project_ref: str
    obligation_key: str
    rung: str
    contact_ref: str
    template: str
    noticed_at: datetime
    context: Mapping[str, Json] = field(default_factory=dict)
    invitation: Invitation | None = None
    report: Report | None = None
    in_reply_to: str = ""


def notice_key(obligation_key: str, rung: str, contact_ref: str) -> str:
    """Give a notice's key, unique for obligation, rung and contact.

    >>> notice_key("G1/weekly/2026-01-05", "invite-5bd", "C-01")
    'G1/weekly/2026-01-05/invite-5bd/C-01'
    """
    return f"{obligation_key}/{derived_key(rung, contact_ref)}"
