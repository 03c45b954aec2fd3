"""Facts to a workbook that a person would keep, and that `read_register` reads back as the same facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from xlsxwriter import Workbook  # type: ignore[import-untyped] # xlsxwriter ships no types
from xlsxwriter.format import Format  # type: ignore[import-untyped] # as above
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped] # as above

from pfflow.domain.facts import Facts, Record
from pfflow.register.aliases import GUIDE, REQUIRED_SHEETS, SHEETS, YES_NO
from pfflow.register.columns import Column, Kind, Sheet, required_fields

ROWS_AHEAD = 2000
"""Down to which row a drop-down is offered, so that new rows have it."""

_LISTED = 255
"""Excel's limit for the words of a drop-down, in characters."""

_FORMATS: Mapping[str, Mapping[str, object]] = {
    "header": {"bold": True, "bg_color": "#DDE7F0", "border": 1, "text_wrap": True, "valign": "vcenter"},
    "required": {"bold": True, "bg_color": "#F6D9B8", "border": 1, "text_wrap": True, "valign": "vcenter"},
    "title": {"bold": True, "font_size": 14},
    "wrap": {"text_wrap": True, "valign": "top"},
    "text": {"num_format": "@"},
    "date": {"num_format": "yyyy-mm-dd"},
    "instant": {"num_format": "yyyy-mm-dd hh:mm:ss"},
    "amount": {"num_format": "#,##0.00##########"},
    "whole": {"num_format": "#,##0"},
    "percent": {"num_format": "0.00%"},
    "integer": {"num_format": "0"},
}
_STYLE_OF: Mapping[Kind, str] = {
    Kind.DATE: "date",
    Kind.PERIOD: "date",
    Kind.INSTANT: "instant",
    Kind.AMOUNT: "amount",
    Kind.SIGNED_AMOUNT: "amount",
    Kind.NUMBER: "amount",
    Kind.PERCENT: "percent",
    Kind.RATE: "percent",
    Kind.INTEGER: "integer",
    Kind.NOTE: "wrap",
}
_WIDTH_OF: Mapping[Kind, int] = {Kind.NOTE: 40, Kind.TEXT: 24, Kind.EMAIL: 30, Kind.LEI: 24, Kind.USCC: 24}

_GUIDE_TITLE = {"zh": "项目融资登记簿：填写说明", "en": "The register: how to fill it in"}
_GUIDE_LINES = {
    "zh": (
        "橙色表头为必填列。列的顺序不限，可以增删列；没有的列不改变已有数据，空单元格表示清空。",
        "日期写成 2026-03-15；3/4/2026 之类会被拒绝。金额可写 1.2亿、12,000万 或 120000000；比例写 25%。",
        "每个编号在本表内唯一；引用别的表时须写其编号。一个联系人一行，一格一个邮箱。",
    ),
    "en": (
        "Orange headers are required; columns may stand in any order.",
        "A missing column leaves the data as it is, an empty cell empties it.",
        "Write dates as 2026-03-15; 3/4/2026 is refused. Amounts may be 1.2亿, 12,000万 or 120000000; shares are 25%.",
        "A reference is unique in its sheet; other sheets use it. One contact a row, one e-mail address a cell.",
    ),
}
_GUIDE_HEADERS = {
    "zh": ("工作表", "列", "英文名", "类型", "必填", "示例", "可选值"),
    "en": ("Sheet", "Column", "Chinese", "Type", "Required", "Example", "Values"),
}


