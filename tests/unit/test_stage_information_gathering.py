from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.facts import Facts, Touch
from pfflow.domain.letters import Letter
from pfflow.domain.obligations import Obligation, Status
from pfflow.domain.project import Phase
from pfflow.domain.words import EN, ZH, Stage
from pfflow.rendering.letters import Renderer
from pfflow.stages.information_gathering import decide
from tests.factories import (
    applied,
    at,
    days,
    lived,
    make_dossier,
    make_facts,
    make_financial,
    make_milestone,
    make_participation,
    make_playbook,
    make_project,
    make_touch,
    make_undertaking,
    saying,
    told,
    with_facts,
)

NOW = at("2026-01-05")
BOTH = (Stage.IDENTIFICATION, Stage.INFORMATION_GATHERING)
REQUEST = "G1/information/FUND/1"
WARNING = "G1/warning/U-DSCR/2025-12-31"
KNOWN: dict[str, Any] = {
    "registered_capital": Decimal(10) ** 9,
    "risk_tolerance": "low",
    "preference": "toll roads",
    "as_of": date(2026, 1, 6),
}


def identified(dossier: Dossier) -> Dossier:
    return lived(dossier, [NOW], Stage.IDENTIFICATION)[0]


def fund_is(dossier: Dossier, **changes: Any) -> Dossier:
    parties = tuple(replace(p, **changes) if p.party_ref == "FUND" else p for p in dossier.facts.parties)
    return with_facts(dossier, parties=parties)


def net_assets(on: date = date(2025, 12, 31)) -> Any:
    return make_financial("net_assets", "5", subject_ref="FUND", period_end=on)


def known(dossier: Dossier) -> Dossier:
    return with_facts(fund_is(dossier, **KNOWN), financials=(*dossier.facts.financials, net_assets()))


def requests(dossier: Dossier) -> dict[str, Status]:
    return {key: o.status for key, o in dossier.held.obligations.items() if key.startswith("G1/information/")}


def asked_for(obligation: Obligation) -> list[str]:
    items = obligation.details["items"]
    assert isinstance(items, list)
    return [str(item["name"]) for item in items]


def dscr_dossier(cfads: str, operator: str = ">=", **facts: Any) -> Dossier:
    figures = (
        make_financial("cfads", cfads, source="model v7"),
        make_financial("interest", "60"),
        make_financial("principal", "40"),
    )
    dossier = make_dossier(financials=figures, **facts)
    return with_facts(dossier, obligations=(make_undertaking(operator=operator, clause_ref="20.1"),))


def warnings_in(decision: Decision) -> list[str]:
    return [o.key for o in decision.obligations if o.template.endswith("_warning")]


def test_completeness_says_what_is_known_of_how_many_and_what_lacks() -> None:
    decision = decide(identified(make_dossier()), NOW)
    found = {c.subject: c.value for c in decision.conclusions}
    assert found["completeness/FUND"] == {
        "percent": 0,
        "known": 0,
        "of": 4,
        "lacking": [
            {"item": "registered_capital", "state": "missing"},
            {"item": "risk_tolerance", "state": "missing"},
            {"item": "preference", "state": "missing"},
            {"item": "net_assets", "state": "missing"},
        ],
    }
    assert found["completeness/BANK"]["percent"] == 100
    assert "completeness/OPS" not in found


def test_a_request_names_what_is_asked_who_owes_it_and_by_when() -> None:
    decision = decide(identified(make_dossier()), NOW)
    (request,) = [o for o in decision.obligations if o.key == REQUEST]
    # Ten business days after Monday 5 January, until the office closes.
    assert (request.due_on, request.due_at) == (date(2026, 1, 19), at("2026-01-19", 18, 0))
    assert (request.debtor, request.creditor, request.subject) == ("FUND", "relationship", "FUND")
    assert asked_for(request) == ["registered_capital", "risk_tolerance", "preference", "net_assets"]
    (notice,) = decision.notices
    assert (notice.contact_ref, notice.template) == ("C-FUND", "information_gathering/request")
    assert notice.context["details"] == request.details


def test_a_party_that_nobody_segmented_yet_is_asked_nothing() -> None:
    assert decide(make_dossier(), NOW).obligations == ()


