"""Recurrence: a rule of RFC 5545 becomes dated occurrences, each rolled from its unadjusted anchor.

Both dates are kept. A rolled date is never the start of the next one, so nothing drifts; two unadjusted dates that roll
to one day stay two occurrences. `pfflow.domain.rules` reads the rules.
"""

from __future__ import annotations

import calendar as gregorian
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Literal, TypeAlias

from pfflow.domain.business_days import DAY, BusinessCalendar, Convention, adjust
from pfflow.domain.offsets import Offset, OffsetError, OffsetUnit, offset_date
from pfflow.domain.rules import RecurrenceError, Rule, read_rule

PeriodFrequency: TypeAlias = Literal["monthly", "half-monthly", "quarterly", "semi-annual", "annual", "once"]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One date of a rule: as the rule says it, as it is owed, and the days it reports on (both ends included).

    `provisional` means that the holiday list it was rolled by is not yet published.
    """

    unadjusted_on: date
    on: date
    provisional: bool
    period_start: date | None = None
    period_end: date | None = None


_unadjusted_on = attrgetter("unadjusted_on")


def _before(rule: Rule, first: date) -> date | None:
    """Give the rule's last date before a day; None where there is none."""
    reach = rule.step()
    while True:
        try:
            earliest = first - reach
            before = rule.occurrences(earliest, first - DAY)
        except (OverflowError, ValueError):
            return None  # before the year 1
        if before:
            return before[-1]
        if rule.anchored and earliest < rule.anchor:
            return None
        reach *= 2


@lru_cache(maxsize=1024)
def _of_year(
    text: str, year: int, convention: Convention, calendar: BusinessCalendar, anchor: date | None
) -> tuple[Occurrence, ...]:
    """Give a rule's occurrences of one year: expanded and rolled once, whoever asks and from whatever window."""
    days, begins = _days_of_year(text, year, anchor)
    adjusts = convention is not Convention.UNADJUSTED
    published = calendar.published_until
    found = []
    for day in days:
        on = adjust(day, convention, calendar) if adjusts else day
        found.append(Occurrence(day, on, adjusts and (day > published or on > published), begins, day))
        begins = day + DAY
    return tuple(found)


@lru_cache(maxsize=16384)
def _days_of_year(text: str, year: int, anchor: date | None) -> tuple[tuple[date, ...], date | None]:
    """Give a rule's unadjusted dates of one year, and the day the first one's period begins; whatever the calendar."""
    rule = read_rule(text, anchor)
    days = tuple(rule.occurrences(date(year, 1, 1), date(year, 12, 31)))
    before = _before(rule, days[0]) if days else None
    return days, before + DAY if before is not None else anchor


def check(rule: str, anchor: date | None = None) -> None:
    """Raise RecurrenceError where `expand` would refuse the rule, without expanding it."""
    read_rule(rule, anchor)


def unadjusted(rule: str, start: date, until: date, *, anchor: date | None = None) -> tuple[date, ...]:
    """Give the dates of a rule from start to until, both included, as `expand` does, without roll or period.

    >>> [day.isoformat() for day in unadjusted("FREQ=MONTHLY;BYMONTHDAY=-1", date(2028, 2, 1), date(2028, 3, 31))]
    ['2028-02-29', '2028-03-31']
    """
    return tuple(read_rule(rule, anchor).occurrences(start, until))


def expand(
    rule: str,
    start: date,
    until: date,
    convention: Convention,
    calendar: BusinessCalendar,
    *,
    anchor: date | None = None,
) -> tuple[Occurrence, ...]:
    """Give all occurrences whose unadjusted date lies from start to until, both included, in their order.

    Each is rolled from its own unadjusted date. Its period begins the day after the occurrence before it, also where
    that one lies before the window, and ends on the unadjusted date. INTERVAL counts from `anchor`; where none is
    given, from Monday 2001-01-01, January 2001 or the year 2001. A given anchor is RFC 5545's DTSTART: nothing falls
    before it, it supplies the weekday or day of the month a rule leaves out, and the first period begins on it.
    A month without the day a rule names (BYMONTHDAY=31 in April) has no occurrence, as RFC 5545 says; month ends are
    BYMONTHDAY=-1, which sticks to the end whatever the month before had.

    >>> from pfflow.domain.business_days import WEEKENDS_ONLY
    >>> year = date(2026, 1, 1), date(2026, 12, 31)
    >>> dates = expand("FREQ=MONTHLY;BYMONTHDAY=15,-1", *year, Convention.PRECEDING, WEEKENDS_ONLY)
    >>> len(dates), dates[1].unadjusted_on.isoformat(), dates[1].on.isoformat(), dates[1].period_start.isoformat()
    (24, '2026-01-31', '2026-01-30', '2026-01-16')
    """
    return _expanded(rule, (start, until), convention, calendar, anchor)


@lru_cache(maxsize=16384)
def _expanded(
    rule: str, window: tuple[date, date], convention: Convention, calendar: BusinessCalendar, anchor: date | None
) -> tuple[Occurrence, ...]:
    start, until = window
    read = read_rule(rule, anchor)
    first = max(start, read.anchor) if read.anchored else start
    last = until if read.until is None else min(until, read.until)
    found: list[Occurrence] = []
    for year in range(first.year, last.year + 1):
        of_year = _of_year(rule, year, convention, calendar, anchor)
        begin, end = bisect_left(of_year, first, key=_unadjusted_on), bisect_right(of_year, last, key=_unadjusted_on)
        found += of_year[begin:end]
    return tuple(found)


