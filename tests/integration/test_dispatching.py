"""Draining the outbox on real databases: what is on its way at once, what a stop leaves, and who holds what."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pfflow.delivery.compose import Sender
from pfflow.delivery.connection import Security, SmtpServer
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.smtp import SmtpMailer
from pfflow.dispatching import Drain, Terms
from pfflow.domain.decision import Decision
from pfflow.domain.letters import Letter
from pfflow.domain.words import EN, Stage, Words
from pfflow.ports import Claimed, Mailer, NotHeld, Receipt, Taken
from pfflow.store import SqlStore
from tests.integration.samples import AT, FACTS, make_notice
from tests.integration.smtp import HOST, Recorder, smtp_server

SENDER = Sender(Words("融资部", "Desk"), "house@example.com", "pfflow.example.com")
CONNECTIONS = 3
TERMS = Terms(batch=4, lease=60)


def wall_clock() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - claims of these tests last as long as they say


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = AT

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Post:
    """A mailer whose letters arrive when they may; `begun` is what it was given, `arrived` what it sent."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)
    connections: int = CONNECTIONS

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        yield

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        (letter,) = claimed
        self.begun.append(letter.message_id)
        await self.gate.wait()
        self.arrived.append(letter.message_id)
        return (Receipt(message_id=letter.message_id, outcome="sent", at=AT),)


def opened_post() -> Post:
    post = Post()
    post.gate.set()
    return post


class GatedStore(SqlStore):
    """A store that can be told to keep marks waiting, or to refuse them."""

    marks_may_go: threading.Event
    refusals: int = 0
    asked_to_mark: int = 0
    slow: Any = staticmethod(lambda: None)

    def claim(self, *asked: Any, **said: Any) -> Taken:
        claimed = super().claim(*asked, **said)
        self.slow()
        return claimed

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        kept = super().renew(worker, keys, until)
        self.slow()
        return kept

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        self.asked_to_mark += 1
        assert self.marks_may_go.wait(60)
        if self.refusals:
            self.refusals -= 1
            raise OSError("the disk is full")
        super().settle(worker, receipts)


@pytest.fixture
def store(store_url: str) -> Any:
    with GatedStore.open(store_url) as opened:
        assert isinstance(opened, GatedStore)
        opened.marks_may_go = threading.Event()
        opened.marks_may_go.set()
        opened.import_facts(FACTS, AT, "test")
        yield opened


def post_letters(store: SqlStore, count: int) -> list[str]:
    notices = tuple(
        make_notice(key=f"G1/o/r/{number:03}", noticed_at=AT + number * timedelta(seconds=1)) for number in range(count)
    )
    with store.deciding("G1", Stage.COMMUNICATION, AT) as held:
        assert not isinstance(held, NotHeld)
        held.record(Decision(project_ref="G1", stage=Stage.COMMUNICATION, as_of=AT, notices=notices))
    return [notice.key for notice in notices]


