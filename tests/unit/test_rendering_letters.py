from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.letters import Letter
from pfflow.domain.notices import Attendee, Invitation, Method, Notice
from pfflow.domain.parties import Contact
from pfflow.domain.reports import CellKind, Column, Figure, Report, Table
from pfflow.domain.words import EN, LANGUAGES, ZH, Stage, Words
from pfflow.rendering.errors import RenderingError
from pfflow.rendering.letters import Renderer
from pfflow.rendering.shipped import shipped_templates

NOTICES = sorted(
    str(path.parent.relative_to(shipped_templates()))
    for stage in Stage
    for path in shipped_templates().glob(f"{stage}/*/body.txt")
)
EXPECTED = {
    "identification": {"kickoff", "reminder", "escalation"},
    "information_gathering": {"request", "reminder", "escalation", "risk_warning", "milestone_warning"},
    "service_design": {"approval_request", "reminder", "escalation", "offer"},
    "communication": {"announcement", "invitation", "cancellation", "request", "reminder", "report", "escalation"},
    "evaluation": {"scorecard", "reminder", "escalation"},
}
CONTACTS = {
    ZH: Contact(contact_ref="C-01", party_ref="P-01", name="王建国", email="wang@example.com", language="zh-CN"),
    EN: Contact(
        contact_ref="C-02",
        party_ref="P-02",
        name="Ana Martín",
        email="ana@example.com",
        language="en-GB",
        timezone="Europe/Madrid",
    ),
}
REPORT = Report(
    name="fund-use",
    title=Words("资金使用报告", "Fund-use report"),
    figures=(Figure(Words("本期支出", "Paid this period"), "128000000", CellKind.AMOUNT, "CNY"),),
    tables=(
        Table(
            name="lines",
            title=Words("按预算科目", "By budget line"),
            columns=(Column(Words("科目", "Budget line")), Column(Words("金额", "Amount"), CellKind.AMOUNT)),
            rows=((Words("路基工程", "Earthworks"), "1234567.8"), (Words("桥梁", "Bridges"), None)),
        ),
    ),
    paragraphs=(Words("各项支出均有凭证。", "Each payment has its voucher."),),
    sources=("fund_use 2026-01",),
)
INVITATION = Invitation(
    uid="G1/weekly/2026-01-15@pfflow.example.com",
    sequence=0,
    method=Method.REQUEST,
    starts_at=datetime(2026, 1, 15, 9, tzinfo=UTC),
    ends_at=datetime(2026, 1, 15, 10, 30, tzinfo=UTC),
    timezone="Asia/Shanghai",
    summary=Words("周例会", "Weekly meeting"),
    description=Words("本周进展", "Progress of the week"),
    organizer_name=Words("融资部", "Financing team"),
    organizer_email="house@example.com",
    attendees=(Attendee("C-01", "王建国", "wang@example.com"),),
    location=Words("三楼会议室", "Room 3"),
)
MEASURES = [
    {
        "title": {"zh": "完工担保", "en": "Completion guarantee"},
        "family": "guarantee",
        "kind": "completion",
        "because": {"zh": "评级为三级", "en": "the grade is satisfactory"},
        "steps": [{"zh": "出具保函", "en": "issue the guarantee"}],
        "documents": [{"zh": "保函", "en": "guarantee deed"}],
    }
]
DETAILS: Mapping[str, Mapping[str, Any]] = {
    "gathering": {
        "party": {"zh": "华路投资", "en": "Hualu Capital"},
        "items": [
            {
                "name": "audited",
                "title": {"zh": "审计报告", "en": "Audited accounts"},
                "state": "stale",
                "as_of": "2024-12-31",
            },
            {"name": "capital", "title": {"zh": "资本规模", "en": "Capital size"}, "state": "missing", "as_of": None},
        ],
        "have": 5,
        "of": 7,
    },
    "risk_warning": {
        "metric": "DSCR",
        "value": "1.12",
        "threshold": "1.15",
        "operator": ">=",
        "period_end": "2025-12-31",
        "clause_ref": "20.2",
        "description": {"zh": "连续第一期低于约定。", "en": "It is the first period below."},
        "numbers": [
            {"label": {"zh": "可用现金流", "en": "CFADS"}, "value": "112000000", "kind": "amount", "unit": "CNY"},
            {"label": {"zh": "偿债额", "en": "Debt service"}, "value": "100000000", "kind": "amount", "unit": "CNY"},
        ],
        "sources": ["financials 2025-12-31"],
        "consequence": {"zh": "暂停分红。", "en": "Distributions are locked up."},
    },
    "milestone_warning": {
        "milestone": {"zh": "桥梁合龙", "en": "Bridge closure"},
        "planned_on": "2026-03-01",
        "forecast_on": "2026-04-15",
        "slip_days": 45,
        "why": "2026-01",
    },
    "service_design": {
        "grade": {"zh": "三级", "en": "satisfactory"},
        "score": "2.60",
        "measures": MEASURES,
        "problems": [{"zh": "缺少担保", "en": "no guarantee yet"}],
    },
    "scorecard": {
        "department": {"zh": "财务部", "en": "Finance"},
        "month": "2026-01",
        "score": "86.5",
        "target": "85",
        "proposals": [{"zh": "缩短回复时间", "en": "answer sooner"}],
    },
}


