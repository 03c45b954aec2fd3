"""What is owed around a milestone, or so long before a rule's dates; and that it moves when the milestone slips."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from pydantic import ValidationError

from pfflow.domain.business_days import Convention
from pfflow.domain.decision import Dossier
from pfflow.domain.ledger import Entry
from pfflow.domain.notices import Notice
from pfflow.domain.obligations import ObligationKind, Status
from pfflow.domain.playbook import Cadence
from pfflow.domain.project import ConditionItem, ConditionStatus
from pfflow.domain.replanning import Cause, Kind, replan
from pfflow.domain.words import Stage
from pfflow.replay.reasons import convention_of, facts_link
from pfflow.stages import communication
from pfflow.store import DecisionRecord
from tests.factories import (
    applied,
    at,
    days,
    lived,
    make_dossier,
    make_milestone,
    make_project,
    make_undertaking,
    small_playbook,
    with_facts,
)

NOW = at("2026-01-09", 18)
KEY = "G1/opening/toll"


def opening(**changes: object) -> Cadence:
    """Give the meeting five business days before the opening; of Monday 19 January, that is Monday the 12th."""
    terms = {
        "kind": "meeting",
        "title": {"zh": "通车筹备会", "en": "Opening meeting"},
        "milestone": "toll",
        "offset": "-5bd",
        "at": "10:00",
        "roll": "preceding",
        "ladder": "meeting",
        "activity": "weekly-progress",
    }
    return Cadence.model_validate({**terms, **changes})


def opens_on(dossier: Dossier, on: str) -> Dossier:
    return with_facts(
        dossier, milestones=(make_milestone(planned_on=date(2026, 1, 19), forecast_on=date.fromisoformat(on)),)
    )


def running(cadence: Cadence | None = None) -> Dossier:
    """Give the motorway after its first week, with nothing planned but around its opening."""
    playbook = small_playbook().model_copy(update={"cadences": {"opening": cadence or opening()}})
    begun = opens_on(replace(make_dossier(), playbook=playbook), "2026-01-19")
    dossier, _ = lived(begun, days("2026-01-05", "2026-01-09"), Stage.COMMUNICATION)
    return dossier


def test_a_meeting_around_a_milestone_is_planned_once_and_invited_to() -> None:
    found = running().held.obligations[KEY]
    assert (found.due_on, found.period_end) == (date(2026, 1, 12), date(2026, 1, 19))
    assert found.told("invited")
    assert replan(running(), NOW).changes == ()


def test_a_milestone_that_slips_moves_the_meeting_and_says_so_to_who_was_invited() -> None:
    dossier = opens_on(running(), "2026-01-26")
    found = replan(dossier, NOW)
    (change,) = found.changes
    assert (change.kind, change.obligation_key, change.sequence) == (Kind.MOVED, KEY, 1)
    assert change.now is not None
    assert change.now.on == date(2026, 1, 19)
    (reason,) = change.reasons
    assert reason.cause is Cause.MILESTONE
    assert reason.words.en == "date slipped: toll from 2026-01-19 to 2026-01-26"
    assert reason.words.zh == "日期顺延：toll 由 2026-01-19 改为 2026-01-26"
    mailed = {
        (n.contact_ref, str(n.invitation.method), n.invitation.sequence) for n in found.decision.notices if n.invitation
    }
    assert mailed == {(ref, "REQUEST", 1) for ref in running().held.obligations[KEY].told("invited")}
    assert all("another date" in str(notice.context) for notice in found.decision.notices)
    assert replan(applied(dossier, found.decision), NOW).changes == ()


def test_a_milestone_that_slips_beyond_the_horizon_takes_the_meeting_along_and_calls_nothing_off() -> None:
    (change,) = replan(opens_on(running(), "2029-01-15"), NOW).changes
    assert change.kind is Kind.MOVED
    assert change.now is not None
    assert change.now.provisional
    assert change.now.on == date(2029, 1, 8)


def test_a_milestone_that_comes_earlier_brings_the_meeting_forward_but_not_into_the_past() -> None:
    later = replan(opens_on(running(opening(offset="+5bd")), "2026-01-14"), NOW)
    assert [reason.words.en for change in later.changes for reason in change.reasons] == [
        "date brought forward: toll from 2026-01-19 to 2026-01-14"
    ]
    assert replan(opens_on(running(), "2026-01-09"), NOW).changes == ()


def test_a_milestone_the_register_does_not_have_is_said_and_calls_nothing_off() -> None:
    found = replan(with_facts(running(), milestones=()), NOW)
    assert found.changes == ()
    (finding,) = (one for one in found.decision.findings if one.kind == "no-milestone")
    assert "milestone toll, which the register does not have" in finding.text.en
    assert "节点 toll 不在登记表中" in finding.text.zh


def test_an_undertaking_hangs_on_a_milestone_and_moves_with_it_with_that_reason() -> None:
    accounts = make_undertaking(
        obligation_ref="U-ACC", metric="", operator="", threshold=None, milestone="toll", offset_days=5
    )
    begun, _ = lived(
        opens_on(with_facts(make_dossier(), obligations=(accounts,)), "2026-01-19"), days("2026-01-05", "2026-01-09")
    )
    owed = begun.held.obligations["G1/U-ACC/toll"]
    assert (owed.due_on, owed.unadjusted_on, owed.details["milestone_on"]) == (
        date(2026, 1, 26),
        date(2026, 1, 24),
        "2026-01-19",
    )
    assert replan(begun, NOW).changes == ()
    later = opens_on(begun, "2029-01-15")
    (change,) = replan(later, NOW).changes
    assert (change.kind, change.obligation_key) == (Kind.MOVED, "G1/U-ACC/toll")
    assert [(reason.cause, reason.words.en) for reason in change.reasons] == [
        (Cause.MILESTONE, "date slipped: toll from 2026-01-19 to 2029-01-15")
    ]
    (gone,) = replan(with_facts(begun, obligations=()), NOW).changes
    assert (gone.kind, gone.reasons[0].words.en) == (
        Kind.CANCELLED,
        "register: undertaking U-ACC hangs on toll no more",
    )
    unknown = replan(with_facts(begun, milestones=()), NOW)
    assert unknown.changes == ()
    (finding,) = (one for one in unknown.decision.findings if one.kind == "no-milestone")
    assert "undertaking U-ACC is owed for the milestone toll" in finding.text.en
    assert "义务 U-ACC" in finding.text.zh


CONDITION_KEY = "G1/condition.CP-1/toll"


def permit(**changes: object) -> ConditionItem:
    """Give a condition that is due ten days before the motorway opens."""
    item = ConditionItem(
        project_ref="G1",
        cp_ref="CP-1",
        text="Fire permit",
        text_zh="消防验收",
        responsible="borrower",
        milestone="toll",
        offset_days=-10,
    )
    return replace(item, **changes)  # type: ignore[arg-type]  # each test names fields of it


def asked_for_permit() -> Dossier:
    """Give the motorway after its first week, with a permit to be had by Tuesday 3 February."""
    dossier = with_facts(
        make_dossier(), conditions=(permit(), permit(cp_ref="CP-2", milestone="", due=date(2026, 2, 1)))
    )
    return lived(opens_on(dossier, "2026-02-13"), days("2026-01-05", "2026-01-09"))[0]


def test_a_condition_hangs_on_a_milestone_and_moves_with_it_and_one_with_a_date_is_on_the_list_alone() -> None:
    dossier = asked_for_permit()
    owed = dossier.held.obligations[CONDITION_KEY]
    assert (owed.kind, owed.due_on, owed.debtor, owed.title.zh) == (
        ObligationKind.ACTION,
        date(2026, 2, 3),
        "borrower",
        "消防验收",
    )
    assert not [key for key in dossier.held.obligations if "CP-2" in key]
    assert replan(dossier, NOW).changes == ()
    (change,) = replan(opens_on(dossier, "2026-02-27"), NOW).changes
    assert change.now is not None
    assert (change.kind, change.now.unadjusted_on) == (Kind.MOVED, date(2026, 2, 17))
    assert change.reasons[0].words.zh == "日期顺延：toll 由 2026-02-13 改为 2026-02-27"
    sooner = replan(with_facts(dossier, conditions=(permit(offset_days=-11),)), NOW)
    assert [reason.words.en for change in sooner.changes for reason in change.reasons] == [
        "register: condition CP-1 is due 2026-02-02 instead of 2026-02-03"
    ]
    added = replan(with_facts(dossier, conditions=(permit(), permit(cp_ref="CP-3"))), NOW)
    assert [reason.words.en for change in added.changes for reason in change.reasons] == ["register: condition CP-3"]


@pytest.mark.parametrize(
    ("settled", "status", "because"),
    [
        ({"status": ConditionStatus.SATISFIED}, Status.FULFILLED, "satisfied in the register"),
        (
            {"status": ConditionStatus.WAIVED, "waiver_ref": "W-7"},
            Status.WAIVED,
            "waived in the register W-7",
        ),
    ],
)
def test_a_condition_that_is_settled_closes_what_was_owed_for_it_and_asks_for_nothing_more(
    settled: dict[str, object], status: Status, because: str
) -> None:
    dossier = with_facts(asked_for_permit(), conditions=(permit(**settled),))
    assert replan(dossier, NOW).changes == ()
    after = applied(dossier, communication.decide(dossier, NOW))
    owed = after.held.obligations[CONDITION_KEY]
    assert (owed.status, owed.closed_by, owed.closed_because) == (status, "register", because)
    assert CONDITION_KEY not in {one.key for one in communication.decide(after, at("2026-01-20")).obligations}
    fresh = opens_on(with_facts(make_dossier(), conditions=(permit(**settled),)), "2026-02-13")
    assert CONDITION_KEY not in {one.key for one in communication.decide(fresh, NOW).obligations}


def test_why_names_the_condition_with_its_milestone_and_the_projects_convention() -> None:
    dossier = with_facts(asked_for_permit(), projects=(make_project(convention="preceding"),))
    owed = dossier.held.obligations[CONDITION_KEY]
    assert convention_of(dossier, owed) is Convention.PRECEDING
    letter = Notice(
        key="K",
        project_ref="G1",
        obligation_key=owed.key,
        rung="request-10bd-debtor",
        contact_ref="C-SPV",
        template="communication/request",
        noticed_at=NOW,
    )
    imported = Entry(
        project_ref="G1",
        seq=1,
        at="",
        stage="register",
        kind="imported",
        subject="G1",
        data="{}",
        previous="",
        digest="",
    )
    record = DecisionRecord(
        project_ref="G1",
        number=1,
        stage=Stage.COMMUNICATION,
        as_of=NOW,
        version=1,
        playbook="",
        calendar="",
        first_seq=2,
        last_seq=2,
        before={},
        plan_before="",
        plan_until=None,
    )
    rows = str(facts_link(dossier, owed, letter, [imported], record).lines)
    assert "conditions G1 / CP-1" in rows
    assert "milestones G1 / toll" in rows
    assert "CP-2" not in rows


def test_five_business_days_before_each_calculation_date_keep_their_keys_when_the_offset_changes() -> None:
    rule = {"milestone": "", "rule": "FREQ=MONTHLY;BYMONTHDAY=-1"}
    dossier = running(opening(**rule))
    (january, *_) = sorted(dossier.held.obligations)
    assert (january, dossier.held.obligations[january].due_on) == ("G1/opening/2026-01-31", date(2026, 1, 26))
    other = dossier.playbook.model_copy(update={"cadences": {"opening": opening(**rule, offset="-3bd")}})
    found = replan(replace(dossier, playbook=other), NOW, before=dossier.playbook)
    assert {change.kind for change in found.changes} == {Kind.MOVED}
    assert found.changes[0].reasons[0].words.en == "playbook cadences.opening.offset: -5bd → -3bd"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"milestone": ""}, "write either rule"),
        ({"rule": "FREQ=WEEKLY;BYDAY=MO"}, "write either rule"),
        ({"offset": "-4bh"}, "counts hours"),
    ],
)
def test_a_cadence_has_one_anchor_and_its_offset_counts_days(changes: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        opening(**changes)
