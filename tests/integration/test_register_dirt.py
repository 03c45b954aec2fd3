from __future__ import annotations

import datetime as dt
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from pfflow.domain.facts import Facts
from pfflow.register import Problem, Reading, Severity, read_register

CLEAN: dict[str, list[list[Any]]] = {
    "参与方": [
        [
            "参与方编号",
            "英文名称",
            "中文名称",
            "类型",
            "注册资本",
            "币种",
            "上级编号",
            "持股比例",
            "LEI",
            "USCC",
            "数据日期",
        ],
        ["P1", "Bank", "银行", "政策性银行", "1.2亿", "CNY", None, None, None, None, "2026-03-15"],
        ["P2", "Sponsor", "发起人", "sponsor", 5000000, "CNY", "P1", "60%", None, None, None],
        ["P3", "Fund", "基金", "机构投资者", None, None, "P2", None, None, None, None],
    ],
    "联系人": [
        ["联系人编号", "参与方编号", "姓名", "邮箱", "语言", "时区", "已退订"],
        ["C1", "P1", "李华", "li@bank.example", "中文", "Asia/Shanghai", "否"],
        ["C2", "P2", "Ann", "ann@sponsor.example", "en", None, None],
    ],
    "项目": [
        ["项目编号", "名称", "阶段", "发起人编号", "总投资", "币种", "贷款利率", "融资关闭日", "到期日"],
        ["PRJ1", "Expressway", "实施", "P2", "86亿", "CNY", "4.5%", "2025-12-18", "2045-12-18"],
    ],
    "项目角色": [
        ["项目编号", "参与方编号", "角色", "份额", "起始日", "截止日"],
        ["PRJ1", "P1", "贷款人", "60%", "2026-01-01", None],
        ["PRJ1", "P3", "贷款人", "40%", None, None],
    ],
    "财务数据": [
        ["主体编号", "期末日", "指标", "数值", "币种"],
        ["PRJ1", "2026年3月", "cfads", "1,200.50", "CNY"],
    ],
    "预算": [["项目编号", "预算科目", "金额", "币种"], ["PRJ1", "B-01", "12亿", "CNY"]],
    "资金使用": [
        ["日期", "项目编号", "金额", "币种", "预算科目", "凭证号"],
        ["2026-03-15", "PRJ1", "3,200万", "CNY", "B-01", "V1"],
        ["2026-03-16", "PRJ1", "100万", "CNY", "B-01", "V2"],
    ],
    "职责分工": [
        ["阶段", "活动", "角色", "职责"],
        ["实施", "fund-use", "运营部", "A"],
        ["实施", "fund-use", "财务部", "R"],
    ],
    "风险评估": [["项目编号", "风险因素", "评分", "权重"], ["PRJ1", "market", 2, "30%"]],
    "合同义务": [
        ["义务编号", "项目编号", "类型", "说明", "频率", "首期", "末期", "指标", "比较", "阈值", "宽限天数"],
        ["O1", "PRJ1", "covenant", "DSCR", "半年度", "2026-06-30", "2045-12-31", "dscr", ">=", 1.15, 10],
    ],
    "往来记录": [
        ["外部编号", "项目编号", "联系人编号", "时间", "类型"],
        ["I1", "PRJ1", "C1", "2026-03-15 10:00", "会议"],
    ],
    "满意度调查": [
        ["调查编号", "项目编号", "答卷方编号", "日期", "题目", "得分"],
        ["S1", "PRJ1", "P1", "2026-03-31", "nps", 9],
    ],
}


FIRST_SHEET = "xl/worksheets/sheet1.xml"


def workbook_of(tmp_path: Path, soil: Callable[[Workbook], object] | None = None) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in CLEAN.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    if soil is not None:
        soil(book)
    path = tmp_path / "register.xlsx"
    book.save(path)
    return path


def with_cell(sheet: str, at: str, value: Any, number_format: str = "General") -> Callable[[Workbook], None]:
    def soil(book: Workbook) -> None:
        book[sheet][at] = value
        if number_format != "General":
            book[sheet][at].number_format = number_format

    return soil


def with_row(sheet: str, *values: Any) -> Callable[[Workbook], None]:
    return lambda book: book[sheet].append(list(values))


def with_sheet(sheet: str, change: Callable[[Worksheet], object]) -> Callable[[Workbook], None]:
    def soil(book: Workbook) -> None:
        change(book[sheet])

    return soil


