from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import Content, Missing, climb, nothing_to_send
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.parties import Direction, Level
from pfflow.domain.playbook import Playbook
from pfflow.domain.reports import Report
from pfflow.domain.words import Stage, Words
from tests.factories import (
    applied,
    at,
    days,
    make_contact,
    make_dossier,
    make_facts,
    make_obligation,
    make_playbook,
    make_touch,
    outcomes,
    saying,
    told,
)

KEY = "G1/report/2026-01-15"
MEETING = make_obligation(
    key="G1/weekly/2026-01-15",
    kind=ObligationKind.MEETING,
    due_at=at("2026-01-15", 10, 0),
    ladder="meeting",
    activity="weekly-progress",
    minutes=60,
)
REPORT = Report("fund_use", Words("报告", "Report"))


def ready(_: Obligation) -> Report:
    return REPORT


def ladders(**more: Any) -> Playbook:
    given_ones = {
        "report": [
            {"at": "-5bd", "do": "request", "to": "responsible"},
            {"at": "-1bd", "do": "remind", "to": "responsible", "late": "merge"},
            {"at": "0bd", "do": "send", "to": "informed"},
            {"at": "+1bd", "do": "escalate", "to": "accountable"},
            {"at": "+2bd", "do": "escalate", "to": "head"},
            {"at": "+3bd", "do": "escalate", "to": "joint-command", "repeat": "2bd", "limit": 3},
        ]
    }
    return make_playbook(ladders={**given_ones, **more})


def one(rungs: Any) -> Playbook:
    return make_playbook(ladders={"report": rungs})


def of(playbook: Playbook | None = None, obligation: Obligation | None = None, **changes: Any) -> Dossier:
    return make_dossier(playbook=playbook or ladders(), obligations=[obligation or make_obligation()], **changes)


def step(dossier: Dossier, as_of: datetime, content: Content = nothing_to_send) -> Decision:
    draft = Draft(dossier, Stage.COMMUNICATION, as_of)
    climb(draft, content)
    return draft.decision()


def acknowledged_by_finance(**changes: Any) -> Interaction:
    """Give what finance, who owes the report, says of it."""
    return make_touch(Touch.ACKNOWLEDGEMENT, KEY, contact_ref="C-FIN", party_ref="FIN", **changes)


def run(
    dossier: Dossier, instants: Iterable[datetime], content: Content = nothing_to_send
) -> tuple[Dossier, list[tuple[str, str, str]]]:
    decisions = []
    for instant in instants:
        decision = step(dossier, instant, content)
        dossier = applied(dossier, decision)
        decisions.append(decision)
    return dossier, told(decisions)


def only(dossier: Dossier) -> Obligation:
    (obligation,) = dossier.held.obligations.values()
    return obligation


def test_a_report_nobody_delivers_climbs_to_the_accountable_the_head_and_the_command_group_until_the_limit() -> None:
    dossier, said = run(of(), days("2026-01-05", "2026-02-13"))
    assert said == [
        ("2026-01-08", "request-5bd-responsible", "C-FIN"),
        ("2026-01-14", "remind-1bd-responsible", "C-FIN"),
        ("2026-01-16", "escalate+1bd-accountable", "C-OPS"),
        ("2026-01-19", "escalate+2bd-head", "C-HEAD"),
        ("2026-01-20", "escalate+3bd-joint-command", "C-CMD"),
        ("2026-01-22", "escalate+3bd-joint-command/2", "C-CMD"),
        ("2026-01-26", "escalate+3bd-joint-command/3", "C-CMD"),
    ]
    assert only(dossier).status is Status.OPEN
    assert only(dossier).overdue(at("2026-02-13"))


def test_a_meeting_is_announced_then_invited_to_then_reminded_of() -> None:
    _, said = run(of(obligation=MEETING), days("2026-01-05", "2026-01-30", 10, 0))
    assert said == [
        ("2026-01-12", "announce-3bd-informed", "C-FUND"),
        ("2026-01-12", "announce-3bd-informed", "C-SPON"),
        ("2026-01-13", "invite-2bd-responsible", "C-CON"),
        ("2026-01-13", "invite-2bd-accountable", "C-ENG"),
        ("2026-01-14", "remind-24h-responsible", "C-CON"),
    ]


