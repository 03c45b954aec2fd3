from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.words import EN, LANGUAGES, ZH, Stage
from pfflow.rendering.errors import RenderingError
from pfflow.rendering.letters import Renderer
from pfflow.rendering.shipped import shipped_templates
from tests.unit.sample_letters import CONTACTS, make_context, make_notice, shipped, written

NOTICES = sorted(
    str(path.parent.relative_to(shipped_templates()))
    for stage in Stage
    for path in shipped_templates().glob(f"{stage}/*/body.txt")
)
EXPECTED = {
    "identification": {"kickoff", "reminder", "escalation"},
    "information_gathering": {"request", "reminder", "escalation", "risk_warning", "milestone_warning"},
    "service_design": {"approval_request", "reminder", "escalation", "offer"},
    "communication": {
        "announcement",
        "invitation",
        "update",
        "cancellation",
        "request",
        "reminder",
        "report",
        "escalation",
        "handover",
        "undeliverable",
        "issue",
        "issue_solved",
        "outage_summary",
    },
    "evaluation": {"scorecard", "reminder", "escalation"},
}


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


def details_say_it(template: str) -> bool:
    """The subject of a warning or a scorecard says its own figures instead of the title, which says the same."""
    return template.rpartition("/")[2] in {
        "risk_warning",
        "milestone_warning",
        "scorecard",
        "undeliverable",
        "issue",
        "issue_solved",
        "outage_summary",
    }


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
        assert CONTACTS[language].name in form
    assert title in letter.subject or details_say_it(template)
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
    assert "15 January 2026 [provisional]" in letter.subject
    assert "2026年1月15日〔暂定〕" in shipped().letter(make_notice(context=context), CONTACTS[ZH]).subject
    assert "[provisional]" not in written(make_notice()).text


def test_a_survey_asks_its_questions_with_their_scales_and_says_how_to_answer() -> None:
    context = make_context("communication/request")
    context["obligation"] |= {"kind": "survey"}
    english, chinese = (written(make_notice("communication/request", context=context), one) for one in (EN, ZH))
    for form in (english.text, english.html):
        assert "from 0 (not at all likely) to 10" in form
        assert "from 1 (very dissatisfied) to 5" in form
        assert "recommendation 9, satisfaction 4" in unescape(form)
    assert "请打 0 至 10 分" in chinese.text
    assert "请打 1 至 5 分" in chinese.text


def test_only_who_reported_a_problem_says_that_it_is_not_solved() -> None:
    waits, rejected = (
        written(make_notice("communication/issue", context=make_context("communication/issue", rejected=said)))
        for said in (False, True)
    )
    assert "A problem was reported" in waits.subject
    assert "is not solved" not in waits.text
    assert "Still not solved" in rejected.subject
    assert "is not solved" in rejected.text


@pytest.mark.parametrize(("basis", "says"), [("actual", "Actual DSCR"), ("forecast", "Projected DSCR")])
def test_a_warning_says_whether_a_ratio_is_measured_or_projected(basis: str, says: str) -> None:
    context = make_context("information_gathering/risk_warning")
    context["details"] = {**context["details"], "basis": basis}
    letter = written(make_notice("information_gathering/risk_warning", context=context))
    assert says in letter.text
    assert ("projected to be" in letter.text) is (basis == "forecast")


def test_an_overdue_reminder_says_since_when_and_one_day_is_singular() -> None:
    letter = written(make_notice(context=make_context(overdue_days=1)))
    assert "1 business day overdue" in letter.text
    assert letter.subject.startswith("[River Motorway] Overdue")


def test_an_escalation_lists_who_was_written_to_when() -> None:
    assert "Sent before: 14 January 2026 (reminder)" in written(make_notice("communication/escalation")).text
    assert "此前函件：2026年1月14日（提醒）" in written(make_notice("communication/escalation"), ZH).text


def test_what_was_sent_before_is_told_once_a_day_and_only_to_those_who_chase_or_are_chased() -> None:
    before = [{"action": "invite", "on": "2026-01-12"}] * 3 + [{"action": "remind", "on": "2026-01-14"}]
    chased = written(
        make_notice("communication/escalation", context=make_context("communication/escalation", said=before))
    )
    told = written(make_notice("communication/report", context=make_context("communication/report", said=before)))
    assert "Sent before: 12 January 2026 (invitation); 14 January 2026 (reminder)" in chased.text
    assert "Sent before" not in told.text


@pytest.mark.parametrize("template", ["communication/report", "service_design/offer", "evaluation/scorecard"])
def test_what_informs_names_neither_the_other_readers_nor_the_chase(template: str) -> None:
    letter = written(make_notice(template))
    for form in (letter.text, letter.html):
        assert "Development Bank" not in form
        assert "joint command group" not in form


def test_an_offer_to_a_customer_does_not_quote_the_rule_that_chose_it() -> None:
    assert "the grade is satisfactory" not in written(make_notice("service_design/offer")).text
    assert "the grade is satisfactory" in written(make_notice("service_design/approval_request")).text


@pytest.mark.parametrize("stage", ["communication", "information_gathering", "service_design"])
def test_an_escalation_on_the_day_itself_does_not_say_zero_days(stage: str) -> None:
    template = f"{stage}/escalation"
    for language in LANGUAGES:
        letter = written(make_notice(template, context=make_context(template, overdue_days=0)), language)
        assert "0 business" not in letter.subject + letter.text
        assert "逾期0" not in letter.subject + letter.text


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
