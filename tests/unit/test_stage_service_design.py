from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.facts import Interaction, RaciCode, RaciRow, Touch
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.project import Phase
from pfflow.domain.words import Stage
from pfflow.stages.service_design import decide
from tests.factories import (
    applied,
    assessments,
    at,
    base_case,
    days,
    lived,
    make_dossier,
    make_need,
    make_project,
    make_touch,
    saying,
    told,
    with_facts,
)

NOW = at("2026-01-05")
CFADS = base_case("130", "130", "130", "130", "130")


def project(number: int = 2, **changes: Any) -> Dossier:
    return make_dossier(**{"assessments": assessments(number), "financials": CFADS, **changes})


def day(dossier: Dossier, *instants: str) -> tuple[Dossier, tuple[Decision, ...]]:
    return lived(dossier, [at(i) for i in instants], Stage.SERVICE_DESIGN)


def approvals(dossier: Dossier) -> list[Obligation]:
    return [o for o in dossier.held.obligations.values() if o.kind is ObligationKind.APPROVAL]


def offers(dossier: Dossier) -> list[Obligation]:
    return [o for o in dossier.held.obligations.values() if o.kind is ObligationKind.OFFER]


def proposed() -> tuple[Dossier, Obligation]:
    dossier, _ = day(project(), "2026-01-05")
    (approval,) = approvals(dossier)
    return dossier, approval


def verdict(kind: Touch, key: str, **changes: Any) -> Interaction:
    given: dict[str, Any] = {"ext_id": "V1", "at": at("2026-01-06", 9, 0), "contact_ref": "C-FIN", "party_ref": "FIN"}
    return make_touch(kind, key, **{**given, "outcome": "as proposed", **changes})


def package(dossier: Dossier) -> dict[str, Any]:
    return dict(dossier.concluded(Stage.SERVICE_DESIGN, "package"))


def test_a_package_is_proposed_once_to_the_accountable_with_its_document() -> None:
    dossier, decisions = lived(project(), days("2026-01-05", "2026-01-06"), Stage.SERVICE_DESIGN)
    (approval,) = approvals(dossier)
    assert (approval.debtor, approval.creditor, approval.due_on) == ("finance", "borrower", date(2026, 1, 8))
    assert told(decisions) == [("2026-01-05", "request-3bd-accountable", "C-FIN")]
    report = decisions[0].notices[0].report
    assert report is not None
    assert report.name == "service_package"
    assert package(dossier) == {"digest": approval.subject, "status": "proposed", "items": ["syndicated-loan"]}


def test_a_package_has_one_digest_whatever_the_order_of_the_register_and_another_for_another_offer() -> None:
    _, approval = proposed()
    turned = project(assessments=assessments(2)[::-1], financials=CFADS[::-1])
    assert approvals(applied(turned, decide(turned, NOW)))[0].subject == approval.subject
    more = project(needs=(make_need("N1", "growth"),))
    assert approvals(applied(more, decide(more, NOW)))[0].subject != approval.subject
    assert len(approval.subject) == 8


def test_a_high_risk_without_mitigation_is_not_proposed_and_the_reason_is_found_and_concluded() -> None:
    decision = decide(project(3), NOW)
    assert decision.obligations == ()
    (finding,) = decision.findings
    assert finding.kind == "no-package"
    assert "must carry a guarantee or insurance measure, or a signed waiver of G1/risk-mitigation" in finding.text.en
    (conclusion,) = decision.conclusions
    problems = conclusion.value["problems"]
    assert isinstance(problems, list)
    assert [p["en"] for p in problems] == [finding.text.en]


def test_a_signed_waiver_lets_a_high_risk_be_proposed() -> None:
    waiver = make_touch(Touch.WAIVER, "G1/risk-mitigation", at=at("2026-01-02"), outcome="sponsor support letter")
    dossier = saying(project(3), waiver)
    assert len(approvals(applied(dossier, decide(dossier, NOW)))) == 1


