"""An outage is summed up once, whoever comes first after it: the sweep, or people who apply a plan."""

from __future__ import annotations

from datetime import date

import pytest

from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.notices import Notice
from pfflow.domain.replanning import replan
from pfflow.domain.words import EN, ZH, Stage, Words
from pfflow.rendering.letters import Renderer
from tests.factories import applied, at, days, lived, make_dossier, make_undertaking, with_facts

SUMMARY = "communication/outage_summary"
AGAIN = at("2026-01-23", 9, 30)


@pytest.fixture(scope="module")
def before() -> Dossier:
    """Give the motorway that was last swept on Monday 12 January 2026."""
    return lived(make_dossier(), days("2026-01-05", "2026-01-12"))[0]


def notices(decisions: tuple[Decision, ...]) -> list[Notice]:
    return [notice for decision in decisions for notice in decision.notices]


def planned(dossier: Dossier, hour: int = 9) -> Dossier:
    """Give the dossier after a plan with a new undertaking was applied on 23 January."""
    new = make_undertaking(
        obligation_ref="U-2", kind="report", metric="", frequency="once", first=date(2026, 2, 20), threshold=None
    )
    changed = with_facts(dossier, obligations=(new,))
    plan = replan(changed, at("2026-01-23", hour))
    assert plan.changes
    return applied(changed, plan.decision)


def summaries(told: list[Notice]) -> list[Notice]:
    return [notice for notice in told if notice.template == SUMMARY]


def test_a_plan_applied_first_after_an_outage_leaves_the_summary_to_the_sweep(before: Dossier) -> None:
    _, swept = lived(before, [AGAIN])
    _, after_plan = lived(planned(before), [AGAIN])
    one, other = summaries(notices(swept)), summaries(notices(after_plan))
    assert len(one) == len(other) > 0
    assert {str(n.context["outage"]) for n in other} == {str(n.context["outage"]) for n in one}
    late = {n.key: n.context["delayed"] for n in notices(swept) if n.context["delayed"]}
    assert late
    assert {n.key: n.context["delayed"] for n in notices(after_plan) if n.context["delayed"]} == late


def test_two_plans_in_one_outage_are_one_outage_that_is_summed_up_once(before: Dossier) -> None:
    dossier = planned(before)
    dossier = applied(dossier, replan(dossier, at("2026-01-27", 9)).decision)
    dossier, decisions = lived(dossier, days("2026-01-27", "2026-01-30"))
    told = summaries(notices(decisions))
    assert {notice.obligation_key for notice in told} == {"G1/outage/2026-01-27"}
    assert {str(notice.context["outage"]) for notice in told} == {str(told[0].context["outage"])}
    said = told[0].context["outage"]
    assert isinstance(said, dict)
    assert (said["since"], said["until"]) == ("2026-01-12", "2026-01-27")


def test_a_plan_without_an_outage_notes_none(before: Dossier) -> None:
    plan = replan(before, at("2026-01-13", 9))
    assert [c.subject for c in plan.decision.conclusions] == []
    assert before.held.decided_to[Stage.COMMUNICATION] == at("2026-01-12", 9, 30)


def test_the_summary_names_no_due_day(before: Dossier) -> None:
    dossier, decisions = lived(before, [AGAIN])
    notice = summaries(notices(decisions))[0]
    contact = next(c for c in dossier.facts.contacts if c.contact_ref == notice.contact_ref)
    letters = {language: Renderer.of_house().letter(notice, contact, language) for language in (ZH, EN)}
    assert "\nDue" not in letters[EN].text
    assert "截止时间" not in letters[ZH].text
    assert "Overdue" not in letters[EN].text


def test_the_summary_calls_a_role_nobody_holds_by_its_words(before: Dossier) -> None:
    """The command group has left meanwhile, so what climbs to it goes to the head, and the summary says so."""
    left = tuple(one for one in before.facts.participations if one.role != "joint-command")
    _, decisions = lived(with_facts(before, participations=left), [AGAIN])
    report = summaries(notices(decisions))[0].report
    assert report is not None
    whys = {row[4] for row in report.tables[0].rows}
    assert Words("“联合指挥组”没有联系人，改送关系负责人", "nobody is Joint command; it went to the head") in whys