def stopping(reading: Reading) -> list[Problem]:
    return [problem for problem in reading.problems if problem.stops_the_import]


def test_the_clean_register_has_neither_problem_nor_remark(tmp_path: Path) -> None:
    reading = read_register(workbook_of(tmp_path))
    assert [str(problem) for problem in reading.problems] == []
    assert {name: len(records) for name, records in reading.facts.sheets().items() if records} == {
        "parties": 3,
        "contacts": 2,
        "projects": 1,
        "participations": 2,
        "financials": 1,
        "budget": 1,
        "fund_use": 2,
        "raci": 2,
        "assessments": 1,
        "obligations": 1,
        "interactions": 1,
        "surveys": 1,
    }
    # 10:00 at the contact's own zone, Asia/Shanghai, is 02:00 UTC.
    assert reading.facts.interactions[0].at == dt.datetime(2026, 3, 15, 2, 0, tzinfo=dt.UTC)


def with_offset_days(days: int) -> Callable[[Workbook], None]:
    def soil(book: Workbook) -> None:
        book["合同义务"]["L1"], book["合同义务"]["L2"] = "期后天数", days

    return soil


def with_channel(channel: str) -> Callable[[Workbook], None]:
    def soil(book: Workbook) -> None:
        book["联系人"]["H1"], book["联系人"]["H2"] = "渠道", channel

    return soil


def hung_on(milestone: str, *, first: str | None = None, often: str = "一次") -> Callable[[Workbook], None]:
    """Let O1 be owed once for a milestone; the project has the commercial operation."""

    def soil(book: Workbook) -> None:
        _with_cod(book)
        sheet = book["合同义务"]
        sheet["L1"], sheet["L2"] = "所依据节点", milestone
        for cell, value in {"E2": often, "F2": first, "G2": None, "H2": None, "I2": None, "J2": None}.items():
            sheet[cell] = value

    return soil


def condition_hung_on(milestone: str, *, due: str | None = None, days: int = -30) -> Callable[[Workbook], None]:
    """Add a condition that is due for a milestone; the project has the commercial operation."""

    def soil(book: Workbook) -> None:
        _with_cod(book)
        sheet = book.create_sheet("先决条件")
        sheet.append(["项目编号", "条件编号", "内容", "到期日", "所依据节点", "节点后天数"])
        sheet.append(["PRJ1", "CP-1", "Insurance", due, milestone, days])

    return soil


def _with_cod(book: Workbook) -> None:
    sheet = book.create_sheet("里程碑")
    sheet.append(["项目编号", "节点编号", "计划日期"])
    sheet.append(["PRJ1", "商业运营", "2028-06-30"])


@pytest.mark.parametrize("soil", [hung_on("通车"), condition_hung_on("cod")], ids=["an undertaking", "a condition"])
def test_what_hangs_on_a_milestone_that_is_there_is_no_problem(
    tmp_path: Path, soil: Callable[[Workbook], None]
) -> None:
    reading = read_register(workbook_of(tmp_path, soil))
    assert not [str(problem) for problem in reading.problems if problem.stops_the_import]
    (one,) = reading.facts.conditions or reading.facts.obligations
    assert one.milestone == "cod"


@dataclass(frozen=True)
class Dirt:
    name: str
    soil: Callable[[Workbook], object]
    sheet: str
    row: int
    column: str
    says: str


