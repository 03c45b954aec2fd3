"""The same letters as Prefect tasks, one a letter, in one flow run on a real server (PREFECT_API_URL)."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

from benchmarks.dispatch_floor.by_celery import Server, send_one
from benchmarks.dispatch_floor.by_hand import opened

_kept = threading.local()


def _hands() -> tuple[sqlite3.Connection, Server]:
    """Open the database and connect, once a thread."""
    if not hasattr(_kept, "hands"):
        _kept.hands = opened(Path(os.environ["DISPATCH_FILE"])), Server()  # noqa: TID251 - how the process is told
    hands: tuple[sqlite3.Connection, Server] = _kept.hands
    return hands


@task
def send(number: int) -> None:
    """Write, compose, record, send and mark a letter."""
    send_one(number, *_hands())


@flow(task_runner=ThreadPoolTaskRunner(max_workers=4))  # type: ignore[arg-type]  # Prefect's own default runner
async def send_all(first: int, letters: int) -> None:
    """Send letters, a task each."""
    send.map(range(first, first + letters)).result()
