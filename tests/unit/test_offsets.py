"""Offsets: what they read, what they refuse, and the instants they reach."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.business_days import WEEKENDS_ONLY, BusinessCalendar
from pfflow.domain.offsets import Offset, OffsetError, OffsetUnit, offset_date, offset_instant

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
SPRING_FESTIVAL = BusinessCalendar(
    "CN",
    frozenset(date(2026, 2, day) for day in (16, 17, 18, 19, 20, 23)),
    frozenset({date(2026, 2, 14), date(2026, 2, 28)}),
)


def instant(
    due_at: datetime,
    offset: str,
    calendar: BusinessCalendar = WEEKENDS_ONLY,
    *,
    zone: ZoneInfo = SHANGHAI,
    at: time = time(9),
) -> datetime:
    return offset_instant(
        due_at, Offset.parse(offset), calendar, zone=zone, at=at, opens=time(9), closes=time(18)
    ).astimezone(zone)


@pytest.mark.parametrize(
    ("text", "count", "unit", "canonical"),
    [
        ("-5bd", -5, OffsetUnit.BUSINESS_DAYS, "-5bd"),
        ("+1bd", 1, OffsetUnit.BUSINESS_DAYS, "+1bd"),
        ("2bd", 2, OffsetUnit.BUSINESS_DAYS, "+2bd"),
        ("0bd", 0, OffsetUnit.BUSINESS_DAYS, "0bd"),
        ("-0BD", 0, OffsetUnit.BUSINESS_DAYS, "0bd"),
        (" +3 d ", 3, OffsetUnit.CALENDAR_DAYS, "+3d"),
        ("+04bh", 4, OffsetUnit.BUSINESS_HOURS, "+4bh"),
        ("-24h", -24, OffsetUnit.HOURS, "-24h"),
    ],
)
def test_an_offset_is_read_and_said_in_one_way(text: str, count: int, unit: OffsetUnit, canonical: str) -> None:
    assert Offset.parse(text) == Offset(count, unit)
    assert str(Offset.parse(text)) == canonical


@given(st.integers(-99999, 99999), st.sampled_from(OffsetUnit))
def test_what_an_offset_says_reads_back_as_itself(count: int, unit: OffsetUnit) -> None:
    assert Offset.parse(str(Offset(count, unit))) == Offset(count, unit)


@pytest.mark.parametrize(
    "text", ["", "5", "bd", "+5 weeks", "5b", "+-5bd", "1.5bh", "+１bd", "+5bd,+6bd", "-123456d", "−5bd", "+5\nbd bd"]
)
def test_anything_else_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(OffsetError, match='as in "-5bd", "0bd" or "\\+4bh"'):
        Offset.parse(text)


def test_business_days_step_over_the_spring_festival_and_use_its_make_up_workdays() -> None:
    due_at = datetime(2026, 2, 24, 17, tzinfo=SHANGHAI)
    # back over 23, 20 to 16 and Sunday 15: the first business day is the working Saturday
    assert instant(due_at, "-1bd", SPRING_FESTIVAL) == datetime(2026, 2, 14, 9, tzinfo=SHANGHAI)
    assert instant(due_at, "+4bd", SPRING_FESTIVAL) == datetime(2026, 2, 28, 9, tzinfo=SHANGHAI)
    assert instant(due_at, "-1d", SPRING_FESTIVAL) == datetime(2026, 2, 23, 9, tzinfo=SHANGHAI)


@pytest.mark.parametrize("offset", ["0bd", "0d"])
def test_zero_days_stay_on_the_due_date_even_on_a_saturday(offset: str) -> None:
    assert instant(datetime(2026, 1, 31, 23, 30, tzinfo=SHANGHAI), offset) == datetime(2026, 1, 31, 9, tzinfo=SHANGHAI)


def test_the_due_date_is_the_date_in_the_zone_and_not_in_utc() -> None:
    due_at = datetime(2026, 3, 31, 16, 30, tzinfo=UTC)  # half past midnight on 1 April in Shanghai
    assert instant(due_at, "+1d").date() == date(2026, 4, 2)


def test_days_keep_the_wall_time_over_a_change_of_the_clocks_and_hours_do_not() -> None:
    due_at = datetime(2026, 3, 28, 12, tzinfo=BERLIN)  # clocks go forward on Sunday 2026-03-29
    assert instant(due_at, "+1d", zone=BERLIN, at=time(12)) == datetime(2026, 3, 29, 10, tzinfo=UTC)
    assert instant(due_at, "+24h", zone=BERLIN) == datetime(2026, 3, 29, 11, tzinfo=UTC)


def test_a_skipped_wall_time_moves_by_the_gap_and_a_doubled_one_is_the_first() -> None:
    before_spring, before_autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert instant(before_spring, "+1d", zone=BERLIN, at=time(2, 30)).astimezone(UTC).time() == time(1, 30)
    assert instant(before_autumn, "+1d", zone=BERLIN, at=time(2, 30)).astimezone(UTC).time() == time(0, 30)


def test_business_hours_and_hours_count_from_the_instant() -> None:
    friday = datetime(2026, 1, 30, 16, tzinfo=SHANGHAI)
    assert instant(friday, "+4bh") == datetime(2026, 2, 2, 11, tzinfo=SHANGHAI)
    assert instant(friday, "-24h") == datetime(2026, 1, 29, 16, tzinfo=SHANGHAI)


def test_offsets_keep_their_order_in_time() -> None:
    saturday = datetime(2026, 1, 31, 12, tzinfo=SHANGHAI)
    reached = [instant(saturday, text) for text in ("-2bd", "-1bd", "0bd", "+1bd", "+2bd")]
    assert [one.date().isoformat() for one in reached] == [
        "2026-01-29",
        "2026-01-30",
        "2026-01-31",
        "2026-02-02",
        "2026-02-03",
    ]


def test_an_answer_is_in_utc_and_a_due_instant_without_a_zone_is_refused() -> None:
    one = Offset.parse("+1bd")
    due_at = datetime(2026, 1, 30, 16, tzinfo=SHANGHAI)
    for unit in OffsetUnit:
        moved = offset_instant(
            due_at, Offset(1, unit), WEEKENDS_ONLY, zone=SHANGHAI, at=time(9), opens=time(9), closes=time(18)
        )
        assert moved.tzinfo is UTC
    with pytest.raises(OffsetError, match="no time zone"):
        offset_instant(
            datetime(2026, 1, 30), one, WEEKENDS_ONLY, zone=SHANGHAI, at=time(9), opens=time(9), closes=time(18)
        )


def test_only_days_move_a_date() -> None:
    assert offset_date(date(2026, 3, 31), Offset.parse("+45d"), WEEKENDS_ONLY) == date(2026, 5, 15)
    with pytest.raises(OffsetError, match="counts hours"):
        offset_date(date(2026, 3, 31), Offset.parse("+4bh"), WEEKENDS_ONLY)
