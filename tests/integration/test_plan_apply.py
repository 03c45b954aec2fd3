"""Plan and apply through the command line, on both databases, down to the mails in the local mailbox."""

from __future__ import annotations

import email
import json
from dataclasses import replace
from datetime import date
from email import policy
from pathlib import Path

import pytest
from icalendar import Calendar

from pfflow.domain.decision import Decision
from pfflow.domain.facts import Facts
from pfflow.domain.holiday_lists import HouseList, OwnHoliday
from pfflow.domain.obligations import Status
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld
from pfflow.store import SqlStore
from tests.command_line import done, every_row, pfflow, settle_in
from tests.factories import PLAYBOOK, at, make_contact, make_facts, make_obligation, make_participation, make_party

MONDAY = "G1/weekly-progress/2026-01-12"
UID = f"{MONDAY}@expressway.example"
TEN = 'rule: FREQ=WEEKLY;BYDAY=MO\n    at: "10:00"'
TWO = TEN.replace("10:00", "14:00")

Event = tuple[str, str, str, int, str]
"""Whom a calendar mail goes to, its METHOD, UID, SEQUENCE and STATUS."""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store_url: str) -> Path:
    """Give the motorway in its first week: Friday 9 January, Monday's meeting is in two calendars."""
    house = settle_in(monkeypatch, tmp_path / "home", store_url)
    with SqlStore.open(store_url) as store:
        store.import_facts(make_facts(), at("2026-01-05", 8), "test")
    done("adopt", PLAYBOOK)
    for day in ("2026-01-05", "2026-01-08", "2026-01-09T09:30"):
        done("sweep", "communication", "--as-of", day)
    return house


def events(home: Path) -> set[Event]:
    """Give what the calendar mails in the mailbox say."""
    found = set()
    for path in (home / "mailbox").rglob("*.eml"):
        message = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        for part in message.walk():
            if part.get_content_type() == "text/calendar":
                calendar = Calendar.from_ical(str(part.get_content()))
                event = calendar.walk("VEVENT")[0]
                assert part.get_param("method") == calendar["METHOD"]
                to = str(message["To"]).rpartition("<")[2].rstrip(">").partition("@")[0]
                found.add(
                    (
                        to,
                        str(calendar["METHOD"]),
                        str(event["UID"]),
                        int(str(event["SEQUENCE"])),
                        str(event.get("STATUS", "")),
                    )
                )
    return found


def book(url: str) -> dict[str, list[str]]:
    """Give every row of the book of record; marks that spare the next plan its work are no part of it."""
    return {name: rows for name, rows in every_row(url).items() if name != "settled_plan"}


def changed(home: Path, old: str, new: str, version: int = 4) -> Path:
    """Give a playbook with one text in place of another."""
    text = PLAYBOOK.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = home / f"playbook-{version}.yaml"
    path.write_text(text.replace(old, new).replace("version: 3", f"version: {version}"), encoding="utf-8")
    return path


def weekly_removed(home: Path, version: int) -> Path:
    """Give a playbook without the weekly meeting and its ladder, that nothing else names."""
    path = changed(home, "version: 3", f"version: {version}", version)
    text = path.read_text(encoding="utf-8")
    for first, after in (
        ("  weekly-progress:\n    kind", "  fund-use-report:\n    kind"),
        ("  meeting:\n", "  report:\n    - "),
    ):
        text = text[: text.index(first)] + text[text.index(after) :]
    path.write_text(text, encoding="utf-8")
    return path


def planned_and_applied(home: Path, playbook: Path | None, as_of: str) -> str:
    plan = home / "plan.json"
    done("plan", *([playbook] if playbook else []), "--as-of", as_of, "--out", plan)
    return done("apply", plan, "--as-of", as_of)


def test_moving_then_cancelling_a_meeting_updates_it_in_place_and_ends_with_none(home: Path) -> None:
    invited = {("c-con", "REQUEST", UID, 0, "CONFIRMED"), ("c-eng", "REQUEST", UID, 0, "CONFIRMED")}
    assert {e for e in events(home) if e[2] == UID} == invited
    planned_and_applied(home, changed(home, TEN, TWO), "2026-01-09")
    moved = {("c-con", "REQUEST", UID, 1, "CONFIRMED"), ("c-eng", "REQUEST", UID, 1, "CONFIRMED")}
    assert {e for e in events(home) if e[2] == UID} == invited | moved
    planned_and_applied(home, weekly_removed(home, 5), "2026-01-09T19:00")
    gone = {("c-con", "CANCEL", UID, 2, "CANCELLED"), ("c-eng", "CANCEL", UID, 2, "CANCELLED")}
    assert {e for e in events(home) if e[2] == UID} == invited | moved | gone