@dataclass(frozen=True, slots=True)
class _Book:
    """A workbook being written, its language and its formats."""

    workbook: Workbook
    language: str
    formats: Mapping[str, Format]

    @property
    def short(self) -> str:
        return "zh" if self.language.lower().startswith("zh") else "en"

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the times in it, named in the header: what a reader of the language takes a bare time for."""
        return ZoneInfo({"zh": "Asia/Shanghai", "en": "UTC"}[self.short])


def write_register(facts: Facts, path: Path, language: str) -> None:
    """Write facts as a workbook in zh-CN or en: a guide first, then a sheet for each kind of record that has any.

    The four sheets that a register must have are written even when empty.
    """
    sheets = facts.sheets()
    _write(
        path,
        language,
        {one.name: sheets[one.name] for one in SHEETS if sheets[one.name] or one.name in REQUIRED_SHEETS},
    )


def blank_register(path: Path, language: str) -> None:
    """Write an empty register with every sheet, to be filled in."""
    _write(path, language, {sheet.name: () for sheet in SHEETS})


def _write(path: Path, language: str, records: Mapping[str, Iterable[Record]]) -> None:
    with Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        title = _GUIDE_TITLE["zh" if language.lower().startswith("zh") else "en"]
        # A fixed day of creation: the same facts give the same bytes.
        workbook.set_properties({"title": title, "created": datetime(2026, 1, 1, tzinfo=UTC)})
        formats = {name: workbook.add_format(dict(form)) for name, form in _FORMATS.items()}
        book = _Book(workbook, language, formats)
        _write_guide(book, [sheet for sheet in SHEETS if sheet.name in records])
        for sheet in SHEETS:
            if sheet.name in records:
                _write_sheet(book, sheet, records[sheet.name])


def _write_guide(book: _Book, sheets: Iterable[Sheet]) -> None:
    page = book.workbook.add_worksheet(GUIDE[0] if book.short == "zh" else GUIDE[1])
    page.set_column(0, 6, 20)
    page.set_column(6, 6, 60)
    page.write_string(0, 0, _GUIDE_TITLE[book.short], book.formats["title"])
    for row, line in enumerate(_GUIDE_LINES[book.short], start=1):
        page.write_string(row, 0, line)
    at = len(_GUIDE_LINES[book.short]) + 2
    for place, header in enumerate(_GUIDE_HEADERS[book.short]):
        page.write_string(at, place, header, book.formats["header"])
    for sheet in sheets:
        for column in sheet.columns:
            at += 1
            for place, text in enumerate(_guide_row(book, sheet, column)):
                page.write_string(at, place, text, book.formats["wrap"])


def _guide_row(book: _Book, sheet: Sheet, column: Column) -> tuple[str, ...]:
    other = "en" if book.short == "zh" else "zh"
    yes = {"zh": "是", "en": "yes"}[book.short] if column.field in required_fields(sheet.name) else ""
    words = "、".join(_word_shown(column.words, word, book.short) for word in column.words)
    return (
        sheet.title(book.short),
        column.header(book.short),
        column.header(other),
        column.kind,
        yes,
        column.example,
        words,
    )


def _write_sheet(book: _Book, sheet: Sheet, records: Iterable[Record]) -> None:
    page = book.workbook.add_worksheet(sheet.title(book.short))
    page.freeze_panes(1, 1)
    required = required_fields(sheet.name)
    for place, column in enumerate(sheet.columns):
        header = column.header(book.short) + (f" ({book.zone.key})" if column.kind is Kind.INSTANT else "")
        page.write_string(0, place, header, book.formats["required" if column.field in required else "header"])
        width = _WIDTH_OF.get(column.kind, max(14, len(header) * 2 if book.short == "zh" else len(header) + 2))
        page.set_column(place, place, width, book.formats[_STYLE_OF.get(column.kind, "text")])
        _offer_words(page, book, place, column)
    rows = 0
    for rows, record in enumerate(records, start=1):
        for place, column in enumerate(sheet.columns):
            _write_cell(page, book, (rows, place), column, getattr(record, column.field))
    page.autofilter(0, 0, max(rows, 1), len(sheet.columns) - 1)


def _offer_words(page: Worksheet, book: _Book, place: int, column: Column) -> None:
    words = YES_NO if column.kind is Kind.YES_NO else column.words
    shown = [_word_shown(words, word, book.short) for word in words]
    if column.kind in (Kind.CHOICE, Kind.YES_NO, Kind.WORD) and shown and len(",".join(shown)) <= _LISTED:
        strict = "information" if column.kind is Kind.WORD else "stop"
        options = {
            "validate": "list",
            "source": shown,
            "error_type": strict,
            "show_error": column.kind is not Kind.WORD,
        }
        page.data_validation(1, place, ROWS_AHEAD, place, options)


def _write_cell(page: Worksheet, book: _Book, at: tuple[int, int], column: Column, value: Any) -> None:  # noqa: ANN401 - a field of any type
    row, place = at
    if value is None or value == "":
        return
    style = book.formats[_STYLE_OF.get(column.kind, "text")]
    number = _number_shown(column, value)
    if number is not None:
        if number.is_integer() and _STYLE_OF.get(column.kind) == "amount":
            style = book.formats["whole"]  # Excel would show 1200 as "1,200.00"
        page.write_number(row, place, number, style)
    elif isinstance(value, datetime) and _is_plain_time(value.astimezone(book.zone)):
        page.write_datetime(row, place, value.astimezone(book.zone).replace(tzinfo=None), style)
    elif isinstance(value, date) and not isinstance(value, datetime):
        page.write_datetime(row, place, value, style)
    else:
        page.write_string(row, place, _text_shown(column, value, book.short), style)


def _number_shown(column: Column, value: object) -> float | None:
    # A number only where Excel's binary float gives the same decimal back; else it is written as text.
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return None
    exact = Decimal(value)
    shown = exact.scaleb(-2) if column.kind is Kind.PERCENT else exact
    number = float(shown)
    return number if Decimal(f"{number:.15g}") == shown else None


def _is_plain_time(at: datetime) -> bool:
    """Whether a cell can hold it as a bare time: to the second, not the doubled hour, not midnight (read as a date)."""
    return not (at.microsecond or at.fold or at.time() == time())


def _text_shown(column: Column, value: object, short: str) -> str:
    if isinstance(value, bool):
        return _word_shown(YES_NO, "yes" if value else "no", short)
    if isinstance(value, Decimal):
        return f"{value:f}%" if column.kind is Kind.PERCENT else f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    return _word_shown(column.words, str(value), short) if column.words else str(value)


def _word_shown(words: Mapping[str, tuple[str, ...]], word: str, short: str) -> str:
    return words[word][0] if short == "zh" and words.get(word) else word
