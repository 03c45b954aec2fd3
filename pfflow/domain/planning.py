"""What should be: the obligations that cadences, undertakings and conditions ask for between two days.

The communication stage adds what is new of it, and a plan reconciles it with what is. A key is the project, the cadence
or undertaking, and the date of the rule (for an undertaking the end of the period, around a milestone its name), so
that a date that is rolled elsewhere, or slips, keeps its key. A condition is owed where it hangs on a milestone; its
name in a key begins with CONDITION.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from operator import attrgetter
from urllib.parse import unquote

from pfflow.domain.audience import raci_of
from pfflow.domain.business_days import DAY, BusinessCalendar, Convention, wall_instant
from pfflow.domain.courses import named
from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Undertaking
from pfflow.domain.obligations import Obligation, ObligationKind, derived_key
from pfflow.domain.offsets import Offset, OffsetUnit
from pfflow.domain.playbook import Cadence
from pfflow.domain.project import ConditionItem
from pfflow.domain.recurrence import Occurrence, anchored, expand, offset_each, periods
from pfflow.domain.rules import RecurrenceError
from pfflow.domain.words import Json, Stage, Words

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
    """Give what the rolling horizon asks for and is not held: what lies ahead, and what nobody could plan in time.

    A date of a cadence that is past is wanted only on the first day of the relationship, or where it is later than
    everything held of its cadence, so that nobody has planned since. A rule that changed, or a phase that was entered,
    makes no date overdue that was never asked for. What documents oblige to is owed from the first day, planned or not.
    """
    today = as_of.astimezone(dossier.playbook.zone).date()
    last_due = dossier.held.last_due(Stage.COMMUNICATION)
    whole = rolling_window(dossier, today)

    def days_of(source: str) -> Window | None:
        if not dossier.held.may_plan(today, source):
            return None
        if source not in dossier.playbook.cadences or dossier.engaged_on == today:
            return whole
        begins = min(today, last_due.get(derived_key(source), today) + DAY)
        return Window(max(whole.first, begins), whole.last)

    for one in _wanted(dossier, days_of, find, dossier.held.obligations):
        if (
            one.obligation.due_at > as_of
            or one.source not in dossier.playbook.cadences
            or dossier.engaged_on == today
            or one.obligation.due_on > last_due.get(derived_key(one.source), date.max)
        ):
            yield one


def source_of(key: str) -> str:
    """Give the name of the cadence or undertaking that an obligation's key was made of.

    >>> source_of("G1/weekly-progress/2026-01-05")
    'weekly-progress'
    """
    return unquote(key.split("/")[1])


CONDITION = "condition."
"""What the source of an obligation begins with that a condition of the register asks for; its cp_ref follows."""


def wanted(dossier: Dossier, window: Window, find: Find) -> Iterator[Wanted]:
    """Give what cadences, undertakings and conditions ask for on the days of a window, each in order of their names.

    What cannot be expanded is told to `find` (kinds bad-rule, no-first-date, no-milestone) and stops nothing else.
    """
    return _wanted(dossier, lambda _: window, find, ())


def _wanted(
    dossier: Dossier, days_of: Callable[[str], Window | None], find: Find, known: Container[str]
) -> Iterator[Wanted]:
    """Give what is asked for on the days of each source and is not known by its key; nothing of a source without."""
    for name, cadence in sorted(dossier.playbook.cadences.items()):
        if cadence.phases and dossier.project.phase not in cadence.phases:
            continue
        if (window := days_of(name)) is not None:
            yield from _of_cadence(dossier, name, cadence, window, find=find, known=known)
    for undertaking in sorted(dossier.facts.obligations, key=attrgetter("obligation_ref")):
        if not undertaking.metric and (window := days_of(undertaking.obligation_ref)) is not None:
            yield from _of_undertaking(dossier, undertaking, window, find=find, known=known)
    for condition in sorted(dossier.facts.conditions, key=attrgetter("cp_ref")):
        source = f"{CONDITION}{condition.cp_ref}"
        if condition.milestone and (window := days_of(source)) is not None:
            yield from _of_condition(dossier, condition, source, window, find=find, known=known)


def _of_cadence(
    dossier: Dossier, name: str, cadence: Cadence, window: Window, *, find: Find, known: Container[str]
) -> Iterator[Wanted]:
    occurrences = _around_milestone(dossier, name, cadence, find) if cadence.milestone else ()
    if cadence.rule:
        try:
            occurrences = _by_rule(dossier, cadence, window)
        except RecurrenceError as error:
            find(
                "bad-rule", name, f"频次 {name} 的规则无法展开：{error}", f"cadence {name} cannot be expanded: {error}"
            )
            return
    if cadence.kind == ObligationKind.MEETING:
        occurrences = _held_once(occurrences)
    within = derived_key(dossier.project.project_ref, name)
    own = derived_key(cadence.milestone) if cadence.milestone else ""
    keyed = ((one, f"{within}/{own or one.period_end}") for one in occurrences)
    first, last, held = window.first, window.last, dossier.held.obligations
    # A milestone may slip far beyond the window: what is owed for it moves with it, and is not called off.
    new = [(o, key) for o, key in keyed if (first <= o.on <= last or (own and key in held)) and key not in known]
    if not new:
        return
    raci = raci_of(dossier, cadence.activity)
    alike = partial(
        Obligation,
        project_ref=dossier.project.project_ref,
        stage=Stage.COMMUNICATION,
        timezone=dossier.playbook.timezone,
        kind=ObligationKind(cadence.kind),
        title=cadence.title.words,
        ladder=named(cadence.ladder, *cadence.beside),
        activity=cadence.activity,
        debtor=_first(raci.responsible),
        creditor=_first(raci.informed),
        content=cadence.content,
        minutes=cadence.minutes if cadence.kind == ObligationKind.MEETING else 0,
        details=_details(cadence, occurrences),
    )
    anchor = (cadence.rule or cadence.milestone) + (f" {cadence.offset}" if cadence.offset.count else "")
    because = f"cadence {name}: {anchor}, {cadence.roll}"
    for occurrence, key in new:
        due_at = wall_instant(occurrence.on, cadence.at, dossier.playbook.zone)
        yield Wanted(_due(alike, key, occurrence, due_at), name, because)


def _by_rule(dossier: Dossier, cadence: Cadence, window: Window) -> tuple[Occurrence, ...]:
    # A date may be rolled or counted into the window from outside it, so the rule is expanded a little wider: five
    # business days take more than a week, and more where holidays are long.
    slack = timedelta(days=15 + 3 * abs(cadence.offset.count))
    start, until = window.first - slack, window.last + slack
    start = max(start, cadence.start) if cadence.start else start
    until = min(until, cadence.until) if cadence.until else until
    if cadence.offset.count == 0:
        return expand(cadence.rule, start, until, cadence.roll, dossier.calendar)
    return offset_each(cadence.rule, (start, until), cadence.offset, cadence.roll, dossier.calendar)


def _around_milestone(dossier: Dossier, name: str, cadence: Cadence, find: Find) -> tuple[Occurrence, ...]:
    on = _stands_on(dossier, cadence.milestone, Words(f"频次 {name}", f"cadence {name}"), name, find)
    if on is None:
        return ()
    if (cadence.start and on < cadence.start) or (cadence.until and on > cadence.until):
        return ()
    return (anchored(on, cadence.offset, cadence.roll, dossier.calendar),)


def _stands_on(dossier: Dossier, milestone: str, what: Words, source: str, find: Find) -> date | None:
    """Give the date a milestone has now; None, with a finding, where the register does not have it."""
    found = next((one for one in dossier.facts.milestones if one.milestone == milestone), None)
    if found is not None:
        return found.stands_on
    find(
        "no-milestone",
        source,
        f"{what.zh} 所依据的节点 {milestone} 不在登记表中",
        f"{what.en} is owed for the milestone {milestone}, which the register does not have",
    )
    return None


def _hung_on(milestone: str, on: date | None) -> dict[str, Json]:
    """Give the details that keep a milestone's date, so that a slip can be told as one."""
    return {"milestone": milestone, "milestone_on": on.isoformat()} if milestone and on else {}


