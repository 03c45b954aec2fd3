from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from pfflow.domain.reports import Cell, CellKind, Column, Figure, Report, Table
from pfflow.domain.words import EN, ZH, Words
from pfflow.rendering.formats import figure, ratio
from pfflow.rendering.reports import report_html, report_markdown, report_text, shown
from pfflow.rendering.workbooks import report_xlsx, workbook_name

COLUMNS = (
    Column(Words("收款单位", "Payee")),
    Column(Words("日期", "Date"), CellKind.DATE),
    Column(Words("金额", "Amount"), CellKind.AMOUNT),
    Column(Words("倍数", "Ratio"), CellKind.RATIO),
    Column(Words("占比", "Share"), CellKind.PERCENT),
    Column(Words("笔数", "Count"), CellKind.COUNT),
)
ROW: tuple[Cell, ...] = ("=HYPERLINK(1)", "2026-01-15", "1234567.8", "1.14999", "87.5", "1200")


PAYMENTS = Words("付款", "Payments")


def make_report(*rows: tuple[Cell, ...], title: Words = PAYMENTS, tables: int = 1) -> Report:
    table = Table(name="payments", title=title, columns=COLUMNS, rows=rows, note=Words("未经审计", "Unaudited"))
    return Report(
        name="fund-use",
        title=Words("资金使用报告", "Fund-use report"),
        figures=(Figure(Words("合计", "Total"), "128000000", CellKind.AMOUNT, "CNY"),),
        tables=(table,) * tables,
        paragraphs=(Words("说明", "Remarks"),),
        sources=("fund_use, 2026-01",),
    )


def test_a_workbook_keeps_numbers_as_numbers_and_dates_as_dates() -> None:
    book = load_workbook(BytesIO(report_xlsx(make_report(ROW), EN)))
    assert book.sheetnames == ["Summary", "Payments"]
    sheet = book["Payments"]
    assert [cell.value for cell in sheet[1]] == ["Payee", "Date", "Amount", "Ratio", "Share", "Count"]
    assert [cell.value for cell in sheet[2]] == ["=HYPERLINK(1)", datetime(2026, 1, 15), 1234567.8, 1.14999, 87.5, 1200]
    assert sheet["C2"].number_format.startswith("#,##0.00")
    assert sheet["E2"].number_format == '0.0#"%"'
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:F2"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "{=1}", "https://example.com", "=cmd|' /C calc'!A0"]
)
def test_text_is_never_a_formula_or_a_link(text: str) -> None:
    row: tuple[Cell, ...] = (text, None, None, None, None, None)
    content = report_xlsx(make_report(row), EN)
    with ZipFile(BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet2.xml").decode()
        names = archive.namelist()
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert not [name for name in names if "_rels/sheet" in name]
    assert load_workbook(BytesIO(content))["Payments"]["A2"].data_type in {"s", "f"}


def test_equal_reports_give_equal_bytes_and_other_reports_others() -> None:
    assert report_xlsx(make_report(ROW), ZH) == report_xlsx(make_report(ROW), ZH)
    assert report_xlsx(make_report(ROW), ZH) != report_xlsx(make_report(), ZH)


def test_a_number_with_more_digits_than_excel_keeps_stays_exact_as_text() -> None:
    row: tuple[Cell, ...] = ("x", None, "12345678901234567.89", None, None, None)
    sheet = load_workbook(BytesIO(report_xlsx(make_report(row), EN)))["Payments"]
    assert sheet["C2"].value == "12345678901234567.89"


def test_a_value_that_is_not_what_its_column_says_is_kept_as_text() -> None:
    row: tuple[Cell, ...] = ("x", "soon", "n/a", "NaN", "Infinity", "many")
    sheet = load_workbook(BytesIO(report_xlsx(make_report(row), EN)))["Payments"]
    assert [cell.value for cell in sheet[2]] == ["x", "soon", "n/a", "NaN", "Infinity", "many"]


def test_sheet_names_are_legal_short_and_unique() -> None:
    title = Words("", "Payments [Q1/2026]: all accounts of the borrower")
    names = load_workbook(BytesIO(report_xlsx(make_report(ROW, title=title, tables=3), EN))).sheetnames
    assert len(set(names)) == 4
    assert all(len(name) <= 31 for name in names)
    assert names[1].startswith("Payments  Q1 2026")


def test_a_file_name_is_readable_and_legal_everywhere() -> None:
    report = Report(name="x", title=Words("资金/使用:报告\r\n", ""))
    assert workbook_name(report, ZH, "2026-01-15") == "资金 使用 报告 2026-01-15.xlsx"
    told = Report(name="x", title=Words("", "Scorecard, 2026-01"))
    assert workbook_name(told, EN, "2026-01-31") == "Scorecard, 2026-01.xlsx"


def test_html_aligns_numbers_right_and_escapes_what_people_wrote() -> None:
    html = report_html(make_report(("<b>&", *ROW[1:])), EN)
    assert "&lt;b&gt;&amp;" in html
    assert 'text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;">1,234,567.80</td>' in html
    assert "CNY 128,000,000.00" in html
    assert "15 January 2026" in html


def test_markdown_keeps_markup_out_of_cells() -> None:
    text = report_markdown(make_report(("a|b <i>*x*\nnext", *ROW[1:])), ZH)
    assert "| a\\|b &lt;i&gt;\\*x\\* next | 2026年1月15日 | 1,234,567.80 | 1.1499 | 87.5% | 1,200 |" in text
    assert "| --- | --- | ---: | ---: | ---: | ---: |" in text
    assert "- **合计**: 128,000,000.00 元（1.28亿元）" in text


def test_text_tables_align_where_chinese_characters_take_two_columns() -> None:
    text = report_text(shown(make_report(("甲公司", *ROW[1:]), ("Hualu", *ROW[1:])), ZH), ZH)
    lines = [line for line in text.splitlines() if "1,234,567.80" in line]
    assert lines[0].index("2026") == lines[1].index("2026") - 3  # 甲公司: 3 characters in 6 columns


def test_a_letter_shows_the_first_rows_and_says_how_many_more_there_are() -> None:
    view = shown(make_report(*[ROW] * 50), EN, rows=40)
    assert len(view.tables[0].rows) == 40
    assert "10 more rows; the attached workbook has every figure" in report_text(view, EN)


def test_a_cover_ratio_below_its_threshold_is_never_shown_as_meeting_it() -> None:
    assert ratio(Decimal("1.14996")) == "1.1499"
    assert ratio(Decimal("-1.10001")) == "-1.1001"


@pytest.mark.parametrize(
    ("value", "unit", "zh", "en"),
    [
        ("9999", "CNY", "9,999.00 元", "CNY 9,999.00"),
        ("12000", "CNY", "12,000.00 元（1.2万元）", "CNY 12,000.00"),
        ("123456789.12", "USD", "123,456,789.12 美元（约1.23亿美元）", "USD 123,456,789.12"),
        ("-120000000", "EUR", "-120,000,000.00 欧元（-1.2亿欧元）", "EUR -120,000,000.00"),
        ("n/a", "CNY", "n/a 元", "CNY n/a"),
    ],
)
def test_amounts_are_exact_and_chinese_readers_get_wan_and_yi(value: str, unit: str, zh: str, en: str) -> None:
    assert figure(value, CellKind.AMOUNT, unit, ZH) == zh
    assert figure(value, CellKind.AMOUNT, unit, EN) == en
