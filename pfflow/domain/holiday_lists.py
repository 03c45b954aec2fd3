"""What a house enters itself about holidays: days of its own, and official lists on the day they are published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

HOUSE = "HOUSE"
"""The code under which a house keeps days of its own for all calendars."""


@dataclass(frozen=True, slots=True)
class OwnHoliday:
    """One row of a house's own list: a day off, or a day worked although it would be off."""

    on: date
    name: str
    kind: Literal["holiday", "workday"] = "holiday"


@dataclass(frozen=True, slots=True)
class HouseList:
    """What a house has entered for a calendar, or for all of them under HOUSE.

    `published_until` says that the days are the official list up to then: a year that was only a projection is then as
    the list has it, day by day. Without it, and in other years, the days are added to the calendar.
    """

    calendar: str
    days: tuple[OwnHoliday, ...] = ()
    published_until: date | None = None

    def years(self) -> frozenset[int]:
        """Give the years in which the list has days."""
        return frozenset(one.on.year for one in self.days)

    def replaced_years(self, known_until: date) -> frozenset[int]:
        """Give the years for which the list stands in place of what is projected after `known_until`.

        >>> made_up = OwnHoliday(date(2027, 2, 5), "Spring Festival")
        >>> HouseList("CN", (made_up,), date(2027, 12, 31)).replaced_years(date(2026, 12, 31))
        frozenset({2027})
        """
        if self.published_until is None:
            return frozenset()
        return self.years() & frozenset(range(known_until.year + 1, self.published_until.year + 1))

    def with_years(self, days: tuple[OwnHoliday, ...], published_until: date | None) -> HouseList:
        """Give the list with the years of the new days as those have them; what was official stays so."""
        years = frozenset(one.on.year for one in days)
        kept = [one for one in self.days if one.on.year not in years]
        until = max(filter(None, (self.published_until, published_until)), default=None)
        return HouseList(self.calendar, tuple(sorted([*kept, *days], key=lambda one: one.on)), until)