def test_the_register_closes_a_request_when_everything_is_known() -> None:
    dossier, _ = lived(make_dossier(), [NOW], *BOTH)
    dossier, decisions = lived(known(dossier), [at("2026-01-07")], *BOTH)
    closed = dossier.held.obligations[REQUEST]
    assert (closed.status, closed.closed_by) == (Status.FULFILLED, "register")
    assert told(decisions) == []
    _, later = lived(dossier, days("2026-01-08", "2026-02-28"), *BOTH)
    assert [t for t in told(later) if "debtor" in t[1]] == []


def test_a_partial_answer_shortens_what_the_next_reminder_asks_for() -> None:
    dossier, _ = lived(make_dossier(), [NOW], *BOTH)
    dossier, decisions = lived(fund_is(dossier, **KNOWN), days("2026-01-07", "2026-01-15"), *BOTH)
    assert asked_for(dossier.held.obligations[REQUEST]) == ["net_assets"]
    (reminder,) = [n for d in decisions for n in d.notices if n.rung == "remind-2bd-debtor"]
    details = reminder.context["details"]
    assert isinstance(details, dict)
    assert (details["have"], details["of"]) == (3, 4)


def test_a_request_nobody_answers_goes_to_the_owner_and_then_to_the_head() -> None:
    _, decisions = lived(make_dossier(), days("2026-01-05", "2026-02-13"), *BOTH)
    asked = [t for d in decisions for t in told([d]) if d.stage is Stage.INFORMATION_GATHERING]
    assert asked == [
        ("2026-01-05", "request-10bd-debtor", "C-FUND"),
        ("2026-01-15", "remind-2bd-debtor", "C-FUND"),
        ("2026-01-20", "remind+1bd-debtor", "C-FUND"),
        ("2026-01-22", "escalate+3bd-owner", "C-REL"),
        ("2026-01-26", "escalate+5bd-head", "C-HEAD"),
    ]


def test_what_is_waived_is_not_asked_again_but_something_else_is() -> None:
    dossier, _ = lived(make_dossier(), [NOW], *BOTH)
    waiver = make_touch(Touch.WAIVER, REQUEST, at=at("2026-01-06", 12), contact_ref="C-REL", outcome="known to us")
    dossier, _ = lived(saying(fund_is(dossier, **KNOWN), waiver), days("2026-01-06", "2026-03-31"), *BOTH)
    assert requests(dossier) == {REQUEST: Status.WAIVED}
    # A year and a day later what the register knew of the fund is too old; only net assets stay waived.
    dossier, _ = lived(dossier, [at("2027-01-07")], *BOTH)
    assert asked_for(dossier.held.obligations["G1/information/FUND/2"]) == ["registered_capital"]


def test_what_a_party_says_it_sent_has_time_to_reach_the_register_before_it_is_asked_again() -> None:
    dossier, _ = lived(make_dossier(), [NOW], *BOTH)
    sent = make_touch(Touch.FULFILMENT, REQUEST, at=at("2026-01-06", 12), contact_ref="C-FUND", outcome="sent by post")
    dossier, _ = lived(saying(dossier, sent), days("2026-01-07", "2026-01-19"), *BOTH)
    assert requests(dossier) == {REQUEST: Status.FULFILLED}
    # Said on the 6th; ten business days later is the 20th.
    dossier, _ = lived(dossier, [at("2026-01-20")], *BOTH)
    assert requests(dossier) == {REQUEST: Status.FULFILLED, "G1/information/FUND/2": Status.OPEN}


def test_what_grows_stale_after_the_register_closed_a_request_is_asked_at_once() -> None:
    dossier, _ = lived(make_dossier(), [NOW], *BOTH)
    dossier, _ = lived(known(dossier), [at("2026-01-07")], *BOTH)
    dossier, _ = lived(dossier, [at("2027-01-07")], *BOTH)
    assert asked_for(dossier.held.obligations["G1/information/FUND/2"]) == ["registered_capital"]


def test_a_party_that_leaves_is_asked_no_more_and_asked_anew_when_it_comes_back() -> None:
    dossier, _ = lived(make_dossier(), [NOW], *BOTH)
    here = dossier.facts.participations
    gone = tuple(p for p in here if p.party_ref != "FUND")
    ended = make_participation("investor", "FUND", until=date(2026, 1, 5))
    dossier, decisions = lived(
        with_facts(dossier, participations=(*gone, ended)), days("2026-01-06", "2026-02-13"), *BOTH
    )
    assert requests(dossier) == {REQUEST: Status.CANCELLED}
    assert "C-FUND" not in {contact for _, _, contact in told(decisions)}
    dossier, _ = lived(with_facts(dossier, participations=here), [at("2026-02-25")], *BOTH)
    assert requests(dossier) == {REQUEST: Status.CANCELLED, "G1/information/FUND/2": Status.OPEN}


