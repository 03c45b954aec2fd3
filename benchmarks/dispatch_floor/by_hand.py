"""The floor: an asyncio program for one purpose, with the same connections and database settings, without a framework.

It records each project's letters in a transaction, reads them back in batches, writes, composes and sends them over
connections that are kept, and marks them in batches while others are sent. It has one worker, so it claims nothing.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiosmtplib import SMTP

from benchmarks.dispatch_floor.letters import SENDER, Composed, composed, facts

A_PROJECT = 20
"""Letters that are decided together, and recorded in one transaction."""

_TABLE = """CREATE TABLE letter (
    key TEXT PRIMARY KEY, facts TEXT NOT NULL, status TEXT NOT NULL, sent_at TEXT, digest TEXT, response TEXT)"""
_MARK = "UPDATE letter SET status = 'sent', sent_at = ?, digest = ?, response = ? WHERE key = ?"


def opened(file: Path) -> sqlite3.Connection:
    """Open a database with pfflow's settings."""
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def prepared(file: Path) -> None:
    """Make the table."""
    connection = opened(file)
    connection.execute(_TABLE)
    connection.execute("CREATE INDEX letter_status ON letter (status, key)")
    connection.close()


async def dispatch(file: Path, port: int, letters: int, connections: int, batch: int) -> int:
    """Record so many letters, send them, mark them; gives how many were sent."""
    database = opened(file)
    _record(database, letters)
    to_send: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(batch)
    sent: asyncio.Queue[tuple[Composed, str] | None] = asyncio.Queue()
    async with asyncio.TaskGroup() as group:
        marking = group.create_task(_mark(database, sent, batch))
        sending = [group.create_task(_send(port, to_send, sent)) for _ in range(connections)]
        for some in _waiting(database, batch):
            for told in some:
                await to_send.put(told)
        for _ in sending:
            await to_send.put(None)
        await asyncio.gather(*sending)
        await sent.put(None)
        count = await marking
    database.close()
    return count


def _record(database: sqlite3.Connection, letters: int) -> None:
    for start in range(0, letters, A_PROJECT):
        rows = [
            (told["key"], json.dumps(told, ensure_ascii=False))
            for told in map(facts, range(start, min(start + A_PROJECT, letters)))
        ]
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO letter (key, facts, status) VALUES (?, ?, 'waiting')", rows)
        database.execute("COMMIT")


def _waiting(database: sqlite3.Connection, batch: int) -> Iterator[Sequence[dict[str, Any]]]:
    last = ""
    while rows := database.execute(
        "SELECT key, facts FROM letter WHERE status = 'waiting' AND key > ? ORDER BY key LIMIT ?", (last, batch)
    ).fetchall():
        yield [json.loads(text) for _, text in rows]
        last = rows[-1][0]


async def _send(
    port: int, to_send: asyncio.Queue[dict[str, Any] | None], sent: asyncio.Queue[tuple[Composed, str] | None]
) -> None:
    async with SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
        while (told := await to_send.get()) is not None:
            letter = composed(told)
            _, response = await client.sendmail(SENDER, [letter.recipient], letter.content)
            sent.put_nowait((letter, response))


async def _mark(database: sqlite3.Connection, sent: asyncio.Queue[tuple[Composed, str] | None], batch: int) -> int:
    count, over = 0, False
    while not over:
        rows: list[tuple[str, str, str, str]] = []
        while len(rows) < batch // 2:
            got = await sent.get()
            if got is None:
                over = True
                break
            letter, response = got
            rows.append((datetime.now(UTC).isoformat(), letter.digest, response, letter.key))  # noqa: TID251 - the floor has its own clock
        await asyncio.to_thread(_write, database, rows)
        count += len(rows)
    return count


def _write(database: sqlite3.Connection, rows: Sequence[tuple[str, str, str, str]]) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.executemany(_MARK, rows)
    database.execute("COMMIT")