DIRT = (
    Dirt("an approximate amount", with_cell("参与方", "E2", "1.2亿元左右"), "参与方", 2, "E", "approximate"),
    Dirt("an amount with about", with_cell("参与方", "E2", "约1亿"), "参与方", 2, "E", "approximate"),
    Dirt("a continental amount", with_cell("参与方", "E2", "1.200,50"), "参与方", 2, "E", "two ways"),
    Dirt("text in an amount", with_cell("项目", "E2", "见附件"), "项目", 2, "E", "not an amount"),
    Dirt("a negative capital", with_cell("参与方", "E3", -5), "参与方", 3, "E", "negative"),
    Dirt("a negative budget", with_cell("预算", "C2", "(1,200)"), "预算", 2, "C", "negative"),
    Dirt("a truth value for an amount", with_cell("参与方", "E3", True), "参与方", 3, "E", "truth value"),
    Dirt("a percentage for an amount", with_cell("参与方", "E3", 0.5, "0%"), "参与方", 3, "E", "percentage"),
    Dirt("two currencies in a row", with_cell("参与方", "E2", "1.2亿美元"), "参与方", 2, "E", "USD here and CNY"),
    Dirt("an unknown currency", with_cell("参与方", "F2", "XYZ"), "参与方", 2, "F", "ISO 4217"),
    Dirt("an ambiguous date", with_cell("资金使用", "A2", "3/4/2026"), "资金使用", 2, "A", "2026-03-04 or 2026-04-03"),
    Dirt("a date no calendar has", with_cell("资金使用", "A2", "2026-02-30"), "资金使用", 2, "A", "no calendar has"),
    Dirt("a month for a day", with_cell("资金使用", "A2", "2026年3月"), "资金使用", 2, "A", "only a month"),
    Dirt("a year of two digits", with_cell("资金使用", "A2", "26.3.15"), "资金使用", 2, "A", "two digits"),
    Dirt("a number for a date", with_cell("资金使用", "A2", 12), "资金使用", 2, "A", "no date"),
    Dirt(
        "a time of day for a date",
        with_cell("资金使用", "A2", dt.datetime(2026, 3, 15, 9, 30)),
        "资金使用",
        2,
        "A",
        "with a time",
    ),
    Dirt("a month that lost its zero", with_cell("财务数据", "B2", 2026.1), "财务数据", 2, "B", "2026.10"),
    Dirt(
        "the first of a month for a period",
        with_cell("财务数据", "B2", dt.date(2026, 3, 1)),
        "财务数据",
        2,
        "B",
        "2026-03-31",
    ),
    Dirt("a time without a zone", with_cell("往来记录", "C2", "C2"), "往来记录", 2, "D", "without a zone"),
    Dirt(
        "an instant without a time",
        with_cell("往来记录", "D2", dt.date(2026, 3, 15)),
        "往来记录",
        2,
        "D",
        "time of day",
    ),
    Dirt("a fraction for a percentage", with_cell("参与方", "H3", 0.6), "参与方", 3, "H", "percentage or a fraction"),
    Dirt("more than the whole", with_cell("参与方", "H3", "120%"), "参与方", 3, "H", "outside 0% to 100%"),
    Dirt("a rate that may be percent", with_cell("项目", "G2", 4.5), "项目", 2, "G", "write 4.5%"),
    Dirt("a bad e-mail", with_cell("联系人", "D2", "li@bank"), "联系人", 2, "D", "e-mail address"),
    Dirt(
        "several e-mails",
        with_cell("联系人", "D2", "li@bank.example; wang@bank.example"),
        "联系人",
        2,
        "D",
        "row of its own",
    ),
    Dirt(
        "several e-mails on two lines",
        with_cell("联系人", "D2", "a@b.example\nc@b.example"),
        "联系人",
        2,
        "D",
        "several",
    ),
    Dirt("an unknown time zone", with_cell("联系人", "F2", "UTC+8"), "联系人", 2, "F", "IANA"),
    Dirt("an unknown language", with_cell("联系人", "E2", "Mandarin Chinese"), "联系人", 2, "E", "BCP 47"),
    Dirt("neither yes nor no", with_cell("联系人", "G2", "也许"), "联系人", 2, "G", "neither yes nor no"),
    Dirt(
        "an address that is not ASCII",
        with_cell("联系人", "D2", "李华@bank.example"),
        "联系人",
        2,
        "D",
        "give the plain address",
    ),
    Dirt("an unknown channel", with_channel("传真"), "联系人", 2, "H", "write one of email (邮件), phone (电话)"),
    Dirt("a room for a channel", with_channel("joint-command"), "联系人", 2, "H", "wecom (企业微信)"),
    Dirt("a bad LEI", with_cell("参与方", "I2", "969500KSV493XWY0PS34"), "参与方", 2, "I", "check digits should be 33"),
    Dirt("a bad USCC", with_cell("参与方", "J2", "91350100M000100Y4Z"), "参与方", 2, "J", "contains Z"),
    Dirt("a USCC that Excel rounded", with_cell("参与方", "J2", 913501000000000000), "参与方", 2, "J", "rounded"),
    Dirt("an unknown kind", with_cell("参与方", "D2", "神仙"), "参与方", 2, "D", "policy-bank (政策性银行)"),
    Dirt("an unknown phase", with_cell("项目", "C2", "construction works"), "项目", 2, "C", "identification (识别)"),
    Dirt("a required cell left empty", with_cell("联系人", "C2", None), "联系人", 2, "C", "nothing is written here"),
    Dirt("a duplicate key", with_row("参与方", "P1", "Bank", None, "lender"), "参与方", 5, "A", "rows 2 and 5"),
    Dirt("a duplicate voucher", with_cell("资金使用", "F3", "V1"), "资金使用", 3, "F", "rows 2 and 3"),
    Dirt("an unknown party", with_cell("联系人", "B2", "P11"), "联系人", 2, "B", "did you mean P1"),
    Dirt("an unknown project", with_cell("项目角色", "A2", "PRJ7"), "项目角色", 2, "A", "did you mean PRJ1?"),
    Dirt("an unknown contact", with_cell("往来记录", "C2", "C9"), "往来记录", 2, "C", "no contact"),
    Dirt("an unknown budget line", with_cell("资金使用", "E2", "B-02"), "资金使用", 2, "E", "did you mean B-01?"),
    Dirt(
        "a reference that Excel made a date",
        with_cell("资金使用", "F2", dt.date(2026, 3, 4)),
        "资金使用",
        2,
        "F",
        "turned a text",
    ),
    Dirt("a formula never calculated", with_cell("项目", "E2", "=SUM(A1:A3)"), "项目", 2, "E", "never calculated"),
    Dirt("a reference error", with_cell("项目", "E2", "#REF!"), "项目", 2, "E", "an error of Excel"),
    Dirt("a missing value error", with_cell("联系人", "B2", "#N/A"), "联系人", 2, "B", "an error of Excel"),
    Dirt(
        "merged cells among the data",
        with_sheet("项目角色", lambda sheet: sheet.merge_cells("A2:A3")),
        "项目角色",
        2,
        "A",
        "A2:A3",
    ),
    Dirt("circular ownership", with_cell("参与方", "G2", "P3"), "参与方", 2, "G", "P1 → P3 → P2 → P1"),
    Dirt("a party that owns itself", with_cell("参与方", "G3", "P2"), "参与方", 3, "G", "P2 → P2"),
    Dirt("two Accountable", with_cell("职责分工", "D3", "A"), "职责分工", 3, "D", "2 Accountable (rows 2, 3)"),
    Dirt("nobody Accountable", with_cell("职责分工", "D2", "C"), "职责分工", 3, "D", "0 Accountable"),
    Dirt("shares above the whole", with_cell("项目角色", "D3", "60%"), "项目角色", 3, "D", "add up to 120%"),
    Dirt("an end before its beginning", with_cell("项目角色", "F2", "2025-01-01"), "项目角色", 2, "F", "before since"),
    Dirt("maturity before the close", with_cell("项目", "I2", "2024-01-01"), "项目", 2, "I", "before fc_date"),
    Dirt("a score off its scale", with_cell("满意度调查", "F2", 11), "满意度调查", 2, "F", "0 to 10"),
    Dirt("a score that is an average", with_cell("满意度调查", "F2", 4.5), "满意度调查", 2, "F", "whole numbers"),
    Dirt("a reference too long to spell out", with_cell("参与方", "A2", "项" * 30), "参与方", 2, "A", "Message-IDs"),
    Dirt("a grade off its scale", with_cell("风险评估", "C2", 5), "风险评估", 2, "C", "1 (strong) to 4 (weak)"),
    Dirt("a grade that is no whole number", with_cell("风险评估", "C2", 2.5), "风险评估", 2, "C", "whole number"),
    Dirt("a covenant without a threshold", with_cell("合同义务", "J2", None), "合同义务", 2, "J", "without threshold"),
    Dirt("negative grace", with_cell("合同义务", "K2", -1), "合同义务", 2, "K", "negative days"),
    Dirt("days that lead out of any calendar", with_offset_days(1_000_000), "合同义务", 2, "L", "ten years"),
    Dirt("an unknown milestone", hung_on("cods"), "合同义务", 2, "L", "did you mean cod?"),
    Dirt("a milestone and a first period", hung_on("cod", first="2026-06-30"), "合同义务", 2, "F", "milestone empty"),
    Dirt("every half-year for one milestone", hung_on("cod", often="半年度"), "合同义务", 2, "E", "owed once"),
    Dirt("a condition of no milestone", condition_hung_on("完工"), "先决条件", 2, "E", "PRJ1 has no such milestone"),
    Dirt("a condition due twice", condition_hung_on("cod", due="2028-05-31"), "先决条件", 2, "D", "milestone empty"),
    Dirt("a condition beyond any calendar", condition_hung_on("cod", days=9999), "先决条件", 2, "F", "ten years"),
    Dirt("a line break in a name", with_cell("参与方", "B2", "Bank\nof China"), "参与方", 2, "B", "line break"),
    Dirt(
        "an unknown unit in a header", with_cell("参与方", "E1", "注册资本(两)"), "参与方", 1, "E", "unit in the header"
    ),
    Dirt("a unit twice", with_cell("参与方", "E1", "注册资本(万元)"), "参与方", 2, "E", "another in the header"),
    Dirt("a column twice", with_cell("参与方", "K1", "币种"), "参与方", 1, "K", "the first is F"),
    Dirt(
        "a required column without its header", with_cell("联系人", "D1", "备注"), "联系人", 1, "", "column is missing"
    ),
    Dirt(
        "a wrong header everywhere",
        with_sheet("预算", lambda sheet: sheet.delete_rows(1)),
        "预算",
        0,
        "",
        "no header row",
    ),
    Dirt(
        "a missing sheet", lambda book: book.remove(book["项目角色"]), "", 0, "", "项目角色 (Participations) is missing"
    ),
    Dirt("a sheet twice", lambda book: book.create_sheet("Parties"), "Parties", 0, "", "the first is 参与方"),
    Dirt("a cell far away", with_cell("预算", "XFD1048576", 1), "预算", 0, "", "1,048,576 rows"),
)


