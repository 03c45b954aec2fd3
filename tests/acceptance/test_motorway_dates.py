from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from pfflow.calendars import business_calendar
from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Dossier, Holdings
from pfflow.domain.obligations import Obligation
from pfflow.domain.words import Stage
from pfflow.playbook import read_playbook
from pfflow.register import read_register
from pfflow.stages import communication

EXPRESSWAY = Path(__file__).parents[2] / "examples" / "expressway"

# The State Council's holidays of 2026: 01-01 to 01-03, 02-15 to 02-23, 04-04 to 04-06, 05-01 to 05-05, 06-19 to 06-21,
# 09-25 to 09-27, 10-01 to 10-07; worked instead: the six days below, each a Saturday or a Sunday.
MAKE_UP_DAYS = [
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
]
FUND_USE = [
    (date(2026, 1, 15), date(2026, 1, 15)),
    (date(2026, 1, 31), date(2026, 1, 30)),  # a Saturday
    (date(2026, 2, 15), date(2026, 2, 14)),  # the first day of the Spring Festival; the Saturday before is worked
    (date(2026, 2, 28), date(2026, 2, 28)),  # a Saturday that is worked
    (date(2026, 3, 15), date(2026, 3, 13)),  # a Sunday
    (date(2026, 3, 31), date(2026, 3, 31)),
    (date(2026, 4, 15), date(2026, 4, 15)),
    (date(2026, 4, 30), date(2026, 4, 30)),
    (date(2026, 5, 15), date(2026, 5, 15)),
    (date(2026, 5, 31), date(2026, 5, 29)),  # a Sunday
    (date(2026, 6, 15), date(2026, 6, 15)),
    (date(2026, 6, 30), date(2026, 6, 30)),
    (date(2026, 7, 15), date(2026, 7, 15)),
    (date(2026, 7, 31), date(2026, 7, 31)),
    (date(2026, 8, 15), date(2026, 8, 14)),  # a Saturday
    (date(2026, 8, 31), date(2026, 8, 31)),
    (date(2026, 9, 15), date(2026, 9, 15)),
    (date(2026, 9, 30), date(2026, 9, 30)),
    (date(2026, 10, 15), date(2026, 10, 15)),
    (date(2026, 10, 31), date(2026, 10, 30)),  # a Saturday
    (date(2026, 11, 15), date(2026, 11, 13)),  # a Sunday
    (date(2026, 11, 30), date(2026, 11, 30)),
    (date(2026, 12, 15), date(2026, 12, 15)),
    (date(2026, 12, 31), date(2026, 12, 31)),
]
MOVED_MONDAYS = {
    date(2026, 2, 23): date(2026, 2, 24),  # the Spring Festival takes two Mondays
    date(2026, 4, 6): date(2026, 4, 7),
    date(2026, 5, 4): date(2026, 5, 6),
    date(2026, 10, 5): date(2026, 10, 8),
}


@pytest.fixture(scope="module")
def china() -> BusinessCalendar:
    playbook = read_playbook(EXPRESSWAY / "playbook.yaml").playbook
    assert playbook is not None
    return business_calendar(playbook.calendars, 2025, 2028)


@pytest.fixture(scope="module")
def planned(china: BusinessCalendar) -> tuple[Obligation, ...]:
    """Give what communication plans on 1 January 2026 when it looks 400 days ahead."""
    facts = read_register(EXPRESSWAY / "register.xlsx").facts
    playbook = read_playbook(EXPRESSWAY / "playbook.yaml").playbook
    assert playbook is not None
    dossier = Dossier(
        held=Holdings(project=facts.projects[0], facts=facts),
        playbook=playbook.model_copy(update={"horizon_days": 400}),
        calendar=china,
        engaged_on=date(2026, 1, 1),
    )
    decision = communication.decide(dossier, datetime(2026, 1, 1, 10, tzinfo=UTC))
    assert decision.stage is Stage.COMMUNICATION
    return tuple(sorted(decision.obligations, key=lambda o: (o.unadjusted_on, o.key)))


def of_cadence(planned: tuple[Obligation, ...], name: str, year: int) -> list[Obligation]:
    return [o for o in planned if o.key.startswith(f"EXP-01/{name}/") and o.unadjusted_on.year == year]


def test_the_make_up_days_are_worked(china: BusinessCalendar) -> None:
    assert [day.weekday() >= 5 for day in MAKE_UP_DAYS] == [True] * 6
    assert [china.is_business_day(day) for day in MAKE_UP_DAYS] == [True] * 6
    weekends = [d for n in range(365) if (d := date(2026, 1, 1) + timedelta(days=n)).weekday() >= 5]
    assert [day for day in weekends if china.is_business_day(day)] == MAKE_UP_DAYS


def test_the_fund_use_report_has_24_dates_each_the_business_day_at_or_before(
    planned: tuple[Obligation, ...], china: BusinessCalendar
) -> None:
    reports = of_cadence(planned, "fund-use-report", 2026)
    assert [(o.unadjusted_on, o.due_on) for o in reports] == FUND_USE
    assert all(china.is_business_day(o.due_on) for o in reports)
    # 17:00 in Shanghai, which keeps no summer time, is 09:00 UTC all year.
    assert {o.due_at for o in reports} == {
        datetime(o.due_on.year, o.due_on.month, o.due_on.day, 9, tzinfo=UTC) for o in reports
    }


def test_the_periods_of_the_fund_use_reports_cover_the_year_without_gap_or_overlap(
    planned: tuple[Obligation, ...],
) -> None:
    reports = of_cadence(planned, "fund-use-report", 2026)
    assert reports[0].period_start == date(2026, 1, 1)
    assert reports[-1].period_end == date(2026, 12, 31)
    for one, following in pairwise(reports):
        assert one.period_end is not None
        assert following.period_start == one.period_end + timedelta(days=1)


def test_the_monday_meetings_are_never_on_a_holiday(planned: tuple[Obligation, ...], china: BusinessCalendar) -> None:
    meetings = of_cadence(planned, "weekly-progress", 2026)
    mondays = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(52)]
    # The meeting of 02-16 would fall on the day of the next one, and is held with it.
    assert [o.unadjusted_on for o in meetings] == [day for day in mondays if day != date(2026, 2, 16)]
    assert len({o.due_on for o in meetings}) == len(meetings) == 51
    assert {o.unadjusted_on: o.due_on for o in meetings if o.due_on != o.unadjusted_on} == MOVED_MONDAYS
    assert all(china.is_business_day(o.due_on) for o in meetings)


def test_dates_of_2026_are_certain_and_those_of_2027_provisional(planned: tuple[Obligation, ...]) -> None:
    assert of_cadence(planned, "fund-use-report", 2027)
    assert {o.provisional for o in planned if o.due_on.year == 2026} == {False}
    assert {o.provisional for o in planned if o.due_on.year == 2027} == {True}