def _details(cadence: Cadence, occurrences: Sequence[Occurrence]) -> dict[str, Json]:
    """Give what letters say beside the terms."""
    details: dict[str, Json] = {"location": cadence.location.words.as_json()} if cadence.location else {}
    return details | _hung_on(cadence.milestone, occurrences[0].period_end if occurrences else None)


def _held_once(occurrences: tuple[Occurrence, ...]) -> tuple[Occurrence, ...]:
    """Leave out a meeting that rolls onto the day of the next: nobody meets twice for the same at one hour."""
    return tuple({occurrence.on: occurrence for occurrence in occurrences}.values())


def _of_undertaking(
    dossier: Dossier, undertaking: Undertaking, window: Window, *, find: Find, known: Container[str]
) -> Iterator[Wanted]:
    terms, ref = dossier.playbook.undertakings, undertaking.obligation_ref
    unit = OffsetUnit.BUSINESS_DAYS if undertaking.day_type == "business" else OffsetUnit.CALENDAR_DAYS
    offset = Offset(undertaking.offset_days, unit)
    on: date | None = None
    if undertaking.milestone:
        on = _stands_on(dossier, undertaking.milestone, Words(f"义务 {ref}", f"undertaking {ref}"), ref, find)
        found = _once(dossier, (ref, undertaking.milestone), on, offset, undertaking.convention, window=window)
    elif undertaking.first is None:
        find("no-first-date", ref, f"义务 {ref} 没有首期日期（first）", f"undertaking {ref} has no first date")
        return
    else:
        found = _by_period(dossier, undertaking, undertaking.first, offset, window)
    new = [(one, key) for one, key in found if key not in known]
    if not new:
        return
    alike = partial(
        Obligation,
        project_ref=dossier.project.project_ref,
        stage=Stage.COMMUNICATION,
        timezone=dossier.playbook.timezone,
        kind=ObligationKind.REPORT,
        title=Words(undertaking.description_zh or undertaking.description, undertaking.description),
        ladder=named(terms.ladder, *terms.beside),
        debtor=undertaking.debtor_ref,
        creditor=undertaking.creditor_ref or undertaking.owner_role,
        subject=undertaking.debtor_ref,
        details={
            "clause_ref": undertaking.clause_ref,
            "grace_days": undertaking.grace_days,
            **_hung_on(undertaking.milestone, on),
        },
    )
    because = f"undertaking {ref} {undertaking.clause_ref}".rstrip()
    for occurrence, key in new:
        due_at = wall_instant(occurrence.on, terms.at, dossier.playbook.zone)
        yield Wanted(_due(alike, key, occurrence, due_at), ref, because)


