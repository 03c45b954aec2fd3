from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from icalendar import Calendar
from openpyxl import load_workbook

from pfflow.cli import main
from pfflow.rehearsal.scope import facts_of
from pfflow.store import SqlStore
from tests.unit.rehearsing import EXAMPLES, example

EXPRESSWAY = EXAMPLES / "expressway"
SHORT = ["--until", "2026-05-31", "--cores", "1"]


def run(*arguments: object) -> int:
    """Run the command line; gives its exit status."""
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsed")
    assert run("rehearse", EXPRESSWAY, *SHORT, "--language", "en", "--out", folder) == 0
    return folder


def test_the_page_and_the_workbook_say_the_same_figures(out: Path) -> None:
    page = (out / "rehearsal.html").read_text(encoding="utf-8")
    tiles = re.findall(r"<li[^>]*><b>([^<]*)</b>([^<]*)</li>", page)
    shown = {unescape(label): value.replace(",", "") for value, label in tiles}
    book = load_workbook(BytesIO((out / "rehearsal.xlsx").read_bytes()))
    summary = book.worksheets[0]
    kept = {str(row[0].value): str(row[1].value) for row in summary.iter_rows(min_row=3) if row[1].value is not None}
    assert shown == kept
    assert len(shown) > 10
    found = json.loads((out / "rehearsal.json").read_text(encoding="utf-8"))
    tables, figures = found["tables"], found["figures"]
    assert figures == {name: figures[name] if name == "Worst month" else int(value) for name, value in shown.items()}
    dates = book["Every date"]
    assert dates.max_row - 1 == len(tables["dates"]) == int(shown["Dates"])
    mails = sum(row["Mails"] for row in tables["weeks"])
    assert mails == sum(row["Mails"] for row in tables["people"]) == int(shown["Mails"])
    assert len(tables["late"]) == int(shown["Late"])
    assert sum(row["Times"] for row in tables["escalations"]) == int(shown["Escalations"])
    by_row = re.findall(r"<h2>Load by person</h2>.*?</table>", page, re.DOTALL)[0].count("<tr>") - 1
    assert by_row == len(tables["people"][:30])


def test_what_machines_read_has_numbers_where_the_workbook_has_numbers(out: Path) -> None:
    tables = json.loads((out / "rehearsal.json").read_text(encoding="utf-8"))["tables"]
    book = load_workbook(BytesIO((out / "rehearsal.xlsx").read_bytes()))
    for name, title in (("people", "Load by person"), ("crowds", None), ("weeks", "By person and week")):
        sheet = book[title] if title else next(s for s in book.worksheets if s.title.startswith("Crowding"))
        heads = [str(cell.value) for cell in next(sheet.iter_rows(max_row=1))]
        for row, cells in zip(tables[name], sheet.iter_rows(min_row=2, values_only=True), strict=True):
            told = dict(zip(heads, cells, strict=True))
            numbers = {head: value for head, value in told.items() if isinstance(value, int | float)}
            assert numbers
            assert {head: row[head] for head in numbers} == numbers
            assert not [head for head, value in row.items() if isinstance(value, int | float) and head not in numbers]


def test_the_page_asks_for_nothing_from_elsewhere(out: Path) -> None:
    page = (out / "rehearsal.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|url\(|@import|<script", page)


def test_every_date_of_the_workbook_is_in_the_calendar(out: Path) -> None:
    calendar = Calendar.from_ical((out / "rehearsal.ics").read_bytes())
    tables = json.loads((out / "rehearsal.json").read_text(encoding="utf-8"))["tables"]
    uids = {str(event["UID"]).rpartition("@")[0] for event in calendar.walk("VEVENT")}
    assert {row["Reference"] for row in tables["dates"]} <= uids


def test_the_same_rehearsal_gives_the_same_bytes_on_two_cores(out: Path, tmp_path: Path) -> None:
    again = ["--until", "2026-05-31", "--cores", "2", "--language", "en", "--out", tmp_path]
    assert run("rehearse", EXPRESSWAY, *again) == 0
    for path in sorted(out.iterdir()):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_terminal_says_it_on_one_screen_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rehearse", EXPRESSWAY, "--until", "2026-02-28", "--cores", "1") == 0
    said = capsys.readouterr().out
    assert len(said.splitlines()) < 24
    for words in ("个日期", "春节", "无人负责", "升级"):
        assert words in said


