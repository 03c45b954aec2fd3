"""Holiday lists of the world as business calendars: the `holidays` package, and a house's own lists."""

from pfflow.calendars.almanac import Almanac, almanac
from pfflow.calendars.codes import FIRST_YEAR, LAST_YEAR, CalendarError, codes_in
from pfflow.calendars.house import check_house_list, house_calendar
from pfflow.calendars.joint import business_calendar
from pfflow.calendars.library import STILL_ANNOUNCED, holiday_names
from pfflow.calendars.own_lists import read_own_holidays

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "STILL_ANNOUNCED",
    "Almanac",
    "CalendarError",
    "almanac",
    "business_calendar",
    "check_house_list",
    "codes_in",
    "holiday_names",
    "house_calendar",
    "read_own_holidays",
]
