"""Sweeps and the lifecycle as Prefect runs them, against a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from flows.mail import NOTHING
from flows.server import PrefectServer
from flows.sweeping import CHUNK
from pfflow.bootstrap import opened_store
from pfflow.settings import Settings
from pfflow.store import MailTurn
from tests.flows.cockpit import ending, expressway_in

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]

IDENTIFICATION = "flows/identification.py:identification"
COMMUNICATION = "flows/communication.py:communication"
LIFECYCLE = "flows/lifecycle.py:lifecycle"
MONDAY = "2026-01-05T18:00:00+08:00"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Give a home with the expressway in it."""
    return expressway_in(tmp_path / "home")


def test_a_week_lived_twice_sends_its_letters_once(home: Settings, server: PrefectServer) -> None:
    first = ending(server, home.home, LIFECYCLE, from_on="2026-01-05", until_on="2026-01-09")
    sent = sorted(path.name for path in home.mailbox_folder.glob("*.eml"))
    second = ending(server, home.home, LIFECYCLE, from_on="2026-01-05", until_on="2026-01-09")

    assert first["type"] == second["type"] == "COMPLETED"
    assert (first["result"]["days"], first["result"]["letters"]["sent"]) == (5, len(sent))
    assert len(sent) > 50
    assert second["result"]["letters"]["sent"] == 0
    assert sorted(path.name for path in home.mailbox_folder.glob("*.eml")) == sent
    run = httpx.get(f"{server.api}/flow_runs/{first['flow_run_id']}").json()
    assert run["name"] == "lifecycle · EXP-01 · 2026-01-05 – 2026-01-09"


def test_failed_projects_stop_nobody_and_are_named(home: Settings, server: PrefectServer) -> None:
    # One more than a task takes, so the sweep has two tasks and shows its progress.
    unknown = [f"NO-{number:03}" for number in range(CHUNK)]
    end = ending(server, home.home, COMMUNICATION, as_of=MONDAY, projects=[*unknown, "EXP-01"])

    assert (end["type"], end["name"]) == ("COMPLETED", "PartlyFailed")
    assert end["message"].startswith("250 of 251 failed: NO-000, NO-001, NO-002, NO-003, NO-004 and 245 more;")
    assert list(end["result"]["failed"]) == unknown
    assert end["result"]["failed"]["NO-007"].startswith("UnknownProjectError")
    assert end["result"]["totals"]["planned"] > 10
    with opened_store(home) as store:
        assert store.obligations("EXP-01")
    progress = httpx.get(f"{server.api}/artifacts/communication-progress/latest").json()
    assert progress["data"] == 100.0


def test_a_run_whose_projects_all_failed_has_failed(home: Settings, server: PrefectServer) -> None:
    end = ending(server, home.home, COMMUNICATION, as_of=MONDAY, projects=["NO-SUCH"])

    assert end["type"] == "FAILED"
    assert end["message"].startswith("1 of 1 failed: NO-SUCH;")


def test_an_instant_without_a_zone_is_wall_time_where_the_playbook_is_at_home(
    home: Settings, server: PrefectServer
) -> None:
    # 01:00 in Shanghai is still the day before in UTC.
    ending(server, home.home, IDENTIFICATION, as_of="2026-01-06T01:00:00")

    with opened_store(home) as store:
        assert store.holdings("EXP-01").engaged_at == datetime(2026, 1, 5, 17, tzinfo=UTC)


def test_without_a_playbook_the_run_fails_and_says_what_to_do(server: PrefectServer, tmp_path: Path) -> None:
    end = ending(server, tmp_path, COMMUNICATION)

    assert end["type"] == "FAILED"
    assert "no playbook is adopted yet; run: pfflow adopt" in end["message"]


def test_while_mail_is_stopped_the_page_of_mail_says_who_stopped_it_and_what_waits(
    home: Settings, server: PrefectServer
) -> None:
    turn = MailTurn(stopped=True, turned_at=datetime(2026, 1, 5, tzinfo=UTC), turned_by="C-51", because="报告数字有误")
    with opened_store(home) as store:
        store.turn_mail(turn)
    end = ending(server, home.home, COMMUNICATION, as_of=MONDAY)

    assert end["type"] == "COMPLETED"
    page = httpx.get(f"{server.api}/artifacts/mail/latest").json()["data"]
    assert "Mail is stopped** (C-51, 2026-01-05 00:00 UTC): 报告数字有误" in page
    with opened_store(home) as store:
        waiting = len(store.letters(status="waiting"))
        store.turn_mail(replace(turn, stopped=False))
    assert waiting > 0
    assert f"| 待发 / waiting | {waiting} | 已停止发信 / the stop switch is on |" in page
    assert not list(home.mailbox_folder.glob("*.eml"))

    ending(server, home.home, COMMUNICATION, as_of=MONDAY)
    assert len(list(home.mailbox_folder.glob("*.eml"))) == waiting
    assert httpx.get(f"{server.api}/artifacts/mail/latest").json()["data"] == NOTHING
