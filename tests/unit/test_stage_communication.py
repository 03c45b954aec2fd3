from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import pytest

from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.facts import Touch, Undertaking
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.project import Phase
from pfflow.domain.words import Stage
from pfflow.stages.communication import decide
from tests.factories import (
    at,
    china,
    days,
    lived,
    make_dossier,
    make_payment,
    make_playbook,
    make_project,
    make_touch,
    make_undertaking,
    saying,
    told,
    with_facts,
)

KEY = "G1/fund-use-report/2026-01-15"
MAKE_UP_DAYS = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]


def year_of(**playbook: Any) -> Dossier:
    """Give a motorway engaged on New Year's Day 2026 whose playbook looks a year ahead."""
    return make_dossier(playbook=make_playbook(horizon_days=364, **playbook), engaged_on=date(2026, 1, 1))


def of(key: str, decision: Decision) -> Decision:
    """Give what a decision says of one obligation."""
    return replace(decision, notices=tuple(n for n in decision.notices if n.obligation_key == key))


def planned(dossier: Dossier, name: str, on: str = "2026-01-01") -> list[Obligation]:
    found = [o for o in decide(dossier, at(on)).obligations if o.key.startswith(f"G1/{name}/")]
    return sorted(found, key=lambda o: o.due_on)


def undertaking(**changes: Any) -> Undertaking:
    terms: dict[str, Any] = {
        "obligation_ref": "U-ACC",
        "kind": "information",
        "description": "Quarterly accounts",
        "description_zh": "季度报表",
        "metric": "",
        "operator": "",
        "threshold": None,
        "frequency": "quarterly",
        "offset_days": 45,
        "first": date(2025, 12, 31),
    }
    return make_undertaking(**{**terms, **changes})


def test_the_half_monthly_report_falls_due_24_times_a_year_with_its_own_period() -> None:
    reports = planned(year_of(), "fund-use-report")
    assert len(reports) == 24
    assert Counter(r.unadjusted_on.month for r in reports) == dict.fromkeys(range(1, 13), 2)
    periods = [(r.period_start, r.period_end) for r in reports]
    assert periods[0] == (date(2026, 1, 1), date(2026, 1, 15))
    assert periods[1] == (date(2026, 1, 16), date(2026, 1, 31))
    assert periods[3] == (date(2026, 2, 16), date(2026, 2, 28))
    assert periods[-1] == (date(2026, 12, 16), date(2026, 12, 31))
    for (_, end), (start, _) in pairwise(periods):
        assert end is not None
        assert start is not None
        assert (start - end).days == 1


def test_a_report_is_due_the_business_day_before_where_its_date_is_none_and_keeps_both_dates() -> None:
    reports = {r.unadjusted_on.isoformat(): r for r in planned(year_of(), "fund-use-report")}
    assert reports["2026-01-31"].due_on == date(2026, 1, 30)  # a Saturday
    assert reports["2026-02-15"].due_on == date(2026, 2, 14)  # Spring Festival; the Saturday before is worked
    assert reports["2026-02-28"].due_on == date(2026, 2, 28)  # a worked Saturday
    assert reports["2026-10-15"].due_at == datetime(2026, 10, 15, 9, 0, tzinfo=UTC)  # 17:00 in Shanghai


def test_all_dates_of_the_year_are_days_that_are_worked() -> None:
    dossier = year_of()
    for owed in decide(dossier, at("2026-01-01")).obligations:
        assert china().is_business_day(owed.due_on), owed.key


@pytest.mark.parametrize("day", MAKE_UP_DAYS)
def test_a_make_up_working_day_is_a_day_things_fall_due_on(day: str) -> None:
    dossier = year_of(
        cadences={
            "daily": {
                "kind": "report",
                "title": {"en": "Daily"},
                "rule": "FREQ=DAILY",
                "roll": "preceding",
                "ladder": "report",
                "activity": "fund-use-report",
            }
        }
    )
    reports = {r.unadjusted_on.isoformat(): r.due_on for r in planned(dossier, "daily")}
    assert reports[day].isoformat() == day


def test_the_weekly_meeting_of_spring_festival_is_held_once_after_it_and_keeps_both_dates() -> None:
    """Monday 16 and Monday 23 February are holidays; both roll to Tuesday the 24th, where one meeting is held."""
    meetings = planned(year_of(), "weekly-progress")
    rolled = [(m.unadjusted_on.isoformat(), m.due_on.isoformat()) for m in meetings if m.due_on != m.unadjusted_on]
    assert ("2026-02-23", "2026-02-24") in rolled
    assert "2026-02-16" not in {m.unadjusted_on.isoformat() for m in meetings}
    days_met = [m.due_on for m in meetings]
    assert len(days_met) == len(set(days_met))
    assert all(m.due_at.astimezone(UTC).hour == 2 for m in meetings)  # 10:00 in Shanghai


