"""Communication: plan what the cadences and the documents ask for, and climb the ladders that are due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pfflow.domain.audience import raci_of
from pfflow.domain.business_days import Convention, wall_instant
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import HOUSE, Missing, climb, nothing_to_send
from pfflow.domain.facts import Undertaking
from pfflow.domain.fund_use import ITEMISED, fund_use_report, itemised
from pfflow.domain.obligations import Obligation, ObligationKind, Status, derived_key
from pfflow.domain.offsets import Offset, OffsetUnit
from pfflow.domain.playbook import Cadence
from pfflow.domain.progress import progress_report
from pfflow.domain.project import Phase
from pfflow.domain.recurrence import Occurrence, RecurrenceError, anchored, expand, periods
from pfflow.domain.reports import Report
from pfflow.domain.words import Stage, Words

STAGE = Stage.COMMUNICATION


def decide(dossier: Dossier, as_of: datetime) -> Decision:
    """Plan what falls due up to the horizon, hear what came back, and take every step that is reached."""
    draft = Draft(dossier, STAGE, as_of)
    if dossier.project.phase is Phase.EXIT:
        _let_go(draft)
    else:
        for owed, because in _planned(draft):
            draft.plan(owed, because)
    climb(draft, lambda obligation: _content(dossier, obligation, as_of))
    _note_itemised(draft)
    return draft.decision()


def _note_itemised(draft: Draft) -> None:
    """Conclude which payments the fund-use reports of this decision itemise, so that each is itemised once."""
    for notice in draft.notices():
        obligation = draft.obligation(notice.obligation_key)
        if obligation is not None and obligation.content == "fund-use" and notice.report is not None:
            draft.conclude(
                f"{ITEMISED}{obligation.unadjusted_on.isoformat()}",
                {
                    "start": (obligation.period_start or obligation.unadjusted_on).isoformat(),
                    "vouchers": list(itemised(notice.report)),
                },
                "itemised in the report that was sent",
            )


def _let_go(draft: Draft) -> None:
    """Cancel what lies ahead and was told to nobody: after the exit, from which no phase leads back, it is not owed."""
    for ahead in draft.live():
        if ahead.status is Status.PLANNED and ahead.due_at > draft.as_of:
            draft.move(ahead, Status.CANCELLED, by=HOUSE, because="the project is at its exit")


@dataclass(frozen=True, slots=True)
class _Window:
    first: date
    last: date


def _window(draft: Draft) -> _Window:
    """Give the days planning looks at: from the day the relationship began here to the horizon."""
    return _Window(draft.dossier.engaged_on, draft.today + timedelta(days=draft.dossier.playbook.horizon_days))


def _planned(draft: Draft) -> Iterator[tuple[Obligation, str]]:
    window = _window(draft)
    for name, cadence in sorted(draft.dossier.playbook.cadences.items()):
        if cadence.phases and draft.dossier.project.phase not in cadence.phases:
            continue
        yield from _of_cadence(draft, name, cadence, window)
    for undertaking in sorted(draft.dossier.facts.obligations, key=lambda u: u.obligation_ref):
        if not undertaking.metric:
            yield from _of_undertaking(draft, undertaking, window)


def _of_cadence(draft: Draft, name: str, cadence: Cadence, window: _Window) -> Iterator[tuple[Obligation, str]]:
    dossier = draft.dossier
    # A date may be rolled into the window from outside it, so the rule is expanded a little wider.
    start, until = window.first - timedelta(days=15), window.last + timedelta(days=15)
    start = max(start, cadence.start) if cadence.start else start
    until = min(until, cadence.until) if cadence.until else until
    try:
        occurrences = expand(cadence.rule, start, until, cadence.roll, dossier.calendar)
    except RecurrenceError as error:
        draft.find(
            "bad-rule", name, f"频次 {name} 的规则无法展开：{error}", f"cadence {name} cannot be expanded: {error}"
        )
        return
    raci = raci_of(dossier, cadence.activity)
    if cadence.kind == ObligationKind.MEETING:
        occurrences = _held_once(occurrences)
    for occurrence in occurrences:
        if window.first <= occurrence.on <= window.last:
            base = _due(draft, (name, occurrence.unadjusted_on.isoformat()), occurrence)
            yield (
                replace(
                    base,
                    kind=ObligationKind(cadence.kind),
                    title=cadence.title.words,
                    due_at=wall_instant(occurrence.on, cadence.at, dossier.playbook.zone),
                    ladder=cadence.ladder,
                    activity=cadence.activity,
                    debtor=_first(raci.responsible),
                    creditor=_first(raci.informed),
                    content=cadence.content,
                    minutes=cadence.minutes if cadence.kind == ObligationKind.MEETING else 0,
                    details={"location": cadence.location.words.as_json()} if cadence.location else {},
                ),
                f"cadence {name}: {cadence.rule}, {cadence.roll}",
            )


def _held_once(occurrences: tuple[Occurrence, ...]) -> tuple[Occurrence, ...]:
    """Leave out a meeting that rolls onto the day of the next: nobody meets twice for the same at one hour."""
    return tuple({occurrence.on: occurrence for occurrence in occurrences}.values())


def _of_undertaking(draft: Draft, undertaking: Undertaking, window: _Window) -> Iterator[tuple[Obligation, str]]:
    dossier, terms = draft.dossier, draft.dossier.playbook.undertakings
    if undertaking.first is None:
        ref = undertaking.obligation_ref
        draft.find("no-first-date", ref, f"义务 {ref} 没有首期日期（first）", f"undertaking {ref} has no first date")
        return
    unit = OffsetUnit.BUSINESS_DAYS if undertaking.day_type == "business" else OffsetUnit.CALENDAR_DAYS
    offset = Offset(undertaking.offset_days, unit)
    convention = Convention.parse(undertaking.convention) if undertaking.convention else Convention.FOLLOWING
    last = undertaking.last
    # Half a year of slack covers the longest offset between a period's end and what is due for it.
    ends = min(last, window.last + timedelta(days=190)) if last else window.last + timedelta(days=190)
    for period_start, period_end in _periods(undertaking, ends):
        occurrence = anchored(period_end, offset, convention, dossier.calendar, period_start=period_start)
        if window.first <= occurrence.on <= window.last:
            base = _due(draft, (undertaking.obligation_ref, period_end.isoformat()), occurrence)
            title = Words(undertaking.description_zh or undertaking.description, undertaking.description)
            yield (
                replace(
                    base,
                    kind=ObligationKind.REPORT,
                    title=title,
                    due_at=wall_instant(occurrence.on, terms.at, dossier.playbook.zone),
                    ladder=terms.ladder,
                    debtor=undertaking.debtor_ref,
                    creditor=undertaking.creditor_ref or undertaking.owner_role,
                    subject=undertaking.debtor_ref,
                ),
                f"undertaking {undertaking.obligation_ref} {undertaking.clause_ref}".rstrip(),
            )


def _periods(undertaking: Undertaking, ends: date) -> tuple[tuple[date, date], ...]:
    first = undertaking.first
    if first is None or ends < first:
        return ()
    if undertaking.frequency == "once":
        return ((first, first),)
    return tuple(periods(undertaking.frequency, first, ends))  # type: ignore[arg-type]  # the register allows only these words


def _due(draft: Draft, parts: tuple[str, ...], occurrence: Occurrence) -> Obligation:
    dossier = draft.dossier
    return Obligation(
        key=derived_key(dossier.project.project_ref, *parts),
        project_ref=dossier.project.project_ref,
        stage=STAGE,
        kind=ObligationKind.REPORT,
        title=Words("", ""),
        due_at=draft.as_of,
        due_on=occurrence.on,
        unadjusted_on=occurrence.unadjusted_on,
        timezone=dossier.playbook.timezone,
        ladder="",
        provisional=occurrence.provisional,
        period_start=occurrence.period_start,
        period_end=occurrence.period_end,
    )


def _content(dossier: Dossier, obligation: Obligation, as_of: datetime) -> Report | Missing:
    match obligation.content:
        case "fund-use":
            return fund_use_report(dossier, obligation)
        case "progress":
            return progress_report(dossier, obligation, as_of)
        case _:
            return nothing_to_send(obligation)


def _first(roles: tuple[str, ...]) -> str:
    return roles[0] if roles else ""
