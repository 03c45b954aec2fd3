"""When a stage may next have something to say, so that sweeps with nothing to say need not be lived.

Every answer is on the safe side: never later than the truth. What changes the facts wakes everybody (see `living`), so
here only the passing of time counts. A test holds a rehearsal that skips to one that lives every sweep.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
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
from pfflow.domain.planning import Window, rolling_window, wanted
from pfflow.domain.project import Phase
from pfflow.domain.words import Stage
from pfflow.rehearsal.stirring import NEVER

_LATE_BY_ANY_MEASURE = timedelta(days=60)
"""More than any run of days off, so that what is as late as that is more than one business day late."""

_AHEAD = timedelta(days=400)
"""How far beyond the horizon dates are expanded at a time."""


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
    for step in steps(draft, obligation, [rung for course in climbed for rung in course.ladder.rungs]):
        if step.at > as_of:
            times.append(step.at)
        elif not draft.fired(obligation.key, step.name):
            waiting.append(step.at)
    if waiting:
        # What was reached and not taken (held, no report yet, nobody there) grows late by days, and is over once due.
        # Once it is late by every measure, only who is there can change.
        soon = max(waiting) > as_of - _LATE_BY_ANY_MEASURE
        days = (
            [draft.today + DAY] if soon else [*_changes_of_roles(draft.dossier), *_changes_of_absences(draft.dossier)]
        )
        times += [obligation.due_at, *(_midnight(day, draft.dossier) for day in days)]
    return min((at for at in times if at > as_of), default=NEVER)


@dataclass(slots=True)
class Quiet:
    """What one project's stages wait for. `dates` are the days ahead on which something falls due, as last expanded."""

    dates: list[date] = field(default_factory=list)
    expanded_to: date = date.min

    def forget(self) -> None:
        """Expand dates anew: the facts, the phase or the calendar changed."""
        self.dates, self.expanded_to = [], date.min

    def looks_at(self, stage: Stage, dossier: Dossier, as_of: datetime) -> datetime:
        """Give when a stage must be asked again, having been asked at `as_of`."""
        today = as_of.astimezone(dossier.playbook.zone).date()
        days: list[date] = []
        match stage:
            case Stage.IDENTIFICATION:
                days = list(_changes_of_roles(dossier))
            case Stage.INFORMATION_GATHERING:
                days = [*_changes_of_roles(dossier), *_changes_of_knowledge(dossier)]
            case Stage.COMMUNICATION:
                days = [self._planned_next(dossier, today)]
            case Stage.EVALUATION:
                # What was due in the month of an open card wakes it when it changes.
                days = [*_changes_of_roles(dossier), (today.replace(day=1) + timedelta(days=32)).replace(day=1)]
            case Stage.SERVICE_DESIGN:
                pass
        # A year later the calendar holds another year.
        days.append(date(today.year + 1, 1, 1))
        return _midnight(min(day for day in days if day > today), dossier)

    def _planned_next(self, dossier: Dossier, today: date) -> date:
        """Give the first day after today whose horizon reaches a date that today's does not."""
        if dossier.project.phase is Phase.EXIT:
            return date.max - DAY
        horizon = rolling_window(dossier, today).last
        if horizon + DAY > self.expanded_to:
            self.expanded_to = horizon + _AHEAD
            found = wanted(dossier, Window(horizon, self.expanded_to), lambda *_: None)
            self.dates = sorted({one.obligation.due_on for one in found})
        ahead = bisect_right(self.dates, horizon)
        reached = self.dates[ahead] if ahead < len(self.dates) else self.expanded_to
        return reached - timedelta(days=dossier.playbook.horizon_days)


def _changes_of_roles(dossier: Dossier) -> Iterator[date]:
    for one in dossier.facts.participations:
        if one.since is not None:
            yield one.since
        if one.until is not None:
            yield one.until + DAY


def _changes_of_absences(dossier: Dossier) -> Iterator[date]:
    for one in dossier.facts.absences:
        yield one.since
        yield one.until + DAY


def _changes_of_knowledge(dossier: Dossier) -> Iterator[date]:
    """Give the days on which what is known of a party comes to light or is too old, or may be asked for again."""
    ages = {i.max_age_days for items in dossier.playbook.checklists.values() for i in items} - {None}
    known = {one.as_of for one in dossier.facts.parties} | {one.period_end for one in dossier.facts.financials}
    for day in known - {None}:
        if day is not None:
            yield day
            yield from (day + timedelta(days=age) + DAY for age in ages if age is not None)
    for owed in dossier.held.of_stage(Stage.INFORMATION_GATHERING):
        if owed.kind is ObligationKind.FACT and owed.closed_at is not None:
            closed_on = owed.closed_at.astimezone(dossier.playbook.zone).date()
            yield offset_date(closed_on, dossier.playbook.gathering.due, dossier.calendar)


def _midnight(day: date, dossier: Dossier) -> datetime:
    return wall_instant(day, time(0), dossier.playbook.zone)
