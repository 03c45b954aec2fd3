from __future__ import annotations

import pytest

from pfflow.domain.words import EN, ZH
from tests.unit.sample_letters import make_context, make_notice, written

MEETING = {
    **make_context("communication/request")["obligation"],
    "kind": "meeting",
    "title": {"zh": "周例会", "en": "Weekly meeting"},
}


@pytest.mark.parametrize(
    ("language", "subject", "asked"),
    [
        (
            EN,
            "[River Motorway] Please send the minutes of: Weekly meeting",
            "was to be held on Thursday 15 January 2026. Please send us the minutes",
        ),
        (ZH, "【沿江高速】请提交会议纪要：周例会", "原定于2026年1月15日（星期四）召开，请您提交会议纪要"),
    ],
)
def test_after_a_meeting_its_minutes_are_asked_for(language: str, subject: str, asked: str) -> None:
    context = make_context("communication/request", obligation=MEETING, overdue_days=1)
    letter = written(make_notice("communication/request", context=context), language)
    assert letter.subject == subject
    for form in (letter.text, letter.html):
        assert asked in form
        assert "takes place on" not in form
        assert "将于" not in form


@pytest.mark.parametrize(
    ("language", "subject", "asked"),
    [
        (EN, "[River Motorway] Please prepare for: Weekly meeting", "takes place on Thursday 15 January 2026"),
        (ZH, "【沿江高速】请于2026年1月15日前做好准备：周例会", "将于2026年1月15日（星期四）召开"),
    ],
)
def test_before_a_meeting_people_are_asked_to_prepare_for_it(language: str, subject: str, asked: str) -> None:
    context = make_context("communication/request", obligation=MEETING)
    letter = written(make_notice("communication/request", context=context), language)
    assert letter.subject == subject
    assert asked in letter.text
