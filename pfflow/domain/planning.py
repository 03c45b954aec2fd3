"""What should be: the obligations that cadences and undertakings ask for between two days.

The communication stage adds what is new of it, and a plan reconciles it with what is. A key is the project, the cadence
or undertaking, and the date of the rule (for an undertaking the end of the period), so that a date that is rolled
elsewhere keeps its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from urllib.parse import unquote

from pfflow.domain.audience import raci_of
from pfflow.domain.business_days import Convention, wall_instant
from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Undertaking
from pfflow.domain.obligations import Obligation, ObligationKind, derived_key
from pfflow.domain.offsets import Offset, OffsetUnit
from pfflow.domain.playbook import Cadence
from pfflow.domain.recurrence import Occurrence, RecurrenceError, anchored, expand, periods
from pfflow.domain.words import Stage, Words

Find = Callable[[str, str, str, str], None]
"""Takes what people should see: kind, subject, and the text in Chinese and in English."""


@dataclass(frozen=True, slots=True)
class Window:
    """The days planning looks at, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Wanted:
    """An obligation that should be, the cadence or undertaking it comes from, and why in a line for the ledger."""

    obligation: Obligation
    source: str
    because: str


def rolling_window(dossier: Dossier, today: date) -> Window:
    """Give the days the stage plans: from the day the relationship began here to the horizon."""
    return Window(dossier.engaged_on, today + timedelta(days=dossier.playbook.horizon_days))


def upcoming(dossier: Dossier, as_of: datetime, find: Find) -> Iterator[Wanted]:
    """Give what the rolling horizon asks for: what lies ahead, and what nobody could plan in time.

    A date of a cadence that is past is wanted only on the first day of the relationship, or where it is later than
    everything held of its cadence, so that nobody has planned since. A rule that changed, or a phase that was entered,
    makes no date overdue that was never asked for. What documents oblige to is owed from the first day, planned or not.
    """
    today = as_of.astimezone(dossier.playbook.zone).date()
    latest: dict[str, date] = {}
    for held in dossier.of_stage(Stage.COMMUNICATION):
        source = source_of(held.key)
        latest[source] = max(held.due_on, latest.get(source, held.due_on))
    for one in wanted(dossier, rolling_window(dossier, today), find):
        if (
            one.obligation.due_at > as_of
            or one.source not in dossier.playbook.cadences
            or dossier.engaged_on == today
            or one.obligation.due_on > latest.get(one.source, date.max)
        ):
            yield one


def source_of(key: str) -> str:
    """Give the name of the cadence or undertaking that an obligation's key was made of.

    >>> source_of("G1/weekly-progress/2026-01-05")
    'weekly-progress'
    """
    return unquote(key.split("/")[1])


def wanted(dossier: Dossier, window: Window, find: Find) -> Iterator[Wanted]:
    """Give what the cadences and the undertakings ask for on the days of a window, in order of their names.

    What cannot be expanded is told to `find` (kinds bad-rule and no-first-date) and stops nothing else.
    """
    for name, cadence in sorted(dossier.playbook.cadences.items()):
        if not cadence.phases or dossier.project.phase in cadence.phases:
            yield from _of_cadence(dossier, name, cadence, window, find)
    for undertaking in sorted(dossier.facts.obligations, key=lambda u: u.obligation_ref):
        if not undertaking.metric:
            yield from _of_undertaking(dossier, undertaking, window, find)