@pytest.mark.parametrize("dirt", DIRT, ids=lambda dirt: dirt.name.replace(" ", "-"))
def test_dirt_is_told_with_its_place(tmp_path: Path, dirt: Dirt) -> None:
    reading = read_register(workbook_of(tmp_path, dirt.soil))
    told = [p for p in stopping(reading) if (p.sheet, p.row, p.column) == (dirt.sheet, dirt.row, dirt.column)]
    assert len(told) == 1, [str(problem) for problem in reading.problems]
    assert dirt.says in str(told[0])
    assert told[0].file == "register.xlsx"
    assert not reading.can_be_written
    assert "\n" not in str(told[0])


def test_a_message_is_one_line_with_everything_in_it(tmp_path: Path) -> None:
    reading = read_register(workbook_of(tmp_path, with_cell("参与方", "E2", "1.2亿元左右")))
    (problem,) = reading.problems
    assert str(problem) == (
        'register.xlsx · 参与方 · row 2 · column E (registered_capital) · "1.2亿元左右": '
        "an approximate amount; write 1.2亿, 12,000万 or 120000000"
    )


def test_a_bad_row_is_left_out_and_what_refers_to_it_is_not_blamed(tmp_path: Path) -> None:
    reading = read_register(workbook_of(tmp_path, with_cell("参与方", "E2", "约1亿")))
    assert [party.party_ref for party in reading.facts.parties] == ["P2", "P3"]
    assert len(reading.problems) == 1


