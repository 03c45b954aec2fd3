"""Rolling and counting: the worked vectors, and the laws that hold for every calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.business_days import (
    WEEKENDS_ONLY,
    BusinessCalendar,
    Convention,
    ConventionError,
    add_business_days,
    add_business_hours,
    adjust,
    business_days_between,
    wall_instant,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
MODIFIED = (Convention.MODIFIED_FOLLOWING, Convention.MODIFIED_PRECEDING, Convention.HALF_MONTH_MODIFIED_FOLLOWING)
ROLLING = [one for one in Convention if one is not Convention.UNADJUSTED]

days = st.dates(FIRST, LAST)


@st.composite
def calendars(draw: st.DrawFn) -> BusinessCalendar:
    """Give a calendar with a few holidays and a few working weekend days, at most three holidays in a row of draws."""
    off = draw(st.frozensets(days, max_size=40))
    worked = frozenset(day for day in draw(st.frozensets(days, max_size=20)) if day.weekday() >= 5)
    return BusinessCalendar("X", off - worked, worked)


@pytest.mark.parametrize(
    ("day", "convention", "expected"),
    [
        ("2026-01-31", "following", "2026-02-02"),
        ("2026-01-31", "modified-following", "2026-01-30"),
        ("2026-01-31", "preceding", "2026-01-30"),
        ("2026-01-31", "nearest", "2026-01-30"),
        ("2026-02-01", "following", "2026-02-02"),
        ("2026-02-01", "preceding", "2026-01-30"),
        ("2026-02-01", "modified-preceding", "2026-02-02"),
        ("2026-02-01", "nearest", "2026-02-02"),
        ("2026-05-31", "following", "2026-06-01"),
        ("2026-05-31", "modified-following", "2026-05-29"),
        ("2026-08-15", "following", "2026-08-17"),
        ("2026-08-15", "modified-following", "2026-08-17"),
        ("2026-08-15", "preceding", "2026-08-14"),
        ("2026-08-15", "half-month-modified-following", "2026-08-14"),
        ("2026-01-31", "half-month-modified-following", "2026-01-30"),
        ("2026-08-16", "half-month-modified-following", "2026-08-17"),
        ("2026-01-31", "unadjusted", "2026-01-31"),
    ],
)
def test_the_published_vectors_roll_as_stated(day: str, convention: str, expected: str) -> None:
    assert adjust(date.fromisoformat(day), Convention(convention), WEEKENDS_ONLY) == date.fromisoformat(expected)


def test_nearest_goes_forward_when_both_sides_are_as_close() -> None:
    wednesday_off = BusinessCalendar("X", frozenset({date(2026, 3, 11)}))
    assert adjust(date(2026, 3, 11), Convention.NEAREST, wednesday_off) == date(2026, 3, 12)


@pytest.mark.parametrize(
    "text", ["FOLLOWING", "following", "Following ", "Modified Following", "MODIFIED_FOLLOWING", "modified-following"]
)
def test_a_convention_is_read_however_people_write_it(text: str) -> None:
    wanted = Convention.MODIFIED_FOLLOWING if "odif" in text.lower() else Convention.FOLLOWING
    assert Convention.parse(text) is wanted


@pytest.mark.parametrize("text", ["", "next", "followin", "modified"])
def test_another_word_is_refused_with_the_words_that_are_right(text: str) -> None:
    with pytest.raises(ConventionError, match="write one of unadjusted, following, modified-following"):
        Convention.parse(text)


@given(days, calendars(), st.sampled_from(ROLLING))
def test_a_rolled_date_is_a_business_day_and_rolls_no_further(
    day: date, calendar: BusinessCalendar, convention: Convention
) -> None:
    rolled = adjust(day, convention, calendar)
    assert calendar.is_business_day(rolled)
    assert adjust(rolled, convention, calendar) == rolled


@given(days, calendars())
def test_preceding_and_following_enclose_the_day_and_every_other_roll(day: date, calendar: BusinessCalendar) -> None:
    before, after = (adjust(day, one, calendar) for one in (Convention.PRECEDING, Convention.FOLLOWING))
    assert before <= day <= after
    assert {adjust(day, one, calendar) for one in ROLLING} <= {before, after}


@given(days, calendars(), st.sampled_from(MODIFIED))
def test_a_modified_roll_stays_in_its_month(day: date, calendar: BusinessCalendar, convention: Convention) -> None:
    worked = {date(2026, month, number) for month in range(1, 13) for number in (1, 2, 15)}
    worked |= {date(2027, month, number) for month in range(1, 13) for number in (1, 2, 15)}
    open_month = BusinessCalendar(
        "X", calendar.holidays - worked, calendar.make_up_workdays | {one for one in worked if one.weekday() >= 5}
    )
    assert adjust(day, convention, open_month).month == day.month


@given(days, calendars(), st.integers(-60, 60))
def test_counting_business_days_back_returns_to_the_start(day: date, calendar: BusinessCalendar, count: int) -> None:
    start = adjust(day, Convention.FOLLOWING, calendar)
    moved = add_business_days(start, count, calendar)
    assert add_business_days(moved, -count, calendar) == start
    assert business_days_between(start, moved, calendar) == count


@given(days, calendars(), st.integers(1, 30))
def test_the_day_counted_from_is_never_counted(day: date, calendar: BusinessCalendar, count: int) -> None:
    assert business_days_between(day, add_business_days(day, count, calendar), calendar) == count
    assert add_business_days(day, -count, calendar) < day < add_business_days(day, count, calendar)


def test_zero_business_days_from_a_weekend_is_the_next_business_day() -> None:
    saturday = date(2026, 1, 31)
    assert add_business_days(saturday, 0, WEEKENDS_ONLY) == date(2026, 2, 2)
    assert add_business_days(saturday, 1, WEEKENDS_ONLY) == date(2026, 2, 2)
    assert add_business_days(saturday, -1, WEEKENDS_ONLY) == date(2026, 1, 30)


def test_a_make_up_workday_counts_in_a_joint_calendar_only_if_all_work_on_it() -> None:
    sunday, saturday = date(2026, 1, 4), date(2026, 2, 14)
    china = BusinessCalendar("CN", frozenset({date(2026, 2, 17)}), frozenset({sunday, saturday}))
    other = BusinessCalendar("XX", frozenset({date(2026, 7, 1)}), frozenset({saturday}), published_until=LAST)
    both = china.joint(other)
    assert both.code == "CN+XX"
    assert both.make_up_workdays == {saturday}
    assert both.holidays == {date(2026, 2, 17), date(2026, 7, 1)}
    assert both.published_until == LAST
    assert other.joint(china) == both
    assert other.joint(china).version == both.version


@given(calendars(), calendars(), days)
def test_a_day_of_a_joint_calendar_is_worked_exactly_when_all_work(
    one: BusinessCalendar, other: BusinessCalendar, day: date
) -> None:
    assert one.joint(other).is_business_day(day) == (one.is_business_day(day) and other.is_business_day(day))


@given(calendars(), calendars(), st.dates(FIRST, LAST), st.dates(FIRST, LAST), days)
def test_a_day_of_a_joint_calendar_is_provisional_exactly_when_it_is_in_one_of_them(
    one: BusinessCalendar, other: BusinessCalendar, first: date, second: date, day: date
) -> None:
    one, other = replace(one, published_until=first), replace(other, published_until=second)
    assert one.joint(other).is_provisional(day) == (one.is_provisional(day) or other.is_provisional(day))


def test_a_different_content_has_a_different_version() -> None:
    plain = BusinessCalendar("CN")
    assert plain.version == BusinessCalendar("CN").version
    changed = [
        BusinessCalendar("HK"),
        BusinessCalendar("CN", frozenset({FIRST})),
        BusinessCalendar("CN", frozenset(), frozenset({FIRST})),
        BusinessCalendar("CN", weekend=frozenset({4, 5})),
        BusinessCalendar("CN", published_until=LAST),
    ]
    assert len({plain.version, *(one.version for one in changed)}) == 6


def test_days_after_the_published_list_are_provisional() -> None:
    calendar = BusinessCalendar("CN", published_until=date(2026, 12, 31))
    assert [calendar.is_provisional(date(2026, 12, 31)), calendar.is_provisional(date(2027, 1, 1))] == [False, True]


def test_a_calendar_without_a_working_weekday_or_with_a_contradiction_is_refused() -> None:
    with pytest.raises(ValueError, match="weekdays 0 to 6"):
        BusinessCalendar("X", weekend=frozenset(range(7)))
    with pytest.raises(ValueError, match="2026-01-01 is both a holiday and a make-up workday"):
        BusinessCalendar("X", frozenset({FIRST}), frozenset({FIRST}))


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-01-30T10:00", 4.0, "2026-01-30T14:00"),
        ("2026-01-30T16:00", 4.0, "2026-02-02T11:00"),  # two hours to 18:00 on Friday, two from 9:00 on Monday
        ("2026-01-30T09:00", 9.0, "2026-01-30T18:00"),  # a whole day ends at closing
        ("2026-01-30T09:00", 9.5, "2026-02-02T09:30"),
        ("2026-01-31T12:00", 0.0, "2026-02-02T09:00"),
        ("2026-01-30T12:00", 0.0, "2026-01-30T12:00"),
        ("2026-01-30T07:00", 1.0, "2026-01-30T10:00"),
        ("2026-02-02T10:00", -2.0, "2026-01-30T17:00"),
        ("2026-02-02T10:00", -1.0, "2026-02-02T09:00"),
        ("2026-02-01T10:00", -1.0, "2026-01-30T17:00"),
        ("2026-01-30T20:00", -1.0, "2026-01-30T17:00"),
    ],
)
def test_business_hours_run_from_nine_to_six_on_business_days(start: str, hours: float, expected: str) -> None:
    instant = datetime.fromisoformat(start).replace(tzinfo=SHANGHAI)
    moved = add_business_hours(instant, hours, WEEKENDS_ONLY, opens=time(9), closes=time(18), zone=SHANGHAI)
    assert moved.tzinfo is UTC
    assert moved == datetime.fromisoformat(expected).replace(tzinfo=SHANGHAI)


def test_business_hours_follow_the_wall_clock_over_a_change_of_the_clocks() -> None:
    friday = datetime(2026, 3, 6, 16, tzinfo=NEW_YORK)  # clocks go forward on Sunday 2026-03-08
    moved = add_business_hours(friday, 3, WEEKENDS_ONLY, opens=time(9), closes=time(17), zone=NEW_YORK)
    assert moved == datetime(2026, 3, 9, 15, tzinfo=UTC)  # 11:00 in New York, by then four hours behind


@given(days, st.integers(0, 23), st.integers(0, 200), calendars())
def test_business_hours_forward_and_back_return_to_the_same_instant(
    day: date, hour: int, quarters: int, calendar: BusinessCalendar
) -> None:
    start = datetime.combine(day, time(hour), UTC)
    zone = ZoneInfo("UTC")
    begun = add_business_hours(start, 0, calendar, opens=time(9), closes=time(17), zone=zone)
    moved = add_business_hours(begun, quarters / 4, calendar, opens=time(9), closes=time(17), zone=zone)
    assert calendar.is_business_day(moved.date())
    assert time(9) <= moved.time() <= time(17)
    back = add_business_hours(moved, -quarters / 4, calendar, opens=time(9), closes=time(17), zone=zone)
    # An opening and the closing before it are one place on the business clock.
    assert back == begun or add_business_hours(
        back, 0.25, calendar, opens=time(9), closes=time(17), zone=zone
    ) == begun + timedelta(minutes=15)


def test_hours_that_never_open_and_instants_without_a_zone_are_refused() -> None:
    aware = datetime(2026, 1, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="must open before they close"):
        add_business_hours(aware, 1, WEEKENDS_ONLY, opens=time(18), closes=time(9), zone=SHANGHAI)
    with pytest.raises(ValueError, match="has no time zone"):
        add_business_hours(datetime(2026, 1, 30), 1, WEEKENDS_ONLY, opens=time(9), closes=time(18), zone=SHANGHAI)


def test_a_wall_time_the_clocks_skip_moves_by_the_gap_and_a_doubled_one_is_the_first() -> None:
    assert wall_instant(date(2026, 3, 8), time(2, 30), NEW_YORK) == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)  # 3:30 EDT
    assert wall_instant(date(2026, 11, 1), time(1, 30), NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # EDT
    with pytest.raises(ValueError, match="zone of its own"):
        wall_instant(date(2026, 3, 8), time(2, 30, tzinfo=UTC), NEW_YORK)