def test_a_plan_is_not_written_over_anything_but_a_plan(home: Path) -> None:
    playbook = changed(home, TEN, TWO)
    before = playbook.read_bytes()
    refused = pfflow("plan", playbook, "--as-of", "2026-01-09", "--out", playbook)
    assert refused.status == 2
    assert "is no plan; write one by: pfflow plan --out plan.json" in refused.err
    assert playbook.read_bytes() == before
    for _ in range(2):
        done("plan", playbook, "--as-of", "2026-01-09", "--out", home / "plan.json")


def test_a_new_attendee_alone_gets_a_request_and_one_who_leaves_alone_a_cancellation(
    home: Path, store_url: str
) -> None:
    before = events(home)
    facts = make_facts()
    joined = Facts(
        parties=(make_party("DES"),),
        contacts=(make_contact("C-DES"),),
        participations=(make_participation("designer", "DES"),),
    )
    with SqlStore.open(store_url) as store:
        store.import_facts(joined, at("2026-01-09", 17), "test")
    planned_and_applied(home, None, "2026-01-09")
    assert events(home) - before == {("c-des", "REQUEST", UID, 0, "CONFIRMED")}
    ended = next(p for p in facts.participations if p.party_ref == "CON")
    with SqlStore.open(store_url) as store:
        store.import_facts(
            Facts(participations=(replace(ended, until=at("2026-01-08").date()),)), at("2026-01-09", 19), "test"
        )
    planned_and_applied(home, None, "2026-01-09T20:00")
    assert events(home) - before == {
        ("c-des", "REQUEST", UID, 0, "CONFIRMED"),
        ("c-con", "CANCEL", UID, 0, ""),
    }


def test_a_guest_with_another_address_is_cancelled_at_the_old_and_invited_at_the_new(
    home: Path, store_url: str
) -> None:
    before = events(home)
    with SqlStore.open(store_url) as store:
        moved = make_contact("C-CON", email="con@elsewhere.example")
        store.import_facts(Facts(contacts=(moved,)), at("2026-01-09", 17), "test")
    planned_and_applied(home, None, "2026-01-09")
    assert events(home) - before == {("c-con", "CANCEL", UID, 0, ""), ("con", "REQUEST", UID, 0, "CONFIRMED")}


def test_a_plan_says_how_many_ladders_go_on_as_they_were_begun(home: Path) -> None:
    text = PLAYBOOK.read_text(encoding="utf-8")
    rung = "    - {at: -2bd, do: invite, to: accountable}\n"
    assert text.count(rung) == 1
    playbook = home / "another.yaml"
    playbook.write_text(text.replace(rung, f"{rung}    - {{at: -30h, do: remind, to: head}}\n"), encoding="utf-8")
    english = done("plan", playbook, "--as-of", "2026-01-09T18:00", "--language", "en")
    assert "began with, not those of this playbook" in english
    assert "沿用其开始时的阶梯" in done("plan", playbook, "--as-of", "2026-01-09T18:00")
    said = json.loads(done("plan", playbook, "--as-of", "2026-01-09T18:00", "--json"))
    assert said["summary"]["ladders_kept"] > 0
    assert "begin" not in done("plan", "--as-of", "2026-01-09T18:00", "--language", "en")


def test_the_list_of_projects_marks_a_provisional_date(home: Path, store_url: str) -> None:  # noqa: ARG001 - lives there
    assert "provisional" not in done("projects")
    evening = at("2026-01-09", 19)
    unsure = make_obligation(key="G1/unsure/2026", due_at=at("2025-12-31"), provisional=True)
    with SqlStore.open(store_url) as store, store.deciding("G1", Stage.COMMUNICATION, evening) as held:
        assert not isinstance(held, NotHeld)
        held.record(Decision(project_ref="G1", stage=Stage.COMMUNICATION, as_of=evening, obligations=(unsure,)))
    said = done("projects")
    assert "2025-12-31*" in said
    assert "* provisional: that year's holiday list is not published yet" in said