def make_context(template: str = "communication/reminder", **changes: Any) -> dict[str, Any]:
    stage, name = template.split("/")
    kinds = {"kickoff": "meeting", "invitation": "meeting", "cancellation": "meeting", "approval_request": "approval"}
    details = DETAILS.get(name) or (DETAILS["gathering"] if stage == "information_gathering" else {})
    return {
        "house": {"name": {"zh": "项目融资部", "en": "Project Finance Desk"}, "email": "house@example.com"},
        "project": {"ref": "G1", "name": {"zh": "沿江高速", "en": "River Motorway"}, "phase": "implementation"},
        "obligation": {
            "key": "G1/fund-use-report/2026-01-15",
            "kind": kinds.get(name, "report"),
            "title": {"zh": "资金使用报告", "en": "Fund-use report"},
            "due_at": "2026-01-15T09:00:00+00:00",
            "due_on": "2026-01-15",
            "unadjusted_on": "2026-01-15",
            "provisional": False,
            "timezone": "Asia/Shanghai",
            "period_start": "2026-01-01",
            "period_end": "2026-01-15",
            "minutes": 0,
        },
        "rung": {"name": "remind-1bd-debtor", "action": "remind", "number": 1, "to": "debtor"},
        "debtor": {"zh": "财务部", "en": "Finance"},
        "creditor": {"zh": "开发银行", "en": "Development Bank"},
        "overdue_days": 3 if name == "escalation" else 0,
        "said": [{"action": "remind", "on": "2026-01-14"}] if name == "escalation" else [],
        "next": {"action": "escalate", "on": "2026-01-16", "to": {"zh": "联合指挥组", "en": "the joint command group"}},
        "reason": {"zh": "合同约定。", "en": "The agreement says so."},
        "details": {**details, **(DETAILS["service_design"] if stage == "service_design" else {})},
    } | changes


def make_notice(template: str = "communication/reminder", **changes: Any) -> Notice:
    name = template.split("/")[1]
    given: dict[str, Any] = {
        "key": "G1/fund-use-report/2026-01-15/remind-1bd-debtor/C-01",
        "project_ref": "G1",
        "obligation_key": "G1/fund-use-report/2026-01-15",
        "rung": "remind-1bd-debtor",
        "contact_ref": "C-01",
        "template": template,
        "noticed_at": datetime(2026, 1, 14, 1, tzinfo=UTC),
        "context": make_context(template),
        "invitation": {
            "kickoff": INVITATION,
            "invitation": INVITATION,
            "cancellation": replace(INVITATION, method=Method.CANCEL, sequence=1),
        }.get(name),
        "report": REPORT if name in {"report", "scorecard", "approval_request", "offer"} else None,
    } | changes
    return Notice(**given)


@cache
def shipped() -> Renderer:
    return Renderer.of_house()


def written(notice: Notice, language: str = EN) -> Letter:
    return shipped().letter(notice, CONTACTS[language])


def test_the_five_stages_have_exactly_the_notices_they_send() -> None:
    found: dict[str, set[str]] = {}
    for template in NOTICES:
        stage, name = template.split("/")
        found.setdefault(stage, set()).add(name)
    assert found == EXPECTED