def test_reports_that_roll_to_one_day_are_both_owed() -> None:
    dossier = year_of(
        cadences={
            "mondays": {
                "kind": "report",
                "title": {"en": "Monday's report"},
                "rule": "FREQ=WEEKLY;BYDAY=MO",
                "ladder": "report",
                "activity": "fund-use-report",
            }
        }
    )
    on_the_24th = [r for r in planned(dossier, "mondays") if r.due_on == date(2026, 2, 24)]
    assert [r.unadjusted_on.day for r in on_the_24th] == [16, 23]


def test_dates_of_a_year_whose_holidays_are_not_published_are_provisional() -> None:
    dossier = make_dossier(playbook=make_playbook(horizon_days=120), engaged_on=date(2026, 11, 2))
    reports = {r.unadjusted_on.isoformat(): r.provisional for r in planned(dossier, "fund-use-report", "2026-11-02")}
    assert (reports["2026-12-31"], reports["2027-01-15"]) == (False, True)


def test_a_meeting_says_how_long_and_where() -> None:
    meeting = planned(year_of(), "weekly-progress")[0]
    assert (meeting.kind, meeting.minutes, meeting.unadjusted_on) == (ObligationKind.MEETING, 60, date(2026, 1, 5))
    assert meeting.details["location"] == {"zh": "指挥部会议室", "en": "Command group meeting room"}


def test_a_cadence_is_planned_only_in_its_phases_and_between_its_dates() -> None:
    early = make_dossier(project=make_project(phase=Phase.ASSESSMENT))
    assert {o.key.split("/")[1] for o in decide(early, at("2026-01-05")).obligations} == {"satisfaction-survey"}
    late = make_dossier(engaged_on=date(2028, 12, 1), calendar=china())
    assert max(o.unadjusted_on for o in planned(late, "weekly-progress", "2028-12-01")) == date(2028, 12, 25)


def test_a_project_at_its_exit_plans_nothing() -> None:
    assert decide(make_dossier(project=make_project(phase=Phase.EXIT)), at("2026-01-05")).quiet


def test_at_the_exit_what_nobody_was_told_of_is_cancelled_and_what_is_overdue_stays_owed() -> None:
    dossier, _ = lived(make_dossier(), days("2026-01-05", "2026-01-16"), Stage.COMMUNICATION)
    left = with_facts(dossier, projects=(make_project(phase=Phase.EXIT),))
    after, decisions = lived(left, days("2026-01-17", "2026-03-31"), Stage.COMMUNICATION)
    assert "invite" not in {rung[:6] for day, rung, _ in told(decisions) if day > "2026-01-19"}
    assert after.held.obligations[KEY].status is Status.OPEN
    assert after.held.obligations["G1/weekly-progress/2026-02-02"].status is Status.CANCELLED


def test_planning_goes_to_the_horizon_and_a_day_later_adds_a_day() -> None:
    dossier, _ = lived(make_dossier(), [at("2026-01-05")], Stage.COMMUNICATION)
    assert max(o.due_on for o in dossier.held.obligations.values()) == date(2026, 3, 31)
    # 90 days from 5 January end on 5 April, a Sunday; from the 8th they reach Tuesday the 7th: Monday's is a holiday.
    later, _ = lived(dossier, days("2026-01-06", "2026-01-08"), Stage.COMMUNICATION)
    new = later.held.obligations.keys() - dossier.held.obligations.keys()
    assert new == {"G1/weekly-progress/2026-04-06"}


def test_what_fell_due_before_the_relationship_began_is_not_owed() -> None:
    dossier = make_dossier(engaged_on=date(2026, 1, 20))
    assert min(o.due_on for o in decide(dossier, at("2026-02-20")).obligations) >= date(2026, 1, 20)


def test_an_undertaking_is_due_its_days_after_each_quarters_end() -> None:
    """45 days after 31 December is 14 February, a worked Saturday; after 31 March 15 May; after 30 June 14 August."""
    dossier = with_facts(year_of(), obligations=(undertaking(),))
    due = {o.period_end: o for o in planned(dossier, "U-ACC")}
    assert [(end.isoformat(), o.due_on.isoformat()) for end, o in due.items() if end] == [
        ("2025-12-31", "2026-02-14"),
        ("2026-03-31", "2026-05-15"),
        ("2026-06-30", "2026-08-14"),
        ("2026-09-30", "2026-11-16"),
    ]
    last = due[date(2026, 9, 30)]
    assert last.unadjusted_on == date(2026, 11, 14)  # a Saturday
    assert (last.debtor, last.creditor, last.period_start) == ("SPV", "BANK", date(2026, 7, 1))
    assert last.title.en.startswith("Quarterly accounts")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"frequency": "once", "first": date(2026, 3, 31)}, ["2026-05-15"]),
        ({"day_type": "business", "offset_days": 5, "last": date(2026, 3, 31)}, ["2026-01-08", "2026-04-08"]),
        ({"convention": "preceding", "first": date(2026, 9, 30), "last": date(2026, 9, 30)}, ["2026-11-13"]),
        ({"frequency": "semi-annual", "offset_days": 60}, ["2026-03-02", "2026-08-31"]),
    ],
    ids=["once", "business days", "preceding", "half-years"],
)
def test_an_undertaking_counts_as_its_document_says(changes: dict[str, Any], expected: list[str]) -> None:
    dossier = with_facts(year_of(), obligations=(undertaking(**changes),))
    assert [o.due_on.isoformat() for o in planned(dossier, "U-ACC")] == expected