def test_planning_writes_nothing_and_a_plan_after_apply_is_empty(home: Path, store_url: str) -> None:
    rows = book(store_url)
    playbook = changed(home, TEN, TWO)
    first = done("plan", playbook, "--as-of", "2026-01-09", "--language", "en")
    assert book(store_url) == rows
    assert "~ 2026-01-12 Mon 10:00 → 14:00  [4 letters]" in first
    assert "why: playbook cadences.weekly-progress.at: 10:00 → 14:00" in first
    digest = first.rstrip().rpartition(" ")[2]
    done("apply", playbook, "--digest", digest, "--as-of", "2026-01-09")
    again = done("plan", "--as-of", "2026-01-09", "--language", "en")
    assert again.splitlines()[1] == "no date would change"
    assert again.rstrip().endswith("0 added, 0 moved, 0 cancelled; 0 letters to 0 people")
    assert pfflow("plan", "--as-of", "2026-01-09", "--exit-code").status == 0


def test_applying_twice_changes_nothing(home: Path, store_url: str) -> None:
    playbook, plan = changed(home, TEN, TWO), home / "plan.json"
    done("plan", playbook, "--as-of", "2026-01-09", "--out", plan)
    assert "letters sent" in done("apply", plan, "--as-of", "2026-01-09")
    rows = book(store_url)
    assert done("apply", plan, "--as-of", "2026-01-09") == "nothing to apply: all is as the plan has it\n"
    assert book(store_url) == rows


def test_a_plan_is_refused_when_the_world_changed_since(home: Path, store_url: str) -> None:
    plan = home / "plan.json"
    done("plan", changed(home, TEN, TWO), "--as-of", "2026-01-09", "--out", plan)
    with SqlStore.open(store_url) as store:
        store.import_facts(Facts(contacts=(make_contact("C-CON", name="Somebody else"),)), at("2026-01-09", 18), "test")
    rows = book(store_url)
    said = pfflow("apply", plan, "--as-of", "2026-01-09")
    assert said.status == 1
    assert "G1: not as planned any more: the facts or the playbook, the changes" in said.err
    assert "nothing was applied" in said.err
    assert book(store_url) == rows


def test_a_plan_for_a_time_before_the_last_decision_changes_nothing_not_even_the_playbook(
    home: Path, store_url: str
) -> None:
    plan = home / "plan.json"
    early = pfflow("plan", changed(home, TEN, TWO), "--as-of", "2026-01-09T09:00", "--out", plan, "--language", "en")
    assert early.status == 0
    assert early.err == (
        "G1: a decision for 2026-01-09 09:30:00 (Asia/Shanghai) stands, and time does not go back; this plan is only "
        "to look at, it cannot be applied; plan for then or later: --as-of 2026-01-09T09:30+08:00\n"
    )
    rows = book(store_url)
    said = pfflow("apply", plan, "--as-of", "2026-01-09T09:00")
    assert said.status == 1
    assert said.err == (
        "G1: a decision for 2026-01-09 09:30:00 (Asia/Shanghai) stands, and time does not go back; "
        "plan for then or later: --as-of 2026-01-09T09:30+08:00\n"
    )
    assert book(store_url) == rows


def test_a_digest_of_another_plan_is_refused(home: Path) -> None:
    said = pfflow("apply", changed(home, TEN, TWO), "--digest", "0" * 12, "--as-of", "2026-01-09")
    assert said.status == 1
    assert "nothing was applied" in said.err
    assert pfflow("apply").status == 2


def test_a_plan_says_in_json_what_it_says_in_words(home: Path) -> None:
    said = json.loads(done("plan", changed(home, TEN, TWO), "--as-of", "2026-01-09", "--json"))
    assert said["summary"]["moved"] == len([c for c in said["projects"][0]["changes"] if c["kind"] == "moved"])
    monday = next(c for c in said["projects"][0]["changes"] if c["key"] == MONDAY)
    assert (monday["was"]["at"], monday["now"]["at"]) == ("2026-01-12T02:00:00+00:00", "2026-01-12T06:00:00+00:00")
    assert sorted((t["contact"], t["how"]) for t in monday["told"]) == [
        ("C-CON", "update"),
        ("C-ENG", "update"),
        ("C-FUND", "notice"),
        ("C-SPON", "notice"),
    ]
    assert monday["sequence"] == 1
    assert pfflow("plan", changed(home, TEN, TWO), "--as-of", "2026-01-09", "--exit-code").status == 3


