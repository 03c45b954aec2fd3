"""Quiet hours: when a reader's wall clock says that no letter should come, and when they end.

Quiet hours are spans of instants, each laid out from its own day's wall times, and not a comparison with the clock on
the wall: where clocks go back, the hour that is shown twice does not begin a second quiet span, and where they go
forward, a wall time that is skipped moves by the gap (`wall_instant`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pfflow.domain.business_days import wall_instant
from pfflow.domain.playbook import QuietHours

_SATURDAY = 5
_SPANS_IN_A_ROW = 12
"""A weekend between two nights is three spans; more than these would be a clock that runs backwards."""


def quiet_until(instant: datetime, quiet: QuietHours, zone: ZoneInfo) -> datetime | None:
    """Give the UTC instant at which the quiet hours around an instant end; None where it is in none.

    The end belongs to the day: at it letters go. Where one span runs into the next, as a Friday night into a quiet
    weekend, the end is that of the last.

    >>> nights = QuietHours.model_validate({"from": "21:00", "until": "08:00", "weekends": True})
    >>> friday = datetime(2026, 1, 9, 14, 30, tzinfo=UTC)  # 22:30 in Shanghai
    >>> quiet_until(friday, nights, ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-01-12T00:00:00+00:00'
    >>> quiet_until(friday, nights, ZoneInfo("Europe/London")) is None
    True
    """
    end: datetime | None = None
    at = instant.astimezone(UTC)
    for _ in range(_SPANS_IN_A_ROW):
        ends = [until for begins, until in _spans(at, quiet, zone) if begins <= at < until]
        if not ends:
            break
        at = end = max(ends)
    return end


def zone_of_reader(name: str, otherwise: ZoneInfo) -> ZoneInfo:
    """Give a reader's time zone; the other where none is named, or none that is one.

    >>> zone_of_reader("Asia/Shanghia", ZoneInfo("UTC")).key
    'UTC'
    """
    try:
        return ZoneInfo(name) if name else otherwise
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return otherwise


def _spans(at: datetime, quiet: QuietHours, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Give the quiet spans that may hold an instant: those of its day there, of the day before and of its weekend."""
    today = at.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        until = day if quiet.begins < quiet.until else day + timedelta(days=1)
        yield wall_instant(day, quiet.begins, zone), wall_instant(until, quiet.until, zone)
    if quiet.weekends and today.weekday() >= _SATURDAY:
        saturday = today - timedelta(days=today.weekday() - _SATURDAY)
        yield _midnight(saturday, zone), _midnight(saturday + timedelta(days=2), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return wall_instant(day, time(0), zone)
