"""Days, months and instants as people write them; what could mean two days is refused.

A day is written year first ("2026-03-15", "2026.3.15", "2026/3/15", "2026年3月15日", "20260315") or is Excel's own.
A month stands for its last day, and only where the end of a period is asked for.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

from pfflow.register.problems import UnreadableError

WRITE_DAY = "write 2026-03-15"
WRITE_MONTH = "write 2026-03-31 or 2026年3月"
WRITE_INSTANT = "write 2026-03-15T10:00+08:00"

SERIALS = (20_000, 80_000)
"""The day numbers of Excel taken for dates: 1954-10-03 to 2119-01-10. Others are other numbers."""

_EPOCH = date(1899, 12, 30)
_DAY = re.compile(r"(\d{4})(?:([-./])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})[日号])")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_MONTH = re.compile(r"(\d{4})(?:年(\d{1,2})月?(?:份|底|末)?|[-./](\d{1,2}))")
_TIME = re.compile(
    r"(?P<day>.{8,11}?日?)[tT ]?(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?P<zone>[zZ]|[-+]\d{2}:?\d{2})?"
)
_DAY_FIRST = re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})")


def day_of(text: str) -> date:
    """Give the day a text says; raises UnreadableError where it says none, or may say two.

    >>> day_of("2026.3.15") == day_of("2026年3月15日") == day_of("46096")
    True
    """
    narrow = _narrow(text)
    found = _DAY.fullmatch(narrow)
    if found:
        year, month, day = (int(part) for part in (found[1], found[3] or found[5], found[4] or found[6]))
        return _date(year, month, day)
    if compact := _COMPACT.fullmatch(narrow):
        return _date(int(compact[1]), int(compact[2]), int(compact[3]))
    if re.fullmatch(r"\d{5}(\.0+)?", narrow):
        return day_of_serial(float(narrow))
    raise UnreadableError(_why_no_day(narrow), WRITE_DAY)


def day_of_serial(serial: float) -> date:
    """Give the day of an Excel serial number; raises UnreadableError where it is no whole day near our time.

    >>> day_of_serial(46096)
    datetime.date(2026, 3, 15)
    """
    if serial == int(serial) and 19_000_101 <= serial <= 21_991_231:
        return day_of(str(int(serial)))
    if serial != int(serial) or not SERIALS[0] <= serial <= SERIALS[1]:
        raise UnreadableError("a number that is no date", WRITE_DAY)
    return _EPOCH + timedelta(days=int(serial))


def period_end_of(text: str) -> date:
    """Give the last day of a period: a month's, or the day that is written.

    >>> period_end_of("2026年2月"), period_end_of("2026-06-15")
    (datetime.date(2026, 2, 28), datetime.date(2026, 6, 15))
    """
    found = _MONTH.fullmatch(_narrow(text))
    if found is None:
        return last_day(day_of(text))
    year, month = int(found[1]), int(found[2] or found[3])
    first = _date(year, month, 1)
    return first.replace(day=monthrange(year, month)[1])


def last_day(day: date) -> date:
    """Give a day that can end a period; raises UnreadableError for the first of a month, which Excel makes of a month.

    >>> last_day(date(2026, 3, 31))
    datetime.date(2026, 3, 31)
    """
    if day.day == 1:
        end = day.replace(day=monthrange(day.year, day.month)[1])
        raise UnreadableError("the first of a month ends no period", f"write {end.isoformat()} if the month is meant")
    return day


def instant_of(text: str) -> datetime:
    """Give the instant a text says, naive where it names no zone; raises UnreadableError where there is no time of day.

    >>> instant_of("2026.3.15 10:00").isoformat(), instant_of("2026-03-15T10:00+08:00").isoformat()
    ('2026-03-15T10:00:00', '2026-03-15T02:00:00+00:00')
    """
    found = _TIME.fullmatch(_narrow(text))
    if found is None:
        raise UnreadableError("not a date with a time of day", WRITE_INSTANT)
    day = day_of(found["day"])
    try:
        clock = time.fromisoformat(found["time"].zfill(5) if found["time"].count(":") == 1 else _padded(found["time"]))
        zone = found["zone"]
        if not zone:
            return datetime.combine(day, clock)
        return datetime.fromisoformat(f"{day.isoformat()}T{clock.isoformat()}{zone.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableError("not a time of day", WRITE_INSTANT) from None


def _padded(clock: str) -> str:
    return clock if clock[1].isdigit() else f"0{clock}"


def _narrow(text: str) -> str:
    narrow = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()
    return re.sub(r" ?([-./年月]) ?", r"\1", narrow)


def _date(year: int, month: int, day: int) -> date:
    if not 1900 <= year <= 2199:
        raise UnreadableError("a year far from ours", WRITE_DAY)
    try:
        return date(year, month, day)
    except ValueError:
        raise UnreadableError("a day that no calendar has", WRITE_DAY) from None


def _why_no_day(text: str) -> str:
    if _MONTH.fullmatch(text):
        return "only a month, where a day is meant"
    if found := _DAY_FIRST.fullmatch(text):
        one, other, year = found[1].zfill(2), found[2].zfill(2), found[3]
        return f"a date that can be read as {year}-{one}-{other} or {year}-{other}-{one}"
    if re.fullmatch(r"\d{1,2}[-./]\d{1,2}[-./]\d{2}", text):
        return "a date with a year of two digits"
    if _TIME.fullmatch(text):
        return "a date with a time, where a day is meant"
    return "not a date"
