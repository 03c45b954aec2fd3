"""Codes of calendars, the years they may be asked for, and the error that names what is wrong with one."""

from __future__ import annotations

import re

FIRST_YEAR, LAST_YEAR = 1950, 2200
"""The years a calendar may be asked for."""


class CalendarError(ValueError):
    """A calendar code that names none, years that make no range, or a holiday list that cannot be read."""


def codes_in(text: str) -> tuple[str, ...]:
    """Give the calendar codes of a joint calendar written "CN+HK" or "CN, HK", each once.

    >>> codes_in("cn + HK,CN")
    ('CN', 'HK')
    """
    return tuple(dict.fromkeys(code for part in re.split(r"[+,]", text) if (code := part.strip().upper())))