REMARKS = (
    Dirt("a column of one's own", with_cell("联系人", "H1", "生日"), "联系人", 1, "H", "not kept"),
    Dirt("a sheet of one's own", lambda book: book.create_sheet("草稿"), "草稿", 0, "", "not read"),
    Dirt("a refund", with_cell("资金使用", "C3", "-100万"), "资金使用", 3, "C", "refund"),
    Dirt(
        "a note below the table",
        with_sheet("联系人", lambda sheet: sheet.cell(9, 9, "制表")),
        "联系人",
        9,
        "I",
        "not kept",
    ),
    Dirt("a total", with_row("资金使用", "合计", None, "3,300万"), "资金使用", 4, "A", "a total"),
    Dirt("a dash for nothing", with_cell("参与方", "E2", "—"), "参与方", 2, "E", "read as empty"),
    Dirt("nobody Responsible", with_cell("职责分工", "D3", "C"), "职责分工", 3, "D", "nobody Responsible"),
)


@pytest.mark.parametrize("dirt", REMARKS, ids=lambda dirt: dirt.name.replace(" ", "-"))
def test_what_is_harmless_is_remarked_and_stops_nothing(tmp_path: Path, dirt: Dirt) -> None:
    reading = read_register(workbook_of(tmp_path, dirt.soil))
    assert reading.can_be_written
    assert [(p.sheet, p.row, p.column, p.severity) for p in reading.problems] == [
        (dirt.sheet, dirt.row, dirt.column, Severity.REMARK)
    ]
    assert dirt.says in str(reading.problems[0])


