"""Ten days without a sweep on the motorway: the stale is skipped, the owed goes once and says so, one summary."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pfflow.bootstrap import Engine, engine, opened_store
from pfflow.domain.obligations import ObligationKind, Status
from pfflow.domain.words import Stage
from pfflow.playbook import read_playbook
from pfflow.register import read_register
from pfflow.rendering.letters import Renderer
from pfflow.settings import Settings
from pfflow.store.outbox import Letter
from pfflow.watchdog import watched

EXAMPLE = Path(__file__).parents[2] / "examples" / "expressway"
SHANGHAI = ZoneInfo("Asia/Shanghai")
PROJECT = "EXP-01"
BEGAN, LAST, AGAIN = (datetime(2026, 1, day, 9, 30, tzinfo=SHANGHAI) for day in (5, 12, 23))
"""The last sweep is on Monday the 12th, the next on Friday the 23rd: ten days are silent, eight of them worked."""


def live(opened: Engine, at: datetime) -> None:
    for stage in Stage:
        for outcome in opened.cycle.sweep(stage, at, [PROJECT]):
            assert outcome.status in ("decided", "quiet"), outcome


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give the motorway after the outage and two more sweeps."""
    settings = Settings(home=tmp_path_factory.mktemp("outage"))
    playbook = read_playbook(EXAMPLE / "playbook.yaml").playbook
    assert playbook is not None
    with opened_store(settings) as store:
        store.import_facts(read_register(EXAMPLE / "register.xlsx").facts, BEGAN, "test")
        text = (EXAMPLE / "playbook.yaml").read_text(encoding="utf-8")
        store.adopt_playbook(text, playbook.name, playbook.version, BEGAN, "test")
    with engine(settings) as opened:
        day = BEGAN
        while day <= LAST:
            live(opened, day.astimezone(UTC))
            day += timedelta(days=1)
        assert [one.kind for one in watched(opened, AGAIN)] != []
        live(opened, AGAIN.astimezone(UTC))
        assert [one for one in watched(opened, AGAIN) if one.kind != "letters"] == []
        live(opened, (AGAIN + timedelta(hours=1)).astimezone(UTC))
        live(opened, (AGAIN + timedelta(days=3)).astimezone(UTC))
    return settings


@pytest.fixture(scope="module")
def letters(home: Settings) -> tuple[Letter, ...]:
    with opened_store(home) as store:
        return store.letters(PROJECT)


def after(letters: tuple[Letter, ...]) -> list[Letter]:
    return [one for one in letters if one.notice.noticed_at == AGAIN]


def test_nobody_is_invited_to_a_meeting_that_is_over(home: Settings, letters: tuple[Letter, ...]) -> None:
    with opened_store(home) as store:
        meetings = {o.key: o for o in store.obligations(PROJECT) if o.kind is ObligationKind.MEETING}
        firings = store.holdings(PROJECT).firings
    invited = [one.notice for one in letters if one.notice.invitation is not None]
    assert all(meetings[one.obligation_key].due_at > one.noticed_at for one in invited)
    over = [o.key for o in meetings.values() if LAST < o.due_at <= AGAIN]
    skipped = [
        f for (key, rung), f in firings.items() if key in over and f.outcome == "skipped" and f.fired_at == AGAIN
    ]
    assert over
    assert any(f.rung.startswith("remind") for f in skipped)


def test_overdue_reports_are_sent_once_and_say_that_they_are_late(letters: tuple[Letter, ...]) -> None:
    reports = [one.notice for one in after(letters) if "/fund-use-report/2026-01-15/" in one.notice.key]
    sent = [one for one in reports if one.rung == "send0bd-informed"]
    assert sent
    assert Counter((one.obligation_key, one.rung, one.contact_ref) for one in reports).most_common(1)[0][1] == 1
    assert all(one.context["delayed"] == {"on": "2026-01-15", "business_days": 6} for one in sent)
    assert len({one.notice.key for one in letters}) == len(letters)
    later = [
        one for one in letters if "/fund-use-report/2026-01-15/" in one.notice.key and one.notice.noticed_at > AGAIN
    ]
    assert later == []


def test_the_letter_itself_says_so_in_both_languages(home: Settings, letters: tuple[Letter, ...]) -> None:
    notice = next(one.notice for one in after(letters) if one.notice.rung == "send0bd-informed")
    with opened_store(home) as store:
        contacts = {c.contact_ref: c for c in store.facts(PROJECT).contacts}
    render = Renderer.of_house(home.templates).letter
    chinese, english = (render(notice, contacts[notice.contact_ref], language) for language in ("zh-CN", "en"))
    assert "本函原应于2026年1月15日发出，因我方系统中断，延迟了6个工作日" in chinese.text
    assert "This letter should have gone out on 15 January 2026." in english.text
    assert "held it back for 6 business days" in english.text


def test_one_summary_lists_what_was_left_out_and_why(home: Settings, letters: tuple[Letter, ...]) -> None:
    summaries = [one.notice for one in letters if one.notice.template == "communication/outage_summary"]
    assert {one.obligation_key for one in summaries} == {"EXP-01/outage/2026-01-23"}
    readers = Counter(one.contact_ref for one in summaries)
    assert len(readers) >= 2  # operations, who watch, and the head
    assert set(readers.values()) == {1}
    report = summaries[0].report
    assert report is not None
    (table,) = report.tables
    said: Any = summaries[0].context["outage"]
    assert (said["since"], said["until"]) == ("2026-01-12", "2026-01-23")
    assert len(table.rows) == said["fired"] + said["skipped"] + said["merged"]
    assert said["skipped"] > 0
    for row in table.rows:
        became, why = row[3], row[4]
        assert not isinstance(became, str | None)
        assert not isinstance(why, str | None)
        if became.en != "sent late":
            assert why.zh
            assert why.zh != why.en
    with opened_store(home) as store:
        entries = [entry for entry in store.ledger(PROJECT) if entry.kind == "outage"]
        (told,) = [o for o in store.obligations(PROJECT) if o.key == "EXP-01/outage/2026-01-23"]
    assert len(entries) == 1
    assert told.status is Status.FULFILLED


def test_the_summary_reads_in_both_languages(home: Settings, letters: tuple[Letter, ...]) -> None:
    notice = next(one.notice for one in letters if one.notice.template == "communication/outage_summary")
    with opened_store(home) as store:
        contacts = {c.contact_ref: c for c in store.facts(PROJECT).contacts}
    render = Renderer.of_house(home.templates).letter
    chinese, english = (render(notice, contacts[notice.contact_ref], language) for language in ("zh-CN", "en"))
    assert "系统中断" in chinese.subject
    assert "After the outage of" in english.subject
    assert "what it announces is over" in english.text
    assert "所涉事项已过" in chinese.text