def test_an_owner_is_told_before_the_head_and_the_head_before_the_command_group() -> None:
    playbook = one(
        [
            {"at": "+1bd", "do": "escalate", "to": "owner"},
            {"at": "+2bd", "do": "escalate", "to": "head"},
            {"at": "+3bd", "do": "escalate", "to": "joint-command"},
        ]
    )
    _, said = run(of(playbook, make_obligation(subject="BANK")), days("2026-01-15", "2026-01-20"))
    # Nobody has identified an owner yet, so the owner's letter is the head's.
    assert [(rung, to) for _, rung, to in said] == [
        ("escalate+1bd-owner", "C-HEAD"),
        ("escalate+2bd-head", "C-HEAD"),
        ("escalate+3bd-joint-command", "C-CMD"),
    ]


def test_the_same_instant_again_says_nothing_and_writes_nothing() -> None:
    for instant in days("2026-01-05", "2026-01-30"):
        dossier, _ = run(of(), [instant])
        assert step(dossier, instant).quiet


def test_the_first_letter_opens_an_obligation_and_a_report_that_is_ready_fulfils_it() -> None:
    dossier, said = run(of(), days("2026-01-08", "2026-01-08"), ready)
    assert only(dossier).status is Status.OPEN
    dossier, said = run(dossier, days("2026-01-09", "2026-02-01"), ready)
    assert said == [
        ("2026-01-14", "remind-1bd-responsible", "C-FIN"),
        ("2026-01-15", "send0bd-informed", "C-BANK"),
        ("2026-01-15", "send0bd-informed", "C-CMD"),
        ("2026-01-15", "send0bd-informed", "C-FUND"),
    ]
    closed = only(dossier)
    assert (closed.status, closed.closed_by, closed.closed_at) == (Status.FULFILLED, "pfflow", at("2026-01-15"))


def test_a_report_goes_along_with_what_is_sent_and_with_nothing_else() -> None:
    dossier, _ = run(of(), days("2026-01-08", "2026-01-12"), ready)
    reminder = step(dossier, at("2026-01-14"), ready).notices
    sent = step(dossier, at("2026-01-15"), ready).notices
    assert {n.report for n in reminder} == {None}
    assert {n.report for n in sent if n.rung.startswith("send")} == {REPORT}


def test_sending_waits_while_the_content_is_missing_and_the_ladder_climbs_past_it_then_it_is_sent_late() -> None:
    dossier, said = run(of(), days("2026-01-14", "2026-01-16"))
    assert said[-1] == ("2026-01-16", "escalate+1bd-accountable", "C-OPS")
    assert "send0bd-informed" not in outcomes(dossier, KEY)
    dossier, said = run(dossier, days("2026-01-17", "2026-01-31"), ready)
    assert {rung for _, rung, _ in said} == {"send0bd-informed"}
    assert {day for day, _, _ in said} == {"2026-01-17"}
    assert only(dossier).status is Status.FULFILLED


def test_an_escalation_says_what_is_missing_and_what_comes_next() -> None:
    missing = Words("缺账", "no bookings")
    dossier, _ = run(of(), days("2026-01-08", "2026-01-15"), lambda _: Missing(missing))
    (notice,) = step(dossier, at("2026-01-16"), lambda _: Missing(missing)).notices
    assert notice.context["reason"] == {"zh": "缺账", "en": "no bookings"}
    assert notice.context["overdue_days"] == 1
    assert notice.context["next"] == {
        "action": "escalate",
        "on": "2026-01-19",
        "to": {"zh": "HEAD公司", "en": "HEAD Ltd"},
    }
    assert notice.context["said"] == [
        {"action": "request", "on": "2026-01-08"},
        {"action": "remind", "on": "2026-01-14"},
    ]


