"""Business days: which days count, where a date rolls to, and how to count in them.

A date in a contract is fixed by four things: the unadjusted date, a convention, a calendar and the edition of that
calendar. The calendar here is plain data (`pfflow.calendars` reads it from the world); everything is pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Self
from zoneinfo import ZoneInfo

SATURDAY, SUNDAY = 5, 6
DAY = timedelta(days=1)


class ConventionError(ValueError):
    """A word that names no business day convention."""


class Convention(StrEnum):
    """Where a date goes that is not a business day (ISDA 2006 Definitions, section 4.12, and QuantLib).

    A worked example each, on Saturday 2026-01-31, Sunday 2026-02-01 and Saturday 2026-08-15:

    >>> jan, feb, aug = date(2026, 1, 31), date(2026, 2, 1), date(2026, 8, 15)
    >>> adjust(jan, Convention.UNADJUSTED, WEEKENDS_ONLY).isoformat()
    '2026-01-31'
    >>> adjust(jan, Convention.FOLLOWING, WEEKENDS_ONLY).isoformat()
    '2026-02-02'
    >>> adjust(jan, Convention.MODIFIED_FOLLOWING, WEEKENDS_ONLY).isoformat()
    '2026-01-30'
    >>> adjust(feb, Convention.PRECEDING, WEEKENDS_ONLY).isoformat()
    '2026-01-30'
    >>> adjust(feb, Convention.MODIFIED_PRECEDING, WEEKENDS_ONLY).isoformat()
    '2026-02-02'
    >>> adjust(aug, Convention.HALF_MONTH_MODIFIED_FOLLOWING, WEEKENDS_ONLY).isoformat()
    '2026-08-14'
    >>> adjust(jan, Convention.NEAREST, WEEKENDS_ONLY).isoformat()
    '2026-01-30'
    """

    UNADJUSTED = "unadjusted"
    """The date stays, holiday or not."""
    FOLLOWING = "following"
    """The next business day."""
    MODIFIED_FOLLOWING = "modified-following"
    """The next business day, unless that is in another month: then the one before."""
    PRECEDING = "preceding"
    """The business day before."""
    MODIFIED_PRECEDING = "modified-preceding"
    """The business day before, unless that is in another month: then the next. Not an ISDA term."""
    HALF_MONTH_MODIFIED_FOLLOWING = "half-month-modified-following"
    """The next business day, unless the 15th or the month's end lies between: then the one before. Not an ISDA term."""
    NEAREST = "nearest"
    """The closer business day, the next one when both are as close. ISDA's "Nearest" looks at the weekday instead."""

    @classmethod
    def parse(cls, text: str) -> Convention:
        """Give the convention a person wrote, in any case and with spaces, hyphens or underscores.

        >>> Convention.parse("Modified Following")
        <Convention.MODIFIED_FOLLOWING: 'modified-following'>
        >>> Convention.parse("HalfMonthModifiedFollowing")
        <Convention.HALF_MONTH_MODIFIED_FOLLOWING: 'half-month-modified-following'>
        """
        found = _CONVENTIONS.get(text) or _CONVENTIONS.get(_letters(text))
        if found is None:
            raise ConventionError(f"{text!r} is no business day convention: write one of {', '.join(cls)}")
        return found


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter not in " -_\t")