def test_titles_and_merged_group_headers_above_the_header_are_skipped(tmp_path: Path) -> None:
    def soil(book: Workbook) -> None:
        sheet = book["参与方"]
        sheet.insert_rows(1, 2)
        sheet["A1"] = "某高速公路项目参与方登记簿（2026年3月）"
        sheet["B2"] = "基本信息"
        # The reference column's header is merged over both header rows and stands in the upper one.
        sheet["A2"], sheet["A3"] = "参与方编号", None
        sheet.merge_cells("A1:K1")
        sheet.merge_cells("B2:D2")
        sheet.merge_cells("A2:A3")

    reading = read_register(workbook_of(tmp_path, soil))
    assert [str(problem) for problem in reading.problems] == []
    assert [party.party_ref for party in reading.facts.parties] == ["P1", "P2", "P3"]


def test_a_hidden_sheet_is_read_as_the_others(tmp_path: Path) -> None:
    def soil(book: Workbook) -> None:
        book["资金使用"].sheet_state = "hidden"

    assert len(read_register(workbook_of(tmp_path, soil)).facts.fund_use) == 2


def test_headers_in_english_in_any_order_case_and_width_are_understood(tmp_path: Path) -> None:
    def soil(book: Workbook) -> None:
        book["联系人"].title = "CONTACTS"
        for at, header in enumerate(
            (
                "Contact_Ref *",
                "ＰＡＲＴＹ　ＲＥＦ",
                " name",
                "邮箱 E-mail",
                "语言/Language",
                "TimeZone",
                "unsubscribed",
            ),
            1,
        ):
            book["CONTACTS"].cell(1, at, header)

    reading = read_register(workbook_of(tmp_path, soil))
    assert reading.problems == ()
    assert reading.facts.contacts[0].email == "li@bank.example"


def test_units_in_headers_and_formats_of_excel_are_applied(tmp_path: Path) -> None:
    def soil(book: Workbook) -> None:
        sheet = book["参与方"]
        sheet["E1"] = "注册资本（万元）"
        sheet["E2"], sheet["E3"] = 12000, "0.1"
        sheet["H3"] = 0.333333
        sheet["H3"].number_format = "0.0%"
        book["资金使用"]["A2"] = 46096  # the serial number of 2026-03-15
        book["项目"]["G2"] = 0.045
        book["项目"]["G2"].number_format = "0.00%"

    facts = read_register(workbook_of(tmp_path, soil)).facts
    assert str(facts.parties[0].registered_capital) == "120000000"
    assert str(facts.parties[1].registered_capital) == "1000"
    assert str(facts.parties[1].ownership_pct) == "33.3333"
    assert facts.fund_use[0].paid_on == dt.date(2026, 3, 15)
    assert str(facts.projects[0].loan_rate) == "0.045"


def test_references_may_point_to_what_is_already_known(tmp_path: Path) -> None:
    known = read_register(workbook_of(tmp_path)).facts

    def soil(book: Workbook) -> None:
        for title in CLEAN:
            if title != "资金使用":
                book.remove(book[title])

    alone = workbook_of(tmp_path, soil)
    assert read_register(alone, known).problems == ()
    assert len(stopping(read_register(alone))) == 8  # 4 sheets missing; 2 rows without project and budget line


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def test_a_formula_with_a_calculated_value_is_read(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, with_cell("参与方", "E3", "=2+3"))
    path = rewritten(path, FIRST_SHEET, lambda xml: re.sub(rb"<f>2\+3</f><v(?: ?/>|></v>)", b"<f>2+3</f><v>5</v>", xml))
    reading = read_register(path)
    assert reading.problems == ()
    assert str(reading.facts.parties[1].registered_capital) == "5"


def test_a_cell_of_ten_megabytes_is_told_in_one_short_line(tmp_path: Path) -> None:
    path = workbook_of(tmp_path, with_cell("参与方", "B2", "TEN"))
    path = rewritten(path, FIRST_SHEET, lambda xml: xml.replace(b"<t>TEN</t>", b"<t>" + b"x" * 10**7 + b"</t>"))
    (problem,) = read_register(path).problems
    assert (problem.sheet, problem.row, problem.column) == ("参与方", 2, "B")
    assert "10,000,000 characters" in str(problem)
    assert len(str(problem)) < 300