def test_a_project_at_its_exit_asks_nobody_for_more() -> None:
    dossier = identified(make_dossier(project=make_project(phase=Phase.EXIT)))
    assert [o.key for o in decide(dossier, NOW).obligations] == []


def test_dscr_of_1_12_against_1_15_warns_once_with_the_numbers_and_once_only() -> None:
    _, decisions = lived(dscr_dossier("112"), days("2026-01-05", "2026-03-31"), Stage.INFORMATION_GATHERING)
    sent = [n for d in decisions for n in d.notices if n.template == "information_gathering/risk_warning"]
    (warning,) = sent
    assert (warning.obligation_key, warning.contact_ref) == (WARNING, "C-BANK2")
    details = warning.context["details"]
    assert isinstance(details, dict)
    assert (details["metric"], details["value"], details["operator"], details["threshold"]) == (
        "DSCR",
        "1.12",
        ">=",
        "1.15",
    )
    numbers = details["numbers"]
    assert isinstance(numbers, list)
    assert [(n["label"]["en"], n["value"], n["unit"]) for n in numbers] == [
        ("Cash flow available for debt service", "112", "CNY"),
        ("Interest", "60", "CNY"),
        ("Principal", "40", "CNY"),
    ]
    assert (details["sources"], details["clause_ref"], details["period_end"]) == (
        ["audited", "model v7"],
        "20.1",
        "2025-12-31",
    )
    planned = [e for d in decisions for e in d.entries if e.kind == "planned"]
    assert [(e.subject, e.data["because"]) for e in planned] == [
        (WARNING, "DSCR 1.120000 is not >= 1.15 at 2025-12-31 (actual)")
    ]


def test_a_warning_goes_to_whoever_is_informed_where_the_ladder_says_so() -> None:
    playbook = make_playbook()
    ladders = {**playbook.ladders}
    ladders["warning"] = type(ladders["warning"]).model_validate([{"at": "0bd", "do": "send", "to": "informed"}])
    dossier = dscr_dossier("112", playbook=playbook.model_copy(update={"ladders": ladders}))
    assert [n.contact_ref for n in decide(dossier, NOW).notices] == ["C-BANK", "C-CMD", "C-SPON"]


def test_an_unread_warning_goes_to_the_head_and_a_read_one_does_not() -> None:
    _, unread = lived(dscr_dossier("112"), days("2026-01-05", "2026-01-09"), Stage.INFORMATION_GATHERING)
    assert told(unread)[1:] == [("2026-01-06", "escalate+4bh-head", "C-HEAD")]
    read = make_touch(Touch.ACKNOWLEDGEMENT, WARNING, at=at("2026-01-05", 11))
    dossier, said = lived(
        saying(dscr_dossier("112"), read), days("2026-01-05", "2026-01-09"), Stage.INFORMATION_GATHERING
    )
    assert len(told(said)) == 1
    assert dossier.held.obligations[WARNING].status is Status.FULFILLED


@pytest.mark.parametrize(
    ("cfads", "operator", "warned"),
    [("115", ">=", False), ("115", ">", True), ("114.99", ">=", True), ("116", ">=", False)],
)
def test_exactly_at_the_threshold_the_operator_decides(cfads: str, operator: str, warned: bool) -> None:  # noqa: FBT001 - an expected value
    assert warnings_in(decide(dscr_dossier(cfads, operator), NOW)) == ([WARNING] if warned else [])


def test_each_period_below_its_threshold_is_warned_of_by_itself() -> None:
    dossier = dscr_dossier("112")
    dossier = applied(dossier, decide(dossier, NOW))
    worse = make_financial("dscr", "1.01", period_end=date(2026, 6, 30))
    later = with_facts(dossier, financials=(*dossier.facts.financials, worse))
    assert warnings_in(decide(later, at("2026-07-15"))) == ["G1/warning/U-DSCR/2026-06-30"]


