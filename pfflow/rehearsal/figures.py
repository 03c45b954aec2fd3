"""The figures of a rehearsal, computed once: terminal, HTML and workbook all show these and compute none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.words import Words
from pfflow.rehearsal.script import Script
from pfflow.rehearsal.silence import Silence
from pfflow.rehearsal.tally import Dated, Part, Person, week_of

Kept = TypeVar("Kept")

HolidaysOf = Callable[[str, int], Mapping[date, Words]]
"""Gives the named holidays of a project's calendars in a year."""

_NOT_A_DATE = frozenset({ObligationKind.NOTICE, ObligationKind.OFFER})
"""What is told when it comes up and was never a date in anybody's calendar."""
_YEAR_END = (date(2000, 12, 16), date(2000, 12, 31))


@dataclass(frozen=True, slots=True)
class Load:
    """What a person or a team has in a week: dates asked for or attended, and mails."""

    who: str
    team: Words
    dates: Mapping[date, int]
    mails: Mapping[date, int]

    @property
    def busiest(self) -> tuple[date | None, int]:
        """The week with the most dates, the first of several, and how many."""
        if not self.dates:
            return None, 0
        week = min(self.dates, key=lambda one: (-self.dates[one], one))
        return week, self.dates[week]


@dataclass(frozen=True, slots=True)
class Collision:
    """A date that the rule puts on a holiday, and where it went."""

    dated: Dated
    holiday: Words