def test_an_acknowledgement_holds_the_ladder_then_it_climbs_again() -> None:
    acknowledged = saying(of(), acknowledged_by_finance(at=at("2026-01-16", 15, 0)))
    dossier, _ = run(acknowledged, days("2026-01-08", "2026-01-14"))
    dossier, said = run(dossier, days("2026-01-16", "2026-01-16", 16))
    assert said == []
    assert only(dossier).held_until is not None
    # Two business days after Friday the 16th is Tuesday the 20th, when letters go out.
    assert only(dossier).held_until == at("2026-01-20", 9, 0)
    dossier, said = run(dossier, days("2026-01-17", "2026-01-22"))
    assert said == [
        ("2026-01-20", "escalate+1bd-accountable", "C-OPS"),
        ("2026-01-20", "escalate+2bd-head", "C-HEAD"),
        ("2026-01-20", "escalate+3bd-joint-command", "C-CMD"),
        ("2026-01-22", "escalate+3bd-joint-command/2", "C-CMD"),
    ]


def test_a_second_acknowledgement_holds_from_its_own_instant() -> None:
    first = acknowledged_by_finance(ext_id="T1", at=at("2026-01-16", 9, 10))
    second = acknowledged_by_finance(ext_id="T2", at=at("2026-01-19", 9, 10))
    dossier, said = run(of(), days("2026-01-08", "2026-01-15"))
    dossier, said = run(saying(dossier, first), days("2026-01-16", "2026-01-18"))
    assert said == []
    dossier, said = run(saying(dossier, second), days("2026-01-19", "2026-01-20"))
    assert said == []
    assert only(dossier).held_until == at("2026-01-21", 9, 0)
    _, said = run(dossier, days("2026-01-21", "2026-01-21"))
    assert [rung for _, rung, _ in said] == [
        "escalate+1bd-accountable",
        "escalate+2bd-head",
        "escalate+3bd-joint-command",
    ]


def test_an_acknowledgement_is_heard_once() -> None:
    dossier, _ = run(saying(of(), acknowledged_by_finance()), days("2026-01-12", "2026-01-13", 13))
    entries = [e for e in step(dossier, at("2026-01-13", 14)).entries if e.kind == "held"]
    assert entries == []
    assert outcomes(dossier, KEY)["heard-T1"] == "heard"


def test_a_report_that_is_ready_is_not_kept_back_by_an_acknowledgement() -> None:
    """Finance acknowledges the reminder a day before the due date; the report must not be late for that."""
    acknowledged = saying(of(), acknowledged_by_finance(at=at("2026-01-14", 10, 0)))
    dossier, said = run(acknowledged, days("2026-01-14", "2026-01-15", 11), ready)
    assert [rung for day, rung, _ in said if day == "2026-01-15"] == ["send0bd-informed"] * 3
    assert only(dossier).status is Status.FULFILLED


def test_fulfilment_between_two_rungs_ends_the_ladder() -> None:
    done = make_touch(Touch.FULFILMENT, KEY, at=at("2026-01-16", 15, 0), outcome="filed")
    dossier, said = run(saying(of(), done), days("2026-01-08", "2026-02-28"))
    assert said[-1] == ("2026-01-16", "escalate+1bd-accountable", "C-OPS")
    closed = only(dossier)
    assert (closed.status, closed.closed_by, closed.closed_because) == (Status.FULFILLED, "C-BANK", "filed")


def test_a_fulfilment_that_lies_ahead_is_not_heard_yet() -> None:
    done = make_touch(Touch.FULFILMENT, KEY, at=at("2026-01-16", 15, 0))
    assert step(saying(of(), done), at("2026-01-12")).obligations[0].status is Status.OPEN


def test_what_the_house_itself_said_is_no_answer() -> None:
    own = make_touch(Touch.FULFILMENT, KEY, direction=Direction.OUTBOUND)
    dossier, _ = run(saying(of(), own), days("2026-01-13", "2026-01-13"))
    assert only(dossier).live


@pytest.mark.parametrize("lacking", [{"outcome": ""}, {"contact_ref": "", "party_ref": "", "outcome": "agreed"}])
def test_a_waiver_without_who_or_why_is_a_finding_and_no_waiver(lacking: dict[str, str]) -> None:
    waiver = make_touch(Touch.WAIVER, KEY, **{"outcome": "agreed", **lacking})
    dossier = saying(of(), waiver)
    decision = step(dossier, at("2026-01-13"))
    assert [f.kind for f in decision.findings] == ["waiver-incomplete"]
    assert only(applied(dossier, decision)).live


