"""The rows of a sheet to records, each with its place; a row with a problem gives no record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

from pfflow.domain.facts import KEYS, RECORDS, Record
from pfflow.register.amounts import Amount
from pfflow.register.columns import Sheet, plain, required_fields
from pfflow.register.dates import WRITE_INSTANT
from pfflow.register.header import Header, HeaderCell, header_of
from pfflow.register.problems import Problem, Severity, UnreadableError
from pfflow.register.source import RawSheet, letters
from pfflow.register.values import Cell, Raw, is_blank, shown, stands_for_nothing, value_of

TOTALS = frozenset({"合计", "总计", "小计", "累计", "total", "subtotal", "sum", "grandtotal"})
"""What the first cell of a row says that adds up others; such a row has no key of its own."""

LISTED = 500
"""How many problems of a sheet are listed; the number of the rest is told."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row that holds something: its place, what could be read of it, and the record where all could be."""

    raw: RawSheet
    sheet: Sheet
    row: int
    header: Header
    values: Mapping[str, Any]
    record: Record | None

    @property
    def key(self) -> tuple[str, ...] | None:
        """The record's key as text, or None where a part of it could not be read."""
        return _key(self.sheet.name, self.values)

    def problem(self, field: str, what: str, expected: str = "", severity: Severity = Severity.PROBLEM) -> Problem:
        """Give a problem of this row; `field` says the column."""
        position = self.header.position_of(field)
        return Problem(
            file=self.raw.file,
            sheet=self.raw.title,
            row=self.row + 1,
            column="" if position is None else letters(position),
            field=field,
            value=self._shown(position),
            what=what,
            expected=expected,
            severity=severity,
        )

    def _shown(self, position: int | None) -> str:
        cells = self.raw.rows[self.row] if self.row < len(self.raw.rows) else ()
        return shown(cells[position])[:1000] if position is not None and position < len(cells) else ""


