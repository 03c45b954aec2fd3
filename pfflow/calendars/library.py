"""The lists of the `holidays` package: the days of a code, how far they are published, and what they are called.

What is published is read from the lists themselves (docs/decisions/0003-calendars-from-holidays.md):
a list of moved days (China, Hungary, Russia …) is published through its last year with a moved day; where dates are
marked as estimated, through the year before the first of them; all others follow from the law in force, for every year.
"""

from __future__ import annotations

import contextlib
import difflib
import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache

import holidays
from holidays.registry import COUNTRIES

from pfflow.calendars.codes import CalendarError
from pfflow.domain.business_days import WEEKENDS_ONLY

STILL_ANNOUNCED = 3
"""A list of moved days counts as announced every year if its last one is at most this much older than China's."""

_PROBED = (2001, 2100)  # the years looked through for moved days


def listed_by(code: str, years: Sequence[int] = (), language: str | None = None) -> holidays.HolidayBase:
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
def bare_list(code: str) -> holidays.HolidayBase:
    """Give the package's list without any year: what it says of itself. It is kept, so nobody may change it."""
    return listed_by(code)


def within(listed: holidays.HolidayBase, first_year: int, last_year: int) -> range:
    """Give the years the package has a list for: asking for others is a warning."""
    return range(max(first_year, listed.start_year), min(last_year, listed.end_year) + 1)


def holiday_names(code: str, year: int) -> Mapping[date, tuple[str, str]]:
    """Give the names of a year's holidays in Chinese and in English, in the order of their dates.

    A language the package has no names in is empty; where it has neither, the names stand as English.
    """
    if code == WEEKENDS_ONLY.code:
        return {}
    return _names_of_decade(code, year // 10).get(year, {})


@lru_cache(maxsize=1024)
def _names_of_decade(code: str, number: int) -> Mapping[int, Mapping[date, tuple[str, str]]]:
    """Give the names of the holidays of ten years, from ten times a number on, by year."""
    bare, first = bare_list(code), 10 * number
    years = within(bare, first - 1, first + 10)
    english = next((one for one in bare.supported_languages if one.startswith("en")), None)
    chinese = next((one for one in ("zh_CN", "zh_TW") if one in bare.supported_languages), None)
    in_english = listed_by(code, years, english or bare.default_language)
    in_chinese = listed_by(code, years, chinese) if chinese else {}
    found: dict[int, dict[date, tuple[str, str]]] = {}
    for day in sorted(in_english):
        found.setdefault(day.year, {})[day] = (in_chinese.get(day, ""), in_english[day])
    return found


@lru_cache(maxsize=256)
def _part_as_spelled(country: str, part: str) -> str:
    """Give a part of a country as the package spells it: "ZONE A" is France's "Zone A"."""
    whole = holidays.country_holidays(country)
    spelled = {one.upper(): one for one in (*whole.subdivisions, *whole.subdivisions_aliases)}
    return spelled.get(part, part)


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


def estimated_years(listed: holidays.HolidayBase) -> frozenset[int]:
    """Give the years in which the package only estimates a date."""
    return frozenset(_years_labelled(listed, "estimated_label", "observed_estimated_label"))


def last_announced_year(code: str, listed: holidays.HolidayBase) -> int:
    """Give the last year of a list, or of its moved days where they are announced every year."""
    moved = _last_moved_year(code)
    if moved and moved >= _last_moved_year("CN") - STILL_ANNOUNCED:
        return min(listed.end_year, moved)
    return listed.end_year


@lru_cache(maxsize=256)
def _last_moved_year(code: str) -> int:
    """Give the last year in which the list moves a day off to another day; 0 where it never does."""
    bare = listed_by(code)
    if not bare.has_substituted_holidays:
        return 0
    listed = listed_by(code, within(bare, *_PROBED), bare.default_language)
    return max(_years_labelled(listed, "substituted_label"), default=0)


def _years_labelled(listed: holidays.HolidayBase, *labels: str) -> set[int]:
    texts = [text for label in labels if (text := getattr(listed, label, None))]
    if not texts:
        return set()
    marked = re.compile("|".join(".+".join(map(re.escape, text.split("%s"))) for text in texts))
    return {day.year for day, name in tuple(listed.items()) if marked.search(name)}
