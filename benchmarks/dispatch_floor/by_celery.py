"""The same letters as Celery tasks with acks_late: a task writes, composes, records, sends and marks one letter."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from aiosmtplib import SMTP
from celery import Celery

from benchmarks.dispatch_floor.by_hand import opened
from benchmarks.dispatch_floor.letters import SENDER, composed, facts

app = Celery("letters", broker=os.environ.get("DISPATCH_BROKER", ""))  # noqa: TID251 - how a worker is told
app.conf.update(
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    task_default_queue=os.environ.get("DISPATCH_QUEUE", "dispatch"),  # noqa: TID251 - as above
)


@cache
def database() -> sqlite3.Connection:
    """Open the database once a process."""
    return opened(Path(os.environ["DISPATCH_FILE"]))  # noqa: TID251 - as above


class Server:
    """A kept connection for who is synchronous: the same client as everyone's, on a loop of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = SMTP(hostname="127.0.0.1", port=int(os.environ["DISPATCH_PORT"]), start_tls=False)  # noqa: TID251 - as above
        self._loop.run_until_complete(self._client.connect())

    def send(self, recipient: str, content: bytes) -> None:
        """Send a message."""
        self._loop.run_until_complete(self._client.sendmail(SENDER, [recipient], content))


@cache
def server() -> Server:
    """Connect once a process."""
    return Server()


@app.task(name="send")  # type: ignore[untyped-decorator]  # Celery ships no types
def send(number: int) -> None:
    """Write, compose, record, send and mark a letter."""
    send_one(number, database(), server())


def send_one(number: int, connection: sqlite3.Connection, to: Server) -> None:
    """Do what a task does for a letter: it is on the disk before it leaves, and marked when it left."""
    letter = composed(facts(number))
    connection.execute(
        "INSERT OR IGNORE INTO letter (key, facts, status, digest) VALUES (?, ?, 'waiting', ?)",
        (letter.key, letter.recipient, letter.digest),
    )
    to.send(letter.recipient, letter.content)
    at = datetime.now(UTC).isoformat()  # noqa: TID251 - the peers have their own clock
    connection.execute("UPDATE letter SET status = 'sent', sent_at = ? WHERE key = ?", (at, letter.key))
