"""What a calendar clashes with: people in two meetings at once, outside their hours, or in too many in a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import invited_by
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Contact
from pfflow.domain.words import Json, Stage, Words

MEETINGS_A_DAY = 3
"""How many meetings a day a person is not asked to exceed, if nobody says another number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One person in one meeting. `address` tells who is who; `opens` and `closes` are the hours held to be theirs."""

    address: str
    name: str
    timezone: str
    project_ref: str
    obligation_key: str
    title: Words
    starts_at: datetime
    ends_at: datetime
    opens: time
    closes: time

    @property
    def on(self) -> date:
        """The day it is for the person."""
        return self.starts_at.astimezone(ZoneInfo(self.timezone)).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A clash of one person's meetings, the `keys`. `kind` is double-booked, out-of-hours or crowded-day."""

    kind: str
    name: str
    at: datetime
    timezone: str
    titles: tuple[Words, ...]
    keys: tuple[str, ...]
    projects: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        """Give it for machines."""
        return {
            "kind": self.kind,
            "name": self.name,
            "at": self.at.isoformat(),
            "timezone": self.timezone,
            "keys": list(self.keys),
        }


def bookings(dossier: Dossier, decision: Decision) -> tuple[Booking, ...]:
    """Give who is in which meeting ahead, once a decision is recorded: everyone whom a meeting's ladder invites."""
    stands = {**dossier.held.obligations, **{o.key: o for o in decision.obligations}}
    meetings = [o for o in stands.values() if o.kind is ObligationKind.MEETING and o.live and o.due_at > decision.as_of]
    draft = Draft(dossier, Stage.COMMUNICATION, decision.as_of)
    guests: dict[tuple[str, str, str, str, str], tuple[Contact, ...]] = {}
    found = []
    for meeting in sorted(meetings, key=lambda o: (o.due_at, o.key)):
        like = (meeting.ladder, meeting.activity, meeting.debtor, meeting.creditor, meeting.subject)
        if like not in guests:
            guests[like] = _guests(draft, meeting)
        found += [_booking(dossier, meeting, contact) for contact in guests[like]]
    return tuple(found)


def conflicts(booked: Iterable[Booking], meetings_a_day: int = MEETINGS_A_DAY) -> tuple[Conflict, ...]:
    """Give every clash, in order of instant, person and kind; the order of the bookings does not matter."""
    by_person: dict[str, list[Booking]] = defaultdict(list)
    for one in set(booked):
        by_person[one.address].append(one)
    found: list[Conflict] = []
    for mine in by_person.values():
        mine.sort(key=lambda one: (one.starts_at, one.obligation_key))
        found += _double_booked(mine)
        found += (_conflict("out-of-hours", [one]) for one in mine if _out_of_hours(one))
        found += _crowded(mine, meetings_a_day)
    return tuple(sorted(found, key=lambda one: (one.at, one.name, one.kind, one.keys)))


def _double_booked(mine: Sequence[Booking]) -> Iterator[Conflict]:
    for number, one in enumerate(mine):
        for other in mine[number + 1 :]:
            if other.starts_at >= one.ends_at:
                break
            yield _conflict("double-booked", [one, other])


def _out_of_hours(one: Booking) -> bool:
    zone = ZoneInfo(one.timezone)
    start, end = one.starts_at.astimezone(zone), one.ends_at.astimezone(zone)
    return start.time() < one.opens or end.time() > one.closes or end.date() > start.date()


def _crowded(mine: Sequence[Booking], most: int) -> Iterator[Conflict]:
    by_day: dict[date, list[Booking]] = defaultdict(list)
    for one in mine:
        by_day[one.on].append(one)
    return (_conflict("crowded-day", day) for day in by_day.values() if len(day) > most)


def _conflict(kind: str, some: Sequence[Booking]) -> Conflict:
    last = some[-1]
    return Conflict(
        kind=kind,
        name=last.name,
        at=last.starts_at,
        timezone=last.timezone,
        titles=tuple(one.title for one in some),
        keys=tuple(one.obligation_key for one in some),
        projects=tuple(sorted({one.project_ref for one in some})),
    )


def _guests(draft: Draft, meeting: Obligation) -> tuple[Contact, ...]:
    ladder = draft.dossier.playbook.ladders.get(meeting.ladder)
    return tuple(invited_by(draft, meeting, ladder.rungs).values()) if ladder else ()


def _booking(dossier: Dossier, meeting: Obligation, contact: Contact) -> Booking:
    hours = dossier.playbook.hours
    return Booking(
        address=contact.email.lower(),
        name=contact.name,
        timezone=_zone(contact.timezone) or meeting.timezone,
        project_ref=meeting.project_ref,
        obligation_key=meeting.key,
        title=meeting.title,
        starts_at=meeting.due_at,
        ends_at=meeting.due_at + timedelta(minutes=meeting.minutes),
        opens=hours.opens,
        closes=hours.closes,
    )


def _zone(name: str) -> str:
    """Give the name if it is a zone, else nothing: a contact's mistyped zone is no conflict."""
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