def test_an_undertaking_without_a_first_date_is_a_finding_and_a_covenant_is_not_planned_here() -> None:
    dossier = with_facts(make_dossier(), obligations=(undertaking(first=None), make_undertaking()))
    decision = decide(dossier, at("2026-01-05"))
    assert [(f.kind, f.subject) for f in decision.findings] == [("no-first-date", "U-ACC")]
    assert not [o for o in decision.obligations if o.key.startswith("G1/U-")]


def test_a_rule_that_cannot_be_expanded_is_a_finding_and_stops_no_other_cadence() -> None:
    broken = make_playbook().cadences["fund-use-report"].model_copy(update={"rule": "FREQ=MONTHLY"})
    playbook = make_playbook()
    dossier = make_dossier(playbook=playbook.model_copy(update={"cadences": {**playbook.cadences, "odd": broken}}))
    decision = decide(dossier, at("2026-01-05"))
    assert [(f.kind, f.subject) for f in decision.findings] == [("bad-rule", "odd")]
    assert decision.obligations


def test_the_fund_use_report_goes_out_on_its_day_with_the_payments_of_its_period() -> None:
    dossier = make_dossier(fund_use=(make_payment("V1", "2026-01-08"), make_payment("V0", "2025-12-30", "99")))
    dossier, decisions = lived(dossier, days("2026-01-05", "2026-01-15"), Stage.COMMUNICATION)
    sent = [n for d in decisions for n in d.notices if n.rung == "send0bd-informed"]
    assert [n.contact_ref for n in sent] == ["C-BANK", "C-CMD", "C-FUND"]
    report = sent[0].report
    assert report is not None
    assert [row[1] for row in report.tables[1].rows] == ["V1"]
    assert dossier.held.obligations[KEY].status is Status.FULFILLED


def test_a_fund_use_report_without_bookings_climbs_to_the_command_group_and_goes_out_when_they_come() -> None:
    dossier, decisions = lived(make_dossier(), days("2026-01-05", "2026-01-20"), Stage.COMMUNICATION)
    mine = told(of(KEY, d) for d in decisions)
    assert [(day, rung) for day, rung, _ in mine] == [
        ("2026-01-08", "request-5bd-responsible"),
        ("2026-01-14", "remind-1bd-responsible"),
        ("2026-01-16", "escalate+1bd-accountable"),
        ("2026-01-19", "escalate+2bd-head"),
        ("2026-01-20", "escalate+3bd-joint-command"),
    ]
    booked = with_facts(dossier, fund_use=(make_payment("V1", "2026-01-08"),))
    dossier, decisions = lived(booked, days("2026-01-21", "2026-02-05"), Stage.COMMUNICATION)
    late = told(of(KEY, d) for d in decisions)
    assert {(day, rung) for day, rung, _ in late} == {("2026-01-21", "send0bd-informed")}


def test_a_meeting_that_was_held_is_not_overdue() -> None:
    held = make_touch(Touch.MEETING, "G1/weekly-progress/2026-01-12", at=at("2026-01-12", 11))
    dossier, _ = lived(saying(make_dossier(), held), days("2026-01-05", "2026-01-13"), Stage.COMMUNICATION)
    states = {k: o.overdue(at("2026-01-13")) for k, o in dossier.held.obligations.items() if "weekly" in k}
    assert (states["G1/weekly-progress/2026-01-05"], states["G1/weekly-progress/2026-01-12"]) == (True, False)


def test_what_a_sent_fund_use_report_itemised_is_concluded_once() -> None:
    """The half month to 15 January holds one payment; the report of it leaves on the 15th."""
    dossier = make_dossier(fund_use=(make_payment("V1", "2026-01-10", "7"),))
    lived_on, decisions = lived(dossier, days("2026-01-05", "2026-01-20"), Stage.COMMUNICATION)
    concluded = lived_on.concluded(Stage.COMMUNICATION, "fund-use/2026-01-15")
    assert concluded == {"start": "2026-01-01", "vouchers": ["V1"]}
    entries = [e for d in decisions for e in d.entries if e.kind == "concluded" and e.subject == "fund-use/2026-01-15"]
    assert len(entries) == 1
