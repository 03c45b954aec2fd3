"""What people answer in Prefect's form, and the watchdog, as Prefect runs them, against a real server."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from flows.server import PrefectServer
from pfflow.bootstrap import opened_store
from pfflow.domain.obligations import ObligationKind, Status
from pfflow.settings import Settings
from tests.flows.cockpit import ending, expressway_in

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]

ANSWER = "flows/answer.py:answer"
COMMUNICATION = "flows/communication.py:communication"
LIFECYCLE = "flows/lifecycle.py:lifecycle"
WATCHDOG = "flows/watchdog.py:watchdog"


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """Give a home with the expressway in it."""
    return expressway_in(tmp_path / "home")


def test_an_answer_in_the_form_counts_at_once_and_a_wrong_one_says_why(home: Settings, server: PrefectServer) -> None:
    ending(server, home.home, COMMUNICATION)
    with opened_store(home) as store:
        reports = [o for o in store.obligations("EXP-01") if o.kind is ObligationKind.REPORT and o.debtor == "finance"]
        key = reports[0].key

    wrong = ending(server, home.home, ANSWER, key=key, what="fulfil", by="C-999")
    assert wrong["type"] == "FAILED"
    assert wrong["message"].startswith("there is no contact 'C-999'")
    waiver = ending(server, home.home, ANSWER, key=key, what="waive", by="C-51")
    assert (waiver["type"], waiver["message"]) == ("FAILED", "a waiver says why; give the reason")

    right = ending(server, home.home, ANSWER, key=f" {key} ", what="fulfil", by="C-51", because="filed")
    assert (right["type"], right["message"]) == ("COMPLETED", f"fulfil of {key} by C-51 is recorded")
    with opened_store(home) as store:
        (owed,) = (o for o in store.obligations("EXP-01") if o.key == key)
    assert (owed.status, owed.closed_by, owed.closed_because) == (Status.FULFILLED, "C-51", "filed")
    run = httpx.get(f"{server.api}/flow_runs/{right['flow_run_id']}").json()
    assert run["name"] == f"answer · fulfil ·  {key} "

    again = ending(server, home.home, ANSWER, key=key, what="fulfil", by="C-51", because="filed")
    assert again["type"] == "FAILED"
    assert "nothing is owed any more" in again["message"]


def test_the_watchdog_is_silent_while_all_goes_on_and_fails_with_a_list_once_it_stands_still(
    home: Settings, server: PrefectServer
) -> None:
    ending(server, home.home, LIFECYCLE, from_on="2026-01-05", until_on="2026-01-06")
    calm = ending(server, home.home, WATCHDOG, as_of="2026-01-06T20:00:00")
    assert (calm["type"], calm["message"]) == ("COMPLETED", "nothing stands still")

    # Without a zone it is wall time in Shanghai: five days after the last sweep, rungs and sweeps are overdue.
    found = ending(server, home.home, WATCHDOG, as_of="2026-01-11T20:00:00")
    assert found["type"] == "FAILED"
    assert " stood still; first " in found["message"]
    artifact = httpx.get(f"{server.api}/artifacts/watchdog/latest").json()
    assert artifact["description"].endswith("things stood still")
    rows = json.loads(artifact["data"])
    assert {"project", "rung"} <= {row["类别 / What"] for row in rows}
    assert all(row["自 / Since"] < "2026-01-11" for row in rows)