_CONVENTIONS: Mapping[str, Convention] = MappingProxyType(
    {spelling: one for one in Convention for spelling in (one.value, _letters(one))}
)


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """Which days are business days, and up to which day anybody has said so.

    A day is a business day when it is a make-up workday, or neither a weekend day nor a holiday. `weekend` holds
    weekdays as `date.weekday()` counts them (Monday is 0). Dates after `published_until` are provisional: the
    authority has not yet published its list. `version` is a digest of all of it, so a result can name its edition;
    calendars are equal when their versions are, so that one is told from another without a look at every holiday.
    """

    code: str = field(compare=False)
    holidays: frozenset[date] = field(default=frozenset(), compare=False)
    make_up_workdays: frozenset[date] = field(default=frozenset(), compare=False)
    weekend: frozenset[int] = field(default=frozenset({SATURDAY, SUNDAY}), compare=False)
    published_until: date = field(default=date.max, compare=False)
    version: str = field(init=False, default="")

    def __post_init__(self) -> None:
        if not self.weekend < frozenset(range(7)):
            raise ValueError(f"calendar {self.code}: a weekend is some of the weekdays 0 to 6, not {set(self.weekend)}")
        both = self.holidays & self.make_up_workdays
        if both:
            raise ValueError(f"calendar {self.code}: {min(both)} is both a holiday and a make-up workday")
        parts = [self.code, self.published_until.isoformat(), *map(str, sorted(self.weekend)), "holidays"]
        parts += map(date.isoformat, sorted(self.holidays))
        parts += ["make-up workdays", *map(date.isoformat, sorted(self.make_up_workdays))]
        object.__setattr__(self, "version", hashlib.sha256("\n".join(parts).encode()).hexdigest())

    def is_business_day(self, day: date) -> bool:
        """Tell whether the day is worked.

        >>> china = BusinessCalendar("CN", frozenset({date(2026, 2, 20)}), frozenset({date(2026, 2, 14)}))
        >>> china.is_business_day(date(2026, 2, 20)), china.is_business_day(date(2026, 2, 14))
        (False, True)
        """
        if day.weekday() in self.weekend:
            return day in self.make_up_workdays
        return day not in self.holidays

    def is_provisional(self, day: date) -> bool:
        """Tell whether the day lies after what the authority has published."""
        return day > self.published_until

    def joint(self, *others: Self) -> BusinessCalendar:
        """Give the calendar on which all work: holidays and weekends united (QuantLib's JoinHolidays).

        A make-up workday counts only where it is a business day of every calendar; what is published ends where the
        first of them ends. The order of the calendars does not matter.
        """
        if not others:
            return self
        everyone = (self, *others)
        make_up = frozenset[date]().union(*(one.make_up_workdays for one in everyone))
        return BusinessCalendar(
            code="+".join(sorted({code for one in everyone for code in one.code.split("+")})),
            holidays=frozenset[date]().union(*(one.holidays for one in everyone)),
            make_up_workdays=frozenset(day for day in make_up if all(one.is_business_day(day) for one in everyone)),
            weekend=frozenset[int]().union(*(one.weekend for one in everyone)),
            published_until=min(one.published_until for one in everyone),
        )


WEEKENDS_ONLY = BusinessCalendar("WEEKENDS")
"""Saturdays and Sundays off and no holiday at all: certain for ever."""


def _following(day: date, calendar: BusinessCalendar) -> date:
    while not calendar.is_business_day(day):
        day += DAY
    return day


def _preceding(day: date, calendar: BusinessCalendar) -> date:
    while not calendar.is_business_day(day):
        day -= DAY
    return day


def _modified_following(day: date, calendar: BusinessCalendar) -> date:
    rolled = _following(day, calendar)
    return rolled if rolled.month == day.month else _preceding(day, calendar)


def _modified_preceding(day: date, calendar: BusinessCalendar) -> date:
    rolled = _preceding(day, calendar)
    return rolled if rolled.month == day.month else _following(day, calendar)


def _half_month(day: date, calendar: BusinessCalendar) -> date:
    rolled = _following(day, calendar)
    crosses = rolled.month != day.month or day.day <= 15 < rolled.day
    return _preceding(day, calendar) if crosses else rolled


def _nearest(day: date, calendar: BusinessCalendar) -> date:
    after, before = _following(day, calendar), _preceding(day, calendar)
    return after if after - day <= day - before else before


_ROLLS: Mapping[Convention, Callable[[date, BusinessCalendar], date]] = MappingProxyType(
    {
        Convention.UNADJUSTED: lambda day, _: day,
        Convention.FOLLOWING: _following,
        Convention.MODIFIED_FOLLOWING: _modified_following,
        Convention.PRECEDING: _preceding,
        Convention.MODIFIED_PRECEDING: _modified_preceding,
        Convention.HALF_MONTH_MODIFIED_FOLLOWING: _half_month,
        Convention.NEAREST: _nearest,
    }
)