def test_every_notice_folder_has_its_words_in_every_language() -> None:
    for template in NOTICES:
        folder = shipped_templates() / template
        for language in LANGUAGES:
            assert {"subject.txt", "words.txt"} <= {path.name for path in (folder / language).iterdir()}
        assert {"body.txt", "body.html"} <= {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", NOTICES)
def test_every_letter_says_what_by_when_and_under_which_reference(template: str, language: str) -> None:
    letter = written(make_notice(template), language)
    title = {ZH: "资金使用报告", EN: "Fund-use report"}[language]
    # 09:00 UTC is 17:00 in Shanghai and 10:00 in Madrid on 15 January
    due = {
        ZH: "2026年1月15日 星期四 17:00（北京时间，UTC+8）",
        EN: "Thursday 15 January 2026, 10:00 (Madrid time, UTC+1)",
    }
    for form in (letter.text, letter.html):
        assert title in form
        assert due[language] in form
        assert "G1/fund-use-report/2026-01-15" in form
        assert {ZH: "联合指挥组", EN: "the joint command group"}[language] in form
        assert CONTACTS[language].name in form
    assert title in letter.subject
    assert {ZH: "沿江高速", EN: "River Motorway"}[language] in letter.subject
    assert letter.html.startswith("<!DOCTYPE html>")
    assert letter.language == language


@pytest.mark.parametrize("template", NOTICES)
def test_a_chinese_letter_has_no_english_words_and_an_english_one_no_chinese(template: str) -> None:
    chinese, english = written(make_notice(template), ZH), written(make_notice(template), EN)
    allowed = r"G1/fund-use-report/2026-01-15|house@example\.com|DSCR|UTC|CNY|fund_use|financials|G1"
    assert re.findall(r"[A-Za-z]{2,}", re.sub(allowed, "", chinese.subject + chinese.text)) == []
    assert re.findall(r"[\u4e00-\u9fff\uff00-\uffef]", (english.subject + english.text).replace("王建国", "")) == []
    assert not re.search(r"[\u4e00-\u9fff][,;!?]", chinese.subject + chinese.text), "half-width punctuation"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", NOTICES)
def test_the_text_says_all_that_the_html_says(template: str, language: str) -> None:
    letter = written(make_notice(template), language)
    visible = re.sub(r"<style>.*?</style>|<title>.*?</title>|<[^>]+>", " ", unescape(letter.html), flags=re.DOTALL)
    numbers = set(re.findall(r"\d[\d,.]*\d", visible))
    assert numbers
    assert numbers <= set(re.findall(r"\d[\d,.]*\d", letter.text))


def test_a_time_in_another_zone_is_given_twice_and_in_the_same_zone_once() -> None:
    english, chinese = written(make_notice()), written(make_notice(), ZH)
    assert "Due, project time: Thursday 15 January 2026, 17:00 (Beijing time, UTC+8)" in english.text
    assert "项目所在地" not in chinese.text


def test_the_day_is_the_readers_day() -> None:
    # 23:30 UTC on the 15th is 07:30 on the 16th in Shanghai
    context = make_context()
    context["obligation"]["due_at"] = "2026-01-15T23:30:00+00:00"
    letter = written(make_notice(context=context), ZH)
    assert "2026年1月16日" in letter.subject


def test_a_contacts_mistyped_zone_falls_back_to_the_obligations() -> None:
    contact = replace(CONTACTS[EN], timezone="Europe/Nowhere")
    letter = shipped().letter(make_notice(), contact)
    assert "17:00 (Beijing time, UTC+8)" in letter.text


def test_moved_and_provisional_dates_say_so() -> None:
    context = make_context()
    context["obligation"] |= {"unadjusted_on": "2026-01-17", "provisional": True}
    letter = written(make_notice(context=context))
    assert "moved from 17 January 2026, not a business day" in letter.text
    assert "provisional: the holiday list is not yet published" in letter.html


def test_an_overdue_reminder_says_since_when_and_one_day_is_singular() -> None:
    letter = written(make_notice(context=make_context(overdue_days=1)))
    assert "1 business day overdue" in letter.text
    assert letter.subject.startswith("[River Motorway] Overdue")


def test_an_escalation_lists_who_was_written_to_when() -> None:
    assert "Sent before: 14 January 2026 (reminder)" in written(make_notice("communication/escalation")).text
    assert "此前函件：2026年1月14日（提醒）" in written(make_notice("communication/escalation"), ZH).text


def test_what_people_wrote_is_escaped_in_html_and_cannot_break_a_line() -> None:
    context = make_context()
    context["project"]["name"] = {"zh": "甲", "en": "<script>alert(1)</script>\r\nBcc: all@example.com\u2028x"}
    letter = written(make_notice(context=context))
    assert "<script" not in letter.html
    assert "&lt;script&gt;" in letter.html
    assert "\n" not in letter.subject
    assert "\u2028" not in letter.subject
    assert "\nBcc:" not in letter.text


def test_details_items_are_the_list_and_not_the_method_of_a_mapping() -> None:
    letter = written(make_notice("information_gathering/request"))
    assert "- Audited accounts: needs an update (ours is as of 31 December 2024)" in letter.text
    assert "5 of 7 items are complete." in letter.html


def test_a_variable_that_is_not_there_names_template_line_and_variable(tmp_path: Path) -> None:
    folder = tmp_path / "communication" / "reminder" / "en"
    folder.mkdir(parents=True)
    (folder / "words.txt").write_text("One line.\n{{ oblgation.title }}\n")
    with pytest.raises(RenderingError) as raised:
        Renderer.of_house(tmp_path).letter(make_notice(), CONTACTS[EN])
    assert raised.value.template == "communication/reminder/en/words.txt"
    assert raised.value.line == 2
    assert raised.value.variable == "oblgation"


def test_a_missing_key_of_the_context_names_the_variable() -> None:
    notice = make_notice("information_gathering/request", context=make_context("communication/reminder"))
    with pytest.raises(RenderingError) as raised:
        written(notice)
    assert raised.value.variable in {"items", "party"}
    assert raised.value.template.startswith("information_gathering/request/")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ obligation.update({}) }}", "update"),
        ("{% for %}", "line 1"),
        ("{% include 'layouts/nothing.txt' %}", "nothing"),
        ("{{ 1 // 0 }}", "line 1"),
    ],
)
def test_a_broken_or_forbidden_template_is_a_typed_error(tmp_path: Path, source: str, said: str) -> None:
    folder = tmp_path / "communication" / "reminder" / "en"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text(source)
    with pytest.raises(RenderingError, match=said):
        Renderer.of_house(tmp_path).letter(make_notice(), CONTACTS[EN])