def test_a_million_empty_formatted_rows_are_read_in_bounded_time(tmp_path: Path) -> None:
    path = workbook_of(tmp_path)
    rows = b"".join(
        b'<row r="%d" s="1" customFormat="1"><c r="A%d" s="1"/></row>' % (n, n) for n in range(5, 1_048_577)
    )
    path = rewritten(path, FIRST_SHEET, lambda xml: xml.replace(b"</sheetData>", rows + b"</sheetData>"))
    began = time.monotonic()
    reading = read_register(path)
    assert time.monotonic() - began < 30
    assert reading.problems == ()
    assert len(reading.facts.parties) == 3


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = workbook_of(tmp_path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/media/a.bin", "w") as part:
        for _ in range(300):
            part.write(bytes(2**20))
    (problem,) = read_register(path).problems
    assert "unpacks to 300 MB" in str(problem)


def test_entities_are_refused(tmp_path: Path) -> None:
    doctype = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    path = workbook_of(tmp_path)
    path = rewritten(path, FIRST_SHEET, lambda xml: doctype + xml)
    (problem, *_) = stopping(read_register(path))
    assert (problem.sheet, "document type" in problem.what) == ("参与方", True)


def no_files(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    contents = {
        "text.xlsx": (b"hello", "no workbook"),
        "empty.xlsx": (b"", "is empty"),
        "secret.xlsx": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        "cut.xlsx": (b"PK\x03\x04" + bytes(100), "no workbook"),
        "one.csv": (b"a,b", "one CSV file"),
    }
    for name, (data, says) in contents.items():
        (tmp_path / name).write_bytes(data)
        yield tmp_path / name, says
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    yield tmp_path / "other.xlsx", "has no part xl/workbook.xml"
    yield tmp_path / "absent.xlsx", "is not there"
    (tmp_path / "folder").mkdir()
    yield tmp_path / "folder", "holds no CSV files"


def test_what_is_no_workbook_is_one_problem(tmp_path: Path) -> None:
    for path, says in no_files(tmp_path):
        reading = read_register(path)
        assert reading.facts == Facts()
        assert [problem.stops_the_import for problem in reading.problems] == [True], path.name
        assert says in str(reading.problems[0])


def test_a_workbook_cut_at_any_place_is_told(tmp_path: Path) -> None:
    whole = workbook_of(tmp_path).read_bytes()
    for share in range(1, 20):
        path = tmp_path / "cut.xlsx"
        path.write_bytes(whole[: len(whole) * share // 20])
        assert len(stopping(read_register(path))) == 1


def test_a_flipped_byte_is_told_or_harmless(tmp_path: Path) -> None:
    clean = workbook_of(tmp_path)
    whole, facts = clean.read_bytes(), read_register(clean).facts
    path = tmp_path / "flipped.xlsx"
    for place in range(0, len(whole), max(1, len(whole) // 150)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        reading = read_register(path)
        # Each part has its checksum, so what is read is either the same or told to be damaged.
        assert reading.problems or reading.facts == facts


def test_a_thousand_bad_rows_give_a_list_that_ends(tmp_path: Path) -> None:
    def soil(book: Workbook) -> None:
        for number in range(1000):
            book["联系人"].append([f"X{number}", "P1", "n", "not an address"])

    problems = stopping(read_register(workbook_of(tmp_path, soil)))
    assert len(problems) == 501
    assert any("500 more problems" in str(problem) for problem in problems)


def test_thousands_of_unknown_references_give_a_list_that_ends(tmp_path: Path) -> None:
    def soil(book: Workbook) -> None:
        for number in range(3000):
            book["资金使用"].append(["2026-03-15", "PRJ1", 1, "CNY", f"B-{number + 10}", f"W{number}"])

    problems = stopping(read_register(workbook_of(tmp_path, soil)))
    assert len(problems) == 501
    assert sum("no such line" in problem.what for problem in problems) == 500


def test_the_workbook_itself_is_never_touched(tmp_path: Path) -> None:
    path = workbook_of(tmp_path)
    before = path.read_bytes()
    read_register(path)
    assert path.read_bytes() == before
    assert load_workbook(path).sheetnames == list(CLEAN)