def anchored(
    period_end: date,
    offset: Offset,
    convention: Convention,
    calendar: BusinessCalendar,
    *,
    period_start: date | None = None,
) -> Occurrence:
    """Give the date owed by an offset from a period's end, such as "45 days after quarter end".

    >>> from pfflow.domain.business_days import WEEKENDS_ONLY
    >>> due = anchored(date(2026, 6, 30), Offset.parse("+46d"), Convention.FOLLOWING, WEEKENDS_ONLY)
    >>> due.unadjusted_on.isoformat(), due.on.isoformat()
    ('2026-08-15', '2026-08-17')
    """
    if not offset.is_dated:
        raise OffsetError(f"{offset} after {period_end} counts hours: a date is owed by bd or d")
    unadjusted_on = offset_date(period_end, offset, calendar)
    on = adjust(unadjusted_on, convention, calendar)
    asked = convention is not Convention.UNADJUSTED or (offset.unit is OffsetUnit.BUSINESS_DAYS and offset.count != 0)
    provisional = asked and calendar.is_provisional(max(period_end, unadjusted_on, on))
    return Occurrence(unadjusted_on, on, provisional, period_start, period_end)


@lru_cache(maxsize=16384)
def offset_each(
    rule: str, window: tuple[date, date], offset: Offset, convention: Convention, calendar: BusinessCalendar
) -> tuple[Occurrence, ...]:
    """Give the date owed by an offset from each date of a rule: "5 business days before each calculation date".

    The window is of the rule's own dates, both ends included; each ends its occurrence's period.

    >>> from pfflow.domain.business_days import WEEKENDS_ONLY
    >>> year, five_before = (date(2026, 1, 1), date(2026, 12, 31)), Offset.parse("-5bd")
    >>> rule = "FREQ=MONTHLY;BYMONTH=6,12;BYMONTHDAY=-1"
    >>> [one.on.isoformat() for one in offset_each(rule, year, five_before, Convention.PRECEDING, WEEKENDS_ONLY)]
    ['2026-06-23', '2026-12-24']
    """
    days = expand(rule, *window, Convention.UNADJUSTED, calendar)
    return tuple(
        anchored(one.unadjusted_on, offset, convention, calendar, period_start=one.period_start) for one in days
    )


def anchored_each(
    frequency: PeriodFrequency,
    ends: tuple[date, date],
    offset: Offset,
    convention: Convention,
    calendar: BusinessCalendar,
    *,
    year_end_month: int = 12,
) -> tuple[Occurrence, ...]:
    """Give the date owed by an offset from each end of `periods` between two days; "once" is owed from the first day.

    >>> from pfflow.domain.business_days import WEEKENDS_ONLY
    >>> year = date(2026, 1, 1), date(2026, 12, 31)
    >>> due = anchored_each("quarterly", year, Offset.parse("+45d"), Convention.FOLLOWING, WEEKENDS_ONLY)
    >>> [one.on.isoformat() for one in due]
    ['2026-05-15', '2026-08-14', '2026-11-16', '2027-02-15']
    """
    return _anchored_each(frequency, ends, offset, convention, calendar, year_end_month=year_end_month)


@lru_cache(maxsize=1024)
def _anchored_each(
    frequency: PeriodFrequency,
    ends: tuple[date, date],
    offset: Offset,
    convention: Convention,
    calendar: BusinessCalendar,
    *,
    year_end_month: int,
) -> tuple[Occurrence, ...]:
    first, last = ends
    if last < first:
        return ()
    found = ((first, first),) if frequency == "once" else periods(frequency, first, last, year_end_month=year_end_month)
    return tuple(anchored(end, offset, convention, calendar, period_start=start) for start, end in found)


def _month_end(year: int, month: int) -> date:
    return date(year, month, gregorian.monthrange(year, month)[1])


_MONTHS_OF: Mapping[str, int] = MappingProxyType({"monthly": 1, "quarterly": 3, "semi-annual": 6, "annual": 12})


def periods(
    frequency: PeriodFrequency, first: date, last: date, *, year_end_month: int = 12
) -> tuple[tuple[date, date], ...]:
    """Give the calendar periods (first day, last day) that end from `first` to `last`, both included, in their order.

    Every end but the 15th is the last day of its month whatever the month before had: after 28 February comes 31 March.
    Quarters, half-years and years end with `year_end_month`, the last month of the financial year. "once" is the whole
    window as one period.

    >>> [end.isoformat() for _, end in periods("quarterly", date(2026, 1, 1), date(2026, 12, 31))]
    ['2026-03-31', '2026-06-30', '2026-09-30', '2026-12-31']
    """
    if not 1 <= year_end_month <= 12:
        raise RecurrenceError(f"a financial year ends in a month from 1 to 12, not {year_end_month}")
    if last < first:
        return ()
    if frequency == "once":
        return ((first, last),)
    length = _MONTHS_OF.get(frequency, 1)
    found = []
    for index in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        if (index + 1 - year_end_month) % length:
            continue
        year, month = divmod(index, 12)
        end = _month_end(year, month + 1)
        if frequency == "half-monthly":
            found.append((date(year, month + 1, 1), date(year, month + 1, 15)))
            found.append((date(year, month + 1, 16), end))
        else:
            year, month = divmod(index - length + 1, 12)
            found.append((date(year, month + 1, 1), end))
    return tuple(period for period in found if first <= period[1] <= last)