def test_another_playbook_is_compared_with_dates_load_and_the_cost_of_silence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (EXPRESSWAY / "playbook.yaml").read_text(encoding="utf-8")
    other = tmp_path / "other.yaml"
    changed = text.replace("version: 1\n", "version: 2\n").replace("FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=TU", 1)
    milder = "    - {at: +5bd, do: escalate, to: accountable, level: management}\n"
    other.write_text(changed.replace(milder, "", 1), encoding="utf-8")
    assert other.read_text(encoding="utf-8").count("\n") == text.count("\n") - 1
    assert run("rehearse", EXPRESSWAY, "--until", "2026-03-31", "--cores", 1, "--against", other, "--json") == 0
    compared = json.loads(capsys.readouterr().out)
    weekly = [row["Reference"] for row in compared["tables"]["only-then"]]
    assert "EXP-01/weekly-progress/2026-01-06" in weekly
    silent = {
        row["Playbook"]["en"]: row
        for row in compared["tables"]["silence"]
        if row["What"]["en"] == "Weekly progress meeting"
    }
    assert silent["expressway/1"]["Slack: days until it escalates"] == 7
    assert silent["expressway/2"]["Escalations left"] == 1
    measures = {row["Measure"]["en"]: row["Difference"] for row in compared["tables"]["outcomes"]}
    assert measures["Projects"] == 0


def test_several_files_are_compared_with_one_after_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = []
    for seed, kind in ((1, "never"), (2, "on-time")):
        names.append(tmp_path / f"{kind}.yaml")
        names[-1].write_text(f"rehearsal: {kind}\nseed: {seed}\nanswers: [{{answers: {kind}}}]\n", encoding="utf-8")
    asked = [
        "rehearse",
        EXPRESSWAY,
        "--until",
        "2026-02-15",
        "--cores",
        1,
        "--against",
        names[0],
        "--against",
        names[1],
    ]
    assert run(*asked, "--json") == 0
    never, on_time = json.loads(capsys.readouterr().out)
    assert never["then"]["Escalations"] > on_time["then"]["Escalations"]
    assert never["now"] == on_time["now"]
    out = tmp_path / "out"
    assert run(*asked, "--language", "en", "--out", out) == 0
    said = capsys.readouterr().out
    assert said.index("never") < said.index("on-time")
    assert json.loads((out / "comparison.json").read_text(encoding="utf-8")) == never
    assert json.loads((out / "comparison-2.json").read_text(encoding="utf-8")) == on_time


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("answers: [{role: finanz, answers: never}]", "2:18: answers[0].role: the register has no role 'finanz'"),
        ("answers: [{answers: sometimes}]", "2:21: answers[0].answers: 'sometimes' is not one of the choices"),
        ("answers: [{answers: after}]", "2:11: answers[0]: `after` goes with answers: after"),
        ("happenings: [{on: 2026-02-30, phase: advance}]", "2:19: happenings[0].on: '2026-02-30' is no date"),
        ("happenings: [{on: 2026-02-03}]", "2:14: happenings[0]: exactly one thing happens"),
        ("absences: [{contact: C-99, from: 2026-01-05, until: 2026-01-09}]", "2:22: absences[0].contact: the register"),
        ("absense: []", "2:1: absense: no key is called 'absense' here; write absences"),
    ],
)
def test_a_bad_script_is_refused_with_its_line(
    line: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(f"rehearsal: bad\n{line}\n", encoding="utf-8")
    assert run("rehearse", EXPRESSWAY, *SHORT, "--script", script) == 1
    assert f"script.yaml:{said}" in capsys.readouterr().err


def test_a_move_that_the_phase_of_that_day_does_not_have_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.yaml"
    moves = "{on: 2026-01-12, phase: advance}, {on: 2026-01-13, phase: return}"
    script.write_text(f"rehearsal: back\nhappenings: [{moves}]\n", encoding="utf-8")
    assert run("rehearse", EXPRESSWAY, "--until", "2026-01-20", "--cores", 1, "--script", script) == 1
    assert "EXP-01: what the script lets happen on 2026-01-13: phase exit has no move return" in capsys.readouterr().err


def test_a_last_day_that_no_calendar_reaches_is_refused_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rehearse", EXPRESSWAY, "--until", "2201-01-01") == 2
    assert "calendars reach as far as 2196" in capsys.readouterr().err


def test_a_call_that_names_no_last_day_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rehearse", EXPRESSWAY) == 2
    assert "--until" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["expressway", "solar"])
def test_a_rehearsed_project_is_given_the_facts_the_store_gives(name: str, tmp_path: Path) -> None:
    facts, _ = example(name)
    with SqlStore.open(f"sqlite:///{tmp_path / 'facts.db'}") as store:
        store.migrate()
        store.import_facts(facts, datetime(2026, 1, 1, tzinfo=UTC), "test")
        for project in facts.projects:
            assert store.facts(project.project_ref) == facts_of(facts, project.project_ref)
