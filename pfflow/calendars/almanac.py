"""Calendars for questions about any date, one by one: what the terminal and the machine form answer from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from pfflow.calendars.codes import FIRST_YEAR, LAST_YEAR, CalendarError
from pfflow.calendars.house import house_calendar
from pfflow.calendars.joint import business_calendar
from pfflow.calendars.library import estimated_years, last_announced_year, listed_by, within
from pfflow.domain.business_days import WEEKENDS_ONLY, BusinessCalendar, Convention, adjust
from pfflow.domain.holiday_lists import HouseList


@dataclass(frozen=True, slots=True)
class Almanac:
    """A joint calendar over some years, and those of them for which a list is not known, before or after."""

    calendar: BusinessCalendar
    unlisted: frozenset[int]

    def roll(self, day: date, convention: Convention) -> tuple[date, bool]:
        """Give where a date of the almanac's years rolls to, and whether that is provisional.

        >>> almanac(("CN",), 2026, 2027).roll(date(2026, 2, 16), Convention.FOLLOWING)
        (datetime.date(2026, 2, 24), False)
        """
        if convention is Convention.UNADJUSTED:
            return day, False
        on = adjust(day, convention, self.calendar)
        return on, day.year in self.unlisted or on.year in self.unlisted


@lru_cache(maxsize=4096)
def almanac(codes: tuple[str, ...], first_year: int, last_year: int, lists: tuple[HouseList, ...] = ()) -> Almanac:
    """Give the joint calendar for dates of the years, the neighbouring years included so that dates may roll there.

    Unlike `business_calendar`, whose dates are provisional from the first year that is, each year stands for itself
    here, so an answer does not depend on which other dates were asked about.
    """
    if not FIRST_YEAR <= first_year <= last_year <= LAST_YEAR:
        raise CalendarError(f"{first_year} to {last_year} is no range of years within {FIRST_YEAR} to {LAST_YEAR}")
    first, last = max(first_year - 1, FIRST_YEAR), min(last_year + 1, LAST_YEAR)
    calendar = house_calendar(codes, first, last, lists)
    of_calendar = {one.calendar: one for one in lists}
    unlisted = frozenset[int]()
    for code in dict.fromkeys(code.strip().upper() for code in codes):
        entered = of_calendar.get(code, HouseList(code, ()))
        known_until = business_calendar([code], first, last).published_until
        # A roll may leave the years by one, at the very ends of what may be asked.
        unlisted |= _unlisted(code, first_year - 1, last_year + 1) - entered.replaced_years(known_until)
    return Almanac(calendar, unlisted)


@lru_cache(maxsize=4096)
def _unlisted(code: str, first_year: int, last_year: int) -> frozenset[int]:
    if code == WEEKENDS_ONLY.code:
        return frozenset()
    bare = listed_by(code)
    listed = listed_by(code, within(bare, first_year - 1, last_year + 1), bare.default_language)
    last = last_announced_year(code, listed)
    return estimated_years(listed) | {
        year for year in range(first_year, last_year + 1) if not listed.start_year <= year <= last
    }
