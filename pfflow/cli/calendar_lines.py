"""Calendar questions as JSON lines: one question a line, one answer a line in the same order, errors in their place."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any, TypeAlias

from pfflow.calendars import FIRST_YEAR, LAST_YEAR, Almanac, CalendarError, almanac, codes_in
from pfflow.domain.business_days import Convention, ConventionError
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.recurrence import check, unadjusted
from pfflow.domain.rules import RecurrenceError

Answer: TypeAlias = Mapping[str, Any]
"""An answer to be written as a JSON object."""

ROLL_LIKE = '{"calendar": "CN", "date": "2026-02-16", "convention": "FOLLOWING"}'
EXPAND_LIKE = '{"rule": "FREQ=MONTHLY;BYMONTHDAY=-1", "start": "2026-01-01", "until": "2026-12-31"}'

_SHOWN = 60
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_EVERY = re.compile(r"INTERVAL\s*=\s*\+?0*1\s*(?:;|$)", re.IGNORECASE | re.ASCII)


class LineError(ValueError):
    """A question that cannot be answered, with what would be right."""


def answers(lines: Iterable[bytes | str], answer: Callable[[Mapping[str, Any]], Answer], like: str) -> Iterator[str]:
    """Give the answer to each line as JSON text; a line that cannot be answered gives {"error": …}.

    >>> list(answers([b'{"date": 1}', b""], lambda asked: {"got": asked["date"]}, "{}"))
    ['{"got": 1}', '{"error": "the line is empty: write {}"}']
    """
    for line in lines:
        try:
            said = answer(_meant(_object(line, like), like))
        except (LineError, CalendarError, ConventionError, RecurrenceError) as error:
            said = {"error": str(error)}
        yield json.dumps(said)


def _object(line: bytes | str, like: str) -> Mapping[str, Any]:
    try:
        text = (line.decode() if isinstance(line, bytes) else line).strip().removeprefix("\ufeff")
        asked = json.loads(text) if text else None
    except UnicodeDecodeError:
        raise LineError("the line is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise LineError(f"the line is not JSON ({error}): write {like}") from None
    if not isinstance(asked, dict):
        raise LineError(f"the line is {'no JSON object' if text else 'empty'}: write {like}")
    return asked


_KEYS = frozenset({"calendar", "date", "convention", "rule", "start", "until"})
_MISTAKEN = {"roll": "convention", "holidays": "calendar", "from": "start", "to": "until"}


def _meant(asked: Mapping[str, Any], like: str) -> Mapping[str, Any]:
    """Refuse a key that is nearly one of ours, which would change nothing where it was meant to; others are let be."""
    for key in asked.keys() - _KEYS:
        meant = _MISTAKEN.get(key.strip().lower(), key.strip().lower())
        if meant in _KEYS:
            raise LineError(f'the line has "{key}": write "{meant}", as in {like}')
    return asked


class Almanacs:
    """Calendars by their code, ten years at a time, with what a house has entered; each is made once."""

    def __init__(self, lists: Iterable[HouseList] = ()) -> None:
        self._lists = tuple(lists)
        self._made: dict[tuple[str, int], Almanac | CalendarError] = {}

    def of(self, code: str, year: int) -> Almanac:
        """Give the calendar of a code such as CN, GB-ENG or CN+HK for dates of a year. Raises CalendarError."""
        decade = year // 10 * 10
        found = self._made.get((code, decade))
        if found is None:
            try:
                codes = codes_in(code)
                found = almanac(codes, max(decade, FIRST_YEAR), min(decade + 9, LAST_YEAR), self._lists)
            except CalendarError as error:
                found = error
            self._made[code, decade] = found
        if isinstance(found, CalendarError):
            raise found
        return found

    def roll(self, asked: Mapping[str, Any]) -> Answer:
        """Answer {"calendar", "date", "convention"} with {"on", "provisional"}."""
        code = _text(asked, "calendar", ROLL_LIKE)
        day = _day(asked, "date", ROLL_LIKE)
        on, provisional = self.of(code, day.year).roll(day, _convention(_text(asked, "convention", ROLL_LIKE)))
        return {"on": on.isoformat(), "provisional": provisional}

    def expand(self, asked: Mapping[str, Any]) -> Answer:
        """Answer {"rule", "start", "until"} with {"dates"}: the rule's own, not rolled.

        With {"calendar"}, and {"convention"} if it is not following, the dates are rolled, "unadjusted" has the rule's
        own beside them and "provisional" says of each whether it is.
        """
        rule = _text(asked, "rule", EXPAND_LIKE)
        start, until = _day(asked, "start", EXPAND_LIKE), _day(asked, "until", EXPAND_LIKE)
        if until < start:
            raise LineError(f"until {until} lies before start {start}: exchange the two")
        days = rule_dates(rule, start, until)
        if asked.get("calendar") is None:
            if asked.get("convention") is not None:
                raise LineError('a convention needs a calendar: add "calendar", such as "CN" or "WEEKENDS"')
            return {"dates": [day.isoformat() for day in days]}
        code = _text(asked, "calendar", EXPAND_LIKE)
        named = asked.get("convention")
        convention = Convention.FOLLOWING if named is None else _convention(_text(asked, "convention", EXPAND_LIKE))
        self.of(code, start.year)  # a code that names nothing is an error also where the rule has no date
        rolled = [self.of(code, day.year).roll(day, convention) for day in days]
        return {
            "dates": [on.isoformat() for on, _ in rolled],
            "unadjusted": [day.isoformat() for day in days],
            "provisional": [provisional for _, provisional in rolled],
        }


def rule_dates(rule: str, start: date, until: date) -> list[date]:
    """Give the dates of a rule from `start` (its DTSTART) to `until`, both included. Raises RecurrenceError."""
    if not _stands_alone(rule):
        return list(unadjusted(rule, start, until, anchor=start))
    if start.year == until.year:
        days = _year_of(rule, start.year)
        return list(days[bisect_left(days, start) : bisect_right(days, until)])
    found = [day for year in range(start.year, until.year + 1) for day in _year_of(rule, year)]
    return found[bisect_left(found, start) : bisect_right(found, until)]


@lru_cache(maxsize=4096)
def _stands_alone(rule: str) -> bool:
    """Whether the dates of a rule are the same wherever it starts, so that a year of it can be kept."""
    if "INTERVAL" in rule.upper() and not _EVERY.search(rule):
        return False
    try:
        check(rule)
    except RecurrenceError:
        return False  # it may need its start, and be refused again if not
    return True


@lru_cache(maxsize=8192)
def _year_of(rule: str, year: int) -> tuple[date, ...]:
    return unadjusted(rule, date(year, 1, 1), date(year, 12, 31))


@lru_cache(maxsize=256)
def _convention(text: str) -> Convention:
    return Convention.parse(text)


def _text(asked: Mapping[str, Any], name: str, like: str) -> str:
    value = asked.get(name)
    if isinstance(value, str):
        return value
    said = f'has no "{name}"' if name not in asked else f'has {_short(value)} as "{name}", not a text'
    raise LineError(f"the line {said}: write {like}")


def _day(asked: Mapping[str, Any], name: str, like: str) -> date:
    text = _text(asked, name, like)
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise LineError(f"{name} {_short(text)} is no day: write YYYY-MM-DD, such as 2026-02-16")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise LineError(f"{name} {text} is out of reach: calendars go from {FIRST_YEAR}-01-01 to {LAST_YEAR}-12-31")
    return day


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