def test_adopting_a_playbook_with_other_dates_points_to_plan_and_apply(home: Path, store_url: str) -> None:
    playbook = changed(home, TEN, TWO)
    said = pfflow("adopt", playbook)
    assert said.status == 1
    assert "playbook cadences.weekly-progress.at: 10:00 → 14:00" in said.err
    assert f"pfflow plan {playbook}" in said.err
    done("adopt", playbook, "--without-plan")
    with SqlStore.open(store_url) as store:
        stored = store.playbook()
    assert stored is not None
    assert stored.version == 4
    same_dates = changed(home, "zh: 周进度例会", "zh: 周例会", 5)
    assert pfflow("adopt", same_dates).status == 1  # back to ten o'clock
    assert done("plan", "--as-of", "2026-01-09", "--language", "en").count("moved") >= 1


def test_after_apply_the_days_go_on_without_a_date_nobody_was_asked_for(home: Path, store_url: str) -> None:
    """Weekly on Tuesday instead of Monday: no Tuesday before the plan is owed, and Mondays ahead are cancelled."""
    playbook = changed(home, "rule: FREQ=WEEKLY;BYDAY=MO", "rule: FREQ=WEEKLY;BYDAY=TU")
    planned_and_applied(home, playbook, "2026-01-09")
    for day in ("2026-01-10", "2026-01-11"):
        done("sweep", "communication", "--as-of", day)
    with SqlStore.open(store_url) as store:
        weekly = [o for o in store.obligations("G1") if "weekly" in o.key]
    ahead = {o.unadjusted_on.isoformat() for o in weekly if o.live and o.due_at > at("2026-01-09", 18)}
    assert {"2026-01-13", "2026-01-20"} <= ahead
    assert {o.unadjusted_on.isoformat() for o in weekly if o.live} - ahead == {"2026-01-05"}
    assert next(o for o in weekly if o.key == MONDAY).status is Status.CANCELLED
    assert pfflow("verify").status == 0


def test_the_list_of_2027_moves_the_dates_it_must_and_mails_for_them_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store_url: str
) -> None:
    """Made up: Monday 4 January 2027 is off, and only it. That day's meeting is in two calendars on 30 December."""
    home = settle_in(monkeypatch, tmp_path / "home", store_url)
    with SqlStore.open(store_url) as store:
        store.import_facts(make_facts(), at("2026-12-07", 8), "test")
    done("adopt", PLAYBOOK)
    for day in ("2026-12-07", "2026-12-30", "2026-12-31"):
        done("sweep", "communication", "--as-of", day)
    before = events(home)
    with SqlStore.open(store_url) as store:
        owed = {o.key: o for o in store.obligations("G1") if o.live}
        entered = HouseList("CN", (OwnHoliday(date(2027, 1, 4), "made up"),), date(2027, 12, 31))
        store.import_holidays(entered, at("2026-12-31", 17), "test")
    provisional = {key for key, one in owed.items() if one.provisional}
    plan = json.loads(done("plan", "--as-of", "2026-12-31T19:00", "--json"))
    kinds = {change["key"]: change["kind"] for change in plan["projects"][0]["changes"]}
    assert set(kinds.values()) == {"moved", "confirmed"}
    assert kinds.keys() == provisional
    assert kinds["G1/weekly-progress/2027-01-04"] == "moved"
    planned_and_applied(home, None, "2026-12-31T19:00")
    uid = "G1/weekly-progress/2027-01-04@expressway.example"
    assert events(home) - before == {
        ("c-con", "REQUEST", uid, 1, "CONFIRMED"),
        ("c-eng", "REQUEST", uid, 1, "CONFIRMED"),
    }
    with SqlStore.open(store_url) as store:
        now = {o.key: o for o in store.obligations("G1") if o.live}
    assert now["G1/weekly-progress/2027-01-04"].due_on == date(2027, 1, 5)
    assert {key for key in now if now[key].due_on != owed[key].due_on} == {k for k, v in kinds.items() if v == "moved"}
    assert not [key for key, one in now.items() if one.provisional]
