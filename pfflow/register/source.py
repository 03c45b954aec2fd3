"""Sheets as they stand in a file, before anyone has asked what they mean; workbook and CSV give the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pfflow.register.problems import Problem
from pfflow.register.values import Raw

CELLS = 2_000_000
"""The most cells a sheet may span from A1 to its last value."""

Place = tuple[int, int]
"""A cell: row and column, each from 0."""


@dataclass(frozen=True, slots=True)
class Trap:
    """A cell whose value is not to be had: an error of Excel, or a formula that was never calculated."""

    shown: str
    what: str
    expected: str


@dataclass(frozen=True, slots=True)
class RawSheet:
    """One sheet: its rows from A1 on, and what cannot be seen in the values.

    `merged` holds first and last cell of each merged range, `traps` the cells without a value, `percents` the cells
    that Excel shows as percentages. `file` is the file a problem names.
    """

    file: str
    title: str
    rows: Sequence[Sequence[Raw]]
    merged: tuple[tuple[Place, Place], ...] = ()
    traps: Mapping[Place, Trap] = field(default_factory=dict)
    percents: frozenset[Place] = frozenset()
    days_from_1904: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """What a file or folder holds, and what kept the rest from being read."""

    sheets: tuple[RawSheet, ...] = ()
    problems: tuple[Problem, ...] = ()


def letters(column: int) -> str:
    """Give a column's letters, as Excel counts them.

    >>> letters(0), letters(25), letters(26), letters(16_383)
    ('A', 'Z', 'AA', 'XFD')
    """
    text = ""
    while column >= 0:
        column, rest = divmod(column, 26)
        text = chr(ord("A") + rest) + text
        column -= 1
    return text


def place_of(reference: str) -> Place:
    """Give the place of a cell reference.

    >>> place_of("XFD1048576")
    (1048575, 16383)
    """
    name = reference.rstrip("0123456789")
    column = 0
    for letter in name.upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(reference[len(name) :]) - 1, column - 1