def test_a_milestone_is_warned_of_from_the_slip_the_playbook_names() -> None:
    almost = make_dossier(milestones=(make_milestone(forecast_on=date(2026, 7, 29)),))
    assert warnings_in(decide(almost, NOW)) == []
    exactly = make_dossier(milestones=(make_milestone(forecast_on=date(2026, 7, 30), reason="rain"),))
    (warning,) = decide(exactly, NOW).obligations
    assert (warning.key, warning.debtor) == ("G1/milestone/toll/2026-07-30", "engineering")
    assert (warning.details["slip_days"], warning.details["why"]) == (30, "rain")


def test_a_slipping_milestone_is_warned_of_once_for_each_forecast() -> None:
    dossier = make_dossier(milestones=(make_milestone(forecast_on=date(2026, 8, 30)),))
    dossier, first = lived(dossier, days("2026-01-05", "2026-01-31"), Stage.INFORMATION_GATHERING)
    moved = with_facts(dossier, milestones=(make_milestone(forecast_on=date(2026, 9, 30)),))
    _, second = lived(moved, days("2026-02-02", "2026-02-13"), Stage.INFORMATION_GATHERING)
    assert [
        key for d in (*first, *second) for key in warnings_in(d) if d.entries and d.entries[0].kind == "planned"
    ] == [
        "G1/milestone/toll/2026-08-30",
        "G1/milestone/toll/2026-09-30",
    ]


def test_a_milestone_that_is_reached_is_not_warned_of() -> None:
    late = make_milestone(forecast_on=date(2026, 8, 30), actual_on=date(2026, 8, 30))
    assert decide(make_dossier(milestones=(late,)), NOW).quiet


def test_debt_and_equity_that_do_not_make_the_capital_cost_are_a_finding() -> None:
    off = make_dossier(project=make_project(debt=Decimal(650)))
    assert [(f.kind, f.text.en) for f in decide(off, NOW).findings] == [
        ("inconsistent", "debt and equity differ from the capital cost by -50 CNY")
    ]
    within = make_dossier(project=make_project(debt=Decimal(690)))
    assert decide(within, NOW).findings == ()


def test_figures_may_stand_in_any_order() -> None:
    facts: Facts = make_facts()
    dossier = dscr_dossier("112")
    turned = with_facts(dossier, financials=dossier.facts.financials[::-1], parties=facts.parties[::-1])
    assert decide(turned, NOW) == decide(dossier, NOW)


LADDER = [{"at": "0bd", "do": "send", "to": "creditor"}, {"at": "+2bd", "do": "escalate", "to": "head"}]


def warned(*rungs: Any, on: str) -> tuple[Letter, Letter]:
    """Give the last warning, or word about it, of a day in Chinese and English."""
    dossier = replace(dscr_dossier("110"), playbook=make_playbook(ladders={"warning": list(rungs)}))
    milestones = (make_milestone(forecast_on=date(2026, 9, 30)),)
    dossier, decisions = lived(with_facts(dossier, milestones=milestones), days("2026-01-05", on), *BOTH)
    notice = next(n for n in reversed(decisions[-1].notices) if "/warning/" in n.key)
    contact = next(c for c in dossier.facts.contacts if c.contact_ref == notice.contact_ref)
    zh, en = (Renderer.of_house().letter(notice, contact, language) for language in (ZH, EN))
    return zh, en


def test_a_warning_asks_for_an_answer_before_the_next_step_and_names_no_due_day() -> None:
    zh, en = warned(*LADDER, on="2026-01-05")
    assert "what you intend to do, before 7 January 2026." in en.text
    assert "请您于2026年1月7日前核对以下数据" in zh.text
    assert "\nDue" not in en.text
    assert "截止时间" not in zh.text


@pytest.mark.parametrize("after", [(), ({"at": "+2h", "do": "escalate", "to": "head"},)])
def test_a_warning_without_a_next_step_on_another_day_sets_no_day(after: Any) -> None:
    zh, en = warned(LADDER[0], *after, on="2026-01-05")
    assert "what you intend to do. This letter" in " ".join(en.text.split())
    assert "请您核对以下数据" in zh.text


def test_the_escalation_of_a_warning_says_that_nobody_answered() -> None:
    zh, en = warned(*LADDER, on="2026-01-07")
    assert "no answer yet" in en.subject
    assert "It was sent on Monday 5 January 2026. We have no record of an answer yet, 2 business days" in en.text
    assert "尚未答复" in zh.subject
    assert "已过2个工作日" in zh.text
    assert "Overdue" not in en.text
