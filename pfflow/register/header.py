"""Which row is the header, and which column each of its cells names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

from pfflow.register.amounts import NO_UNIT, Unit, unit_of
from pfflow.register.columns import Column, Kind, Sheet, required_fields, unbracketed
from pfflow.register.problems import Problem, Severity, UnreadableError
from pfflow.register.source import RawSheet, letters
from pfflow.register.values import is_blank, shown

SEARCHED = 10
"""How many rows are looked at for the header; titles and merged group headers stand above it."""


@dataclass(frozen=True, slots=True)
class HeaderCell:
    """One recognised header: its column, and what its bracket says of unit, percent or time zone."""

    column: Column
    unit: Unit = NO_UNIT
    percent: bool = False
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a sheet: its row from 0 (-1: none), the recognised columns by position, what is odd."""

    row: int
    cells: Mapping[int, HeaderCell]
    problems: tuple[Problem, ...]

    def position_of(self, field: str) -> int | None:
        """Give the position of a field's column, or None."""
        return next((place for place, cell in self.cells.items() if cell.column.field == field), None)


def header_of(raw: RawSheet, sheet: Sheet) -> Header:
    """Find the header in the first rows: the row that names the most columns of the sheet."""
    rows = _filled_down(raw)
    scores = [sum(_column(sheet, text) is not None for text in row if text) for row in rows]
    best = max(range(len(scores)), key=lambda index: (scores[index], -index), default=-1)
    if best < 0 or scores[best] == 0:
        return Header(-1, {}, _no_header(raw, sheet))
    cells: dict[int, HeaderCell] = {}
    problems: list[Problem] = []
    for place, text in enumerate(rows[best]):
        if not text:
            continue
        try:
            cell = _cell(sheet, text)
        except UnreadableError as error:
            problems.append(_at(raw, best, place, text=text, what=error.what, expected=error.expected))
            cell = HeaderCell(column) if (column := _column(sheet, text)) else None
        if cell is None:
            what = "this column is not kept: the sheet has no such column"
            problems.append(_at(raw, best, place, text=text, what=what, severity=Severity.REMARK))
            continue
        first = next((at for at, other in cells.items() if other.column is cell.column), None)
        if first is not None:
            what = f"a second column for {cell.column.field}; the first is {letters(first)}"
            problems.append(_at(raw, best, place, text=text, what=what, expected="keep one of them"))
            continue
        cells[place] = cell
    problems += _missing(raw, sheet, best, cells)
    return Header(best, cells, tuple(problems))


def _column(sheet: Sheet, text: str) -> Column | None:
    return sheet.column_named(text) or sheet.column_named(unbracketed(text)[0])


def _cell(sheet: Sheet, text: str) -> HeaderCell | None:
    whole = sheet.column_named(text)
    if whole is not None:
        return HeaderCell(whole)
    name, inside = unbracketed(text)
    column = sheet.column_named(name)
    if column is None:
        return None
    if inside and column.kind in (Kind.AMOUNT, Kind.SIGNED_AMOUNT):
        return HeaderCell(column, unit=unit_of(inside))
    if column.kind is Kind.INSTANT:
        zone = next((zone for zone in available_timezones() if zone.casefold() == inside.casefold()), "")
        return HeaderCell(column, zone=zone)
    return HeaderCell(column, percent=inside == "%")


def _filled_down(raw: RawSheet) -> list[list[str]]:
    # A header merged over two rows stands in the upper one; the lower one is the header row.
    rows = [["" if is_blank(cell) else shown(cell)[:200] for cell in row] for row in raw.rows[:SEARCHED]]
    for (top, left), (bottom, right) in raw.merged:
        if left == right and top < len(rows) and left < len(rows[top]):
            for row in rows[top + 1 : bottom + 1]:
                if left < len(row):
                    row[left] = rows[top][left]
    return rows


def _missing(raw: RawSheet, sheet: Sheet, row: int, cells: Mapping[int, HeaderCell]) -> list[Problem]:
    there = {cell.column.field for cell in cells.values()}
    required = required_fields(sheet.name)
    return [
        Problem(
            file=raw.file,
            sheet=raw.title,
            row=row + 1,
            field=column.field,
            what="the column is missing",
            expected=f"add a column headed {column.zh} or {column.en}",
        )
        for column in sheet.columns
        if column.field in required and column.field not in there
    ]


def _no_header(raw: RawSheet, sheet: Sheet) -> tuple[Problem, ...]:
    if not any(not is_blank(cell) for row in raw.rows for cell in row) and not raw.traps:
        return ()
    required = required_fields(sheet.name)
    wanted: Sequence[str] = [f"{one.zh} ({one.en})" for one in sheet.columns if one.field in required]
    what = f"no header row in the first {SEARCHED} rows"
    return (Problem(file=raw.file, sheet=raw.title, what=what, expected=f"head the columns {', '.join(wanted)}"),)


def _at(
    raw: RawSheet,
    row: int,
    place: int,
    *,
    text: str,
    what: str,
    expected: str = "",
    severity: Severity = Severity.PROBLEM,
) -> Problem:
    return Problem(
        file=raw.file,
        sheet=raw.title,
        row=row + 1,
        column=letters(place),
        value=text,
        what=what,
        expected=expected,
        severity=severity,
    )
