"""Several letters in one mail, in both languages."""

from __future__ import annotations

import re

import pytest

from pfflow.domain.notices import Notice
from pfflow.domain.words import EN, LANGUAGES, ZH
from pfflow.rendering.bundles import bundled_letter
from tests.unit.sample_letters import CONTACTS, make_context, make_notice, shipped
from tests.unit.test_rendering_letters import NOTICES

SOLAR = {"ref": "G2", "name": {"zh": "光伏电站", "en": "Solar Park"}, "phase": "implementation"}


def other_project(template: str = "communication/report", **changes: object) -> Notice:
    """Give a notice about another project."""
    return make_notice(template, key="G2/x/r/C-1", context=make_context(template, project=SOLAR, **changes))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_lists_what_is_in_it_and_says_each_letter_in_full(language: str) -> None:
    notices = [make_notice("communication/reminder"), other_project("communication/escalation", overdue_days=3)]
    letter = bundled_letter(shipped(), notices, CONTACTS[language])
    alone = [shipped().letter(one, CONTACTS[language]) for one in notices]
    assert letter.language == language
    for number, one in enumerate(alone, 1):
        assert f'href="#letter-{number}"' in letter.html
        assert f'id="letter-{number}"' in letter.html
        assert letter.text.count(f"{number}. {one.subject}") == 2  # in the list and over the letter
    for reading in (letter.text, letter.html):
        assert reading.count("G1/fund-use-report/2026-01-15") >= len(notices)
    greeting = {ZH: "尊敬的王建国", EN: "Dear Ana Martín"}[language]
    assert letter.text.count(greeting) == letter.html.count(greeting) == 1
    assert letter.html.count("<html") == letter.html.count("</html>") == 1


def test_the_subject_says_how_many_and_about_what() -> None:
    same = [make_notice("communication/reminder"), make_notice("communication/escalation")]
    assert bundled_letter(shipped(), same, CONTACTS[ZH]).subject == "【沿江高速】2件事项：资金使用报告"
    assert (
        bundled_letter(shipped(), same, CONTACTS[EN]).subject == "[River Motorway] 2 matters for you: Fund-use report"
    )
    across = [*same, other_project()]
    assert bundled_letter(shipped(), across, CONTACTS[EN]).subject == "3 matters for you: Fund-use report"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", NOTICES)
def test_every_notice_can_be_a_section(template: str, language: str) -> None:
    letter = bundled_letter(shipped(), [make_notice(template), make_notice()], CONTACTS[language])
    assert letter.html.count("<!DOCTYPE") == 1
    assert "letter-2" in letter.html
    assert not re.search(r"\n\s*\n\s*\n", letter.text)


def test_reports_go_along_and_files_of_one_name_are_told_apart() -> None:
    letter = bundled_letter(
        shipped(), [make_notice("communication/report"), other_project(), make_notice()], CONTACTS[EN]
    )
    alone = shipped().letter(make_notice("communication/report"), CONTACTS[EN])
    name = alone.attachments[0].name
    assert [file.name for file in letter.attachments] == [name, name.replace(".xlsx", " (2).xlsx")]


def test_the_same_notices_give_the_same_letter() -> None:
    notices = [make_notice(), other_project()]
    assert bundled_letter(shipped(), notices, CONTACTS[ZH]) == bundled_letter(shipped(), notices, CONTACTS[ZH])


def test_names_that_people_wrote_are_escaped_in_every_section() -> None:
    nasty = {"ref": "G1", "name": {"zh": "<script>甲</script>", "en": "<script>x</script>"}, "phase": "implementation"}
    notices = [make_notice(context=make_context(project=nasty)), make_notice()]
    for language in LANGUAGES:
        assert "<script>" not in bundled_letter(shipped(), notices, CONTACTS[language]).html