@dataclass(frozen=True, slots=True)
class Gap:
    """A span of days, both included, in which a party is told nothing."""

    party_ref: str
    party: Words
    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days that is."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Clash:
    """A person in two meetings at once, or in more in a day than is bearable; the meetings' keys."""

    kind: str
    person: str
    on: date
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many dates fall due around a feast of a year: in the two weeks before, in it by rule, in the two after."""

    feast: Words
    year: int
    first: date
    last: date
    before: int
    moved: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """Everything a rehearsal found out.

    Dates leave out notices, which are told when they come up (`told`), and what was cancelled. `overloaded` are
    (person, week, dates) beyond the limit, `without_owner` the dates nobody would do.
    """

    playbook: str
    script: str
    first: date
    last: date
    projects: tuple[str, ...]
    limits: tuple[int, int, int]
    dates: tuple[Dated, ...]
    told: tuple[Dated, ...]
    people: tuple[Load, ...]
    teams: tuple[Load, ...]
    overloaded: tuple[tuple[str, date, int], ...]
    collisions: tuple[Collision, ...]
    clashes: tuple[Clash, ...]
    gaps: tuple[Gap, ...]
    without_owner: tuple[Dated, ...]
    escalations: Mapping[tuple[str, int], int]
    crowds: tuple[Crowd, ...]
    provisional: Mapping[int, int]
    findings: tuple[tuple[str, str, str, Words], ...]
    silences: tuple[Silence, ...]
    mails: int
    decisions: int

    def late_by(self, dated: Dated) -> int:
        """Give how many calendar days a date was late."""
        return days_late(dated.obligation, self.last)

    @property
    def by_holiday(self) -> tuple[tuple[Words, int], ...]:
        """The holidays that dates collide with, the most first."""
        counted = Counter(one.holiday for one in self.collisions)
        return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0].en)))

    @property
    def worst_month(self) -> tuple[str, int]:
        """The month in which most people are overloaded, the first of several, and how many; empty for none."""
        by_month: dict[str, set[str]] = defaultdict(set)
        for who, week, _ in self.overloaded:
            by_month[f"{week:%Y-%m}"].add(who)
        if not by_month:
            return "", 0
        month = min(by_month, key=lambda one: (-len(by_month[one]), one))
        return month, len(by_month[month])

    @property
    def late(self) -> tuple[Dated, ...]:
        """The dates that were not kept: closed after their day, or still owed after it."""
        return tuple(one for one in self.dates if days_late(one.obligation, self.last) > 0)

    @property
    def escalated(self) -> int:
        """How many rungs were climbed."""
        return sum(self.escalations.values())


def days_late(one: Obligation, last: date) -> int:
    """Give how many calendar days a date was late, by the end of the rehearsal if it is still owed."""
    if one.status in (Status.WAIVED, Status.CANCELLED):
        return 0
    closed_on = one.closed_at.date() if one.closed_at else last
    return max(0, (closed_on - one.due_on).days)


def rehearsed(
    parts: Sequence[Part], *, playbook: str, script: Script, span: tuple[date, date], holidays_of: HolidaysOf
) -> Rehearsed:
    """Compute every figure from what was noted of each project, in the order of the projects."""
    first, last = span
    everything = sorted(
        (d for part in parts for d in part.dates), key=lambda d: (d.obligation.due_at, d.obligation.key)
    )
    kept = [d for d in everything if d.obligation.status is not Status.CANCELLED and d.obligation.due_on <= last]
    dates = tuple(d for d in kept if d.obligation.kind not in _NOT_A_DATE)
    people, parties = _merged(part.people for part in parts), _merged(part.parties for part in parts)
    loads = _loads(parts, people, parties)
    limits = script.limits
    overloaded = [
        (load.who, week, count)
        for load in loads
        for week, count in sorted(load.dates.items())
        if count > limits.week and week <= last
    ]
    escalations: Counter[tuple[str, int]] = Counter()
    for part in parts:
        escalations.update(part.escalations)
    collisions = _collisions(dates, holidays_of)
    return Rehearsed(
        playbook=playbook,
        script=script.rehearsal,
        first=first,
        last=last,
        projects=tuple(part.project_ref for part in parts),
        limits=(limits.week, limits.meetings_a_day, limits.silent_days),
        dates=dates,
        told=tuple(d for d in kept if d.obligation.kind in _NOT_A_DATE),
        people=loads,
        teams=_teams(loads),
        overloaded=tuple(sorted(overloaded, key=lambda one: (one[1], one[0]))),
        collisions=collisions,
        clashes=_clashes(parts, people, limits.meetings_a_day),
        gaps=_gaps(parts, parties, span, limits.silent_days),
        without_owner=tuple(d for d in dates if not d.owner),
        escalations=dict(sorted(escalations.items())),
        crowds=_crowds(dates, collisions, span, holidays_of),
        provisional=dict(sorted(Counter(d.obligation.due_on.year for d in dates if d.obligation.provisional).items())),
        findings=tuple((part.project_ref, *finding) for part in parts for finding in part.findings),
        silences=tuple(sorted({s.source: s for part in parts for s in part.silences}.values(), key=lambda s: s.source)),
        mails=sum(sum(weeks.values()) for part in parts for weeks in part.mails.values()),
        decisions=sum(part.decisions for part in parts),
    )


def _merged(mappings: Iterable[Mapping[str, Kept]]) -> dict[str, Kept]:
    return {ref: value for mapping in mappings for ref, value in mapping.items()}


def _loads(parts: Sequence[Part], people: Mapping[str, Person], parties: Mapping[str, Words]) -> tuple[Load, ...]:
    dates: dict[str, Counter[date]] = defaultdict(Counter)
    mails: dict[str, Counter[date]] = defaultdict(Counter)
    for part in parts:
        for ref, weeks in part.asked.items():
            dates[ref].update(weeks)
        for ref, weeks in part.mails.items():
            mails[ref].update(weeks)
    return tuple(
        Load(person.name, parties.get(person.party_ref, Words("", "")), dict(dates[ref]), dict(mails[ref]))
        for ref, person in sorted(people.items())
    )


def _teams(loads: Iterable[Load]) -> tuple[Load, ...]:
    teams: dict[Words, tuple[Counter[date], Counter[date]]] = {}
    for load in loads:
        dates, mails = teams.setdefault(load.team, (Counter(), Counter()))
        dates.update(load.dates)
        mails.update(load.mails)
    return tuple(Load("", team, dict(dates), dict(mails)) for team, (dates, mails) in teams.items())


def _collisions(dates: Iterable[Dated], holidays_of: HolidaysOf) -> tuple[Collision, ...]:
    found = []
    for one in dates:
        on = one.obligation.unadjusted_on
        name = holidays_of(one.obligation.project_ref, on.year).get(on)
        if name is not None:
            found.append(Collision(one, name))
    return tuple(found)


def _clashes(parts: Sequence[Part], people: Mapping[str, Person], most: int) -> tuple[Clash, ...]:
    by_person: dict[str, list[tuple[datetime, datetime, str]]] = defaultdict(list)
    for part in parts:
        for ref, starts_at, ends_at, key in part.meetings:
            by_person[ref].append((starts_at, ends_at, key))
    found = []
    for ref, meetings in by_person.items():
        meetings.sort()
        name, by_day = people[ref].name, defaultdict(list)
        busy_until, busy_with = datetime.min.replace(tzinfo=meetings[0][0].tzinfo), ""
        for starts_at, ends_at, key in meetings:
            if starts_at < busy_until:
                found.append(Clash("double-booked", name, starts_at.date(), (busy_with, key)))
            if ends_at > busy_until:
                busy_until, busy_with = ends_at, key
            by_day[starts_at.date()].append(key)
        found += [Clash("crowded-day", name, on, tuple(keys)) for on, keys in by_day.items() if len(keys) > most]
    return tuple(sorted(found, key=lambda one: (one.on, one.person, one.kind, one.keys)))


def _gaps(
    parts: Sequence[Part], parties: Mapping[str, Words], span: tuple[date, date], silent_days: int
) -> tuple[Gap, ...]:
    first, last = span
    heard: dict[str, int] = {}
    for part in parts:
        for ref in part.external:
            heard[ref] = heard.get(ref, 0) | part.heard.get(ref, 0)
    found = []
    for ref, bits in sorted(heard.items()):
        before = first - timedelta(days=1)
        for day in (*_days(bits, first), last + timedelta(days=1)):
            if (day - before).days - 1 > silent_days:
                found.append(Gap(ref, parties[ref], before + timedelta(days=1), day - timedelta(days=1)))
            before = day
    return tuple(found)


def _days(bits: int, first: date) -> list[date]:
    text = bin(bits)[:1:-1]
    return [first + timedelta(days=number) for number, bit in enumerate(text) if bit == "1"]


def _crowds(
    dates: Sequence[Dated], collisions: Sequence[Collision], span: tuple[date, date], holidays_of: HolidaysOf
) -> tuple[Crowd, ...]:
    """Give the crowding around each year's Spring Festival, where the calendars know one, and at its end."""
    projects = sorted({d.obligation.project_ref for d in dates})
    due = Counter(d.obligation.due_on for d in dates)
    by_rule = Counter(one.dated.obligation.unadjusted_on for one in collisions)
    found = []
    for year in range(span[0].year, span[1].year + 1):
        named = {day: name for ref in projects for day, name in holidays_of(ref, year).items()}
        spring = [day for day, name in named.items() if is_spring_festival(name)]
        if spring:
            found.append(_crowd(Words("春节", "Spring Festival"), year, (min(spring), max(spring)), due, by_rule))
        ends = _YEAR_END[0].replace(year=year), _YEAR_END[1].replace(year=year)
        found.append(_crowd(Words("年末", "Year-end"), year, ends, due, by_rule, inside=True))
    return tuple(found)


