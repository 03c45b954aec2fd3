"""Manners of sending: when a letter that is ready waits all the same, and why. No letter is lost by them.

The caps count letters that left: to one contact within a day, to one domain within an hour. Escalations and urgent
letters are not kept by the cap of a contact, since what climbs must be heard; they count towards it. The cap of a
domain keeps every letter, since it is the other side's mail server that would refuse what is more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pfflow.domain.ladder import Action, action_in
from pfflow.domain.notices import Method, Notice
from pfflow.domain.obligations import ObligationKind
from pfflow.domain.parties import Contact
from pfflow.domain.playbook import QuietHours
from pfflow.domain.quiet_hours import quiet_until, zone_of_reader
from pfflow.domain.words import Words

RECIPIENT_WINDOW = timedelta(days=1)
DOMAIN_WINDOW = timedelta(hours=1)


class Wait(StrEnum):
    """Why a letter waits that nothing is wrong with."""

    QUIET = "quiet"
    RECIPIENT_CAP = "recipient-cap"
    DOMAIN_CAP = "domain-cap"

    @property
    def words(self) -> Words:
        """The reason as people read it."""
        return _REASONS[self]


_REASONS = {
    Wait.QUIET: Words("收件人处于免打扰时段", "it is the reader's quiet hours"),
    Wait.RECIPIENT_CAP: Words("已达该收件人每日上限", "the reader's cap for a day is reached"),
    Wait.DOMAIN_CAP: Words("已达该域名每小时上限", "the domain's cap for an hour is reached"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What a house keeps to: quiet hours (told in `timezone` where a contact names none) and caps; None is none.

    A `punctual` house holds what announces a meeting, or reminds of it, that began while the letter waited. While
    `stopped` nothing is taken from the outbox, whatever the switch in the database says.
    """

    timezone: str = "UTC"
    quiet: QuietHours | None = None
    recipient_cap: int | None = None
    domain_cap: int | None = None
    punctual: bool = False
    stopped: bool = False

    @property
    def caps(self) -> bool:
        """Whether there is a cap to count for."""
        return self.recipient_cap is not None or self.domain_cap is not None


FREE = Manners()
"""Nothing keeps a letter."""


def quiet_end(manners: Manners, notice: Notice, contact: Contact, now: datetime) -> datetime | None:
    """Give when a letter may go that falls in its reader's quiet hours; None where it may go now.

    An urgent one goes now, and so does what announces a meeting that is to begin before they end, or cancels it.
    """
    if manners.quiet is None or notice.urgent:
        return None
    end = quiet_until(now, manners.quiet, zone_of_reader(contact.timezone, ZoneInfo(manners.timezone)))
    begins = _begins(notice)
    return None if end is not None and begins is not None and now < begins < end else end


def beyond_its_point(manners: Manners, notice: Notice, now: datetime) -> bool:
    """Whether a letter announces a meeting that began while it waited: it would come too late to be of use.

    An invitation does, and so does what asks for its papers or reminds of it before it begins. A cancellation does not:
    it takes the meeting out of calendars, and tells whoever came why nobody else did.
    """
    cancels = notice.invitation is not None and notice.invitation.method is Method.CANCEL
    begins = _begins(notice) if manners.punctual and not cancels else None
    return begins is not None and notice.noticed_at < begins <= now


def _begins(notice: Notice) -> datetime | None:
    """Give when the meeting begins that a letter invites to, or asks or reminds of ahead; None where there is none."""
    if notice.invitation is not None:
        return notice.invitation.starts_at
    about = notice.context.get("obligation")
    if action_in(notice.rung) not in (Action.ANNOUNCE, Action.REQUEST, Action.REMIND) or not isinstance(about, Mapping):
        return None
    if about.get("kind") != ObligationKind.MEETING:
        return None
    begins = datetime.fromisoformat(str(about["due_at"]))
    return begins if notice.noticed_at < begins else None  # what is said afterwards asks for the minutes


def bound_by_recipient_cap(notice: Notice) -> bool:
    """Whether the cap of its reader may keep a letter: neither escalations nor what is urgent."""
    return not notice.urgent and action_in(notice.rung) != Action.ESCALATE


def domain_of(address: str) -> str:
    """Give the domain of an address, in lower case.

    >>> domain_of("Ana@Bank.example")
    'bank.example'
    """
    return address.rpartition("@")[2].strip().lower()


@dataclass(slots=True)
class Window:
    """Letters that left, or are leaving, within a window that slides; `cap` may be in one.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    >>> hour = Window(2, DOMAIN_WINDOW, [noon - timedelta(minutes=50), noon - timedelta(minutes=10)])
    >>> hour.next_at(noon).isoformat()
    '2026-01-05T12:10:00+00:00'
    """

    cap: int
    span: timedelta
    times: list[datetime] = field(default_factory=list)

    def next_at(self, now: datetime) -> datetime | None:
        """Give when one more may leave; None where it may now. With a cap of nothing it waits a whole window."""
        within = sorted(time for time in self.times if time > now - self.span)
        if len(within) < self.cap:
            return None
        return within[len(within) - self.cap] + self.span if self.cap else now + self.span

    def count(self, times: Iterable[datetime]) -> None:
        """Count letters that left, or will, at these instants."""
        self.times.extend(times)
