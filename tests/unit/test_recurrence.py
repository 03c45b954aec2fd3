"""Rules become dates: counts, rolls, periods, and the rules that are refused."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfflow.domain.business_days import WEEKENDS_ONLY, BusinessCalendar, Convention
from pfflow.domain.offsets import Offset, OffsetError
from pfflow.domain.recurrence import Occurrence, PeriodFrequency, anchored, check, expand, periods
from pfflow.domain.rules import RecurrenceError

HALF_MONTHLY = "FREQ=MONTHLY;BYMONTHDAY=15,-1"
SPRING_FESTIVAL = BusinessCalendar(
    "CN",
    frozenset(date(2026, 2, day) for day in (16, 17, 18, 19, 20, 23)),
    frozenset({date(2026, 2, 14), date(2026, 2, 28)}),
    published_until=date(2026, 12, 31),
)


def dates(
    rule: str,
    start: date,
    until: date,
    *,
    anchor: date | None = None,
) -> list[str]:
    found = expand(rule, start, until, Convention.UNADJUSTED, WEEKENDS_ONLY, anchor=anchor)
    return [one.unadjusted_on.isoformat() for one in found]


def test_half_monthly_is_24_dates_a_year_and_480_in_twenty_years() -> None:
    for year in range(2026, 2046):
        assert len(dates(HALF_MONTHLY, date(year, 1, 1), date(year, 12, 31))) == 24
    assert len(dates(HALF_MONTHLY, date(2026, 1, 1), date(2045, 12, 31))) == 480


def test_the_fund_use_report_of_february_2026_rolls_to_the_working_saturdays() -> None:
    found = expand(HALF_MONTHLY, date(2026, 2, 1), date(2026, 2, 28), Convention.PRECEDING, SPRING_FESTIVAL)
    assert found == (
        Occurrence(date(2026, 2, 15), date(2026, 2, 14), False, date(2026, 2, 1), date(2026, 2, 15)),
        Occurrence(date(2026, 2, 28), date(2026, 2, 28), False, date(2026, 2, 16), date(2026, 2, 28)),
    )


def test_two_occurrences_that_roll_to_one_day_stay_two() -> None:
    found = expand("FREQ=DAILY", date(2026, 1, 31), date(2026, 2, 2), Convention.FOLLOWING, WEEKENDS_ONLY)
    assert [one.on for one in found] == [date(2026, 2, 2)] * 3
    assert [one.unadjusted_on.day for one in found] == [31, 1, 2]


def test_a_rolled_date_never_moves_the_next_one() -> None:
    found = expand(
        "FREQ=MONTHLY;BYMONTHDAY=31", date(2026, 1, 1), date(2026, 7, 31), Convention.FOLLOWING, WEEKENDS_ONLY
    )
    assert [(one.unadjusted_on.isoformat(), one.on.isoformat()) for one in found] == [
        ("2026-01-31", "2026-02-02"),
        ("2026-03-31", "2026-03-31"),
        ("2026-05-31", "2026-06-01"),
        ("2026-07-31", "2026-07-31"),
    ]


def test_month_ends_stick_to_the_end_and_do_not_drift_to_the_28th() -> None:
    assert dates("FREQ=MONTHLY;BYMONTHDAY=-1", date(2028, 1, 1), date(2028, 5, 31)) == [
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
        "2028-04-30",
        "2028-05-31",
    ]


def test_the_first_occurrence_of_a_window_reports_since_the_one_before_the_window() -> None:
    (only,) = expand(
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", date(2028, 1, 1), date(2028, 12, 31), Convention.FOLLOWING, WEEKENDS_ONLY
    )
    assert (only.period_start, only.period_end) == (date(2024, 3, 1), date(2028, 2, 29))


def test_the_first_period_of_an_anchored_rule_begins_on_its_anchor() -> None:
    signed = date(2026, 1, 20)
    found = expand(
        HALF_MONTHLY, date(2026, 1, 1), date(2026, 2, 28), Convention.UNADJUSTED, WEEKENDS_ONLY, anchor=signed
    )
    assert [(one.period_start, one.period_end) for one in found] == [
        (signed, date(2026, 1, 31)),
        (date(2026, 2, 1), date(2026, 2, 15)),
        (date(2026, 2, 16), date(2026, 2, 28)),
    ]


RULES = [
    HALF_MONTHLY,
    "FREQ=DAILY;INTERVAL=10",
    "FREQ=WEEKLY;BYDAY=MO,TH;INTERVAL=2",
    "FREQ=WEEKLY;BYDAY=SU,MO;INTERVAL=3;WKST=SU",
    "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=MONTHLY;BYDAY=2TU",
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=6,12;BYMONTHDAY=-1",
    "FREQ=YEARLY;BYYEARDAY=-1",
    "FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20300630",
]


@settings(max_examples=60)
@given(
    st.sampled_from(RULES),
    st.dates(date(1995, 1, 1), date(2030, 1, 1)),
    st.integers(0, 1500),
    st.integers(0, 1500),
    st.sampled_from([None, date(2001, 1, 1), date(2019, 5, 16), date(2026, 1, 31)]),
)
def test_a_window_shows_the_same_occurrences_wherever_it_begins(
    rule: str, start: date, lead: int, length: int, anchor: date | None
) -> None:
    until = start + timedelta(days=length)
    whole = expand(rule, start - timedelta(days=lead), until, Convention.FOLLOWING, WEEKENDS_ONLY, anchor=anchor)
    part = expand(rule, start, until, Convention.FOLLOWING, WEEKENDS_ONLY, anchor=anchor)
    assert part == tuple(one for one in whole if one.unadjusted_on >= start)


@given(st.sampled_from(RULES), st.dates(date(2002, 1, 1), date(2030, 1, 1)))
def test_periods_follow_each_other_without_gap_or_overlap(rule: str, start: date) -> None:
    found = expand(rule, start, start + timedelta(days=1200), Convention.PRECEDING, WEEKENDS_ONLY)
    for one, after in pairwise(found):
        assert one.period_end == one.unadjusted_on
        assert after.period_start == one.unadjusted_on + timedelta(days=1)


def test_intervals_count_from_monday_2001_01_01_unless_anchored() -> None:
    january = date(2026, 1, 1), date(2026, 1, 31)
    # 2025-12-29 is a Monday 1,304 weeks after 2001-01-01, an even count
    assert dates("FREQ=WEEKLY;INTERVAL=2;BYDAY=WE", *january) == ["2026-01-14", "2026-01-28"]
    assert dates("FREQ=WEEKLY;INTERVAL=2;BYDAY=WE", *january, anchor=date(2026, 1, 5)) == ["2026-01-07", "2026-01-21"]
    year = date(2026, 1, 1), date(2026, 12, 31)
    assert dates("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1", *year)[0] == "2026-01-31"
    assert dates("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1", *year, anchor=date(2025, 3, 1)) == [
        "2026-03-31",
        "2026-06-30",
        "2026-09-30",
        "2026-12-31",
    ]


def test_an_anchor_gives_the_day_a_rule_leaves_out_and_nothing_falls_before_it() -> None:
    thursday = date(2026, 5, 14)
    assert dates("FREQ=WEEKLY", date(2026, 5, 1), date(2026, 5, 31), anchor=thursday) == [
        "2026-05-14",
        "2026-05-21",
        "2026-05-28",
    ]
    assert dates("FREQ=MONTHLY", date(2026, 1, 1), date(2026, 7, 1), anchor=thursday) == ["2026-05-14", "2026-06-14"]
    assert dates("FREQ=YEARLY", date(2026, 1, 1), date(2027, 12, 31), anchor=thursday) == ["2026-05-14", "2027-05-14"]


def test_a_rule_ends_with_its_until_and_an_empty_window_has_no_dates() -> None:
    assert dates("RRULE:freq=weekly;byday=mo;until=20260112", date(2026, 1, 1), date(2026, 2, 1)) == [
        "2026-01-05",
        "2026-01-12",
    ]
    assert dates("FREQ=DAILY", date(2026, 1, 2), date(2026, 1, 1)) == []


def test_a_date_is_provisional_when_the_list_it_was_rolled_by_is_not_published() -> None:
    window = date(2026, 12, 1), date(2027, 1, 31)
    rolled = expand(HALF_MONTHLY, *window, Convention.FOLLOWING, SPRING_FESTIVAL)
    assert [one.provisional for one in rolled] == [False, False, True, True]
    unadjusted = expand(HALF_MONTHLY, *window, Convention.UNADJUSTED, SPRING_FESTIVAL)
    assert not any(one.provisional for one in unadjusted)


def test_a_date_rolled_back_from_an_unpublished_year_is_provisional() -> None:
    friday_off = BusinessCalendar("X", frozenset({date(2027, 1, 1)}), published_until=date(2026, 12, 31))
    (found,) = expand("FREQ=DAILY", date(2027, 1, 1), date(2027, 1, 1), Convention.PRECEDING, friday_off)
    assert found.on == date(2026, 12, 31)
    assert found.provisional


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("", "is no part of a rule"),
        ("every monday", "is no part of a rule: write NAME=VALUE"),
        ("BYDAY=MO", "it has no FREQ: write FREQ= with one of DAILY, WEEKLY, MONTHLY, YEARLY"),
        ("FREQ=HOURLY", "FREQ=HOURLY is not by days"),
        ("FREQ=MINUTELY;INTERVAL=5", "FREQ=MINUTELY is not by days"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ is there twice"),
        ("FREQ=DAILY;BYHOUR=9", "give the time of day beside the rule"),
        ("FREQ=DAILY;BYMINUTE=0", "give the time of day beside the rule"),
        ("FREQ=DAILY;BYSECOND=0", "give the time of day beside the rule"),
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=10", "end the rule with UNTIL=YYYYMMDD"),
        ("FREQ=DAILY;COUNT=10;UNTIL=20261231", "COUNT and UNTIL both end the rule"),
        ("FREQ=DAILY;COUNT=0", "no whole number from 1 to 999999"),
        ("FREQ=YEARLY;BYWEEKNO=20", "differ on week numbers unless FREQ=YEARLY and BYDAY"),
        ("FREQ=MONTHLY;BYWEEKNO=20;BYDAY=MO", "differ on week numbers unless FREQ=YEARLY and BYDAY"),
        ("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", "at the turn of the year: write weeks 2 to 51"),
        ("FREQ=YEARLY;BYWEEKNO=20,52;BYDAY=MO", "at the turn of the year"),
        ("FREQ=YEARLY;BYWEEKNO=-1;BYDAY=MO", "at the turn of the year"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", "each weekday once"),
        ("FREQ=YEARLY;BYMONTHDAY=-1", "add BYMONTH, or use FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1", "partial week"),
        ("FREQ=DAILY;BYSETPOS=1", "a day is no set"),
        ("FREQ=MONTHLY;BYSETPOS=1", "say from which"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "use FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYYEARDAY=1", "needs FREQ=YEARLY"),
        ("FREQ=WEEKLY", "does not say on which day: add it, such as BYDAY=MO"),
        ("FREQ=MONTHLY", "such as BYMONTHDAY=-1"),
        ("FREQ=YEARLY;BYMONTH=6", "such as BYMONTH=12;BYMONTHDAY=-1"),
        ("FREQ=WEEKLY;BYDAY=1MO", "counts within a month or a year"),
        ("FREQ=MONTHLY;BYDAY=MONDAY", "is no weekday"),
        ("FREQ=MONTHLY;BYDAY=0MO", "counts within a month or a year"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "is none of 1 to 31 or -1 to -31"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "is none of 1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;BYMONTH=-1", "is none of 1 to 12"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,", "BYMONTHDAY= is none of"),
        ("FREQ=DAILY;INTERVAL=0", "no whole number from 1 to 9999"),
        ("FREQ=DAILY;INTERVAL=-1", "no whole number from 1 to 9999"),
        ("FREQ=DAILY;WKST=1", "is none of MO, TU"),
        ("FREQ=DAILY;UNTIL=2026-12-31", "write UNTIL=YYYYMMDD"),
        ("FREQ=DAILY;UNTIL=20260231", "write UNTIL=YYYYMMDD"),
        ("FREQ=DAILY;UNTIL=20261231T000000Z", "write UNTIL=YYYYMMDD"),
        ("FREQ=DAILY;RSCALE=CHINESE", "is no part of a rule"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never falls"),
        ("FREQ=DAILY;BYMONTH=4;BYMONTHDAY=31", "never falls"),
        ("FREQ=MONTHLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=1", "never falls"),
    ],
)
def test_a_rule_that_is_wrong_or_read_in_two_ways_is_refused_with_a_sentence(rule: str, sentence: str) -> None:
    with pytest.raises(RecurrenceError, match=sentence):
        expand(rule, date(2026, 1, 1), date(2026, 12, 31), Convention.FOLLOWING, WEEKENDS_ONLY)
    with pytest.raises(RecurrenceError, match=sentence):
        check(rule)


def test_a_week_number_within_the_year_is_the_rfcs_own_example() -> None:
    # RFC 5545, 3.8.5.3: "Monday of week number 20 (where the default start of the week is Monday), forever"
    assert dates("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", date(1997, 5, 12), date(1999, 12, 31)) == [
        "1997-05-12",
        "1998-05-11",
        "1999-05-17",
    ]


def test_a_count_begins_with_its_anchor_wherever_the_window_lies() -> None:
    # RFC 5545, 3.8.5.3: "Every other week on Tuesday and Thursday, for 8 occurrences", from 1997-09-02
    rule, begins = "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH", date(1997, 9, 2)
    eight = ["09-02", "09-04", "09-16", "09-18", "09-30", "10-02", "10-14", "10-16"]
    assert dates(rule, begins, date(2026, 1, 1), anchor=begins) == [f"1997-{day}" for day in eight]
    assert dates(rule, date(1997, 10, 1), date(2026, 1, 1), anchor=begins) == [f"1997-{day}" for day in eight[5:]]


def test_a_count_from_a_day_the_rule_does_not_fall_on_is_refused() -> None:
    with pytest.raises(RecurrenceError, match="differ on COUNT from 2026-01-06, on which the rule does not fall"):
        check("FREQ=WEEKLY;BYDAY=MO;COUNT=3", date(2026, 1, 6))


def test_an_anchor_at_a_month_end_does_not_silently_skip_months() -> None:
    with pytest.raises(RecurrenceError, match="day 31 of its anchor is not in every month: write BYMONTHDAY=-1"):
        check("FREQ=MONTHLY", date(2026, 1, 31))


def test_45_days_after_quarter_end_keeps_both_dates() -> None:
    quarter = date(2026, 3, 31)
    due = anchored(quarter, Offset.parse("+45d"), Convention.FOLLOWING, SPRING_FESTIVAL, period_start=date(2026, 1, 1))
    # 30 days of April and 15 of May
    assert (due.unadjusted_on, due.on) == (date(2026, 5, 15), date(2026, 5, 15))
    assert (due.period_start, due.period_end) == (date(2026, 1, 1), quarter)
    assert not due.provisional
    saturday = anchored(quarter, Offset.parse("+46d"), Convention.FOLLOWING, SPRING_FESTIVAL)
    assert (saturday.unadjusted_on, saturday.on) == (date(2026, 5, 16), date(2026, 5, 18))


def test_five_business_days_after_a_weekend_count_its_monday_as_the_first() -> None:
    due = anchored(date(2026, 1, 31), Offset.parse("+5bd"), Convention.UNADJUSTED, WEEKENDS_ONLY)
    assert due.on == date(2026, 2, 6)


def test_what_is_owed_after_the_published_list_is_provisional_unless_it_needs_no_list() -> None:
    year_end = date(2026, 12, 31)
    found = {
        (offset, convention): anchored(year_end, Offset.parse(offset), convention, SPRING_FESTIVAL).provisional
        for offset in ("+120d", "+5bd", "0bd")
        for convention in (Convention.UNADJUSTED, Convention.FOLLOWING)
    }
    assert found == {
        ("+120d", Convention.UNADJUSTED): False,
        ("+120d", Convention.FOLLOWING): True,
        ("+5bd", Convention.UNADJUSTED): True,
        ("+5bd", Convention.FOLLOWING): True,
        ("0bd", Convention.UNADJUSTED): False,
        ("0bd", Convention.FOLLOWING): False,
    }


def test_hours_after_a_period_are_refused() -> None:
    with pytest.raises(OffsetError, match="counts hours"):
        anchored(date(2026, 3, 31), Offset.parse("+4bh"), Convention.FOLLOWING, WEEKENDS_ONLY)


@pytest.mark.parametrize(
    ("frequency", "count", "first_period", "last_period"),
    [
        ("monthly", 12, ("2026-01-01", "2026-01-31"), ("2026-12-01", "2026-12-31")),
        ("half-monthly", 24, ("2026-01-01", "2026-01-15"), ("2026-12-16", "2026-12-31")),
        ("quarterly", 4, ("2026-01-01", "2026-03-31"), ("2026-10-01", "2026-12-31")),
        ("semi-annual", 2, ("2026-01-01", "2026-06-30"), ("2026-07-01", "2026-12-31")),
        ("annual", 1, ("2026-01-01", "2026-12-31"), ("2026-01-01", "2026-12-31")),
        ("once", 1, ("2026-01-01", "2026-12-31"), ("2026-01-01", "2026-12-31")),
    ],
)
def test_calendar_periods_of_a_year(
    frequency: PeriodFrequency, count: int, first_period: tuple[str, str], last_period: tuple[str, str]
) -> None:
    found = periods(frequency, date(2026, 1, 1), date(2026, 12, 31))
    said = [(start.isoformat(), end.isoformat()) for start, end in found]
    assert (len(said), said[0], said[-1]) == (count, first_period, last_period)


def test_a_period_counts_when_its_end_lies_in_the_window_although_it_began_before() -> None:
    assert periods("quarterly", date(2026, 3, 31), date(2026, 6, 29)) == ((date(2026, 1, 1), date(2026, 3, 31)),)
    assert periods("half-monthly", date(2026, 2, 16), date(2026, 3, 15)) == (
        (date(2026, 2, 16), date(2026, 2, 28)),
        (date(2026, 3, 1), date(2026, 3, 15)),
    )
    assert periods("monthly", date(2026, 3, 2), date(2026, 3, 1)) == ()


def test_month_ends_of_periods_return_to_the_31st_after_february() -> None:
    ends = [end.day for _, end in periods("monthly", date(2027, 1, 31), date(2028, 3, 31))]
    assert ends == [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 29, 31]


def test_a_financial_year_may_end_in_another_month() -> None:
    assert periods("annual", date(2026, 1, 1), date(2026, 12, 31), year_end_month=3) == (
        (date(2025, 4, 1), date(2026, 3, 31)),
    )
    halves = periods("semi-annual", date(2026, 1, 1), date(2026, 12, 31), year_end_month=3)
    assert [end for _, end in halves] == [date(2026, 3, 31), date(2026, 9, 30)]
    with pytest.raises(RecurrenceError, match="from 1 to 12, not 13"):
        periods("annual", date(2026, 1, 1), date(2026, 12, 31), year_end_month=13)