def is_spring_festival(name: Words) -> bool:
    """Whether a holiday's name is one of the days of Spring Festival; England's Spring Bank Holiday is none.

    >>> is_spring_festival(Words("农历除夕", "")), is_spring_festival(Words("", "Spring Bank Holiday"))
    (True, False)
    """
    zh, en = ("春节", "除夕", "农历新年", "农历年"), ("Spring Festival", "Lunar New Year", "Chinese New Year")
    return any(one in name.zh for one in zh) or any(one in name.en for one in en)


def _crowd(
    feast: Words,
    year: int,
    days: tuple[date, date],
    due: Mapping[date, int],
    by_rule: Mapping[date, int],
    *,
    inside: bool = False,
) -> Crowd:
    first, last = days
    two_weeks = timedelta(days=14)
    within = due if inside else by_rule
    return Crowd(
        feast=feast,
        year=year,
        first=first,
        last=last,
        before=_between(due, first - two_weeks, first - timedelta(days=1)),
        moved=_between(within, first, last),
        after=_between(due, last + timedelta(days=1), last + two_weeks),
    )


def _between(counted: Mapping[date, int], first: date, last: date) -> int:
    return sum(counted.get(first + timedelta(days=number), 0) for number in range((last - first).days + 1))


def week_starts(first: date, last: date) -> tuple[date, ...]:
    """Give the Mondays of the weeks from a day to a day."""
    begin = week_of(first)
    return tuple(begin + timedelta(days=7 * number) for number in range((week_of(last) - begin).days // 7 + 1))
