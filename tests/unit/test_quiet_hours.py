"""Quiet hours are the reader's own; the worked dates have the clock changes of 2026."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pfflow.domain.playbook import QuietHours
from pfflow.domain.quiet_hours import quiet_until, zone_of_reader

SHANGHAI, BERLIN, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")


def make_quiet(**changes: Any) -> QuietHours:
    """Give quiet nights from nine until eight; keyword changes replace keys."""
    return QuietHours.model_validate({"from": "21:00", "until": "08:00", **changes})


def wall(text: str, zone: ZoneInfo = SHANGHAI, *, fold: int = 0) -> datetime:
    """Give the instant of a wall time, Shanghai's unless another zone is named."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-01-07 20:59", None),
        ("2026-01-07 21:00", "2026-01-08 08:00"),
        ("2026-01-08 00:00", "2026-01-08 08:00"),
        ("2026-01-08 07:59", "2026-01-08 08:00"),
        ("2026-01-08 08:00", None),
        ("2026-01-10 12:00", None),
    ],
)
def test_a_night_ends_in_the_morning(at: str, until: str | None) -> None:
    assert quiet_until(wall(at), make_quiet(), SHANGHAI) == (wall(until) if until else None)


@pytest.mark.parametrize("at", ["2026-01-09 21:00", "2026-01-10 12:00", "2026-01-11 20:00", "2026-01-11 23:00"])
def test_a_quiet_weekend_runs_from_friday_night_to_monday_morning(at: str) -> None:
    assert quiet_until(wall(at), make_quiet(weekends=True), SHANGHAI) == wall("2026-01-12 08:00")


def test_a_span_within_a_day_is_quiet_at_noon_only() -> None:
    noon = make_quiet(**{"from": "12:00", "until": "13:30"})
    assert quiet_until(wall("2026-01-07 12:15"), noon, SHANGHAI) == wall("2026-01-07 13:30")
    assert quiet_until(wall("2026-01-07 23:00"), noon, SHANGHAI) is None


def test_each_reader_has_their_own_night() -> None:
    at = wall("2026-01-07 22:00")
    assert quiet_until(at, make_quiet(), BERLIN) is None
    assert quiet_until(at, make_quiet(), SHANGHAI) == wall("2026-01-08 08:00")


def test_a_night_in_which_clocks_change_ends_at_the_same_wall_time() -> None:
    spring, autumn = wall("2026-03-28 23:00", BERLIN), wall("2026-10-24 23:00", BERLIN)
    assert quiet_until(spring, make_quiet(), BERLIN) == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert quiet_until(autumn, make_quiet(), BERLIN) == datetime(2026, 10, 25, 7, tzinfo=UTC)


def test_an_end_that_the_clocks_skip_moves_by_the_gap() -> None:
    quiet = make_quiet(until="02:30")
    assert quiet_until(wall("2026-03-28 23:00", BERLIN), quiet, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_an_end_that_the_clocks_show_twice_is_the_first_and_quiet_does_not_begin_again() -> None:
    quiet = make_quiet(until="01:30")
    assert quiet_until(wall("2026-10-31 23:00", NEW_YORK), quiet, NEW_YORK) == wall("2026-11-01 01:30", NEW_YORK)
    assert quiet_until(wall("2026-11-01 01:15", NEW_YORK, fold=1), quiet, NEW_YORK) is None


@given(
    at=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC)),
    zone=st.sampled_from([SHANGHAI, BERLIN, NEW_YORK, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Africa/Casablanca")]),
    begins=st.times().map(lambda one: f"{one:%H:%M}"),
    until=st.times().map(lambda one: f"{one:%H:%M}"),
    weekends=st.booleans(),
)
def test_the_end_lies_ahead_and_is_itself_not_quiet(
    at: datetime, zone: ZoneInfo, begins: str, until: str, *, weekends: bool
) -> None:
    if begins == until:
        return
    quiet = make_quiet(**{"from": begins, "until": until, "weekends": weekends})
    end = quiet_until(at, quiet, zone)
    if end is not None:
        assert at < end <= at + timedelta(days=5)
        assert quiet_until(end, quiet, zone) is None


def test_quiet_hours_that_would_never_end_are_refused() -> None:
    with pytest.raises(ValidationError, match="never end"):
        make_quiet(until="21:00")


def test_a_zone_that_is_none_gives_way_to_the_playbooks() -> None:
    assert zone_of_reader("", SHANGHAI) is zone_of_reader("Asia/Shanghia", SHANGHAI) is SHANGHAI
    assert zone_of_reader("Europe/Berlin", SHANGHAI) == BERLIN
