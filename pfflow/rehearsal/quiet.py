"""When a stage may next have something to say, so that sweeps with nothing to say need not be lived.

Every answer is on the safe side: never later than the truth. What changes the facts wakes everybody (see `living`), so
here only the passing of time counts. A test holds a rehearsal that skips to one that lives every sweep.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from pfflow.domain.business_days import DAY, wall_instant
from pfflow.domain.courses import courses
from pfflow.domain.decision import Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import steps
from pfflow.domain.facts import Touch
from pfflow.domain.hearing import moved
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.offsets import offset_date
from pfflow.domain.planning import CONDITION, Window, wanted
from pfflow.domain.project import Phase
from pfflow.domain.words import Stage
from pfflow.rehearsal.stirring import NEVER
from pfflow.stages.information_gathering import REGISTER

_LATE_BY_ANY_MEASURE = timedelta(days=60)
"""More than any run of days off, so that what is as late as that is more than one business day late."""

_AHEAD = timedelta(days=400)
"""How far beyond the horizon dates are expanded at a time."""


def waits(draft: Draft, obligation: Obligation) -> bool:
    """Whether a rung of an obligation was reached and not taken: held, no report yet, or nobody there."""
    ahead = steps(draft, obligation, courses(draft.dossier.playbook, obligation))
    return any(step.at <= draft.as_of and not draft.fired(obligation.key, step.name) for step in ahead)


def stirs_at(draft: Draft, obligation: Obligation) -> datetime:
    """Give when something may next be said of an obligation that was just looked at, if nobody says anything of it."""
    climbed = courses(draft.dossier.playbook, obligation)
    as_of = draft.as_of
    times = []
    for touch in draft.dossier.held.answers_to(obligation.key):
        times.append(touch.at)
        if touch.kind is Touch.ACKNOWLEDGEMENT:
            times += [moved(draft, touch.at, course.ladder.hold) for course in climbed]
    waiting: list[datetime] = []
    for step in steps(draft, obligation, climbed):
        if step.at > as_of:
            times.append(step.at)
        elif not draft.fired(obligation.key, step.name):
            waiting.append(step.at)
    if waiting:
        # What was reached and not taken (held, no report yet, nobody there) grows late by days, and is over once due.
        # Once it is late by every measure, only who is there can change.
        soon = max(waiting) > as_of - _LATE_BY_ANY_MEASURE
        days = (
            [draft.today + DAY]
            if soon
            else [*_next_change_of_roles(draft.dossier, draft.today), *_changes_of_absences(draft.dossier)]
        )
        times += [obligation.due_at, *(_midnight(day, draft.dossier) for day in days)]
    return min((at for at in times if at > as_of), default=NEVER)


@dataclass(slots=True)
class Quiet:
    """What one project's stages wait for. `plans_on` are the days on which the horizon next reaches a date.

    That is by cadence or undertaking, and for any of them under the empty name. `dates` are the days on which something
    of each falls due, as far as they were expanded, from what `made_of` holds.
    """

    plans_on: Mapping[str, date] = field(default_factory=dict)
    dates: dict[str, list[date]] = field(default_factory=dict)
    made_of: tuple[object, ...] = ()
    expanded_to: date = date.min
    looked_to: date = date.min

    def forget(self) -> None:
        """Look ahead anew: the facts, the phase or the calendar changed."""
        self.looked_to = date.min

    def looks_at(self, stage: Stage, dossier: Dossier, as_of: datetime) -> datetime:
        """Give when a stage must be asked again, having been asked at `as_of`."""
        today = as_of.astimezone(dossier.playbook.zone).date()
        days: list[date] = []
        match stage:
            case Stage.IDENTIFICATION:
                days = _next_change_of_roles(dossier, today)
            case Stage.INFORMATION_GATHERING:
                days = [*_next_change_of_roles(dossier, today), *_changes_of_knowledge(dossier, today)]
            case Stage.COMMUNICATION:
                days = [self._planned_next(dossier, today)]
            case Stage.EVALUATION:
                # What was due in the month of an open card wakes it when it changes.
                days = [
                    *_next_change_of_roles(dossier, today),
                    (today.replace(day=1) + timedelta(days=32)).replace(day=1),
                ]
            case Stage.SERVICE_DESIGN:
                pass
        # A year later the calendar holds another year.
        days.append(date(today.year + 1, 1, 1))
        return _midnight(min(day for day in days if day > today), dossier)

    def _planned_next(self, dossier: Dossier, today: date) -> date:
        """Give the first day after today whose horizon reaches a date that today's does not."""
        if dossier.project.phase is Phase.EXIT:
            return date.max - DAY
        horizon = today + timedelta(days=dossier.playbook.horizon_days)
        known = horizon < self.looked_to
        if known and today < self.plans_on[""]:
            return self.plans_on[""]
        if not known:
            self.looked_to = horizon + _AHEAD
            self._expand(dossier, horizon)
        back = timedelta(days=dossier.playbook.horizon_days)
        new_year = date(today.year + 1, 1, 1)
        found = {}
        for source, days in self.dates.items():
            ahead = bisect_right(days, horizon)
            reached = min(days[ahead], self.looked_to) if ahead < len(days) else self.looked_to
            found[source] = min(reached - back, new_year)
        first = min(found.values(), default=min(self.looked_to - back, new_year))
        self.plans_on = {**found, "": first}
        return first

    def _expand(self, dossier: Dossier, horizon: date) -> None:
        """Find what falls due up to the end of the year to which is looked, as far as it is not known already."""
        facts = dossier.facts
        made_of = (dossier.project, facts.obligations, facts.conditions, facts.milestones, dossier.calendar)
        if made_of != self.made_of:
            self.dates, self.made_of, self.expanded_to = {}, made_of, horizon - DAY
            names = [*dossier.playbook.cadences, *(one.obligation_ref for one in facts.obligations)]
            names += [f"{CONDITION}{one.cp_ref}" for one in facts.conditions]
            self.dates = {name: [] for name in names}
        if self.expanded_to >= self.looked_to:
            return
        # The calendar reaches to that year's end as well.
        window = Window(max(horizon, self.expanded_to + DAY), date(self.looked_to.year, 12, 31))
        due: dict[str, set[date]] = {}
        for one in wanted(dossier, window, lambda *_: None):
            due.setdefault(one.source, set()).add(one.obligation.due_on)
        for source, days in due.items():
            self.dates[source] = sorted({*(day for day in self.dates[source] if day > horizon), *days})
        self.expanded_to = window.last