def test_only_an_approved_package_goes_out_and_once() -> None:
    dossier, approval = proposed()
    approved = saying(dossier, verdict(Touch.APPROVAL, approval.key))
    dossier, decisions = lived(approved, days("2026-01-06", "2026-02-13"), Stage.SERVICE_DESIGN)
    assert told(decisions) == [("2026-01-06", "send0bd-creditor", "C-SPV")]
    (offer,) = offers(dossier)
    assert (offer.status, offer.subject) == (Status.FULFILLED, approval.subject)
    closed = dossier.held.obligations[approval.key]
    assert (closed.status, closed.closed_by, closed.closed_because) == (
        Status.FULFILLED,
        "C-FIN",
        "approved: as proposed",
    )
    assert package(dossier)["status"] == "approved"
    report = decisions[0].notices[0].report
    assert report is not None
    assert "Risk grade" not in [f.label.en for f in report.figures]


@pytest.mark.parametrize(("kind", "status"), [(Touch.REJECTION, "rejected"), (Touch.REWORK, "rework")])
def test_a_rejected_package_is_not_offered_and_not_proposed_again_on_the_same_facts(kind: Touch, status: str) -> None:
    dossier, approval = proposed()
    dossier, decisions = lived(
        saying(dossier, verdict(kind, approval.key)), days("2026-01-06", "2026-02-13"), Stage.SERVICE_DESIGN
    )
    assert (offers(dossier), told(decisions), len(approvals(dossier))) == ([], [], 1)
    assert package(dossier)["status"] == status


def test_new_facts_after_a_rejection_make_a_new_proposal() -> None:
    dossier, approval = proposed()
    dossier, _ = day(saying(dossier, verdict(Touch.REJECTION, approval.key)), "2026-01-06")
    dossier, _ = day(with_facts(dossier, needs=(make_need("N1", "growth"),)), "2026-01-07")
    assert [a.status for a in approvals(dossier)] == [Status.FULFILLED, Status.OPEN]


@pytest.mark.parametrize("contact", ["C-SPV", "C-REL", "C-OPS", ""])
def test_the_word_of_somebody_not_accountable_is_no_approval(contact: str) -> None:
    dossier, approval = proposed()
    said = saying(dossier, verdict(Touch.APPROVAL, approval.key, contact_ref=contact))
    decision = decide(said, at("2026-01-06"))
    after = applied(said, decision)
    assert [f.kind for f in decision.findings] == ["approval-not-counted"]
    assert after.held.obligations[approval.key].live
    assert offers(after) == []


def test_an_approval_counts_after_one_that_did_not() -> None:
    dossier, approval = proposed()
    wrong = verdict(Touch.APPROVAL, approval.key, contact_ref="C-SPV")
    right = verdict(Touch.APPROVAL, approval.key, ext_id="V2", at=at("2026-01-06", 9, 20))
    dossier, _ = day(saying(dossier, wrong, right), "2026-01-06")
    assert len(offers(dossier)) == 1


def test_who_is_accountable_is_the_registers_where_it_says_so() -> None:
    dossier, approval = proposed()
    rows = (RaciRow(phase=Phase.IMPLEMENTATION, activity="service-package", role="legal", code=RaciCode.ACCOUNTABLE),)
    by_finance = saying(with_facts(dossier, raci=rows), verdict(Touch.APPROVAL, approval.key))
    assert offers(day(by_finance, "2026-01-06")[0]) == []
    by_legal = saying(with_facts(dossier, raci=rows), verdict(Touch.APPROVAL, approval.key, contact_ref="C-LAW"))
    assert len(offers(day(by_legal, "2026-01-06")[0])) == 1


def test_the_first_verdict_counts_and_a_later_one_changes_nothing() -> None:
    dossier, approval = proposed()
    yes = verdict(Touch.APPROVAL, approval.key)
    no = verdict(Touch.REJECTION, approval.key, ext_id="V2", at=at("2026-01-06", 9, 10))
    dossier, _ = day(saying(dossier, no, yes), "2026-01-06", "2026-01-07")
    assert package(dossier)["status"] == "approved"
    assert len(offers(dossier)) == 1