def test_an_unknown_template_is_a_typed_error() -> None:
    with pytest.raises(RenderingError, match="communication/nothing"):
        written(make_notice("communication/nothing", context=make_context()))


def test_a_template_path_cannot_leave_its_folder(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("secret")
    (tmp_path / "house").mkdir()
    with pytest.raises(RenderingError):
        Renderer.of_house(tmp_path / "house").letter(make_notice("../x", context=make_context()), CONTACTS[EN])


def test_the_houses_own_words_stand_before_the_shipped_ones_and_may_extend_them(tmp_path: Path) -> None:
    own = tmp_path / "communication" / "reminder"
    own.mkdir(parents=True)
    (own / "words.txt").write_text("Our own words on {{ obligation.title|words }}.")
    (own / "body.html").write_text(
        '{% extends "shipped/communication/reminder/body.html" %}{% block accent %}#00ff00{% endblock %}'
    )
    letter = Renderer.of_house(tmp_path).letter(make_notice(), CONTACTS[EN])
    assert "Our own words on Fund-use report." in letter.text
    assert "#00ff00" in letter.html
    assert "What happens next" in letter.html


def test_a_report_is_in_the_letter_and_goes_along_as_a_workbook() -> None:
    letter = written(make_notice("communication/report"), ZH)
    assert "本期支出：128,000,000.00 元（1.28亿元）" in letter.text
    assert "1,234,567.80" in letter.html
    (attachment,) = letter.attachments
    assert attachment.name == "资金使用报告 2026-01-15.xlsx"
    assert attachment.content.startswith(b"PK")


def test_the_same_notice_gives_the_same_letter() -> None:
    notice = make_notice("communication/report")
    assert written(notice) == written(notice)


@given(name=st.text(max_size=60), title=st.text(max_size=200))
def test_whatever_people_are_called_the_subject_is_one_line(name: str, title: str) -> None:
    context = make_context()
    context["obligation"]["title"] = {"zh": title, "en": title}
    letter = shipped().letter(make_notice(context=context), replace(CONTACTS[EN], name=name))
    assert len(letter.subject.splitlines()) == 1
    assert len(letter.subject) <= 160
