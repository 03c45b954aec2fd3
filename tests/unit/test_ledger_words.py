from __future__ import annotations

import re
from datetime import date

import pytest

from pfflow.domain.audience import AUDIENCES
from pfflow.domain.register_words import SHEET_WORDS
from pfflow.domain.role_words import AUDIENCE_WORDS
from pfflow.domain.words import Stage
from pfflow.register.aliases import SHEETS
from pfflow.replay.said import STAGE_WORDS, because_words, kind_words
from tests.factories import days, lived, make_dossier, make_milestone, make_undertaking, with_facts

_ENGLISH = re.compile(r"[a-z]{2,} [a-z]{2,}")


def test_what_the_ledger_says_of_a_month_is_told_in_chinese() -> None:
    slipping = make_milestone(forecast_on=date(2026, 9, 30))
    accounts = make_undertaking(metric="", obligation_ref="U-ACC", first=date(2026, 1, 10), clause_ref="20.1")
    dossier = with_facts(make_dossier(milestones=(slipping,)), obligations=(accounts,))
    _, decisions = lived(dossier, days("2026-01-05", "2026-02-04"))
    entries = [entry for decision in decisions for entry in decision.entries]
    told = {(entry.kind, str(entry.data.get("because", ""))) for entry in entries if entry.kind != "concluded"}
    assert len(told) > 10
    assert [kind for kind, _ in told if kind_words(kind).zh == kind] == []
    assert [said for _, said in told if _ENGLISH.search(because_words(said).zh)] == []


def test_several_reasons_of_a_plan_are_told_one_by_one_and_what_people_said_with_them_not_at_all() -> None:
    rolled = "holiday list: 2026-03-16 is a day off; the holiday list of 2027 is out; the date stays"
    line = "playbook cadences.weekly-progress.until: (none) → 2028-06-30"
    assert because_words(f"{rolled}; {line}").zh == (
        "节假日安排：2026-03-16 休息；2027 年节假日安排已公布，日期不变；"
        "规则手册 cadences.weekly-progress.until：（无） → 2028-06-30"
    )
    assert because_words(f"{rolled}; it rained").zh == f"{rolled}; it rained"


@pytest.mark.parametrize("said", ["按约定提交", "It rained.", "T-1"])
def test_what_people_said_stands_as_it_is(said: str) -> None:
    assert (because_words(said).zh, because_words(said).en) == (said, said)


def test_sheets_are_called_as_in_the_workbook_and_nobody_is_left_without_words() -> None:
    assert {name: words.zh for name, words in SHEET_WORDS.items()} == {sheet.name: sheet.zh for sheet in SHEETS}
    assert set(AUDIENCE_WORDS) == AUDIENCES
    assert set(STAGE_WORDS) == set(Stage)