async def reached(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - threads and databases set no event
            await asyncio.sleep(0.005)


def drain(store: SqlStore, mailer: Mailer, clock: Any = None, worker: str = "w", terms: Terms = TERMS) -> Drain:
    return Drain(store, mailer, clock or Clock(), worker, terms)


async def test_every_letter_is_sent_once_and_marked(store: GatedStore) -> None:
    keys, post = post_letters(store, 30), opened_post()
    counted = await drain(store, post).run(0)
    assert counted == {"sent": 30}
    assert sorted(post.arrived) == keys
    assert len(store.letters(status="sent")) == 30
    assert store.verify() == ()


async def test_no_more_than_connections_and_a_batch_are_ever_sent_and_not_marked(store: GatedStore) -> None:
    post_letters(store, 30)
    post = opened_post()
    store.marks_may_go.clear()
    running = asyncio.create_task(drain(store, post).run(0))
    await reached(lambda: store.asked_to_mark)
    unmarked = CONNECTIONS + TERMS.batch
    await reached(lambda: len(post.begun) == unmarked)
    for _ in range(100):  # time enough to begin another, were it allowed: letters lie ready and the gate is open
        await asyncio.sleep(0)
    assert len(post.begun) == unmarked
    store.marks_may_go.set()
    assert await running == {"sent": 30}


async def test_letters_are_claimed_ahead_while_others_are_sent_and_no_further(store: GatedStore) -> None:
    post_letters(store, 30)
    post = Post()
    running = asyncio.create_task(drain(store, post).run(0))
    await reached(lambda: len(post.begun) == CONNECTIONS)
    await reached(lambda: sum(letter.claimed_by == "w" for letter in store.letters()) >= 2 * TERMS.batch)
    assert sum(letter.claimed_by == "w" for letter in store.letters()) <= CONNECTIONS + 3 * TERMS.batch
    post.gate.set()
    assert await running == {"sent": 30}


async def test_a_stop_lets_letters_on_their_way_arrive_and_gives_the_others_back(store: GatedStore) -> None:
    post_letters(store, 30)
    post = Post()
    running = asyncio.create_task(drain(store, post).run(0))
    await reached(lambda: len(post.begun) == CONNECTIONS)
    running.cancel()
    await asyncio.sleep(0)
    post.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(post.arrived) == CONNECTIONS
    assert {letter.message_id for letter in store.letters(status="sent")} == set(post.arrived)
    left = store.letters(status="waiting")
    assert [(one.claimed_by, one.attempts, one.next_try_at) for one in left] == [(None, 0, None)] * len(left)


async def test_a_mark_that_fails_is_tried_again_and_nothing_more_is_begun(store: GatedStore) -> None:
    post_letters(store, 30)
    post = opened_post()
    store.refusals = 1
    with pytest.raises(OSError, match="the disk is full"):
        await drain(store, post).run(0)
    sent = {letter.message_id for letter in store.letters(status="sent")}
    assert sent == set(post.arrived)
    assert len(sent) <= CONNECTIONS + TERMS.batch


async def test_when_no_mark_succeeds_the_error_is_told_and_no_more_than_the_window_was_sent(store: GatedStore) -> None:
    post_letters(store, 30)
    post = opened_post()
    store.refusals = 1000
    with pytest.raises(OSError, match="the disk is full"):
        await drain(store, post).run(0)
    assert store.letters(status="sent") == ()
    assert len(post.begun) <= CONNECTIONS + TERMS.batch


async def test_a_claim_that_is_over_is_renewed_before_a_letter_is_begun(store: GatedStore) -> None:
    """As when a machine slept: on waking the claims are over, and nobody else came."""
    keys = post_letters(store, 10)
    post, clock = Post(), Clock()
    running = asyncio.create_task(drain(store, post, clock).run(0))
    await reached(lambda: len(post.begun) == CONNECTIONS)
    clock.at += timedelta(seconds=2 * TERMS.lease)
    post.gate.set()
    assert await running == {"sent": 10}
    assert sorted(post.begun) == keys
    assert {letter.attempts for letter in store.letters()} == {1}


async def test_a_letter_whose_claim_would_end_while_it_is_sent_is_left_for_another_claim(store: GatedStore) -> None:
    """On waking, somebody else has claimed what this worker had not begun."""
    post_letters(store, 10)
    post, clock = Post(), Clock()
    running = asyncio.create_task(drain(store, post, clock).run(0))
    await reached(lambda: len(post.begun) == CONNECTIONS)
    clock.at += timedelta(seconds=2 * TERMS.lease)
    assert len(store.claim("other", clock.at, 100, 3600)) == 10
    post.gate.set()
    await running
    assert len(post.begun) == CONNECTIONS
    assert {letter.claimed_by for letter in store.letters()} == {"other"}


async def test_a_store_that_takes_longer_than_a_claim_lasts_still_gets_every_letter_sent_once(
    store: GatedStore,
) -> None:
    keys, clock = post_letters(store, 30), Clock()
    post = opened_post()
    store.slow = lambda: setattr(clock, "at", clock.at + timedelta(seconds=2 * TERMS.lease))
    counted = await drain(store, post, clock).run(0)
    assert counted["sent"] == 30
    assert sorted(post.begun) == keys


async def test_a_claim_is_renewed_for_as_long_as_the_letter_takes(store: GatedStore) -> None:
    post_letters(store, 6)
    post, terms = Post(), Terms(batch=2, lease=1)
    running = asyncio.create_task(drain(store, post, wall_clock, terms=terms).run(0))
    await reached(lambda: len(post.begun) == CONNECTIONS)
    until = wall_clock() + timedelta(seconds=2 * terms.lease)
    await reached(lambda: wall_clock() >= until)
    held = [one for one in store.letters() if one.claimed_by == "w"]
    assert {one.message_id for one in held} >= set(post.begun)
    assert all(one.claimed_until is not None and one.claimed_until > until for one in held)
    post.gate.set()
    assert await running == {"sent": 6}


async def test_a_letter_somebody_else_has_taken_is_not_sent(store: GatedStore) -> None:
    post_letters(store, 10)
    post = Post()
    robbed = drain(store, post, wall_clock, terms=Terms(batch=4, lease=1))
    running = asyncio.create_task(robbed.run(0))
    await reached(lambda: len(post.begun) == CONNECTIONS)
    taken = {one.message_id for one in store.claim("thief", wall_clock() + timedelta(days=1), 100, 3600)}
    assert taken > set(post.begun)
    await reached(lambda: not robbed._in_hand)  # noqa: SLF001 - that it let go is seen nowhere until one is begun
    post.gate.set()
    await running
    assert len(post.begun) == CONNECTIONS
    assert {(one.claimed_by, one.status) for one in store.letters()} == {("thief", "waiting")}


async def test_two_workers_share_what_waits_and_send_nothing_twice(store: GatedStore) -> None:
    keys = post_letters(store, 60)
    first, second = opened_post(), opened_post()
    counted = await asyncio.gather(
        drain(store, first, worker="first").run(0), drain(store, second, worker="second").run(0)
    )
    assert sum(one["sent"] for one in counted) == 60
    assert sorted(first.arrived + second.arrived) == keys


async def test_connections_are_kept_from_batch_to_batch_and_left_with_a_goodbye(store: GatedStore) -> None:
    keys, recorder = post_letters(store, 30), Recorder()
    with smtp_server(recorder) as port:
        assert await drain(store, plain_mailer(port)).run(0) == {"sent": 30}
    assert 1 <= recorder.connections <= CONNECTIONS
    assert recorder.goodbyes == recorder.connections
    ids = sorted(
        line.decode() for *_, m in recorder.messages for line in m.split(b"\r\n") if line[:11] == b"Message-ID:"
    )
    assert ids == [f"Message-ID: <{key}@pfflow.example.com>" for key in keys]


async def test_a_server_that_hangs_up_now_and_then_gets_every_letter_once(store: GatedStore) -> None:
    post_letters(store, 30)
    recorder = Recorder(after_each="close")
    with smtp_server(recorder) as port:
        assert await drain(store, plain_mailer(port)).run(0) == {"sent": 30}
    assert len(recorder.messages) == 30


def plain_mailer(port: int) -> SmtpMailer:
    server = SmtpServer(host=HOST, port=port, security=Security.NONE, timeout=10)
    live = MailPolicy(live=True, allow=("@bank.example",))
    return SmtpMailer(
        server, live, SENDER, lambda *_: Letter("Subject", "text", "<p>text</p>", EN), Clock(), connections=CONNECTIONS
    )


async def test_letters_that_go_one_after_the_other_share_one_connection(store: GatedStore) -> None:
    post_letters(store, 3)
    recorder = Recorder()
    with smtp_server(recorder) as port:
        mailer = plain_mailer(port)
        async with mailer.kept_open():
            for claimed in store.claim("w", AT, 3, 60):
                (receipt,) = await mailer.deliver((claimed,))
                assert receipt.outcome == "sent"
        assert recorder.goodbyes == 1
    assert recorder.connections == 1
