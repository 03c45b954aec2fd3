"""Opening a database: SQLite with what makes it durable and shareable, PostgreSQL through psycopg 3."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from pfflow.store.column_types import json_text
from pfflow.store.errors import (
    StoreBusyError,
    StoreInterruptedError,
    StoreUnreachableError,
    UnsupportedDatabaseError,
)

BUSY_SECONDS = 30
_WRITES = "pfflow_writes"
_TURN = 0.001
"""Seconds between two tries to become SQLite's writer."""


@dataclass(frozen=True, slots=True)
class Engines:
    """One pool, two manners: `reading` sees one instant throughout a transaction, `writing` takes what is newest.

    On PostgreSQL these are REPEATABLE READ and READ COMMITTED (after waiting for a row lock a writer must see what the
    other wrote); on SQLite a deferred and an immediate transaction.
    """

    reading: Engine
    writing: Engine


def open_engines(url: str, *, busy_seconds: float = BUSY_SECONDS) -> Engines:
    """Open a pool; nothing is connected yet. `busy_seconds` is how long SQLite waits for another writer.

    Raises UnsupportedDatabaseError for any other kind of database.
    """
    target = _target(url)
    if target.get_backend_name() == "sqlite":
        engine = create_engine(target, json_serializer=json_text, connect_args={"timeout": busy_seconds})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _beginning(busy_seconds))
        return Engines(engine, engine.execution_options(**{_WRITES: True}))
    engine = create_engine(
        target, json_serializer=json_text, connect_args={"options": "-c timezone=UTC"}, pool_pre_ping=True
    )
    return Engines(
        engine.execution_options(isolation_level="REPEATABLE READ"),
        engine.execution_options(isolation_level="READ COMMITTED"),
    )


def _target(url: str) -> URL:
    try:
        target = make_url(url)
    except (ArgumentError, ValueError):  # the latter for a port that is no number
        # What has an @ may hold a password, so it is not repeated, nor is the error that repeats it.
        shown = "what is given" if "@" in url else repr(url)
        raise UnsupportedDatabaseError(f"{shown} is no database URL; write sqlite:///path or postgresql://…") from None
    if target.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return target.set(drivername="postgresql+psycopg")
    if target.drivername in ("sqlite", "sqlite+pysqlite"):
        return target
    raise UnsupportedDatabaseError(f"{target.drivername} is not supported; write sqlite:///path or postgresql://…")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver is not to begin transactions by itself: a read that turns into a write can only fail, not wait.
    connection.isolation_level = None
    # FULL: a commit is on the disk when it returns. A letter that left cannot be called back, so neither may the
    # decision that sent it be lost, whether the process is killed or the machine loses power.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _beginning(busy_seconds: float) -> Callable[[Connection], None]:
    """Give what begins a transaction on SQLite; a writer asks for its turn until the seconds are over."""

    def begin(connection: Connection) -> None:
        writes: Any = connection.get_execution_options().get(_WRITES)
        if not writes:
            connection.exec_driver_sql("BEGIN")
        elif not _took_turn(connection, busy_seconds):
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # a last time, to fail as any statement does

    return begin


def _took_turn(connection: Connection, busy_seconds: float) -> bool:
    """Become the writer; gives whether that was possible in time.

    SQLite's own waiting sleeps longer with every try, up to a tenth of a second, so a writer that comes back at once
    would be first again and again: who waits here asks every millisecond.
    """
    driver: Any = connection.connection.dbapi_connection
    give_up_at = time.monotonic() + busy_seconds
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() >= give_up_at:
                    return False
            else:
                return True
            time.sleep(_TURN)  # noqa: TID251 - another process writes; SQLite tells nobody when it is done
    finally:
        driver.execute(f"PRAGMA busy_timeout={round(busy_seconds * 1000)}")


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction.

    Raises StoreBusyError where SQLite's writer outlasted the busy timeout, StoreUnreachableError where the database
    cannot be opened, StoreInterruptedError where it gave up in the middle; nothing of the step is kept then.
    """
    with _connected(engine) as connection:
        try:
            begun = connection.begin()
        except OperationalError as error:
            if not gave_up_waiting(error):
                raise
            raise StoreBusyError("another process kept the database locked for longer than the busy timeout") from error
        with uninterrupted(), begun:
            yield connection


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Say in our words that a database gave up, without the statement and the people's data in it."""
    try:
        yield
    except OperationalError as error:
        if gave_up_waiting(error):
            raise StoreBusyError("another process kept the database locked for longer than the busy timeout") from None
        said = " ".join(str(error.orig).split())
        raise StoreInterruptedError(f"the database gave up, and nothing of this step is kept: {said}") from None


def _connected(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except DBAPIError as error:
        if isinstance(error, OperationalError) and gave_up_waiting(error):
            raise StoreBusyError("another process kept the database locked while it was opened") from error
        said = " ".join(str(error.orig).split())
        # The URL as people write it, without its password.
        raise StoreUnreachableError(f"the database {engine.url.render_as_string()} cannot be opened: {said}") from error


def gave_up_waiting(error: OperationalError) -> bool:
    """Whether SQLite gave up waiting for another writer."""
    return getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")
