"""When sweeps are: the schedule of prefect.yaml, and the first sweep of a stage at or after an instant.

A test reads prefect.yaml and holds SWEEPS to it.
"""

from __future__ import annotations

from collections.abc import Mapping
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


@lru_cache(maxsize=65536)  # thirty years of five stages, whatever the number of projects
def sweeps_on(stage: Stage, day: date, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Give the instants of a stage's sweeps on a day, in order."""
    midnight = _midnight(day, zone)
    if _midnight(day + DAY, zone) - midnight == DAY:
        return tuple(midnight + timedelta(hours=at.hour, minutes=at.minute) for at in SWEEPS[stage])
    return tuple(wall_instant(day, at, zone) for at in SWEEPS[stage])


@lru_cache(maxsize=16)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return wall_instant(day, time(0), zone)


def first_sweep(stage: Stage, instant: datetime, zone: ZoneInfo) -> datetime:
    """Give the first sweep of a stage at or after an instant.

    >>> from datetime import UTC
    >>> first_sweep(Stage.EVALUATION, datetime(2026, 1, 5, 2, 0, tzinfo=UTC), ZoneInfo("Asia/Shanghai")).isoformat()
    '2026-01-06T01:15:00+00:00'
    """
    day = instant.astimezone(zone).date()
    while True:
        for at in sweeps_on(stage, day, zone):
            if at >= instant:
                return at
        day += DAY


def sweep_after(stage: Stage, instant: datetime, zone: ZoneInfo) -> datetime:
    """Give the first sweep of a stage after an instant."""
    day = instant.astimezone(zone).date()
    while True:
        for at in sweeps_on(stage, day, zone):
            if at > instant:
                return at
        day += DAY
