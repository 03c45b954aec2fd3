"""Workers killed in the middle of 2,000 letters: nothing is lost, and what goes out twice is bounded and the same."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from pfflow.bootstrap import shared_clock, worker_name
from pfflow.delivery.compose import Sender
from pfflow.delivery.connection import Security, SmtpServer
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.smtp import SmtpMailer
from pfflow.dispatching import Drain, Terms
from pfflow.domain.decision import Decision
from pfflow.domain.letters import Letter
from pfflow.domain.words import EN, Stage, Words
from pfflow.ports import NotHeld
from pfflow.store import SqlStore
from tests.integration.samples import AT, FACTS, make_notice
from tests.integration.smtp import HOST, Recorder, smtp_server

LETTERS, KILLS = 2000, 20
CONNECTIONS, TERMS = 4, Terms()
WINDOW = CONNECTIONS + TERMS.batch
SOON = 5.0
"""Seconds after a restart within which letters arrive again."""
PATIENCE = 120.0
SENDER = Sender(Words("融资部", "Desk"), "house@example.com", "pfflow.example.com")
POSTGRES = os.environ.get("PFFLOW_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")  # noqa: TID251 - where the tests' server is
STARTED = multiprocessing.get_context("forkserver")
STARTED.set_forkserver_preload(["pfflow.bootstrap", "tests.integration.samples"])


@dataclass
class Log(Recorder):
    """What a real server accepted: for each Message-ID the contents, and the life of the worker in which each came."""

    life: int = 0
    contents: dict[bytes, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    lives: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    accepted: int = 0

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the name aiosmtpd looks for
        content = envelope.original_content or b""
        (line,) = (line for line in content.split(b"\r\n") if line.startswith(b"Message-ID:"))
        self.contents[line].add(content)
        self.lives[line].append(self.life)
        self.accepted += 1
        return "250 taken"


def work(url: str, port: int) -> None:
    """Drain the outbox as `pfflow dispatch` does."""
    with SqlStore.open(url) as store:
        clock = shared_clock(store)
        mailer = SmtpMailer(
            SmtpServer(host=HOST, port=port, security=Security.NONE),
            MailPolicy(live=True, allow=("@bank.example",), cap_per_run=LETTERS * KILLS),
            SENDER,
            lambda *_: Letter("Subject", "text " * 200, "<p>text</p>" * 100, EN),
            clock,
            connections=CONNECTIONS,
        )
        asyncio.run(Drain(store, mailer, clock, worker_name(), TERMS).run(TERMS.lease + 1))


def stocked(url: str) -> set[bytes]:
    """Make a database with 2,000 letters that wait; gives the lines their Message-IDs stand on."""
    notices = tuple(
        make_notice(key=f"G1/o/r/{number:04}", noticed_at=AT + number * timedelta(seconds=1))
        for number in range(LETTERS)
    )
    with SqlStore.open(url) as store:
        store.migrate()
        store.import_facts(FACTS, AT, "test")
        with store.deciding("G1", Stage.COMMUNICATION, AT) as held:
            assert not isinstance(held, NotHeld)
            held.record(Decision(project_ref="G1", stage=Stage.COMMUNICATION, as_of=AT, notices=notices))
    return {f"Message-ID: <{notice.key}@pfflow.example.com>".encode() for notice in notices}


@contextmanager
def worker(url: str, port: int) -> Iterator[BaseProcess]:
    process = STARTED.Process(target=work, args=(url, port), daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join(PATIENCE)


def reached(condition: Callable[[], bool], seconds: float, what: str) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"not within {seconds} s: {what}"
        time.sleep(0.002)  # noqa: TID251 - another process is waited for


def assert_nothing_lost_and_repeats_bounded(log: Log, expected: set[bytes], url: str) -> None:
    assert set(log.lives) == expected
    assert {len(contents) for contents in log.contents.values()} == {1}, "a repeat is the same letter, byte for byte"
    repeats = Counter(life for lives in log.lives.values() for life in lives[:-1])
    assert all(count <= WINDOW for count in repeats.values()), repeats
    with SqlStore.open(url) as store:
        assert len(store.letters(status="sent")) == LETTERS
        assert store.verify() == ()


def test_twenty_kills_lose_nothing_repeat_little_and_letters_go_on_within_seconds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pfflow.db'}"
    expected, log = stocked(url), Log()
    with smtp_server(log) as port:
        for kill in range(KILLS):
            log.life, before = kill, log.accepted
            with worker(url, port) as process:
                reached(lambda before=before: log.accepted > before, SOON, "a letter after a restart")  # type: ignore[misc]  # bound at once
                further = log.accepted + 7 * kill % 60
                reached(lambda further=further: log.accepted >= further, PATIENCE, "the moment to kill")  # type: ignore[misc]  # as above
                assert process.is_alive(), "the worker was done before it could be killed"
        log.life = KILLS
        with worker(url, port) as process:
            process.join(PATIENCE)
            assert process.exitcode == 0
    assert_nothing_lost_and_repeats_bounded(log, expected, url)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """Give an empty database of this test's own, dropped at the end."""
    name = f"pfflow_kill_{os.getpid()}"
    server = POSTGRES.replace("postgresql+psycopg://", "postgresql://")
    try:
        connection = psycopg.connect(server, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        if "postgresql" in os.environ.get("PFFLOW_REQUIRE", ""):  # noqa: TID251 - says that a skip is a failure
            pytest.fail(str(error))
        pytest.skip(str(error))
    with connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 ENCODING UTF8')
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.postgresql
def test_of_two_workers_on_postgresql_one_killed_the_other_and_a_new_one_send_the_rest(postgres_url: str) -> None:
    expected, log = stocked(postgres_url), Log()
    with smtp_server(log) as port, worker(postgres_url, port) as other:
        with worker(postgres_url, port):
            reached(lambda: log.accepted >= LETTERS // 4, PATIENCE, "the moment to kill")
        log.life, before = 1, log.accepted
        with worker(postgres_url, port) as restarted:
            reached(lambda: log.accepted > before, SOON, "a letter after a restart")
            for process in (other, restarted):
                process.join(PATIENCE)
                assert process.exitcode == 0
    assert_nothing_lost_and_repeats_bounded(log, expected, postgres_url)
