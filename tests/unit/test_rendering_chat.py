from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.words import EN, ZH
from pfflow.rendering.chat import LONGEST, fitted, harmless
from pfflow.rendering.letters import Renderer
from pfflow.rendering.shipped import shipped_templates
from tests.unit.sample_letters import CONTACTS, make_context, make_notice, shipped

ROOT = shipped_templates()
NOTICES = sorted({str(path.parent.parent.relative_to(ROOT)) for path in ROOT.glob("*/*/*/subject.txt")})
MENTIONS = [
    "@all",
    "@everyone",
    "<!channel>",
    "<!here|here>",
    "&lt;!channel&gt;",
    '<at user_id="all">所有人</at>',
    "<@U123|ann>",
    "@**all**",
    "＠Ann @所有人",
]
LINKS = [
    "[pay](http://evil.example)",
    "<https://evil.example|pay>",
    "www.evil.example",
    "evil.example/路径",
    "![x](x:y)",
]
MARKUP = ["*bold*", "_it_", "~no~", "`code`", "## head\n- item", "||spoiler||", "[x]: http://y.example", "\\@all"]


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("language", [ZH, EN])
def test_every_notice_has_a_short_text_with_its_reference_in_both_languages(notice: str, language: str) -> None:
    text = shipped().chat(make_notice(notice), CONTACTS[language])
    assert len(text) <= LONGEST
    assert "G1/fund-use-report/2026-01-15 · " in text.splitlines()[-1]
    assert ("沿江高速" if language == ZH else "River Motorway") in text
    assert ("2026年1月15日" if language == ZH else "15 January 2026") in text
    assert "Madrid" in text or language == ZH


def test_a_reminder_says_what_by_when_and_whose_it_is() -> None:
    text = shipped().chat(make_notice("communication/reminder"), CONTACTS[ZH])
    assert text.splitlines()[:3] == [
        "【沿江高速】温馨提醒：资金使用报告（2026年1月15日）",
        "截止时间：2026年1月15日 星期四 17:00（北京时间，UTC+8）",
        "责任方：财务部",
    ]


def test_a_provisional_date_says_so_in_a_short_text_too() -> None:
    context = make_context()
    context["obligation"] |= {"provisional": True}
    text = shipped().chat(make_notice("communication/reminder", context=context), CONTACTS[ZH])
    assert text.splitlines()[:2] == [
        "【沿江高速】温馨提醒：资金使用报告（2026年1月15日〔暂定〕）",
        "截止时间：2026年1月15日 星期四 17:00（北京时间，UTC+8）〔暂定〕",
    ]


@pytest.mark.parametrize("notice", ["communication/report", "service_design/offer", "evaluation/scorecard"])
def test_what_only_informs_names_no_debtor_and_no_next_step(notice: str) -> None:
    text = shipped().chat(make_notice(notice), CONTACTS[EN])
    assert "Owed by" not in text
    assert "What happens next" not in text


def test_two_notices_of_one_obligation_have_different_digits_and_the_same_notice_the_same() -> None:
    first = make_notice()
    second = replace(first, key=f"{first.key}/wecom")
    one, again, other = (shipped().chat(notice, CONTACTS[EN])[-8:] for notice in (first, first, second))
    assert re.fullmatch("[0-9a-f]{8}", one)
    assert one == again != other


@pytest.mark.parametrize("hostile", MENTIONS + LINKS + MARKUP)
def test_a_name_puts_no_mention_link_or_markup_into_a_text(hostile: str) -> None:
    context = make_context("communication/reminder") | {"debtor": {"zh": hostile, "en": hostile}}
    text = shipped().chat(make_notice(context=context), CONTACTS[EN])
    said = next(line for line in text.splitlines() if line.startswith("Owed by"))
    assert not re.search(r"[@<>`*~|\\]|://|\]\(|\]:|&\w+;|\bwww\.\w|\w\.example|(?<!\w)_|_(?!\w)", said)
    assert len(text.splitlines()) == 5, "a name added a line"


@given(st.text(max_size=200))
def test_no_text_at_all_comes_through_with_a_character_that_programs_act_on(text: str) -> None:
    assert not re.search(r"[@<>`*~|\\]|://|\]\(|(?m:^\s*[#-]\s)", harmless(text))


@given(st.text(max_size=200))
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)


@pytest.mark.parametrize("limit", [70, 140, 160, 500])
def test_a_short_limit_cuts_the_words_and_never_the_reference(limit: int) -> None:
    whole = shipped().chat(make_notice("communication/escalation"), CONTACTS[EN])
    text = shipped().chat(make_notice("communication/escalation"), CONTACTS[EN], limit)
    assert len(text) <= limit
    assert text.splitlines()[-1] == whole.splitlines()[-1]
    assert text == whole or "…" in text


def test_a_long_title_leaves_room_for_by_when_and_whose() -> None:
    context = make_context("communication/reminder")
    context["obligation"] = {**context["obligation"], "title": {"zh": "长" * 900, "en": "long " * 300}}
    for language, due, owed in (
        (ZH, "截止时间：2026年1月15日", "责任方：财务部"),
        (EN, "Due: Thursday", "Owed by: Finance"),
    ):
        text = shipped().chat(make_notice(context=context), CONTACTS[language])
        assert len(text) <= LONGEST
        assert due in text
        assert owed in text


def test_what_has_no_room_but_for_its_reference_is_the_reference() -> None:
    assert fitted("words", "Reference G1", 12) == "Reference G1"


def test_a_notice_s_own_chat_words_go_before_the_shared_ones(tmp_path: Path) -> None:
    folder = tmp_path / "communication" / "reminder" / "en"
    folder.mkdir(parents=True)
    (folder / "chat.txt").write_text("Please: {{ obligation.title|words }}", encoding="utf-8")
    text = Renderer.of_house(tmp_path).chat(make_notice(), CONTACTS[EN])
    assert text.splitlines()[0] == "Please: Fund-use report"