def test_a_waiver_names_who_and_why_and_ends_the_ladder() -> None:
    waiver = make_touch(Touch.WAIVER, KEY, outcome="not needed this month")
    dossier, said = run(saying(of(), waiver), days("2026-01-12", "2026-02-28", 13))
    waived = only(dossier)
    assert (waived.status, waived.closed_by, waived.closed_because) == (
        Status.WAIVED,
        "C-BANK",
        "not needed this month",
    )
    assert said == []


def test_a_meeting_that_was_held_is_fulfilled_and_a_call_fulfils_nothing() -> None:
    held = make_touch(Touch.MEETING, MEETING.key, at=at("2026-01-15", 11, 0))
    dossier, _ = run(saying(of(obligation=MEETING), held), [at("2026-01-15", 12)])
    assert only(dossier).status is Status.FULFILLED
    call = make_touch(Touch.CALL, KEY)
    assert only(run(saying(of(), call), [at("2026-01-13")])[0]).live


def test_a_warning_is_settled_by_hearing_that_it_was_read() -> None:
    warning = make_obligation(kind=ObligationKind.NOTICE)
    dossier, _ = run(saying(of(obligation=warning), make_touch(Touch.ACKNOWLEDGEMENT, KEY)), [at("2026-01-13")])
    assert only(dossier).status is Status.FULFILLED


def test_an_approval_is_given_by_its_approver_not_by_a_word_of_fulfilment() -> None:
    approval = make_obligation(kind=ObligationKind.APPROVAL)
    dossier, _ = run(saying(of(obligation=approval), make_touch(Touch.FULFILMENT, KEY)), [at("2026-01-13")])
    assert only(dossier).live


@pytest.mark.parametrize(
    ("policy", "letters", "became"),
    [("send", 2, ["fired", "fired"]), ("skip", 1, ["skipped", "fired"]), ("merge", 1, ["merged", "fired"])],
)
def test_a_rung_reached_late_does_what_its_policy_says(policy: str, letters: int, became: list[str]) -> None:
    playbook = one(
        [
            {"at": "-3bd", "do": "remind", "to": "responsible", "late": policy},
            {"at": "-1bd", "do": "remind", "to": "accountable"},
        ]
    )
    # Reached on the 14th, two business days after the 12th.
    dossier, said = run(of(playbook), [at("2026-01-14")])
    assert len(said) == letters
    assert list(outcomes(dossier, KEY).values()) == became


def test_one_business_day_late_is_not_late() -> None:
    playbook = one([{"at": "-3bd", "do": "remind", "to": "responsible", "late": "skip"}])
    _, said = run(of(playbook), [at("2026-01-13")])
    assert [rung for _, rung, _ in said] == ["remind-3bd-responsible"]


def test_a_weekend_does_not_make_a_rung_late() -> None:
    playbook = one([{"at": "-4bd", "do": "remind", "to": "responsible", "late": "skip"}])
    # Due on Friday the 9th, reached on Monday the 12th.
    _, said = run(of(playbook), [at("2026-01-12")])
    assert [rung for _, rung, _ in said] == ["remind-4bd-responsible"]


def test_ten_days_of_outage_do_not_end_in_ten_days_of_mail() -> None:
    """From the 15th to the 26th nobody decided; each audience then gets one letter, and no stale reminder."""
    dossier, _ = run(of(), days("2026-01-05", "2026-01-13"))
    dossier, said = run(dossier, [at("2026-01-26")])
    assert said == [
        ("2026-01-26", "escalate+1bd-accountable", "C-OPS"),
        ("2026-01-26", "escalate+2bd-head", "C-HEAD"),
        ("2026-01-26", "escalate+3bd-joint-command/3", "C-CMD"),
    ]
    assert outcomes(dossier, KEY) == {
        "request-5bd-responsible": "fired",
        "remind-1bd-responsible": "skipped",
        "escalate+1bd-accountable": "fired",
        "escalate+2bd-head": "fired",
        "escalate+3bd-joint-command": "merged",
        "escalate+3bd-joint-command/2": "merged",
        "escalate+3bd-joint-command/3": "fired",
    }