@pytest.mark.parametrize("kind", [Touch.FULFILMENT, Touch.WAIVER])
def test_a_word_of_fulfilment_or_waiver_does_not_pass_for_a_verdict(kind: Touch) -> None:
    dossier, approval = proposed()
    dossier, _ = day(saying(dossier, verdict(kind, approval.key)), "2026-01-06")
    assert dossier.held.obligations[approval.key].live


def test_facts_that_change_before_the_approval_withdraw_the_old_proposal() -> None:
    dossier, approval = proposed()
    changed = with_facts(dossier, needs=(make_need("N1", "growth"),))
    dossier, _ = day(saying(changed, verdict(Touch.APPROVAL, approval.key)), "2026-01-06")
    old, new = approvals(dossier)
    assert (old.key, old.status) == (approval.key, Status.CANCELLED)
    assert old.closed_because == f"superseded by package {new.subject}"
    assert (new.status, offers(dossier)) == (Status.OPEN, [])


def test_facts_that_change_back_make_the_first_package_a_new_proposal() -> None:
    dossier, first = proposed()
    dossier, _ = day(with_facts(dossier, needs=(make_need("N1", "growth"),)), "2026-01-06")
    dossier, _ = day(with_facts(dossier, needs=()), "2026-01-07", "2026-01-08")
    assert [(a.key.rpartition("/")[2], a.status) for a in approvals(dossier)] == [
        (first.subject, Status.CANCELLED),
        (approvals(dossier)[1].subject, Status.CANCELLED),
        (f"{first.subject}-2", Status.OPEN),
    ]
    again = approvals(dossier)[2]
    dossier, decisions = day(
        saying(dossier, verdict(Touch.APPROVAL, again.key, at=at("2026-01-09", 9, 0))), "2026-01-09"
    )
    assert [contact for _, rung, contact in told(decisions) if rung.startswith("send")] == ["C-SPV"]


def test_facts_that_no_longer_bear_a_package_withdraw_it_and_it_comes_back_with_them() -> None:
    dossier, approval = proposed()
    riskier = with_facts(dossier, assessments=assessments(3))
    dossier, _ = day(saying(riskier, verdict(Touch.APPROVAL, approval.key)), "2026-01-06")
    assert [a.status for a in approvals(dossier)] == [Status.CANCELLED]
    assert (offers(dossier), package(dossier)["status"]) == ([], "withdrawn")
    dossier, _ = day(with_facts(dossier, assessments=assessments(2)), "2026-01-07")
    assert [a.status for a in approvals(dossier)] == [Status.CANCELLED, Status.OPEN]


def test_an_approved_package_that_facts_come_back_to_is_not_asked_for_again() -> None:
    dossier, approval = proposed()
    dossier, _ = day(saying(dossier, verdict(Touch.APPROVAL, approval.key)), "2026-01-06")
    dossier, _ = day(with_facts(dossier, assessments=()), "2026-01-07")
    dossier, _ = day(with_facts(dossier, assessments=assessments(2)), "2026-01-08")
    assert (len(approvals(dossier)), len(offers(dossier))) == (1, 1)


def test_an_approval_nobody_gives_goes_to_the_head_and_to_the_command_group() -> None:
    _, decisions = lived(project(), days("2026-01-05", "2026-01-16"), Stage.SERVICE_DESIGN)
    assert told(decisions) == [
        ("2026-01-05", "request-3bd-accountable", "C-FIN"),
        ("2026-01-07", "remind-1bd-accountable", "C-FIN"),
        ("2026-01-09", "escalate+1bd-head", "C-HEAD"),
        ("2026-01-11", "escalate+3d-joint-command", "C-CMD"),
    ]


def test_a_project_at_its_exit_is_proposed_nothing_and_what_waits_is_withdrawn() -> None:
    dossier, approval = proposed()
    leaving = with_facts(dossier, projects=(make_project(phase=Phase.EXIT),))
    dossier, decisions = day(leaving, "2026-01-08")
    assert dossier.held.obligations[approval.key].status is Status.CANCELLED
    assert told(decisions) == []