def _of_cadence(dossier: Dossier, name: str, cadence: Cadence, window: Window, find: Find) -> Iterator[Wanted]:
    # A date may be rolled into the window from outside it, so the rule is expanded a little wider.
    start, until = window.first - timedelta(days=15), window.last + timedelta(days=15)
    start = max(start, cadence.start) if cadence.start else start
    until = min(until, cadence.until) if cadence.until else until
    try:
        occurrences = expand(cadence.rule, start, until, cadence.roll, dossier.calendar)
    except RecurrenceError as error:
        find("bad-rule", name, f"频次 {name} 的规则无法展开：{error}", f"cadence {name} cannot be expanded: {error}")
        return
    raci = raci_of(dossier, cadence.activity)
    if cadence.kind == ObligationKind.MEETING:
        occurrences = _held_once(occurrences)
    alike = partial(
        Obligation,
        project_ref=dossier.project.project_ref,
        stage=Stage.COMMUNICATION,
        timezone=dossier.playbook.timezone,
        kind=ObligationKind(cadence.kind),
        title=cadence.title.words,
        ladder=cadence.ladder,
        activity=cadence.activity,
        debtor=_first(raci.responsible),
        creditor=_first(raci.informed),
        content=cadence.content,
        minutes=cadence.minutes if cadence.kind == ObligationKind.MEETING else 0,
        details={"location": cadence.location.words.as_json()} if cadence.location else {},
    )
    because = f"cadence {name}: {cadence.rule}, {cadence.roll}"
    within = derived_key(dossier.project.project_ref, name)
    for occurrence in occurrences:
        if occurrence.on in window:
            due_at = wall_instant(occurrence.on, cadence.at, dossier.playbook.zone)
            yield Wanted(_due(alike, f"{within}/{occurrence.unadjusted_on}", occurrence, due_at), name, because)


def _held_once(occurrences: tuple[Occurrence, ...]) -> tuple[Occurrence, ...]:
    """Leave out a meeting that rolls onto the day of the next: nobody meets twice for the same at one hour."""
    return tuple({occurrence.on: occurrence for occurrence in occurrences}.values())


def _of_undertaking(dossier: Dossier, undertaking: Undertaking, window: Window, find: Find) -> Iterator[Wanted]:
    terms, ref = dossier.playbook.undertakings, undertaking.obligation_ref
    if undertaking.first is None:
        find("no-first-date", ref, f"义务 {ref} 没有首期日期（first）", f"undertaking {ref} has no first date")
        return
    unit = OffsetUnit.BUSINESS_DAYS if undertaking.day_type == "business" else OffsetUnit.CALENDAR_DAYS
    offset = Offset(undertaking.offset_days, unit)
    convention = Convention.parse(undertaking.convention or dossier.project.convention or Convention.FOLLOWING)
    last = undertaking.last
    # Half a year of slack covers the longest offset between a period's end and what is due for it.
    ends = min(last, window.last + timedelta(days=190)) if last else window.last + timedelta(days=190)
    alike = partial(
        Obligation,
        project_ref=dossier.project.project_ref,
        stage=Stage.COMMUNICATION,
        timezone=dossier.playbook.timezone,
        kind=ObligationKind.REPORT,
        title=Words(undertaking.description_zh or undertaking.description, undertaking.description),
        ladder=terms.ladder,
        debtor=undertaking.debtor_ref,
        creditor=undertaking.creditor_ref or undertaking.owner_role,
        subject=undertaking.debtor_ref,
        details={"clause_ref": undertaking.clause_ref, "grace_days": undertaking.grace_days},
    )
    because = f"undertaking {ref} {undertaking.clause_ref}".rstrip()
    within = derived_key(dossier.project.project_ref, ref)
    for period_start, period_end in _periods(undertaking, ends):
        occurrence = anchored(period_end, offset, convention, dossier.calendar, period_start=period_start)
        if occurrence.on in window:
            due_at = wall_instant(occurrence.on, terms.at, dossier.playbook.zone)
            yield Wanted(_due(alike, f"{within}/{period_end}", occurrence, due_at), ref, because)


def _periods(undertaking: Undertaking, ends: date) -> tuple[tuple[date, date], ...]:
    first = undertaking.first
    if first is None or ends < first:
        return ()
    if undertaking.frequency == "once":
        return ((first, first),)
    # A first period that ends a month says when the financial year ends: half-years to June, quarters to February.
    year_end = first.month if (first + timedelta(days=1)).day == 1 else 12
    frequency = undertaking.frequency
    return tuple(periods(frequency, first, ends, year_end_month=year_end))  # type: ignore[arg-type]  # the register allows only these words


def _due(alike: partial[Obligation], key: str, occurrence: Occurrence, due_at: datetime) -> Obligation:
    return alike(
        key=key,
        due_at=due_at,
        due_on=occurrence.on,
        unadjusted_on=occurrence.unadjusted_on,
        provisional=occurrence.provisional,
        period_start=occurrence.period_start,
        period_end=occurrence.period_end,
    )


def _first(roles: tuple[str, ...]) -> str:
    return roles[0] if roles else ""
