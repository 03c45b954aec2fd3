"""Holiday lists of the world as business calendars: the `holidays` package, and a house's own list.

What is published is read from the lists themselves (docs/decisions/0003-calendars-from-holidays.md):
a list of moved days (China, Hungary, Russia …) is published through its last year with a moved day; where dates are
marked as estimated, through the year before the first of them; all others follow from the law in force, for every year.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import holidays
from holidays.registry import COUNTRIES
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from pfflow.domain.business_days import SATURDAY, SUNDAY, WEEKENDS_ONLY, BusinessCalendar, Convention, adjust
from pfflow.domain.holiday_lists import HOUSE, HouseList, OwnHoliday

FIRST_YEAR, LAST_YEAR = 1950, 2200
"""The years a calendar may be asked for."""
STILL_ANNOUNCED = 3
"""A list of moved days counts as announced every year if its last one is at most this much older than China's."""

_KINDS: Mapping[str, Literal["holiday", "workday"]] = MappingProxyType({"holiday": "holiday", "workday": "workday"})
_BOTH = frozenset({SATURDAY, SUNDAY})
_PROBED = (2001, 2100)  # the years looked through for moved days


class CalendarError(ValueError):
    """A calendar code that names none, years that make no range, or a holiday list that cannot be read."""


def codes_in(text: str) -> tuple[str, ...]:
    """Give the calendar codes of a joint calendar written "CN+HK" or "CN, HK", each once.

    >>> codes_in("cn + HK,CN")
    ('CN', 'HK')
    """
    return tuple(dict.fromkeys(code for part in re.split(r"[+,]", text) if (code := part.strip().upper())))


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
    return _with_own(first.joint(*others), _within_years(for_all.days, first_year, last_year))


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
    return replace(_with_own(bare, days, _vouched(calendar.published_until, entered)), code=code)


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
    return _with_own(calendar, own, published_until)


