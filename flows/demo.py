"""`make demo`: a motorway financing lived through its first quarter, in Prefect, with nothing leaving this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from flows.server import PrefectServer, deploy, end_on_sigterm, free_port, prefect_server, worker
from pfflow.bootstrap import now, opened_store
from pfflow.playbook import read_playbook
from pfflow.register import read_register
from pfflow.settings import Settings

HOME = Path(".demo")
"""Where the demo keeps its state: database, mailbox, and Prefect's own."""

EXPRESSWAY = Path("examples/expressway")
"""The financing the demo lives, as seen from the root of the checkout."""


def say(line: str = "") -> None:
    """Tell the person at the terminal."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def begun_home(home: Path, example: Path) -> Settings:
    """Give the settings of a home that has the example's register and playbook; what is there stays as it is."""
    settings = Settings(home=home.resolve() / "pfflow", db="", mail="local", mailbox=None)
    reading, playbook = read_register(example / "register.xlsx"), read_playbook(example / "playbook.yaml")
    if not reading.can_be_written or playbook.playbook is None:
        raise SystemExit("\n".join(map(str, (*reading.problems, *playbook.problems))))
    with opened_store(settings) as store:
        store.import_facts(reading.facts, now(), "demo")
        text = (example / "playbook.yaml").read_text(encoding="utf-8")
        store.adopt_playbook(text, playbook.playbook.name, playbook.playbook.version, now(), "demo")
    return settings


def paused(server: PrefectServer) -> None:
    """Pause every schedule: a sweep at today's date would end a story that lies in the past."""
    with httpx.Client(base_url=f"{server.api}/", timeout=30) as client:
        for deployment in client.post("deployments/filter", json={}).raise_for_status().json():
            client.post(f"deployments/{deployment['id']}/pause_deployment").raise_for_status()


def main() -> None:
    """Begin anew, start Prefect, let the story be told against it, and stop."""
    end_on_sigterm()
    shutil.rmtree(HOME, ignore_errors=True)
    say("pfflow · a motorway financing's first quarter, 2026-01-05 to 2026-03-31 · 高速公路项目的第一个季度")
    say("Starting Prefect's server on this machine …")
    settings = begun_home(HOME, EXPRESSWAY)
    with prefect_server(HOME / "prefect", free_port(4200)) as started:
        server = started.with_settings(PFFLOW_HOME=str(settings.home))
        deploy(server)
        paused(server)
        with worker(server, HOME / "prefect" / "worker.log"):
            quiet = server.with_settings(PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="ERROR")
            story = [sys.executable, "-m", "flows.story"]
            told = subprocess.run(story, env=dict(quiet.environment), check=False)  # noqa: S603 - this program
    if told.returncode:
        raise SystemExit(told.returncode)
    say()
    say(f"Letters     {settings.mailbox_folder}")
    say("            read them:  PFFLOW_HOME=.demo/pfflow .venv/bin/pfflow mailbox   (a number after it opens one)")
    say("What is owed            PFFLOW_HOME=.demo/pfflow .venv/bin/pfflow owed --as-of 2026-03-31")
    say("Prefect UI  make up, then open http://127.0.0.1:4200: runs, artifacts, the approval form")
    say("Your own    .venv/bin/pfflow template register.xlsx, fill it in, then: .venv/bin/pfflow import register.xlsx")


if __name__ == "__main__":
    main()