@dataclass(frozen=True, slots=True)
class SheetReading:
    """The rows of a sheet and what is odd about them."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_rows(
    raw: RawSheet, sheet: Sheet, known: Mapping[tuple[str, ...], Record], zones: Mapping[str, str]
) -> SheetReading:
    """Read a sheet. `known` are the records there are by key, `zones` each contact's time zone by contact_ref.

    A column that is not in the sheet leaves what is known of a record; an empty cell empties it.
    """
    header = header_of(raw, sheet)
    problems = list(header.problems)
    if header.row < 0:
        return SheetReading((), tuple(problems))
    problems += _merged(raw, header)
    entries: list[Entry] = []
    untold = 0
    for index in range(header.row + 1, max(len(raw.rows), 1 + max((row for row, _ in raw.traps), default=0))):
        row = _Row(raw, sheet, header, index, zones)
        if row.is_empty():
            problems += row.unkept("nothing in a column of the register")
            continue
        entry = row.entry(known)
        if entry.key is None and row.is_total():
            problems += row.unkept("a total")
            continue
        entries.append(entry)
        if len(problems) < LISTED:
            problems += row.problems
        else:
            untold += sum(problem.stops_the_import for problem in row.problems)
    if untold:
        what = f"{untold:,} more problems, not listed"
        problems.append(Problem(file=raw.file, sheet=raw.title, what=what, expected="correct the ones above first"))
    return SheetReading(tuple(entries), tuple(problems))


class _Row:
    """One row while it is read."""

    def __init__(self, raw: RawSheet, sheet: Sheet, header: Header, index: int, zones: Mapping[str, str]) -> None:
        self.raw, self.sheet, self.header, self.index, self.zones = raw, sheet, header, index, zones
        self.cells: list[Raw] = list(raw.rows[index]) if index < len(raw.rows) else []
        self.values: dict[str, Any] = {}
        self.problems: list[Problem] = []

    def is_empty(self) -> bool:
        """Whether no recognised column holds anything."""
        return all(is_blank(self._raw(at)) and (self.index, at) not in self.raw.traps for at in self.header.cells)

    def is_total(self) -> bool:
        """Whether the row's first cell says that it is a sum of others."""
        first = next((cell for cell in self.cells if not is_blank(cell)), "")
        return isinstance(first, str) and plain(first) in TOTALS

    def unkept(self, holds: str) -> Iterator[Problem]:
        """Remark a row that is not kept, unless it is empty."""
        at = next((at for at, cell in enumerate(self.cells) if not is_blank(cell)), None)
        if at is not None:
            yield self._problem(at, "", f"this row is not kept: it holds {holds}", severity=Severity.REMARK)

    def entry(self, known: Mapping[tuple[str, ...], Record]) -> Entry:
        """Read every cell, then the row as a whole."""
        for at, head in self.header.cells.items():
            self._read(at, head)
        self._agree_on_currency()
        self._place_in_time()
        self._miss_required()
        stopped = any(problem.stops_the_import for problem in self.problems)
        record = None if stopped else self._record(known)
        return Entry(self.raw, self.sheet, self.index, self.header, self.values, record)

    def _raw(self, at: int) -> Raw:
        return self.cells[at] if at < len(self.cells) else ""

    def _read(self, at: int, head: HeaderCell) -> None:
        raw, column = self._raw(at), head.column
        trap = self.raw.traps.get((self.index, at))
        if trap is not None:
            self.problems.append(self._problem(at, column.field, trap.what, trap.expected, value=trap.shown))
        elif is_blank(raw):
            return
        elif stands_for_nothing(column.kind, raw):
            remark = self._problem(at, column.field, "read as empty", severity=Severity.REMARK)
            self.problems.append(remark)
        else:
            cell = Cell(
                raw,
                unit=head.unit,
                shown_as_percent=(self.index, at) in self.raw.percents,
                header_says_percent=head.percent,
                days_from_1904=self.raw.days_from_1904,
            )
            try:
                self.values[column.field] = value_of(column, cell)
            except UnreadableError as error:
                self.problems.append(self._problem(at, column.field, error.what, error.expected))

    def _agree_on_currency(self) -> None:
        # An amount may name its currency; the row's currency column must not say another.
        for field, value in list(self.values.items()):
            if not isinstance(value, Amount):
                continue
            self.values[field] = value.value
            if value.currency and self.sheet.column_named("currency") is not None:
                said = self.values.setdefault("currency", value.currency)
                if said != value.currency:
                    what = f"{value.currency} here and {said} as the row's currency"
                    self._complain(field, what, "write one currency")

    def _place_in_time(self) -> None:
        # A wall time is made an instant by the header's zone or the contact's; without either it is refused.
        for field, value in list(self.values.items()):
            if not isinstance(value, datetime) or value.tzinfo is not None:
                continue
            at = self.header.position_of(field)
            zone = self.header.cells[at].zone if at is not None else ""
            zone = zone or self.zones.get(str(self.values.get("contact_ref", "")), "")
            if zone:
                self.values[field] = value.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
            else:
                del self.values[field]
                expected = f"{WRITE_INSTANT}, or head the column 时间(Asia/Shanghai)"
                self._complain(field, "a time without a zone", expected)

    def _miss_required(self) -> None:
        complained = {problem.field for problem in self.problems if problem.stops_the_import}
        for column in self.sheet.columns:
            required = column.field in required_fields(self.sheet.name)
            if required and column.field not in self.values and column.field not in complained:
                at = self.header.position_of(column.field)
                if at is not None:
                    what, expected = "nothing is written here", f"write one such as {column.example}"
                    self.problems.append(self._problem(at, column.field, what, expected, value=""))

    def _record(self, known: Mapping[tuple[str, ...], Record]) -> Record | None:
        record_type = RECORDS[self.sheet.name]
        if not required_fields(self.sheet.name) <= self.values.keys():
            return None
        record = record_type(**{name: _typed(self.sheet.name, name, value) for name, value in self.values.items()})
        before = known.get(_key(self.sheet.name, self.values) or ())
        headed = {cell.column.field for cell in self.header.cells.values()} | self.values.keys()
        kept = {f.name: getattr(before, f.name) for f in fields(record) if before is not None and f.name not in headed}
        return replace(record, **kept)

    def _complain(self, field: str, what: str, expected: str) -> None:
        at = self.header.position_of(field)
        self.problems.append(self._problem(-1 if at is None else at, field, what, expected))

    def _problem(
        self,
        at: int,
        field: str,
        what: str,
        expected: str = "",
        *,
        value: str | None = None,
        severity: Severity = Severity.PROBLEM,
    ) -> Problem:
        return Problem(
            file=self.raw.file,
            sheet=self.raw.title,
            row=self.index + 1,
            column=letters(at),
            field=field,
            value=(shown(self._raw(at))[:1000] if at >= 0 else "") if value is None else value,
            what=what,
            expected=expected,
            severity=severity,
        )


def _merged(raw: RawSheet, header: Header) -> Iterator[Problem]:
    for (top, left), (bottom, right) in raw.merged:
        if top <= header.row:
            continue
        span = f"{letters(left)}{top + 1}:{letters(right)}{bottom + 1}"
        cell = header.cells.get(left)
        yield Problem(
            file=raw.file,
            sheet=raw.title,
            row=top + 1,
            column=letters(left),
            field=cell.column.field if cell else "",
            value=span,
            what=f"merged cells {span} among the data",
            expected="unmerge them and fill in every row",
        )


def _key(sheet: str, values: Mapping[str, Any]) -> tuple[str, ...] | None:
    defaults = _defaults(sheet)
    parts = [_typed(sheet, name, values.get(name, defaults.get(name))) for name in KEYS[sheet]]
    return None if any(part is None for part in parts) else tuple(map(str, parts))


@cache
def _defaults(sheet: str) -> Mapping[str, Any]:
    return {one.name: one.default for one in fields(RECORDS[sheet]) if one.default is not MISSING}


def _typed(sheet: str, name: str, value: Any) -> Any:  # noqa: ANN401 - a field of any type
    enumeration = enumerations(sheet).get(name)
    return enumeration(value) if enumeration is not None and value is not None else value


@cache
def enumerations(sheet: str) -> Mapping[str, type[StrEnum]]:
    """Give the enumeration of each field of a sheet's record that has one."""
    found: dict[str, type[StrEnum]] = {}
    for name, hint in get_type_hints(RECORDS[sheet]).items():
        for one in (hint, *get_args(hint)):
            if isinstance(one, type) and issubclass(one, StrEnum):
                found[name] = one
    return found
