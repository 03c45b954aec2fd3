"""When sweeps are: the schedule of prefect.yaml, and the first sweep of a stage at or after an instant.

A test reads prefect.yaml and holds SWEEPS to it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from pfflow.domain.business_days import DAY, wall_instant
from pfflow.domain.words import Stage

SWEEPS: Mapping[Stage, tuple[time, ...]] = MappingProxyType(
    {
        Stage.IDENTIFICATION: (time(9, 1),),
        Stage.INFORMATION_GATHERING: (time(9, 3),),
        Stage.SERVICE_DESIGN: tuple(time(hour, 5) for hour in range(9, 19)),
        Stage.COMMUNICATION: tuple(time(hour, 10) for hour in range(7, 21)),
        Stage.EVALUATION: (time(9, 15),),
    }
)
"""The wall times of each stage's daily sweeps, where the playbook is at home."""


_AFTER_MIDNIGHT = {
    stage: tuple(timedelta(hours=at.hour, minutes=at.minute) for at in SWEEPS[stage]) for stage in SWEEPS
}


@lru_cache(maxsize=65536)  # a hundred years of days, whatever the number of stages and projects
def _begins(day: date, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Give when a day begins, and whether it has 24 hours."""
    midnight = wall_instant(day, time(0), zone)
    return midnight, wall_instant(day + DAY, time(0), zone) - midnight == DAY


def sweeps_on(stage: Stage, day: date, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Give the instants of a stage's sweeps on a day, in order."""
    midnight, even = _begins(day, zone)
    if even:
        return tuple(midnight + after for after in _AFTER_MIDNIGHT[stage])
    return tuple(wall_instant(day, at, zone) for at in SWEEPS[stage])


def _next_sweep(stage: Stage, instant: datetime, zone: ZoneInfo, among: Callable[..., int]) -> datetime:
    """Give the first sweep of the day that a search among them finds, else the next day's first."""
    day = instant.astimezone(zone).date()
    while True:
        midnight, even = _begins(day, zone)
        if even:
            offsets = _AFTER_MIDNIGHT[stage]
            place = among(offsets, instant - midnight)
            if place < len(offsets):
                return midnight + offsets[place]
        else:
            sweeps = sweeps_on(stage, day, zone)
            place = among(sweeps, instant)
            if place < len(sweeps):
                return sweeps[place]
        day += DAY


def first_sweep(stage: Stage, instant: datetime, zone: ZoneInfo) -> datetime:
    """Give the first sweep of a stage at or after an instant.

    >>> from datetime import UTC
    >>> first_sweep(Stage.EVALUATION, datetime(2026, 1, 5, 2, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-01-06T01:15:00+00:00'
    """
    return _next_sweep(stage, instant, zone, bisect_left)


def sweep_after(stage: Stage, instant: datetime, zone: ZoneInfo) -> datetime:
    """Give the first sweep of a stage after an instant."""
    return _next_sweep(stage, instant, zone, bisect_right)
