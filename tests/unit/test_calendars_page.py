"""docs/calendars.md: every table and every line of JSON on it is what the code says."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pfflow.calendars import business_calendar
from pfflow.cli.calendar_lines import EXPAND_LIKE, ROLL_LIKE, Almanacs, answers
from pfflow.domain.business_days import WEEKENDS_ONLY, Convention, adjust, wall_instant
from pfflow.domain.recurrence import check
from pfflow.domain.rules import RecurrenceError
from pfflow.domain.words import EN
from tests.unit.sample_letters import make_context, make_notice, written

PAGE = (Path(__file__).parents[2] / "docs" / "calendars.md").read_text(encoding="utf-8")


def rows_under(heading: str) -> list[list[str]]:
    """Give the cells of the table under a heading, without its head."""
    (section,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_each_refused_rule_is_refused_with_the_sentence_beside_it() -> None:
    refused = {rule.strip("`"): sentence for rule, sentence in rows_under("Rules that are refused")}
    for rule, sentence in refused.items():
        with pytest.raises(RecurrenceError) as refusal:
            check(rule)
        assert str(refusal.value).removeprefix(f"rule {rule!r}").lstrip(": ") == sentence
    disputed = {
        "FREQ=YEARLY;BYWEEKNO=20",
        "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO",
        "FREQ=YEARLY;BYMONTHDAY=15",
        "FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1",
        "FREQ=DAILY;BYMINUTE=30",
    }
    assert disputed <= refused.keys()


def test_each_convention_has_its_worked_example() -> None:
    rows = rows_under("Conventions")
    assert [row[0].strip("`") for row in rows] == list(Convention)
    for name, _, start, rolled in rows:
        day = date.fromisoformat(start[4:])
        assert start == f"{day:%a} {day}"
        assert adjust(day, Convention(name.strip("`")), WEEKENDS_ONLY).isoformat() == rolled


def test_each_joint_date_is_as_the_three_calendars_say() -> None:
    china, hong_kong, both = (business_calendar(codes, 2026, 2026) for codes in (["CN"], ["HK"], ["CN", "HK"]))
    for start, in_china, in_hong_kong, rolled in rows_under("Joint calendars"):
        day = date.fromisoformat(start[4:])
        assert start == f"{day:%a} {day}"
        assert in_china.startswith("works") == china.is_business_day(day)
        assert in_hong_kong.startswith("works") == hong_kong.is_business_day(day)
        assert adjust(day, Convention.FOLLOWING, both).isoformat() == rolled


def test_each_wall_time_is_the_instant_beside_it() -> None:
    rows = rows_under("Wall time")
    assert len(rows) == 4
    for _, _, wall, instant in rows:
        on, at, zone = wall.split()
        found = wall_instant(date.fromisoformat(on), time.fromisoformat(at), ZoneInfo(zone))
        assert f"{found:%Y-%m-%d %H:%M} UTC" == instant


def test_the_json_lines_of_the_page_are_answered_as_it_says() -> None:
    blocks = re.findall(r"```jsonl (\w+)\n(.*?)```", PAGE, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["roll", "answers", "expand", "answers"]
    almanacs = Almanacs()
    for (kind, asked), (_, expected) in zip(blocks[::2], blocks[1::2], strict=True):
        answer, like = (almanacs.roll, ROLL_LIKE) if kind == "roll" else (almanacs.expand, EXPAND_LIKE)
        said = [json.loads(line) for line in answers(asked.splitlines(), answer, like)]
        assert said == [json.loads(line) for line in expected.splitlines()]


@pytest.mark.parametrize(
    ("day", "theirs"), [("2026-03-27", "10:00 (Madrid time, UTC+1)"), ("2026-03-30", "11:00 (Madrid time, UTC+2)")]
)
def test_a_meeting_at_17_in_shanghai_is_told_at_the_readers_own_hour_before_and_after_the_clocks_change(
    day: str, theirs: str
) -> None:
    due_at = wall_instant(date.fromisoformat(day), time(17), ZoneInfo("Asia/Shanghai"))
    context = make_context()
    context["obligation"] |= {"due_at": due_at.isoformat(), "due_on": day, "unadjusted_on": day}
    letter = written(make_notice(context=context), EN)
    assert due_at == datetime.fromisoformat(f"{day}T17:00+08:00")
    assert theirs in letter.text
    assert "17:00 (Beijing time, UTC+8)" in letter.text
