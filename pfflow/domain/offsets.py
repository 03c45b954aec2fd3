"""Offsets: how far before or after its due date a rung stands, and the instant that is.

`-5bd` five business days before, `+3d` three calendar days after, `+4bh` four business hours after, `-24h` twenty-four
hours before. Without a sign it is after, so an interval reads `2bd`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from pfflow.domain.business_days import BusinessCalendar, add_business_days, add_business_hours, wall_instant


class OffsetError(ValueError):
    """A text that is no offset, or an offset where its unit has no meaning."""


class OffsetUnit(StrEnum):
    """What an offset counts in."""

    BUSINESS_DAYS = "bd"
    CALENDAR_DAYS = "d"
    BUSINESS_HOURS = "bh"
    HOURS = "h"


_DATED = (OffsetUnit.BUSINESS_DAYS, OffsetUnit.CALENDAR_DAYS)
_OFFSET = re.compile(r"([+-]?)([0-9]{1,5})\s*(bd|bh|d|h)", re.IGNORECASE | re.ASCII)
_RIGHT = 'write - or +, a whole number of at most five digits, and bd, d, bh or h, as in "-5bd", "0bd" or "+4bh"'


@dataclass(frozen=True, slots=True)
class Offset:
    """A signed count of business days, calendar days, business hours or hours.

    >>> str(Offset.parse("+03D")), str(Offset.parse("-0bd"))
    ('+3d', '0bd')
    """

    count: int
    unit: OffsetUnit

    @classmethod
    def parse(cls, text: str) -> Offset:
        """Read an offset; OffsetError says what would be right."""
        match = _OFFSET.fullmatch(text.strip())
        if match is None:
            raise OffsetError(f"{text!r} is no offset: {_RIGHT}")
        sign, digits, unit = match.groups()
        return cls(-int(digits) if sign == "-" else int(digits), OffsetUnit(unit.lower()))

    @property
    def is_dated(self) -> bool:
        """Whether it counts days, so that it moves a date and not an instant."""
        return self.unit in _DATED

    def __str__(self) -> str:
        return f"{self.count:+d}{self.unit}" if self.count else f"0{self.unit}"


def offset_date(day: date, offset: Offset, calendar: BusinessCalendar) -> date:
    """Give the date moved by days or business days; zero leaves it, holiday or not.

    >>> from pfflow.domain.business_days import WEEKENDS_ONLY
    >>> offset_date(date(2026, 3, 31), Offset.parse("+45d"), WEEKENDS_ONLY).isoformat()
    '2026-05-15'
    """
    if not offset.is_dated:
        raise OffsetError(f"{offset} counts hours and cannot move a date: use bd or d")
    if offset.count == 0:
        return day
    if offset.unit is OffsetUnit.CALENDAR_DAYS:
        return day + timedelta(days=offset.count)
    return add_business_days(day, offset.count, calendar)


@lru_cache(maxsize=65536)
def offset_instant(
    due_at: datetime,
    offset: Offset,
    calendar: BusinessCalendar,
    *,
    zone: ZoneInfo,
    at: time,
    opens: time,
    closes: time,
) -> datetime:
    """Give the UTC instant an offset from a due instant falls at.

    Days and business days move the due date as the zone sees it, and the answer is at the wall time `at` of the date
    reached; a skipped wall time moves forward by the gap, a doubled one is the first. Hours are elapsed time from the
    due instant, business hours those between `opens` and `closes` on the calendar's business days.
    """
    if due_at.tzinfo is None:
        raise OffsetError(f"the due instant {due_at.isoformat()} has no time zone")
    if offset.unit is OffsetUnit.HOURS:
        return due_at.astimezone(UTC) + timedelta(hours=offset.count)
    if offset.unit is OffsetUnit.BUSINESS_HOURS:
        return add_business_hours(due_at, offset.count, calendar, opens=opens, closes=closes, zone=zone)
    return wall_instant(offset_date(due_at.astimezone(zone).date(), offset, calendar), at, zone)
