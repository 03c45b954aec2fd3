"""Rules of RFC 5545, section 3.3.10, that fall on days: read, refused where programs differ, and given as dates.

What comes out never depends on where a window begins: INTERVAL counts from `anchor`. Rules that calendar programs read
differently are refused with a sentence, rather than read in one of the ways.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any, Literal

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

ANCHOR = date(2001, 1, 1)
"""Where INTERVAL counts from unless a rule has its own anchor: a Monday, the first day of a month and of a year."""


class RecurrenceError(ValueError):
    """A rule that cannot be read, or that calendar programs read differently."""


_FREQUENCIES: Mapping[str, Literal[0, 1, 2, 3]] = MappingProxyType(
    {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = (
    "FREQ",
    "INTERVAL",
    "UNTIL",
    "COUNT",
    "BYMONTH",
    "BYWEEKNO",
    "BYMONTHDAY",
    "BYYEARDAY",
    "BYDAY",
    "BYSETPOS",
    "WKST",
)
_REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "BYHOUR": "an obligation falls on a date: leave BYHOUR out and give the time of day beside the rule",
        "BYMINUTE": "an obligation falls on a date: leave BYMINUTE out and give the time of day beside the rule",
        "BYSECOND": "an obligation falls on a date: leave BYSECOND out and give the time of day beside the rule",
    }
)
_MOST: Mapping[str, int] = MappingProxyType(
    {"BYMONTH": 12, "BYWEEKNO": 53, "BYMONTHDAY": 31, "BYYEARDAY": 366, "BYSETPOS": 366}
)
_INNER_WEEKS = range(2, 52)
"""The weeks of a year, counted from either end, that lie wholly in it whatever day a week begins on."""
_BY_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read: what dateutil needs, apart from the first date and the last."""

    frequency: Literal[0, 1, 2, 3]
    interval: int
    week_start: int
    until: date | None
    by: Mapping[str, Any]  # as dateutil's keywords take it
    anchor: date
    anchored: bool
    count: int | None = None

    def occurrences(self, first: date, last: date) -> list[date]:
        """Give the unadjusted dates from first to last, both included."""
        if self.anchored:
            first = max(first, self.anchor)
        if self.until is not None:
            last = min(last, self.until)
        if last < first:
            return []
        if self.count is not None:
            from_anchor = (day for day in map(datetime.date, self.dates(self.anchor, last)) if day >= self.anchor)
            return [day for day in islice(from_anchor, self.count) if day >= first]
        return [day for day in map(datetime.date, self.dates(first, last)) if day >= first]

    def dates(self, first: date = ANCHOR, last: date = date.max) -> rrule:
        """Give dateutil's rule from the interval that holds `first`; it does not know where an anchored rule begins."""
        return rrule(
            self.frequency,
            dtstart=datetime.combine(self._aligned(first), time()),
            interval=self.interval,
            wkst=self.week_start,
            until=datetime.combine(last, time()),
            **self.by,
        )

    def _aligned(self, first: date) -> date:
        """Give the start of the last interval that begins on or before `first`, counted from the anchor."""
        if self.frequency == DAILY:
            return first - (first - self.anchor) % timedelta(days=self.interval)
        if self.frequency == WEEKLY:
            origin = self.anchor - timedelta(days=(self.anchor.weekday() - self.week_start) % 7)
            return first - (first - origin) % timedelta(weeks=self.interval)
        if self.frequency == YEARLY:
            return date(first.year - (first.year - self.anchor.year) % self.interval, 1, 1)
        months = first.year * 12 + first.month - 1
        months -= (months - self.anchor.year * 12 - self.anchor.month + 1) % self.interval
        return date(months // 12, months % 12 + 1, 1)

    def step(self) -> timedelta:
        """Give about how far apart two intervals are."""
        days = {DAILY: 1, WEEKLY: 7, MONTHLY: 31, YEARLY: 366}[self.frequency]
        return timedelta(days=days * self.interval)


def _split(text: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, equals, value = (word.strip() for word in part.partition("="))
        if name in _REFUSED:
            raise RecurrenceError(f"rule {text!r}: {_REFUSED[name]}")
        if name not in _PARTS or not equals or not value:
            raise RecurrenceError(
                f"rule {text!r}: {part!r} is no part of a rule: write NAME=VALUE with a name of {', '.join(_PARTS)}"
            )
        if name in parts:
            raise RecurrenceError(f"rule {text!r}: {name} is there twice: write one {name} with its values by commas")
        parts[name] = value
    return parts


def _numbers(text: str, name: str, value: str) -> tuple[int, ...]:
    most = _MOST[name]
    least = 1 if name == "BYMONTH" else -most
    numbers = []
    for word in value.split(","):
        number = int(word) if re.fullmatch(r"[+-]?[0-9]{1,3}", word, re.ASCII) else 0
        if not least <= number <= most or number == 0:
            signed = "" if least == 1 else f" or -1 to -{most}"
            raise RecurrenceError(f"rule {text!r}: {name}={word} is none of 1 to {most}{signed}")
        numbers.append(number)
    return tuple(numbers)


def _weekdays(text: str, value: str, frequency: str) -> tuple[weekday, ...]:
    found = []
    for word in value.split(","):
        match = _BY_DAY.fullmatch(word)
        if match is None:
            raise RecurrenceError(
                f"rule {text!r}: BYDAY={word} is no weekday: write {','.join(_WEEKDAYS)}, or 1MO, -1FR"
            )
        ordinal = int(match[1]) if match[1] else None
        if ordinal is not None and (frequency not in {"MONTHLY", "YEARLY"} or not 1 <= abs(ordinal) <= 53):
            raise RecurrenceError(
                f"rule {text!r}: BYDAY={word} counts within a month or a year (1 to 53 or -1 to -53), which needs "
                "FREQ=MONTHLY or FREQ=YEARLY"
            )
        found.append(weekday(_WEEKDAYS.index(match[2]), ordinal))
    return tuple(found)


def _until(text: str, value: str) -> date:
    match = re.fullmatch(r"([0-9]{4})([0-9]{2})([0-9]{2})", value, re.ASCII)
    try:
        return date(*map(int, match.groups())) if match else date(0, 0, 0)
    except ValueError:
        raise RecurrenceError(f"rule {text!r}: UNTIL={value} is no date: write UNTIL=YYYYMMDD") from None


def _refuse_ambiguous(text: str, parts: Mapping[str, str]) -> None:
    """Refuse what RFC 5545 section 3.3.10 forbids, and what programs that follow it still read differently."""
    frequency = parts["FREQ"]
    findings: tuple[tuple[bool, str], ...] = (
        (
            frequency == "WEEKLY" and "BYMONTHDAY" in parts,
            "BYMONTHDAY has no meaning in a week: use FREQ=MONTHLY",
        ),
        (
            frequency != "YEARLY" and "BYYEARDAY" in parts,
            "BYYEARDAY needs FREQ=YEARLY",
        ),
        (
            frequency == "YEARLY" and "BYMONTHDAY" in parts and "BYMONTH" not in parts,
            "calendar programs differ on FREQ=YEARLY with BYMONTHDAY and no BYMONTH: add BYMONTH, or use FREQ=MONTHLY",
        ),
        (
            "COUNT" in parts and "UNTIL" in parts,
            "COUNT and UNTIL both end the rule: leave one of them out",
        ),
        (
            "BYWEEKNO" in parts and (frequency != "YEARLY" or "BYDAY" not in parts),
            "calendar programs differ on week numbers unless FREQ=YEARLY and BYDAY say the day: add them",
        ),
        (
            frequency in {"DAILY", "WEEKLY"} and "BYSETPOS" in parts,
            "calendar programs differ on BYSETPOS in the first, partial week, and a day is no set: name it with BYDAY",
        ),
        (
            "BYSETPOS" in parts and not {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYMONTH"} & parts.keys(),
            "BYSETPOS picks from a set: say from which with BYDAY or BYMONTHDAY",
        ),
    )
    for ambiguous, sentence in findings:
        if ambiguous:
            raise RecurrenceError(f"rule {text!r}: {sentence}")


def _refuse_edges(text: str, by: Mapping[str, Any]) -> None:
    """Refuse week numbers that may lie in two years, and a count of weekdays within a numbered week."""
    if any(abs(week) not in _INNER_WEEKS for week in by.get("byweekno", ())):
        raise RecurrenceError(
            f"rule {text!r}: calendar programs differ on week numbers at the turn of the year: write weeks 2 to 51 or "
            "-2 to -51, or use BYMONTH with BYDAY"
        )
    if "byweekno" in by and any(day.n for day in by["byweekday"]):
        raise RecurrenceError(f"rule {text!r}: a numbered week has each weekday once: write BYDAY=MO, not BYDAY=1MO")


def _count(text: str, value: str, rule: Rule) -> int:
    """Give how many dates a rule has. Programs that count from an anchor the rule does not fall on differ by one."""
    if not re.fullmatch(r"[0-9]{1,6}", value, re.ASCII) or int(value) == 0:
        raise RecurrenceError(f"rule {text!r}: COUNT={value} is no whole number from 1 to 999999")
    if not rule.anchored:
        raise RecurrenceError(
            f"rule {text!r}: COUNT depends on where counting starts: end the rule with UNTIL=YYYYMMDD"
        )
    if not rule.occurrences(rule.anchor, rule.anchor):
        raise RecurrenceError(
            f"rule {text!r}: calendar programs differ on COUNT from {rule.anchor}, on which the rule does not fall: "
            "start on a day of the rule, or end it with UNTIL=YYYYMMDD"
        )
    return int(value)


def _refuse_never(text: str, rule: Rule) -> None:
    """Refuse a rule without any date: the likely slip at once, the rest after a look up to the year 9999."""
    longest = max(_LONGEST_MONTHS[month - 1] for month in rule.by.get("bymonth", range(1, 13)))
    if all(abs(day) > longest for day in rule.by.get("bymonthday", (1,))) or next(iter(rule.dates()), None) is None:
        raise RecurrenceError(f"rule {text!r} never falls on any day: for month ends write BYMONTHDAY=-1")


def _fill(text: str, parts: Mapping[str, str], by: dict[str, Any], anchor: date | None) -> None:
    """Take the day a rule leaves open from its anchor, as RFC 5545 takes it from DTSTART."""
    frequency = parts["FREQ"]
    wanted = {"WEEKLY": ("BYDAY",), "MONTHLY": ("BYMONTHDAY", "BYDAY"), "YEARLY": ("BYMONTHDAY", "BYDAY", "BYYEARDAY")}
    if frequency == "DAILY" or set(wanted[frequency]) & parts.keys():
        return
    if anchor is None:
        like = {"WEEKLY": "BYDAY=MO", "MONTHLY": "BYMONTHDAY=-1", "YEARLY": "BYMONTH=12;BYMONTHDAY=-1"}[frequency]
        raise RecurrenceError(f"rule {text!r} does not say on which day: add it, such as {like}")
    if frequency == "WEEKLY":
        by["byweekday"] = (weekday(anchor.weekday()),)
        return
    if anchor.day > 28:
        raise RecurrenceError(
            f"rule {text!r}: day {anchor.day} of its anchor is not in every month: write BYMONTHDAY=-1 for month ends"
        )
    by["bymonthday"] = (anchor.day,)
    if frequency == "YEARLY":
        by.setdefault("bymonth", (anchor.month,))


@lru_cache(maxsize=512)
def read_rule(text: str, anchor: date | None) -> Rule:
    """Read a rule. With an anchor, RFC 5545's DTSTART, it may leave out the day. Raises RecurrenceError."""
    parts = _split(text)
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        said = f"FREQ={frequency} is not by days" if frequency else "it has no FREQ"
        raise RecurrenceError(f"rule {text!r}: {said}: write FREQ= with one of {', '.join(_FREQUENCIES)}")
    interval = parts.get("INTERVAL", "1")
    if not re.fullmatch(r"[0-9]{1,4}", interval, re.ASCII) or int(interval) == 0:
        raise RecurrenceError(f"rule {text!r}: INTERVAL={interval} is no whole number from 1 to 9999")
    week_start = parts.get("WKST", "MO")
    if week_start not in _WEEKDAYS:
        raise RecurrenceError(f"rule {text!r}: WKST={week_start} is none of {', '.join(_WEEKDAYS)}")
    _refuse_ambiguous(text, parts)
    by: dict[str, Any] = {name.lower(): _numbers(text, name, parts[name]) for name in _MOST if name in parts}
    if "BYDAY" in parts:
        by["byweekday"] = _weekdays(text, parts["BYDAY"], frequency)
    _refuse_edges(text, by)
    _fill(text, parts, by, anchor)
    rule = Rule(
        frequency=_FREQUENCIES[frequency],
        interval=int(interval),
        week_start=_WEEKDAYS.index(week_start),
        until=_until(text, parts["UNTIL"]) if "UNTIL" in parts else None,
        by=MappingProxyType(by),
        anchor=anchor or ANCHOR,
        anchored=anchor is not None,
    )
    _refuse_never(text, rule)
    return replace(rule, count=_count(text, parts["COUNT"], rule)) if "COUNT" in parts else rule