def adjust(day: date, convention: Convention, calendar: BusinessCalendar) -> date:
    """Give where a date rolls to; a business day stays.

    A modified convention leaves the month only where the whole rest of it has no business day.
    """
    if calendar.is_business_day(day):
        return day
    return _ROLLS[convention](day, calendar)


def add_business_days(day: date, count: int, calendar: BusinessCalendar) -> date:
    """Give the count-th business day strictly after the day (before it when negative); 0 rolls following.

    The day itself is never counted, as in contracts and PRC Civil Code art. 201: one business day after a Saturday is
    Monday, one before it is Friday, and 0 from it is Monday too.

    >>> [add_business_days(date(2026, 1, 31), count, WEEKENDS_ONLY).isoformat() for count in (-1, 0, 1, 2)]
    ['2026-01-30', '2026-02-02', '2026-02-02', '2026-02-03']
    """
    if count == 0:
        return _following(day, calendar)
    step = DAY if count > 0 else -DAY
    is_business_day = calendar.is_business_day
    left = abs(count)
    while left:
        day += step
        if is_business_day(day):
            left -= 1
    return day


def business_days_between(first: date, last: date, calendar: BusinessCalendar) -> int:
    """Count the business days after `first` up to and with `last`; negative when last comes before first.

    So `business_days_between(a, add_business_days(a, n, c), c) == n` for every business day a.
    """
    if last < first:
        return -business_days_between(last, first, calendar)
    start = first.toordinal() + 1
    return sum(map(calendar.is_business_day, map(date.fromordinal, range(start, last.toordinal() + 1))))


def wall_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Give the UTC instant of a wall time on a date in a zone.

    A time the clocks skip moves forward by the gap; of a time they show twice, the first counts (RFC 5545, 3.3.5).

    >>> berlin = ZoneInfo("Europe/Berlin")
    >>> wall_instant(date(2026, 3, 29), time(2, 30), berlin).astimezone(berlin).isoformat()
    '2026-03-29T03:30:00+02:00'
    >>> wall_instant(date(2026, 10, 25), time(2, 30), berlin).isoformat()
    '2026-10-25T00:30:00+00:00'
    """
    if at.tzinfo is not None:
        raise ValueError(f"the wall time {at.isoformat()} names a zone of its own; leave it out")
    return datetime.combine(day, at.replace(fold=0) if at.fold else at, zone).astimezone(UTC)


def add_business_hours(
    instant: datetime, hours: float, calendar: BusinessCalendar, *, opens: time, closes: time, zone: ZoneInfo
) -> datetime:
    """Give the UTC instant that many business hours later (earlier when negative).

    Business hours run from `opens` to `closes`, wall time in the zone, on the calendar's business days. Counting starts
    at the next opening when the instant is outside them; a count that is used up exactly at closing ends there, not at
    the next opening. Zero hours give the instant itself inside business hours and the next opening outside.

    >>> friday = datetime(2026, 1, 30, 16, tzinfo=UTC)
    >>> london = ZoneInfo("Europe/London")
    >>> add_business_hours(friday, 4, WEEKENDS_ONLY, opens=time(9), closes=time(18), zone=london).isoformat()
    '2026-02-02T11:00:00+00:00'
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant.isoformat()} has no time zone")
    if opens >= closes:
        raise ValueError(f"business hours must open before they close, not at {opens} and {closes}")
    now = instant.astimezone(UTC)
    day = now.astimezone(zone).date()
    left = timedelta(hours=abs(hours))
    back = hours < 0
    while True:
        if calendar.is_business_day(day):
            opening, closing = wall_instant(day, opens, zone), wall_instant(day, closes, zone)
            if back and now > opening:
                now = min(now, closing)
                if left <= now - opening:
                    return now - left
                left -= now - opening
            elif not back and now < closing:
                now = max(now, opening)
                if left <= closing - now:
                    return now + left
                left -= closing - now
        day = day - DAY if back else day + DAY