def _next_change_of_roles(dossier: Dossier, today: date) -> list[date]:
    changes = dossier.held.changes_of_roles()
    return list(changes[bisect_right(changes, today) :][:1])


def _changes_of_absences(dossier: Dossier) -> Iterator[date]:
    for one in dossier.facts.absences:
        yield one.since
        yield one.until + DAY


def _changes_of_knowledge(dossier: Dossier, today: date) -> Iterator[date]:
    """Give the next day on which what is known comes to light or is too old, and those to ask for more again."""
    items = (item for checklist in dossier.playbook.checklists.values() for item in checklist)
    ages = frozenset((item.metric, item.max_age_days) for item in items if item.max_age_days)
    days = dossier.held.remembered(("knowledge", ages), lambda: _days_of_knowledge(dossier, ages))
    yield from days[bisect_right(days, today) :][:1]
    due = dossier.playbook.gathering.due
    passed = today - _LATE_BY_ANY_MEASURE - timedelta(days=3 * due.count)
    for owed in dossier.held.of_stage(Stage.INFORMATION_GATHERING):
        # What came into the register is asked for again at once, if at all.
        if owed.kind is not ObligationKind.FACT or owed.closed_at is None or owed.closed_by == REGISTER:
            continue
        if owed.closed_at.date() > passed:
            closed_on = owed.closed_at.astimezone(dossier.playbook.zone).date()
            yield offset_date(closed_on, due, dossier.calendar)


def _days_of_knowledge(dossier: Dossier, ages: Iterable[tuple[str, int]]) -> list[date]:
    """Give the days on which what is known is first known, and is too old for an item: (metric or none, days)."""
    known = {("", one.as_of) for one in dossier.facts.parties if one.as_of}
    known |= {(one.metric, one.period_end) for one in dossier.facts.financials}
    too_old = {day + timedelta(days=age + 1) for what, age in ages for metric, day in known if metric == what}
    return sorted(too_old | {day for _, day in known})


def _midnight(day: date, dossier: Dossier) -> datetime:
    return wall_instant(day, time(0), dossier.playbook.zone)
