"""What a calendar clashes with: people in two meetings at once, outside their hours, or in too many in a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pfflow.domain.courses import rungs_of
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import invited_by
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.parties import Contact
from pfflow.domain.playbook import Hours
from pfflow.domain.words import Json, Stage, Words

MEETINGS_A_DAY = 3
"""How many meetings a day a person is not asked to exceed, if nobody says another number."""

Terms = tuple[str, ...]
"""What decides who is invited to a meeting of a project: ladder, activity, debtor, creditor and subject; or its key
alone, where it has a ladder of its own or was handed over."""


@dataclass(frozen=True, slots=True)
class Guest:
    """One person. `address` tells who is who; `timezone` is empty where the meeting's is to be taken."""

    address: str
    name: str
    timezone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One meeting that lies ahead, and who is in it."""

    project_ref: str
    obligation_key: str
    title: Words
    starts_at: datetime
    minutes: int
    timezone: str
    guests: tuple[Guest, ...]
    provisional: bool = False

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.starts_at + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A clash of one person's meetings, the `keys`. `kind` is double-booked, out-of-hours or crowded-day.

    `at` is when the last of them begins, which may be `provisional`.
    """

    kind: str
    name: str
    at: datetime
    timezone: str
    titles: tuple[Words, ...]
    keys: tuple[str, ...]
    projects: tuple[str, ...]
    provisional: bool = False

    def as_json(self) -> dict[str, Json]:
        """Give it for machines."""
        return {
            "kind": self.kind,
            "name": self.name,
            "at": self.at.isoformat(),
            "timezone": self.timezone,
            "provisional": self.provisional,
            "keys": list(self.keys),
        }


def terms_of(meeting: Obligation) -> Terms:
    """Give what decides who is invited to a meeting."""
    if meeting.handed or meeting.climbing:
        return (meeting.key,)
    return (meeting.ladder, meeting.activity, meeting.debtor, meeting.creditor, meeting.subject)


def guests_by_terms(dossier: Dossier, decision: Decision) -> dict[Terms, tuple[Contact, ...]]:
    """Give whom the ladders of the meetings ahead invite, once a decision is recorded."""
    draft = Draft(dossier, Stage.COMMUNICATION, decision.as_of)
    found: dict[Terms, tuple[Contact, ...]] = {}
    for meeting in _meetings_ahead(dossier, decision):
        if terms_of(meeting) not in found:
            invited = invited_by(draft, meeting, rungs_of(dossier.playbook, meeting))
            found[terms_of(meeting)] = tuple(invited.values())
    return found


def sittings(
    dossier: Dossier, decision: Decision, guests: Mapping[Terms, tuple[Contact, ...]] | None = None
) -> tuple[Sitting, ...]:
    """Give the meetings ahead, once a decision is recorded, each with everyone whom its ladder invites."""
    if guests is None:
        guests = guests_by_terms(dossier, decision)
    people = {terms: tuple(map(guest_of, some)) for terms, some in guests.items()}
    return tuple(
        Sitting(
            project_ref=meeting.project_ref,
            obligation_key=meeting.key,
            title=meeting.title,
            starts_at=meeting.due_at,
            minutes=meeting.minutes,
            timezone=meeting.timezone,
            guests=people[terms_of(meeting)],
            provisional=meeting.provisional,
        )
        for meeting in _meetings_ahead(dossier, decision)
    )


def guest_of(contact: Contact) -> Guest:
    """Give a contact as somebody in meetings."""
    return Guest(contact.email.lower(), contact.name, _zone(contact.timezone))


def conflicts(some: Iterable[Sitting], hours: Hours, meetings_a_day: int = MEETINGS_A_DAY) -> tuple[Conflict, ...]:
    """Give every clash, in order of instant, person and kind; the order of the meetings does not matter."""
    by_person: dict[str, list[_Seat]] = defaultdict(list)
    for sitting in some:
        for guest in sitting.guests:
            by_person[guest.address].append(_Seat(sitting, guest))
    clock = _Clock(hours)
    found: list[Conflict] = []
    for mine in by_person.values():
        mine.sort(key=lambda seat: (seat.sitting.starts_at, seat.sitting.obligation_key))
        found += _double_booked(mine)
        found += (_conflict("out-of-hours", [seat]) for seat in mine if clock.read(seat)[1])
        found += _crowded(mine, clock, meetings_a_day)
    return tuple(sorted(found, key=lambda one: (one.at, one.name, one.kind, one.keys)))


@dataclass(frozen=True, slots=True)
class _Seat:
    """One person in one meeting."""

    sitting: Sitting
    guest: Guest

    @property
    def timezone(self) -> str:
        return self.guest.timezone or self.sitting.timezone


class _Clock:
    """Reads meetings on people's own clocks; those of one hour in one zone are read once."""

    def __init__(self, hours: Hours) -> None:
        self._hours = hours
        self._read: dict[tuple[datetime, int, str], tuple[date, bool]] = {}

    def read(self, seat: _Seat) -> tuple[date, bool]:
        """Give the day it is for the person, and whether it is outside the working hours there."""
        asked = (seat.sitting.starts_at, seat.sitting.minutes, seat.timezone)
        if asked not in self._read:
            zone = ZoneInfo(seat.timezone)
            start, end = seat.sitting.starts_at.astimezone(zone), seat.sitting.ends_at.astimezone(zone)
            outside = start.time() < self._hours.opens or end.time() > self._hours.closes or end.date() > start.date()
            self._read[asked] = (start.date(), outside)
        return self._read[asked]


def _meetings_ahead(dossier: Dossier, decision: Decision) -> Iterator[Obligation]:
    stands = {**dossier.held.obligations, **{o.key: o for o in decision.obligations}}
    for one in stands.values():
        if one.kind is ObligationKind.MEETING and one.live and one.due_at > decision.as_of:
            yield one


def _double_booked(mine: Sequence[_Seat]) -> Iterator[Conflict]:
    for number, one in enumerate(mine):
        ends_at = one.sitting.ends_at
        for other in mine[number + 1 :]:
            if other.sitting.starts_at >= ends_at:
                break
            yield _conflict("double-booked", [one, other])


def _crowded(mine: Sequence[_Seat], clock: _Clock, most: int) -> Iterator[Conflict]:
    by_day: dict[date, list[_Seat]] = defaultdict(list)
    for one in mine:
        by_day[clock.read(one)[0]].append(one)
    return (_conflict("crowded-day", day) for day in by_day.values() if len(day) > most)


def _conflict(kind: str, some: Sequence[_Seat]) -> Conflict:
    last = some[-1]
    return Conflict(
        kind=kind,
        name=last.guest.name,
        at=last.sitting.starts_at,
        timezone=last.timezone,
        titles=tuple(one.sitting.title for one in some),
        keys=tuple(one.sitting.obligation_key for one in some),
        projects=tuple(sorted({one.sitting.project_ref for one in some})),
        provisional=last.sitting.provisional,
    )


def _zone(name: str) -> str:
    """Give the name if it is a zone, else nothing: a contact's mistyped zone is no conflict."""
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
