"""Joint business calendars made of the lists of the `holidays` package."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import holidays

from pfflow.calendars.codes import FIRST_YEAR, LAST_YEAR, CalendarError
from pfflow.calendars.library import bare_list, estimated_years, last_announced_year, listed_by, within
from pfflow.domain.business_days import SATURDAY, SUNDAY, WEEKENDS_ONLY, BusinessCalendar
from pfflow.domain.holiday_lists import OwnHoliday

_BOTH = frozenset({SATURDAY, SUNDAY})


def business_calendar(
    codes: Sequence[str],
    first_year: int,
    last_year: int,
    own: Sequence[OwnHoliday] = (),
    *,
    published_until: date | None = None,
) -> BusinessCalendar:
    """Give the joint calendar of the codes for the years, both included, with the house's own days applied last.

    A code is a country ("CN"), a part of one ("GB-ENG"), an exchange or payment system ("XNYS", "NYSE", "XECB" for
    TARGET) or "WEEKENDS". Saturdays and Sundays are off also where only Sunday is a day of rest by law (Hong Kong), as
    loan agreements define a business day; where the weekend holds a Thursday or a Friday it is as there.
    Years outside the range hold no holidays and, after it, are provisional. `published_until` is for a house that has
    entered an official list itself and vouches for it.

    >>> china = business_calendar(["CN"], 2026, 2027)
    >>> china.is_business_day(date(2026, 2, 14)), china.is_business_day(date(2026, 2, 16)), str(china.published_until)
    (True, False, '2026-12-31')
    """
    if not codes:
        raise CalendarError('no calendar is named: give codes such as CN or CN and HK, or "WEEKENDS" for weekends only')
    if not FIRST_YEAR <= first_year <= last_year <= LAST_YEAR:
        raise CalendarError(f"{first_year} to {last_year} is no range of years within {FIRST_YEAR} to {LAST_YEAR}")
    calendar = _joint(tuple(dict.fromkeys(code.strip().upper() for code in codes)), first_year, last_year)
    return with_own(calendar, own, published_until)


def with_own(
    calendar: BusinessCalendar, own: Sequence[OwnHoliday], published_until: date | None = None
) -> BusinessCalendar:
    """Give the calendar with days that have the last word."""
    if not own and published_until is None:
        return calendar
    off = frozenset(one.on for one in own if one.kind == "holiday")
    worked = frozenset(one.on for one in own if one.kind == "workday")
    if off & worked:
        raise CalendarError(f"the own list has {min(off & worked)} both as a holiday and as a workday")
    return BusinessCalendar(
        code=f"{calendar.code}+OWN" if own else calendar.code,
        holidays=(calendar.holidays - worked) | off,
        make_up_workdays=(calendar.make_up_workdays - off)
        | frozenset(day for day in worked if day.weekday() in calendar.weekend),
        weekend=calendar.weekend,
        published_until=calendar.published_until if published_until is None else published_until,
    )


@lru_cache(maxsize=256)
def _joint(codes: tuple[str, ...], first_year: int, last_year: int) -> BusinessCalendar:
    first, *others = (_single(code, first_year, last_year) for code in codes)
    return first.joint(*others)


@lru_cache(maxsize=256)
def _single(code: str, first_year: int, last_year: int) -> BusinessCalendar:
    if code == WEEKENDS_ONLY.code:
        return WEEKENDS_ONLY
    decades = [_decade(code, number) for number in range(first_year // 10, last_year // 10 + 1)]
    first, last = date(first_year, 1, 1), date(last_year, 12, 31)
    estimated = {year for one in decades for year in one.estimated if first_year <= year <= last_year}
    bare = bare_list(code)
    published = min([last_year, last_announced_year(code, bare), *(year - 1 for year in estimated)])
    return BusinessCalendar(
        code=code,
        holidays=frozenset(day for one in decades for day in one.off if first <= day <= last),
        make_up_workdays=frozenset(day for one in decades for day in one.worked if first <= day <= last),
        weekend=_weekend(bare.weekend),
        published_until=date(published, 12, 31),
    )


@dataclass(frozen=True, slots=True)
class _Decade:
    """Ten years of a list: days off, days worked though the weekend is not, and years in which dates are estimated."""

    off: frozenset[date]
    worked: frozenset[date]
    estimated: frozenset[int]


@lru_cache(maxsize=1024)
def _decade(code: str, number: int) -> _Decade:
    """Give the ten years from ten times a number on: calendars of many spans are put together of them."""
    first, last = date(10 * number, 1, 1), date(10 * number + 9, 12, 31)
    bare = bare_list(code)
    # A year's list may fix days of its neighbours: an observed New Year's Day, a working Sunday in December.
    listed = listed_by(code, within(bare, first.year - 1, last.year + 1), bare.default_language)
    rested, begun = _past_weekends(listed, first, last)
    off = frozenset(day for day in tuple(listed) if first <= day <= last)
    worked = (frozenset(day for day in listed.weekend_workdays if first <= day <= last) | begun) - off
    return _Decade(off | (rested - worked), worked, estimated_years(listed))


def _weekend(weekdays: Collection[int]) -> frozenset[int]:
    return _BOTH if set(weekdays) < _BOTH else frozenset(weekdays)


def _past_weekends(listed: holidays.HolidayBase, first: date, last: date) -> tuple[frozenset[date], frozenset[date]]:
    """Give the days off and the days worked by a weekend that was another then, as the Emirates' was before 2022."""
    if not any("_get_weekend" in vars(kind) for kind in type(listed).__mro__ if kind is not holidays.HolidayBase):
        return frozenset(), frozenset()
    today = _weekend(listed.weekend)
    rested, begun = set[date](), set[date]()
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        then = _weekend(listed._get_weekend(day))  # noqa: SLF001 - the package has no public name for a past weekend
        if then != today and (day.weekday() in then) != (day.weekday() in today):
            (rested if day.weekday() in then else begun).add(day)
    return frozenset(rested), frozenset(begun)
