"""What the tests of flows share: the expressway in a home, a deployed server to ask, and waiting with a bound."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from flows.server import PrefectServer
from pfflow.bootstrap import opened_store
from pfflow.playbook import read_playbook
from pfflow.register import read_register
from pfflow.settings import Settings

ROOT = Path(__file__).parents[2]
EXPRESSWAY = ROOT / "examples" / "expressway"
IMPORTED_AT = datetime(2026, 1, 1, tzinfo=UTC)

T = TypeVar("T")


def eventually(found: Callable[[], T | None], seconds: float, what: str) -> T:
    """Give what `found` gives as soon as it gives something; fail after so many seconds.

    What other processes do cannot be awaited, only looked for; so this one place looks again and again, with a bound.
    """
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        value = found()
        if value is not None:
            return value
        time.sleep(0.25)  # noqa: TID251 - the one place that waits for other processes
    raise AssertionError(f"not within {seconds} s: {what}")


def expressway_in(home: Path) -> Settings:
    """Give the settings of a home that holds the expressway's register and playbook.

    Its offers leave at once, and not when the letters of a business day do: these tests run at any hour of any day.
    """
    settings = Settings(home=home)
    text = (EXPRESSWAY / "playbook.yaml").read_text(encoding="utf-8")
    at_letters, at_once = ("  offer:\n    - {at: 0" + unit + ", do: send" for unit in ("bd", "h"))
    assert at_letters in text
    text = text.replace(at_letters, at_once)
    playbook = read_playbook(EXPRESSWAY / "playbook.yaml").playbook
    assert playbook is not None
    with opened_store(settings) as store:
        store.import_facts(read_register(EXPRESSWAY / "register.xlsx").facts, IMPORTED_AT, "test")
        store.adopt_playbook(text, playbook.name, playbook.version, IMPORTED_AT, "test")
    return settings


@dataclass(frozen=True)
class Cockpit:
    """A running Prefect server with everything deployed, and the settings its worker runs under."""

    server: PrefectServer
    api: httpx.Client
    settings: Settings
    clone: Path

    def ask(self, path: str, **body: Any) -> Any:
        """Post to the API and give what it answers."""
        return self._answered("POST", path, body).json()

    def change(self, path: str, **body: Any) -> None:
        """Patch something."""
        self._answered("PATCH", path, body)

    def look(self, path: str) -> Any:
        """Get something from the API."""
        return self._answered("GET", path, None).json()

    def _answered(self, method: str, path: str, body: Any) -> httpx.Response:
        """Give a response; where SQLite is locked, the server answers 503 and Prefect's own clients ask again, too."""

        def asked() -> httpx.Response | None:
            response = self.api.request(method, path, json=body)
            return None if response.status_code == httpx.codes.SERVICE_UNAVAILABLE else response

        return eventually(asked, 30, f"{method} {path} is answered").raise_for_status()

    def runs(self, **filters: Any) -> list[dict[str, Any]]:
        """Give flow runs, the newest first."""
        return list(self.ask("/flow_runs/filter", sort="EXPECTED_START_TIME_DESC", **filters))

    def run(self, run_id: str) -> dict[str, Any]:
        """Give a flow run."""
        return dict(self.look(f"/flow_runs/{run_id}"))

    def deployments(self) -> dict[str, dict[str, Any]]:
        """Give the deployments by flow/deployment."""
        flows = {flow["id"]: flow["name"] for flow in self.ask("/flows/filter")}
        return {f"{flows[d['flow_id']]}/{d['name']}": d for d in self.ask("/deployments/filter")}

    def letters(self) -> list[str]:
        """Give the names of the files in the mailbox."""
        return sorted(path.name for path in self.settings.mailbox_folder.glob("*.eml"))


def ending(server: PrefectServer, home: Path, flow: str, **parameters: Any) -> dict[str, Any]:
    """Run a flow against the server in a process of its own, and give how it ended."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.flows.run_flow", flow, json.dumps(parameters)],
        cwd=ROOT,
        env={**server.environment, "PFFLOW_HOME": str(home)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said
