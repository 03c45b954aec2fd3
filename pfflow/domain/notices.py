"""A notice is one thing to tell one contact once; rendered it is a letter, composed a message, sent a receipt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from pfflow.domain.changing import changing
from pfflow.domain.obligations import derived_key
from pfflow.domain.reports import Report
from pfflow.domain.words import NO_WORDS, Json, Words

EMAIL = "email"
"""The channel of letters."""


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
    shape is fixed in `pfflow.domain.escalation.letter_context`. A `report` goes into the letter and along as XLSX. An
    `urgent` notice does not wait for quiet hours to end; those that say the same under `merges_with` may become one
    mail to a contact.

    `channel` is email, or the chat or the room it goes to; for a room `contact_ref` is ``room.`` and its name, and the
    context says what the room is called and reads.
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
    urgent: bool = False
    merges_with: str = ""
    channel: str = EMAIL

    def told_to(self, contact_ref: str, *, instead_of: Json) -> Notice:
        """Give it addressed to a contact, by e-mail, with for whom the contact gets it."""
        return _changed(
            self,
            key=notice_key(self.obligation_key, self.rung, contact_ref),
            contact_ref=contact_ref,
            context={**self.context, "instead_of": instead_of},
            channel=EMAIL,
        )

    @property
    def to_room(self) -> bool:
        """Whether it goes to a room, and so to nobody alone."""
        return self.channel != EMAIL and "room" in self.context


_changed = changing(Notice)

BUNDLED = "bundle/"
"""What the key of one mail with several notices begins with."""


def notice_key(obligation_key: str, rung: str, contact_ref: str, channel: str = EMAIL) -> str:
    """Give a notice's key, unique for obligation, rung, contact and channel.

    >>> notice_key("G1/weekly/2026-01-05", "invite-5bd", "C-01")
    'G1/weekly/2026-01-05/invite-5bd/C-01'
    >>> notice_key("G1/weekly/2026-01-05", "invite-5bd", "C-01", "wecom")
    'G1/weekly/2026-01-05/invite-5bd/C-01/wecom'
    """
    return f"{obligation_key}/{derived_key(rung, contact_ref, *([] if channel == EMAIL else [channel]))}"


def bundle_key(keys: Iterable[str]) -> str:
    """Give the key of one mail that tells several notices: the same notices, the same key.

    >>> bundle_key(["G1/a/r/C-1", "G2/b/r/C-1"]) == bundle_key(["G2/b/r/C-1", "G1/a/r/C-1"])
    True
    """
    return f"{BUNDLED}{sha256(chr(10).join(sorted(keys)).encode()).hexdigest()[:32]}"