@pytest.mark.parametrize("when", ["2026-01-15", "2026-01-16", "2026-02-15"])
def test_nobody_is_invited_to_or_reminded_of_a_meeting_that_has_begun(when: str) -> None:
    dossier, said = run(of(obligation=MEETING), [at(when, 10, 0)])
    assert said == []
    assert set(outcomes(dossier, MEETING.key).values()) == {"skipped"}


def test_an_invitation_in_the_last_minute_is_still_one_and_needs_no_reminder_beside_it() -> None:
    dossier, said = run(of(obligation=MEETING), [at("2026-01-15", 9, 59)])
    assert [rung for _, rung, to in said if to == "C-CON"] == ["invite-2bd-responsible"]
    assert outcomes(dossier, MEETING.key)["remind-24h-responsible"] == "merged"


def test_a_rung_that_reaches_nobody_goes_to_the_head_with_a_finding() -> None:
    playbook = one([{"at": "0bd", "do": "escalate", "to": "supervisor"}])
    decision = step(of(playbook), at("2026-01-15"))
    assert told([decision]) == [("2026-01-15", "escalate0bd-supervisor", "C-HEAD")]
    (finding,) = decision.findings
    assert (finding.kind, finding.text.en) == ("nobody", "nobody is supervisor; it goes to HEAD Ltd")
    assert finding.text.zh == "“监理单位”没有联系人；改送HEAD公司"
    (firing,) = decision.firings
    assert firing.because == "nobody is supervisor"


def test_a_rung_that_cannot_even_reach_the_head_stays_due() -> None:
    contacts = tuple(c for c in make_facts().contacts if c.contact_ref != "C-HEAD")
    playbook = one([{"at": "0bd", "do": "escalate", "to": "supervisor"}])
    decision = step(of(playbook, contacts=contacts), at("2026-01-15"))
    assert (decision.quiet, [f.kind for f in decision.findings]) == (True, ["nobody"])


def test_a_contact_without_an_address_reaches_nobody() -> None:
    contacts = tuple(replace(c, email="") if c.contact_ref == "C-FIN" else c for c in make_facts().contacts)
    decision = step(of(contacts=contacts), at("2026-01-08"))
    assert told([decision]) == [("2026-01-08", "request-5bd-responsible", "C-HEAD")]


def test_nobody_gets_two_letters_of_one_obligation_at_once_for_holding_two_roles() -> None:
    playbook = one(
        [
            {"at": "-2bd", "do": "invite", "to": "responsible"},
            {"at": "-2bd", "do": "invite", "to": "finance"},
            {"at": "-2bd", "do": "invite", "to": "everyone"},
        ]
    )
    decision = step(of(playbook, make_obligation(kind=ObligationKind.MEETING)), at("2026-01-13"))
    refs = [n.contact_ref for n in decision.notices]
    assert sorted(refs) == ["C-BANK", "C-CMD", "C-ENG", "C-FIN", "C-FUND", "C-OPS"]
    assert [f.outcome for f in decision.firings] == ["fired", "merged", "fired"]
    invitations = {n.invitation for n in decision.notices}
    assert len(invitations) == 1


def test_two_contacts_with_one_mailbox_get_one_letter() -> None:
    both = [make_contact("C-FIN2", "FIN", email="C-FIN@HOUSE.example")]
    decision = step(of(contacts=(*make_facts().contacts, *both)), at("2026-01-08"))
    assert [n.contact_ref for n in decision.notices] == ["C-FIN"]


def test_an_invitation_has_the_meetings_hours_everyone_invited_and_where() -> None:
    place = replace(MEETING, details={"location": {"zh": "一号会议室", "en": "Room 1"}})
    invitation = step(of(obligation=place), at("2026-01-13")).notices[-1].invitation
    assert invitation is not None
    assert (invitation.uid, invitation.sequence) == ("G1/weekly/2026-01-15@expressway.example", 0)
    assert invitation.starts_at == datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
    assert invitation.ends_at == datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
    assert [a.contact_ref for a in invitation.attendees] == ["C-CON", "C-ENG"]
    assert invitation.location == Words("一号会议室", "Room 1")