def _of_condition(
    dossier: Dossier, condition: ConditionItem, source: str, window: Window, *, find: Find, known: Container[str]
) -> Iterator[Wanted]:
    """Give what a condition asks for that hangs on a milestone; once it is settled, only what is owed of it already."""
    ref, milestone = condition.cp_ref, condition.milestone
    on = _stands_on(dossier, milestone, Words(f"条件 {ref}", f"condition {ref}"), source, find)
    offset = Offset(condition.offset_days, OffsetUnit.CALENDAR_DAYS)
    terms, held = dossier.playbook.undertakings, dossier.held.obligations
    for occurrence, key in _once(dossier, (source, milestone), on, offset, "", window=window):
        if key in known or (condition.settled and key not in held):
            continue
        obligation = Obligation(
            key=key,
            project_ref=dossier.project.project_ref,
            stage=Stage.COMMUNICATION,
            kind=ObligationKind.ACTION,
            title=Words(condition.text_zh or condition.text, condition.text),
            due_at=wall_instant(occurrence.on, terms.at, dossier.playbook.zone),
            due_on=occurrence.on,
            unadjusted_on=occurrence.unadjusted_on,
            timezone=dossier.playbook.timezone,
            ladder=named(terms.ladder, *terms.beside),
            debtor=condition.responsible,
            period_end=occurrence.period_end,
            provisional=occurrence.provisional,
            details={"clause_ref": ref, "cp_ref": ref, **_hung_on(milestone, on)},
        )
        yield Wanted(obligation, source, f"condition {ref}: {milestone} {offset}")


def _once(
    dossier: Dossier, named_by: tuple[str, str], on: date | None, offset: Offset, convention: str, *, window: Window
) -> list[tuple[Occurrence, str]]:
    """Give what a source owes for a milestone's date, with its key, where that is in the window or held already."""
    if on is None:
        return []
    key = derived_key(dossier.project.project_ref, *named_by)
    rolled = Convention.parse(convention or dossier.project.convention or Convention.FOLLOWING)
    occurrence = anchored(on, offset, rolled, dossier.calendar)
    # As around a milestone of the playbook: what is owed moves with it, however far.
    return [(occurrence, key)] if occurrence.on in window or key in dossier.held.obligations else []


def _by_period(
    dossier: Dossier, undertaking: Undertaking, first: date, offset: Offset, window: Window
) -> list[tuple[Occurrence, str]]:
    """Give what is owed in the window for the periods of an undertaking from the first on, each with its key."""
    last = undertaking.last
    # Half a year of slack covers the longest offset between a period's end and what is due for it.
    ends = min(last, window.last + timedelta(days=190)) if last else window.last + timedelta(days=190)
    within = derived_key(dossier.project.project_ref, undertaking.obligation_ref)
    convention = Convention.parse(undertaking.convention or dossier.project.convention or Convention.FOLLOWING)
    terms = _Periodic(within, undertaking.frequency, first, offset, convention)
    return [
        (one, key)
        for one, key in _to_year_end(terms, ends.year, dossier.calendar)
        if one.on in window and one.period_end is not None and one.period_end <= ends
    ]


@dataclass(frozen=True, slots=True)
class _Periodic:
    """When an undertaking falls due; `within` is what its keys begin with."""

    within: str
    frequency: str
    first: date
    offset: Offset
    convention: Convention


@lru_cache(maxsize=4096)
def _to_year_end(terms: _Periodic, year: int, calendar: BusinessCalendar) -> tuple[tuple[Occurrence, str], ...]:
    """Give what is due for the periods that end up to a year's end, each with its key."""
    first, last = terms.first, date(year, 12, 31)
    if last < first:
        return ()
    found: tuple[tuple[date, date], ...] = ((first, first),)
    if terms.frequency != "once":
        # A first period that ends a month says when the financial year ends: half-years to June, quarters to February.
        year_end = first.month if (first + DAY).day == 1 else 12
        found = periods(terms.frequency, first, last, year_end_month=year_end)  # type: ignore[arg-type]  # the register allows only these words
    return tuple(
        (anchored(end, terms.offset, terms.convention, calendar, period_start=start), f"{terms.within}/{end}")
        for start, end in found
    )


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
