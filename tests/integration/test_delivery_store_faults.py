"""What becomes of letters when a disk is full, or the database is locked or cut off between sending and marking."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from pfflow.cycle import Dispatched
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.mailbox import local_mailbox
from pfflow.delivery.reading import list_mailbox
from pfflow.domain.words import Stage
from pfflow.store import SqlStore, StoreBusyError, StoreError, StoreInterruptedError
from pfflow.store.engine import open_engines
from tests.integration.misbehaving import Misbehaving
from tests.integration.samples import FACTS
from tests.integration.test_delivery_faults import AT, Desk, message_id, numbered, plain


def stocked(store: SqlStore) -> Desk:
    """Give a desk with one letter."""
    facts = replace(FACTS, contacts=tuple(replace(contact, consent=True) for contact in FACTS.contacts))
    store.import_facts(facts, AT, "test")
    desk = Desk(store)
    desk.post(numbered())
    return desk


@dataclass(frozen=True)
class SmallDisk:
    """A disk of a megabyte of its own."""

    folder: Path

    def fill(self) -> None:
        """Leave no room on it."""
        with (self.folder / "filler").open("wb", buffering=0) as file:
            for size in (4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\0" * size)

    def clear(self) -> None:
        """Make room again."""
        (self.folder / "filler").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount a small disk, where this process may."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"no disk of a test's own can be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


async def test_a_full_disk_of_the_mailbox_puts_letters_off_and_keeps_no_half_of_one(
    disk: SmallDisk, sqlite_url: str
) -> None:
    with SqlStore.open(sqlite_url) as store, local_mailbox(disk.folder / "mailbox") as server:
        desk = replace(stocked(store), policy=MailPolicy())
        disk.fill()
        assert await desk.dispatch(server) == Dispatched(retry=1)
        assert "No space left" in desk.letter().last_response
        assert list_mailbox(disk.folder / "mailbox") == ()
        disk.clear()
        desk.later()
        assert await desk.dispatch(server) == Dispatched(sent=1)
        (line,) = list_mailbox(disk.folder / "mailbox")
        assert f"Message-ID: {line.message_id}".encode() == message_id()
        assert [path.name for path in (disk.folder / "mailbox").iterdir()] == [line.path.name]


async def test_a_full_disk_of_the_database_loses_no_letter_and_says_so(disk: SmallDisk, sqlite_template: Path) -> None:
    path = Path(shutil.copy(sqlite_template, disk.folder / "pfflow.db"))
    with SqlStore.open(f"sqlite:///{path}") as store:
        desk = stocked(store)
        server = Misbehaving(when_taken=once(disk.fill))
        async with server.listening() as port:
            with pytest.raises(StoreInterruptedError, match="disk is full"):
                await desk.dispatch(plain(port))
            disk.clear()
            desk.later()
            assert await desk.dispatch(plain(port)) == Dispatched(sent=1)
        assert server.ids() == [message_id(), message_id()]
        assert store.verify() == ()


async def test_a_database_that_another_process_keeps_locked_loses_no_letter_and_says_so(sqlite_url: str) -> None:
    with (
        SqlStore(open_engines(sqlite_url, busy_seconds=0.1)) as store,
        closing(sqlite3.connect(str(make_url(sqlite_url).database), check_same_thread=False)) as other,
    ):
        other.isolation_level = None
        desk = stocked(store)
        server = Misbehaving(when_taken=once(lambda: other.execute("BEGIN IMMEDIATE")))
        async with server.listening() as port:
            with pytest.raises(StoreBusyError, match="kept the database locked"):
                await desk.dispatch(plain(port))
            with pytest.raises(StoreBusyError):
                await desk.dispatch(plain(port))
            other.execute("ROLLBACK")
            desk.later()
            assert await desk.dispatch(plain(port)) == Dispatched(sent=1)
        assert server.ids() == [message_id(), message_id()]
        assert store.verify() == ()


@pytest.mark.postgresql
async def test_a_postgresql_connection_cut_between_sending_and_marking_loses_no_letter(empty_postgres_url: str) -> None:
    with SqlStore.open(empty_postgres_url) as store:
        desk = stocked(store)
        server = Misbehaving(when_taken=once(lambda: cut_off(empty_postgres_url)))
        async with server.listening() as port:
            sent = 0
            while not sent:
                try:
                    sent = (await desk.dispatch(plain(port))).sent
                except StoreError:
                    desk.later()
        assert set(server.ids()) == {message_id()}
        assert desk.letter().status == "sent"
        assert store.verify() == ()


@pytest.mark.postgresql
def test_a_postgresql_connection_cut_in_the_middle_of_a_step_is_said_without_what_was_asked(
    empty_postgres_url: str,
) -> None:
    with SqlStore.open(empty_postgres_url) as store:
        desk = stocked(store)
        (claimed,) = store.claim("w", AT, 10, 60)
        with (  # noqa: PT012 - it is the end of the hold that fails
            pytest.raises(StoreInterruptedError) as raised,
            store.deciding("G1", Stage.IDENTIFICATION, AT) as held,
        ):
            cut_off(empty_postgres_url)
            held.connection.exec_driver_sql("SELECT key FROM letter")  # type: ignore[union-attr]  # the store's own
        assert "terminating connection" in str(raised.value)
        assert "SELECT" not in str(raised.value)
        assert desk.letter().message_id == claimed.message_id


def once(do: Callable[[], object]) -> Callable[[], None]:
    """Give what happens the first time only."""
    left = [do]

    def first() -> None:
        if left:
            left.pop()()

    return first


def cut_off(url: str) -> None:
    """End every connection to the database but this one."""
    plain_url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with psycopg.connect(plain_url, autocommit=True) as connection:
        connection.execute(others)
