"""Joint calendars with what a house has entered laid over them: official lists, and days of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

from pfflow.calendars.codes import FIRST_YEAR, LAST_YEAR, CalendarError
from pfflow.calendars.joint import business_calendar, with_own
from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.holiday_lists import HOUSE, HouseList, OwnHoliday


def house_calendar(
    codes: Sequence[str], first_year: int, last_year: int, lists: Sequence[HouseList] = ()
) -> BusinessCalendar:
    """Give the joint calendar of the codes with what a house has entered: each code's list before joining, HOUSE last.

    >>> made_up = (OwnHoliday(date(2027, 1, 4), "bridge"), OwnHoliday(date(2027, 1, 9), "make-up", "workday"))
    >>> listed = HouseList("CN", made_up, published_until=date(2027, 12, 31))
    >>> china = house_calendar(["CN"], 2026, 2028, [listed])
    >>> china.is_business_day(date(2027, 1, 9)), china.is_provisional(date(2027, 12, 31))
    (True, False)
    """
    named = tuple(dict.fromkeys(code.strip().upper() for code in codes))
    entered = tuple(one for one in lists if one.calendar in (*named, HOUSE))
    return _of_house(named, first_year, last_year, entered)


def check_house_list(entered: HouseList) -> None:
    """Raise CalendarError for a list of no calendar, or one said to be published for years it has no day in."""
    if entered.calendar == HOUSE:
        if entered.published_until is not None:
            raise CalendarError("only an official list is published: say whose it is with the calendar's code")
        return
    years = sorted(entered.years())
    last = entered.published_until.year if entered.published_until else 0
    beyond = [year for year in (*years, last) if year and not FIRST_YEAR <= year <= LAST_YEAR]
    if beyond:
        raise CalendarError(f"{beyond[0]} is out of reach: calendars go from {FIRST_YEAR} to {LAST_YEAR}")
    if "+" in entered.calendar:
        raise CalendarError(f"{entered.calendar} is joint: bring in the list of each calendar by itself")
    first = min([*years, last or LAST_YEAR])
    known_until = business_calendar([entered.calendar], first, max([*years, last])).published_until
    lacking = [year for year in range(known_until.year + 1, last + 1) if year not in years]
    if lacking:
        raise CalendarError(
            f"the list has no day in {lacking[0]}, yet is said to be published until {entered.published_until}"
        )


@lru_cache(maxsize=256)
def _of_house(
    codes: tuple[str, ...], first_year: int, last_year: int, entered: tuple[HouseList, ...]
) -> BusinessCalendar:
    if not entered:
        return business_calendar(codes, first_year, last_year)
    of_calendar = {one.calendar: one for one in entered}
    for_all = of_calendar.get(HOUSE, HouseList(HOUSE, ()))
    first, *others = (_with_list(code, first_year, last_year, of_calendar.get(code)) for code in codes)
    return with_own(first.joint(*others), _within_years(for_all.days, first_year, last_year))


def _with_list(code: str, first_year: int, last_year: int, entered: HouseList | None) -> BusinessCalendar:
    calendar = business_calendar([code], first_year, last_year)
    if entered is None:
        return calendar
    replaced = entered.replaced_years(calendar.published_until)
    bare = BusinessCalendar(
        code=code,
        holidays=frozenset(day for day in calendar.holidays if day.year not in replaced),
        make_up_workdays=frozenset(day for day in calendar.make_up_workdays if day.year not in replaced),
        weekend=calendar.weekend,
        published_until=calendar.published_until,
    )
    days = _within_years(entered.days, first_year, last_year)
    return replace(with_own(bare, days, _vouched(calendar.published_until, entered)), code=code)


def _vouched(known_until: date, entered: HouseList) -> date:
    """Give until when a list is official: the house's word counts only where no year is left out in between."""
    last = known_until.year
    while last + 1 in entered.replaced_years(known_until):
        last += 1
    if entered.published_until is None or last == known_until.year:
        return known_until
    return min(date(last, 12, 31), entered.published_until)


def _within_years(days: Sequence[OwnHoliday], first_year: int, last_year: int) -> tuple[OwnHoliday, ...]:
    return tuple(one for one in days if first_year <= one.on.year <= last_year)
