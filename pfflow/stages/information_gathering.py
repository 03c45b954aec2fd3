"""Information gathering: what is missing, stale or inconsistent, asked for; and warnings at key nodes, once each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from pfflow.domain.audience import names_of, participants, party_words, raci_of
from pfflow.domain.business_days import Convention, adjust, wall_instant
from pfflow.domain.checklist import Answer, Completeness, completeness
from pfflow.domain.covenants import CovenantTest, covenant_tests_of
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import climb
from pfflow.domain.facts import Financial
from pfflow.domain.obligations import Obligation, ObligationKind, Status, derived_key
from pfflow.domain.offsets import offset_date
from pfflow.domain.parties import Party
from pfflow.domain.playbook import ChecklistItem
from pfflow.domain.project import Milestone, Phase
from pfflow.domain.words import Json, Stage, Words

STAGE = Stage.INFORMATION_GATHERING
REGISTER = "register"
"""Who fulfils a request when the facts asked for have come in."""

_FIGURES = {
    "cfads": Words("可供偿债现金流（CFADS）", "Cash flow available for debt service"),
    "interest": Words("利息", "Interest"),
    "principal": Words("本金", "Principal"),
}
_TOLERANCE = Decimal("0.01")


def decide(dossier: Dossier, as_of: datetime) -> Decision:
    """Ask parties for what is missing, and warn when a covenant falls below its threshold or a milestone slips."""
    draft = Draft(dossier, STAGE, as_of)
    asked = {party: items for party in participants(dossier, draft.today) if (items := _checklist(dossier, party))}
    rounds = _rounds(draft)
    for party, items in asked.items():
        _gather_from(draft, party, items, rounds.get(_requests(draft, party), []))
    _let_go_of_others(draft, {party.party_ref for party in asked})
    _check_consistency(draft)
    _warn_of_covenants(draft)
    _warn_of_milestones(draft)
    climb(draft)
    return draft.decision()


def _checklist(dossier: Dossier, party: Party) -> tuple[ChecklistItem, ...]:
    """Give what is to be known of a party, by the segment identification put it into."""
    name = str(dossier.concluded(Stage.IDENTIFICATION, f"party/{party.party_ref}").get("checklist") or "")
    return dossier.playbook.checklists.get(name, ())


def _gather_from(draft: Draft, party: Party, items: tuple[ChecklistItem, ...], earlier: list[Obligation]) -> None:
    dossier = draft.dossier
    accounts = dossier.held.remembered("accounts", lambda: _by_subject(dossier.facts.financials))
    found = completeness(party, accounts.get(party.party_ref, ()), items, draft.today)
    draft.conclude(
        f"completeness/{party.party_ref}",
        {
            "percent": found.percent,
            "known": found.known,
            "of": len(found.answers),
            "lacking": [{"item": a.item.name, "state": str(a.state)} for a in found.lacking],
        },
        "the checklist of its segment",
    )
    current = next((o for o in earlier if o.live), None)
    waived = {name for o in earlier if o.status is Status.WAIVED for name in _asked(o)}
    wanted = tuple(a for a in found.lacking if a.item.name not in waived)
    if not wanted:
        if current is not None:
            draft.move(current, Status.FULFILLED, by=REGISTER, because="everything asked for is known")
    elif current is not None:
        details = _request_details(party, found, wanted) | current.kept_details
        if dict(current.details) != details:
            draft.change(replace(current, details=details))
    elif dossier.project.phase is not Phase.EXIT and _may_ask_again(draft, earlier):
        _ask(draft, party, found, wanted, len(earlier) + 1)


def _let_go_of_others(draft: Draft, here: set[str]) -> None:
    """Cancel what is asked of parties that take part no more, or whose segment asks for nothing now."""
    for owed in draft.live():
        if owed.kind is ObligationKind.FACT and owed.subject not in here:
            draft.move(owed, Status.CANCELLED, by=REGISTER, because="nothing is asked of it any more")


def _by_subject(financials: Iterable[Financial]) -> dict[str, list[Financial]]:
    found: dict[str, list[Financial]] = {}
    for figure in financials:
        found.setdefault(figure.subject_ref, []).append(figure)
    return found


def _requests(draft: Draft, party: Party) -> str:
    """Give what the keys of the requests to a party begin with, before the number of the round."""
    return derived_key(draft.dossier.project.project_ref, "information", party.party_ref)


def _rounds(draft: Draft) -> dict[str, list[Obligation]]:
    """Give the requests so far, by what their keys begin with."""
    found: dict[str, list[Obligation]] = {}
    for one in draft.dossier.of_stage(STAGE):
        found.setdefault(one.key.rpartition("/")[0], []).append(one)
    return found


def _may_ask_again(draft: Draft, earlier: list[Obligation]) -> bool:
    """Whether to ask once more: not before what a party says it sent had time to reach the register."""
    if not earlier:
        return True
    last = max(earlier, key=lambda o: (o.closed_at is not None, o.closed_at))
    if last.closed_at is None or last.closed_by == REGISTER or last.status is Status.WAIVED:
        return True
    closed_on = last.closed_at.astimezone(draft.dossier.playbook.zone).date()
    return offset_date(closed_on, draft.dossier.playbook.gathering.due, draft.dossier.calendar) <= draft.today


def _asked(obligation: Obligation) -> set[str]:
    items = obligation.details.get("items")
    return {str(i["name"]) for i in items if isinstance(i, dict)} if isinstance(items, list | tuple) else set()


def _request_details(party: Party, found: Completeness, wanted: tuple[Answer, ...]) -> dict[str, Json]:
    return {
        "party": party_words(party).as_json(),
        "items": [_item(answer) for answer in wanted],
        "have": found.known,
        "of": len(found.answers),
    }


def _item(answer: Answer) -> Json:
    return {
        "name": answer.item.name,
        "title": answer.item.title.words.as_json(),
        "state": str(answer.state),
        "as_of": answer.as_of.isoformat() if answer.as_of else None,
    }


def _ask(draft: Draft, party: Party, found: Completeness, wanted: tuple[Answer, ...], number: int) -> None:
    gathering = draft.dossier.playbook.gathering
    calendar = draft.dossier.calendar
    unadjusted = offset_date(draft.today, gathering.due, calendar)
    draft.plan(
        replace(
            _blank(draft, ("information", party.party_ref, str(number)), ObligationKind.FACT),
            title=Words("资料补充", "Information to supply"),
            due_on=adjust(unadjusted, Convention.FOLLOWING, calendar),
            unadjusted_on=unadjusted,
            due_at=wall_instant(
                adjust(unadjusted, Convention.FOLLOWING, calendar),
                draft.dossier.playbook.hours.closes,
                draft.dossier.playbook.zone,
            ),
            provisional=calendar.is_provisional(adjust(unadjusted, Convention.FOLLOWING, calendar)),
            ladder=gathering.ladder,
            activity=gathering.activity,
            debtor=party.party_ref,
            creditor=_first(raci_of(draft.dossier, gathering.activity).responsible),
            subject=party.party_ref,
            details=_request_details(party, found, wanted),
        ),
        f"{len(wanted)} of {len(found.answers)} items of the checklist are missing or stale",
    )


def _blank(draft: Draft, parts: tuple[str, ...], kind: ObligationKind) -> Obligation:
    """Give an obligation of this stage that is due now."""
    dossier = draft.dossier
    return Obligation(
        key=derived_key(dossier.project.project_ref, *parts),
        project_ref=dossier.project.project_ref,
        stage=STAGE,
        kind=kind,
        title=Words("", ""),
        due_at=draft.as_of,
        due_on=draft.today,
        unadjusted_on=draft.today,
        timezone=dossier.playbook.timezone,
        ladder="",
    )


def _check_consistency(draft: Draft) -> None:
    project = draft.dossier.project
    if project.capex and project.debt is not None and project.equity is not None:
        off = project.debt + project.equity - project.capex
        if abs(off) > project.capex * _TOLERANCE:
            draft.find(
                "inconsistent",
                f"{project.project_ref}/capex",
                f"债务与资本金之和与总投资相差 {off:,} {project.currency}",
                f"debt and equity differ from the capital cost by {off:,} {project.currency}",
            )


def _warn_of_covenants(draft: Draft) -> None:
    """Warn of covenants that are broken now or ahead; of the tests before the relationship began, only of the last."""
    if draft.dossier.project.phase is Phase.EXIT:
        return
    for undertaking in sorted(draft.dossier.facts.obligations, key=lambda u: u.obligation_ref):
        tests = covenant_tests_of(draft.dossier, undertaking)
        before = [test for test in tests if test.period_end < draft.dossier.engaged_on]
        for test in (*before[-1:], *tests[len(before) :]):
            if not test.kept:
                _warn_of(draft, test)


def _warn_of(draft: Draft, test: CovenantTest) -> None:
    undertaking, gathering = test.undertaking, draft.dossier.playbook.gathering
    metric = undertaking.metric.upper()
    details: dict[str, Json] = {
        "metric": metric,
        "value": test.shown,
        "threshold": str(undertaking.threshold),
        "operator": undertaking.operator,
        "period_end": test.period_end.isoformat(),
        "basis": test.basis,
        "clause_ref": undertaking.clause_ref,
        "description": Words(undertaking.description_zh, undertaking.description).as_json(),
        "numbers": [_number(figure, draft.dossier.project.currency) for figure in test.figures],
        "sources": sorted({figure.source for figure in test.figures if figure.source}),
        "consequence": Words(
            "在恢复达标之前，按融资文件锁定分配（distribution lock-up）的条件可能成立，请与代理行确认。",
            "Until it recovers, distributions may be locked up under the finance documents; confirm with the agent.",
        ).as_json(),
    }
    draft.plan(
        replace(
            _blank(draft, ("warning", undertaking.obligation_ref, test.period_end.isoformat()), ObligationKind.NOTICE),
            title=Words(
                f"风险预警：{metric} {test.shown}，约定 {undertaking.operator} {undertaking.threshold}",
                f"Risk warning: {metric} {test.shown} against {undertaking.operator} {undertaking.threshold}",
            ),
            ladder=gathering.warning_ladder,
            activity=gathering.warning_activity,
            debtor=_first(raci_of(draft.dossier, gathering.warning_activity).responsible),
            creditor=undertaking.creditor_ref,
            subject=undertaking.debtor_ref,
            period_end=test.period_end,
            template="information_gathering/risk_warning",
            details=details,
        ),
        f"{metric} {test.value:.6f} is not {undertaking.operator} {undertaking.threshold} at {test.period_end} "
        f"({test.basis})",
    )


def _number(figure: Financial, currency: str) -> Json:
    label = _FIGURES.get(figure.metric, Words(figure.metric, figure.metric))
    ratio = figure.metric not in _FIGURES
    return {
        "label": label.as_json(),
        "value": str(figure.value),
        "kind": "ratio" if ratio else "amount",
        "unit": "" if ratio else (figure.currency or currency),
    }


def _warn_of_milestones(draft: Draft) -> None:
    least = draft.dossier.playbook.gathering.milestone_slip_days
    if draft.dossier.project.phase is Phase.EXIT:
        return
    for milestone in sorted(draft.dossier.facts.milestones, key=lambda m: m.milestone):
        if milestone.actual_on is None and milestone.slip_days() >= least:
            _warn_of_slip(draft, milestone)


def _warn_of_slip(draft: Draft, milestone: Milestone) -> None:
    gathering = draft.dossier.playbook.gathering
    forecast = milestone.forecast_on or milestone.planned_on
    name = Words(milestone.name_zh or milestone.name or milestone.milestone, milestone.name or milestone.milestone)
    draft.plan(
        replace(
            _blank(draft, ("milestone", milestone.milestone, forecast.isoformat()), ObligationKind.NOTICE),
            title=Words(
                f"里程碑延误：{name.zh}，预计推迟 {milestone.slip_days()} 天",
                f"Milestone slipping: {name.en}, {milestone.slip_days()} days behind plan",
            ),
            ladder=gathering.warning_ladder,
            activity=gathering.warning_activity,
            debtor=milestone.owner_role,
            template="information_gathering/milestone_warning",
            details={
                "milestone": name.as_json(),
                "planned_on": milestone.planned_on.isoformat(),
                "forecast_on": forecast.isoformat(),
                "slip_days": milestone.slip_days(),
                "why": milestone.reason,
                "owner": names_of(draft.dossier, filter(None, (milestone.owner_role,)), draft.today).as_json(),
            },
        ),
        f"forecast {forecast} is {milestone.slip_days()} days after the plan {milestone.planned_on}",
    )


def _first(roles: tuple[str, ...]) -> str:
    return roles[0] if roles else ""