def test_an_obligation_whose_ladder_the_playbook_lost_is_a_finding_and_stops_nobody_else() -> None:
    lost = make_obligation(key="G1/report/2025-12-31", ladder="forgotten")
    dossier = make_dossier(playbook=ladders(), obligations=[lost, make_obligation()])
    decision = step(dossier, at("2026-01-08"))
    assert [(f.kind, f.subject) for f in decision.findings] == [("no-ladder", lost.key)]
    assert told([decision]) == [("2026-01-08", "request-5bd-responsible", "C-FIN")]


SPRING = make_obligation(due_at=at("2026-02-25", 17, 0), due_on=date(2026, 2, 25), unadjusted_on=date(2026, 2, 25))


def test_offsets_leap_over_spring_festival_and_count_the_make_up_saturdays() -> None:
    """Before the 25th lie the 24th, then the holidays 15 to 23, then the worked Saturday 14; after it 26, 27, 28."""
    playbook = one([{"at": f"{n:+d}bd", "do": "escalate", "to": "head"} for n in (-3, -2, -1, 1, 2, 3)])
    _, said = run(of(playbook, SPRING), days("2026-02-01", "2026-03-10"))
    assert [day for day, _, _ in said] == [
        "2026-02-13",
        "2026-02-14",
        "2026-02-24",
        "2026-02-26",
        "2026-02-27",
        "2026-02-28",
    ]


def test_business_hours_of_a_rung_run_into_the_next_business_day() -> None:
    playbook = one([{"at": "+4bh", "do": "escalate", "to": "head"}])
    # Due Friday 23 January 16:00: two hours are left of Friday, two more make Monday 11:00.
    friday = make_obligation(due_at=at("2026-01-23", 16, 0), due_on=date(2026, 1, 23))
    dossier = of(playbook, friday)
    assert step(dossier, at("2026-01-26", 10, 59)).quiet
    assert not step(dossier, at("2026-01-26", 11, 0)).quiet


def test_levels_name_who_at_a_party_is_written_to() -> None:
    playbook = one([{"at": "0bd", "do": "escalate", "to": "lender", "level": Level.MANAGEMENT.value}])
    assert told([step(of(playbook), at("2026-01-15"))]) == [("2026-01-15", "escalate0bd-lender", "C-BANK2")]


@settings(max_examples=25, deadline=None)
@given(
    gaps=st.lists(st.integers(min_value=0, max_value=9), min_size=1, max_size=25),
    acknowledged=st.lists(st.integers(min_value=0, max_value=40), max_size=3, unique=True),
    ready_after=st.integers(min_value=0, max_value=60),
)
def test_whatever_the_days_no_rung_fires_twice_and_what_was_fired_stays(
    gaps: list[int], acknowledged: list[int], ready_after: int
) -> None:
    calendar_days = days("2026-01-05", "2026-12-31")
    touches = [acknowledged_by_finance(ext_id=f"T{n}", at=calendar_days[n]) for n in sorted(acknowledged)]
    dossier = saying(of(), *touches)
    now, keys = 0, []
    for gap in gaps:
        now += gap
        content: Content = ready if now >= ready_after else nothing_to_send
        before = set(dossier.held.firings)
        decision = step(dossier, calendar_days[now], content)
        assert not before & {(f.obligation_key, f.rung) for f in decision.firings}
        keys += [n.key for n in decision.notices]
        dossier = applied(dossier, decision)
        assert before <= set(dossier.held.firings)
        assert step(dossier, calendar_days[now], content).quiet
    assert len(keys) == len(set(keys))


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(4)))
def test_the_order_in_which_people_answered_is_the_order_of_their_instants(order: list[int]) -> None:
    said: list[Interaction] = [
        make_touch(Touch.ACKNOWLEDGEMENT, KEY, ext_id="T1", at=at("2026-01-12")),
        make_touch(Touch.CALL, KEY, ext_id="T2", at=at("2026-01-13")),
        make_touch(Touch.WAIVER, KEY, ext_id="T3", at=at("2026-01-14"), outcome="agreed"),
        make_touch(Touch.FULFILMENT, KEY, ext_id="T4", at=at("2026-01-15"), outcome="done"),
    ]
    straight = step(saying(of(), *said), at("2026-01-16"))
    assert step(saying(of(), *(said[i] for i in order)), at("2026-01-16")) == straight
    assert straight.obligations[-1].status is Status.WAIVED