def _with_own(
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
    bare = _listed(code)
    # A year's list may fix days of its neighbours: an observed New Year's Day, a working Sunday in December.
    listed = _listed(code, _within(bare, first_year - 1, last_year + 1), bare.default_language)
    first, last = date(first_year, 1, 1), date(last_year, 12, 31)
    rested, begun = _past_weekends(listed, first, last)
    off = frozenset(day for day in tuple(listed) if first <= day <= last)
    worked = (frozenset(day for day in listed.weekend_workdays if first <= day <= last) | begun) - off
    return BusinessCalendar(
        code=code,
        holidays=off | (rested - worked),
        make_up_workdays=worked,
        weekend=_weekend(listed.weekend),
        published_until=_published_until(code, listed, first_year, last_year),
    )


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
    bare = _listed(code)
    listed = _listed(code, _within(bare, first_year - 1, last_year + 1), bare.default_language)
    last = _last_announced_year(code, listed)
    return _estimated_years(listed) | {
        year for year in range(first_year, last_year + 1) if not listed.start_year <= year <= last
    }


def holiday_names(code: str, year: int) -> Mapping[date, tuple[str, str]]:
    """Give the names of a year's holidays in Chinese and in English, in the order of their dates.

    A language the package has no names in is empty; where it has neither, the names stand as English.
    """
    if code == WEEKENDS_ONLY.code:
        return {}
    bare = _listed(code)
    years = _within(bare, year - 1, year + 1)
    english = next((one for one in bare.supported_languages if one.startswith("en")), None)
    chinese = next((one for one in ("zh_CN", "zh_TW") if one in bare.supported_languages), None)
    in_english = _listed(code, years, english or bare.default_language)
    in_chinese = _listed(code, years, chinese) if chinese else {}
    days = sorted(day for day in tuple(in_english) if day.year == year)
    return {day: (in_chinese.get(day, ""), in_english[day]) for day in days}


def _listed(code: str, years: Sequence[int] = (), language: str | None = None) -> holidays.HolidayBase:
    """Give the package's list. In its default language, the labels of moved and estimated days stand in the names."""
    entity, _, part = code.partition("-")
    with warnings.catch_warnings(), contextlib.suppress(NotImplementedError):
        # Years that a list does not reach are provisional here; India's warns of them by itself.
        warnings.filterwarnings("ignore", "Requested Holidays are available only from", UserWarning)
        if len(entity) == 2:
            part = _part_as_spelled(entity, part) if part else ""
            return holidays.country_holidays(entity, part or None, years=years, expand=False, language=language)
        if not part and entity in holidays.list_supported_financial():
            return holidays.financial_holidays(entity, years=years, expand=False, language=language)
    raise CalendarError(f"no calendar is named {code!r}{_near(entity, part)}")


@lru_cache(maxsize=256)
def _part_as_spelled(country: str, part: str) -> str:
    """Give a part of a country as the package spells it: "ZONE A" is France's "Zone A"."""
    whole = holidays.country_holidays(country)
    spelled = {one.upper(): one for one in (*whole.subdivisions, *whole.subdivisions_aliases)}
    return spelled.get(part, part)


def _within(listed: holidays.HolidayBase, first_year: int, last_year: int) -> range:
    """Give the years the package has a list for: asking for others is a warning."""
    return range(max(first_year, listed.start_year), min(last_year, listed.end_year) + 1)


def _near(entity: str, part: str) -> str:
    countries = holidays.list_supported_countries(include_aliases=False)
    if part and entity in countries:
        parts = sorted(countries[entity])
        return (
            f"; {entity} has the parts {', '.join(f'{entity}-{one}' for one in parts)}"
            if parts
            else (f"; {entity} has no parts: write {entity}")
        )
    named = {one[0].upper(): one[1] for one in COUNTRIES.values()} | {one[2]: one[1] for one in COUNTRIES.values()}
    codes = {code: code for code in (*countries, *holidays.list_supported_financial(), WEEKENDS_ONLY.code)}
    close = difflib.get_close_matches(entity.replace(" ", "").replace("_", ""), [*named, *codes], n=4, cutoff=0.6)
    right = list(dict.fromkeys((named | codes)[one] for one in close))
    return (
        f"; near it: {', '.join(right)}" if right else "; write an ISO 3166 country such as CN or an exchange as XNYS"
    )


def _published_until(code: str, listed: holidays.HolidayBase, first_year: int, last_year: int) -> date:
    last = min(last_year, _last_announced_year(code, listed))
    last = min([last, *(year - 1 for year in _estimated_years(listed) if year >= first_year)])
    return date(last, 12, 31)


def _estimated_years(listed: holidays.HolidayBase) -> frozenset[int]:
    return frozenset(_years_labelled(listed, "estimated_label", "observed_estimated_label"))


def _last_announced_year(code: str, listed: holidays.HolidayBase) -> int:
    """Give the last year of a list, or of its moved days where they are announced every year."""
    moved = _last_moved_year(code)
    if moved and moved >= _last_moved_year("CN") - STILL_ANNOUNCED:
        return min(listed.end_year, moved)
    return listed.end_year


@lru_cache(maxsize=256)
def _last_moved_year(code: str) -> int:
    """Give the last year in which the list moves a day off to another day; 0 where it never does."""
    bare = _listed(code)
    if not bare.has_substituted_holidays:
        return 0
    listed = _listed(code, _within(bare, *_PROBED), bare.default_language)
    return max(_years_labelled(listed, "substituted_label"), default=0)


def _years_labelled(listed: holidays.HolidayBase, *labels: str) -> set[int]:
    texts = [text for label in labels if (text := getattr(listed, label, None))]
    if not texts:
        return set()
    marked = re.compile("|".join(".+".join(map(re.escape, text.split("%s"))) for text in texts))
    return {day.year for day, name in tuple(listed.items()) if marked.search(name)}


def read_own_holidays(path: Path) -> tuple[OwnHoliday, ...]:
    """Read a house's own list from a .csv, .yaml or .yml file, in the order of its dates.

    Rows of date (YYYY-MM-DD), name and kind (holiday or workday; holiday where it is left out). CalendarError lists
    every problem with its line, not only the first.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CalendarError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    rows = _yaml_rows if path.suffix.lower() in {".yaml", ".yml"} else _csv_rows
    problems: list[str] = []
    seen: dict[date, int] = {}
    found: list[OwnHoliday] = []
    for line, row in rows(path, text):
        try:
            one = _own(row)
        except CalendarError as error:
            problems.append(f"{path}:{line}: {error}")
            continue
        if one.on in seen:
            problems.append(f"{path}:{line}: {one.on} is there already, in line {seen[one.on]}")
        seen.setdefault(one.on, line)
        found.append(one)
    if problems:
        raise CalendarError("\n".join(problems))
    return tuple(sorted(found, key=lambda one: one.on))


def _own(row: Mapping[str, object]) -> OwnHoliday:
    unknown = sorted(set(row) - {"date", "name", "kind"})
    if unknown:
        raise CalendarError(f"{', '.join(unknown)} is no column: there are date, name and kind")
    value, name = row.get("date"), str(row.get("name") or "").strip()
    kind = _KINDS.get(str(row.get("kind") or "holiday").strip().lower())
    try:
        on = value if type(value) is date else date.fromisoformat(str(value or "").strip())
    except ValueError:
        raise CalendarError(f"date {value!r} is no day: write YYYY-MM-DD, such as 2027-02-05") from None
    if not name:
        raise CalendarError(f"{on} has no name: say which holiday or workday it is")
    if kind is None:
        raise CalendarError(f"kind {row.get('kind')!r} is neither holiday nor workday")
    return OwnHoliday(on, name, kind)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if "date" not in header or "name" not in header or len(set(header)) < len(header):
            raise CalendarError(f"{path}:1: the first line must name the columns: date,name,kind")
        for row in reader:
            if any(cell.strip() for cell in row):
                # a cell without a column is a row with one comma too many
                surplus = {"more cells than columns": ""} if len(row) > len(header) else {}
                yield reader.line_num, dict(zip(header, row, strict=False)) | surplus
    except csv.Error as error:
        raise CalendarError(f"{path}:{reader.line_num}: {error}") from error


def _yaml_rows(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        rows = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CalendarError(f"{path}:{line}: {error.problem}") from error
    if not isinstance(rows, CommentedSeq):
        raise CalendarError(f"{path}:1: the file must be a list of rows with date, name and kind")
    for index, row in enumerate(rows):
        line = rows.lc.data[index][0] + 1
        if not isinstance(row, dict):
            raise CalendarError(f"{path}:{line}: {row!r} is no row with date, name and kind")
        yield line, {str(key): value for key, value in row.items()}
