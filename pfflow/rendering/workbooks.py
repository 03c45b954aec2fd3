"""A report as a workbook (Office Open XML): a summary sheet, then one sheet a table; equal input gives equal bytes.

Text is always written as text, so a cell that begins with ``=``, ``+``, ``-`` or ``@`` is never a formula. Numbers are
numbers with a format; Excel keeps 15 significant digits, what has more is written as text and stays exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from io import BytesIO

from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types
from xlsxwriter.format import Format  # type: ignore[import-untyped]  # as above
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]  # as above

from pfflow.domain.register_words import source_words
from pfflow.domain.reports import Cell, CellKind, Report, Table
from pfflow.domain.words import ZH, Words
from pfflow.rendering.formats import number, one_line, width
from pfflow.rendering.phrases import phrase

_FORMATS = {
    CellKind.AMOUNT: "#,##0.00;[Red]-#,##0.00",
    CellKind.RATIO: "0.00##",
    CellKind.PERCENT: '0.0#"%"',
    CellKind.COUNT: "#,##0",
    CellKind.YEAR: "0",
    CellKind.DATE: "yyyy-mm-dd",
}
_CREATED = datetime(2000, 1, 1)  # noqa: DTZ001 - the format keeps no zone; fixed, so that equal input gives equal bytes
_SHEET_NAME = re.compile(r"[\[\]:*?/\\]")
_LONGEST_CELL = 32_767
_EXACT_DIGITS = 15
_WIDEST = 60


@lru_cache(maxsize=16)
def report_xlsx(report: Report, language: str) -> bytes:
    """Give the report as the bytes of an .xlsx file; made once for all its readers."""
    buffer = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(buffer, options) as book:
        title = one_line(report.title.in_language(language))
        book.set_properties({"title": title[:255], "created": _CREATED})
        sheet = _Sheets(book, language)
        sheet.summary(report)
        for table in report.tables:
            sheet.table(table)
    return buffer.getvalue()


def workbook_name(report: Report, language: str, suffix: str = "") -> str:
    """Give a file name people can read and every file system takes; `suffix` is a date, left out where it is told."""
    title = re.sub(r'[<>:"/\\|?*]', " ", one_line(report.title.in_language(language))).strip(" .")
    told = suffix and suffix[: len("2026-01")] in title
    return one_line(f"{title[:80]} {'' if told else suffix}") + ".xlsx"


class _Sheets:
    """Writes sheets into one workbook, with the formats they share."""

    def __init__(self, book: Workbook, language: str) -> None:
        self._book = book
        self._language = language
        font = {"font_name": "Microsoft YaHei" if language == ZH else "Calibri", "font_size": 10, "valign": "top"}
        self._title: Format = book.add_format({**font, "bold": True, "font_size": 14})
        self._head: Format = book.add_format(
            {**font, "bold": True, "text_wrap": True, "bg_color": "#E8EDF3", "bottom": 1, "valign": "vcenter"}
        )
        self._text: Format = book.add_format({**font, "text_wrap": True})
        self._numbers = {kind: book.add_format({**font, "num_format": given}) for kind, given in _FORMATS.items()}
        self._plain_number: Format = book.add_format({**font, "align": "right"})
        self._taken: set[str] = set()

    def summary(self, report: Report) -> None:
        """Write the title, the figures, what is said and where the numbers come from."""
        sheet = self._add(phrase("summary", self._language))
        sheet.set_column(0, 0, 36)
        sheet.set_column(1, 1, 24)
        sheet.set_column(2, 2, 14)
        self._string(sheet, 0, 0, report.title, self._title)
        row = 2
        for figure in report.figures:
            self._string(sheet, row, 0, figure.label, self._head)
            self._cell(sheet, row, 1, figure.value, figure.kind)
            self._string(sheet, row, 2, figure.unit, self._text)
            row += 1
        for paragraph in report.paragraphs:
            row += 1
            self._merged(sheet, row, paragraph)
        for number_, source in enumerate(report.sources):
            row += 2 if number_ == 0 else 1
            said = source_words(source).in_language(self._language)
            self._merged(sheet, row, f"{phrase('sources', self._language)}: {said}")

    def table(self, table: Table) -> None:
        """Write a table: its head frozen, a filter on it, columns as wide as what they hold."""
        sheet = self._add(one_line(table.title.in_language(self._language)) or table.name)
        for index, column in enumerate(table.columns):
            self._string(sheet, 0, index, column.title, self._head)
        for row, cells in enumerate(table.rows, start=1):
            for index, (cell, column) in enumerate(zip(cells, table.columns, strict=True)):
                self._cell(sheet, row, index, cell, column.kind)
        sheet.freeze_panes(1, 0)
        if table.columns and table.rows:
            sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
        for index, column in enumerate(table.columns):
            sheet.set_column(index, index, self._width(column.title, (row[index] for row in table.rows)))
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        if table.note.in_language(self._language):
            self._string(sheet, len(table.rows) + 2, 0, table.note, self._text)

    def _add(self, title: str) -> Worksheet:
        """Add a sheet; its name has at most 31 characters, none that Excel refuses, and no other sheet has it."""
        base = _SHEET_NAME.sub(" ", one_line(title)).strip("' ")[:31] or "1"
        name, count = base, 1
        while name.lower() in self._taken or name.lower() == "history":
            count += 1
            ending = f" {count}"
            name = base[: 31 - len(ending)] + ending
        self._taken.add(name.lower())
        sheet: Worksheet = self._book.add_worksheet(name)
        return sheet

    def _width(self, title: Words, cells: Iterable[Cell]) -> int:
        widths = [width(self._said(title)), *(width(self._said(cell)) + 2 for cell in cells)]
        return min(max(widths) + 2, _WIDEST)

    def _cell(self, sheet: Worksheet, row: int, column: int, cell: Cell, kind: CellKind) -> None:
        text = self._said(cell)
        if not text:
            return
        if kind is CellKind.DATE and (on := _date(text)) is not None:
            sheet.write_datetime(row, column, on, self._numbers[kind])
        elif kind not in {CellKind.TEXT, CellKind.DATE}:
            parsed = number(text)
            if parsed is not None and len(parsed.normalize().as_tuple().digits) <= _EXACT_DIGITS:
                sheet.write_number(row, column, float(parsed), self._numbers[kind])
            else:
                sheet.write_string(row, column, text[:_LONGEST_CELL], self._plain_number)
        else:
            sheet.write_string(row, column, text[:_LONGEST_CELL], self._text)

    def _string(self, sheet: Worksheet, row: int, column: int, said: Cell, form: Format) -> None:
        sheet.write_string(row, column, self._said(said)[:_LONGEST_CELL], form)

    def _merged(self, sheet: Worksheet, row: int, said: Cell) -> None:
        text = self._said(said)[:_LONGEST_CELL]
        sheet.merge_range(row, 0, row, 2, "", self._text)
        sheet.write_string(row, 0, text, self._text)
        sheet.set_row(row, 15 * (1 + width(text) // 74))

    def _said(self, said: Cell) -> str:
        if said is None:
            return ""
        return one_line(said.in_language(self._language) if isinstance(said, Words) else said)


def _date(text: str) -> date | None:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return None
    return on if on.year >= 1900 else None  # before that Excel has no dates