def test_an_answer_counts_from_when_it_was_said_however_late_it_is_heard() -> None:
    said = make_touch(at=at("2026-01-14", 16, 30), kind=Touch.FULFILMENT, obligation_key=KEY)
    dossier = saying(of(ladders()), said)
    closed = next(o for o in step(dossier, at("2026-01-19", 9, 30)).obligations if o.key == KEY)
    assert (closed.status, closed.closed_at) == (Status.FULFILLED, at("2026-01-14", 16, 30))


def test_a_new_playbook_leaves_a_ladder_that_has_begun_as_it_was() -> None:
    """The request of five business days before is moved to four, and the head is told sooner; it has begun already."""
    before = of(ladders())
    asked = applied(before, step(before, at("2026-01-08", 9, 30)))
    moved = [{"at": "-4bd", "do": "request", "to": "responsible"}, {"at": "+1bd", "do": "escalate", "to": "head"}]
    after = replace(asked, playbook=ladders(report=moved))
    _, said = run(after, days("2026-01-09", "2026-01-19"))
    assert said == [
        ("2026-01-14", "remind-1bd-responsible", "C-FIN"),
        ("2026-01-16", "escalate+1bd-accountable", "C-OPS"),
        ("2026-01-19", "escalate+2bd-head", "C-HEAD"),
    ]


def test_a_new_playbook_is_followed_by_what_has_not_begun() -> None:
    moved = [{"at": "-4bd", "do": "request", "to": "responsible"}, {"at": "+1bd", "do": "escalate", "to": "head"}]
    dossier, _ = run(of(ladders()), days("2026-01-05", "2026-01-07"))
    _, said = run(replace(dossier, playbook=ladders(report=moved)), days("2026-01-08", "2026-01-16"))
    assert said == [
        ("2026-01-09", "request-4bd-responsible", "C-FIN"),
        ("2026-01-16", "escalate+1bd-head", "C-HEAD"),
    ]


def test_what_was_open_before_ladders_were_kept_does_not_say_the_same_thing_twice() -> None:
    before = of(ladders())
    asked = applied(before, step(before, at("2026-01-08", 9, 30)))
    older = replace(only(asked), climbing={})
    asked = replace(asked, held=replace(asked.held, obligations={KEY: older}))
    moved = [{"at": "-4bd", "do": "request", "to": "responsible"}, {"at": "+1bd", "do": "escalate", "to": "head"}]
    decision = step(replace(asked, playbook=ladders(report=moved)), at("2026-01-12", 9, 30))
    assert decision.notices == ()
    assert [(f.rung, f.outcome) for f in decision.firings] == [("request-4bd-responsible", "merged")]


def test_days_of_grace_put_off_escalating_and_nothing_else() -> None:
    plain = of(ladders())
    graced = of(ladders(), replace(only(plain), details={"grace_days": 10}))
    rungs = {(day, rung) for day, rung, _ in run(graced, days("2026-01-05", "2026-02-02"))[1]}
    assert ("2026-01-08", "request-5bd-responsible") in rungs
    first = min(day for day, rung in rungs if rung.startswith("escalate"))
    assert first == "2026-01-26"  # one business day after the due Thursday the 15th is the 16th, and ten days


def test_a_party_that_has_left_is_written_to_no_more() -> None:
    facts = make_facts()
    left = tuple(replace(p, until=date(2026, 1, 6)) if p.party_ref == "BANK" else p for p in facts.participations)
    to_bank = one([{"at": "-1bd", "do": "remind", "to": "debtor"}])
    owed = make_obligation(key=KEY, due_at=at("2026-01-15", 17, 0), ladder="report", debtor="BANK")
    decision = step(of(to_bank, owed, participations=left), at("2026-01-14", 9, 30))
    assert {n.contact_ref for n in decision.notices} == {"C-HEAD"}
    assert [f.kind for f in decision.findings] == ["nobody"]
