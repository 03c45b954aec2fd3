"""What a report is before it has a form: figures and tables whose cells know their kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from pfflow.domain.words import NO_WORDS, Words


class CellKind(StrEnum):
    """How a value is shown. Amounts and ratios are decimal strings, dates ISO 8601, percents are out of 100."""

    TEXT = "text"
    DATE = "date"
    AMOUNT = "amount"
    RATIO = "ratio"
    PERCENT = "percent"
    COUNT = "count"
    YEAR = "year"


Cell: TypeAlias = str | Words | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its name; `unit` is a currency code or empty."""

    label: Words
    value: str | Words
    kind: CellKind = CellKind.TEXT
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column."""

    title: Words
    kind: CellKind = CellKind.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; every row has as many cells as there are columns."""

    name: str
    title: Words
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Words = NO_WORDS


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says: key figures first, then tables, then where the numbers come from."""

    name: str
    title: Words
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    paragraphs: tuple[Words, ...] = ()
    sources: tuple[str, ...] = ()
