"""What the simulation found in the house, each as a small story of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from random import Random  # noqa: TID251 - the loop's seed

from pfflow.cycle import STAGES, dossier_of
from pfflow.dispatching import Drain, Terms
from pfflow.domain.manners import FREE, Manners
from pfflow.domain.playbook import QuietHours
from pfflow.domain.words import Stage
from pfflow.ports import Claimed, NotHeld, Receipt, Taken
from tests.simulation import world
from tests.simulation.loop import SimulatedLoop
from tests.simulation.model_store import ModelStore

BEGAN = date(2026, 1, 5)
ZONE = "Asia/Shanghai"


class _SlowOnce(ModelStore):
    """A store whose first claim waits for the database for longer than the claim lasts."""

    first = True

    def claim(
        self, worker: str, now: datetime, limit: int, seconds: float, manners: Manners = FREE, *, chat: bool = False
    ) -> Taken:
        waited, self.first = (timedelta(seconds=5) if self.first else timedelta()), False
        return super().claim(worker, now - waited, limit, seconds, manners, chat=chat)


class _Counting:
    """A mailer that counts what it is given."""

    connections = 2

    def __init__(self, now: datetime) -> None:
        self.sent: Counter[str] = Counter()
        self._now = now

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        yield

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        self.sent.update(one.message_id for one in claimed)
        return tuple(Receipt(message_id=one.message_id, outcome="sent", at=self._now) for one in claimed)


class _ShutOnce(_Counting):
    """A mailer whose machine is shut for the evening while the first letter is on its way."""

    shut = timedelta()

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        self.shut = timedelta(hours=11)
        await asyncio.sleep(1)
        return await super().deliver(claimed)


def decided(now: datetime) -> _SlowOnce:
    """Give a store with the letters of a project's first decisions; its first claim is slow."""
    store = _SlowOnce()
    store.import_facts(world.facts(1, BEGAN), now - timedelta(days=1), "test")
    for stage in (Stage.IDENTIFICATION, Stage.INFORMATION_GATHERING, Stage.COMMUNICATION):
        with store.deciding("G1", stage, now) as held:
            assert not isinstance(held, NotHeld)
            dossier = dossier_of(held.holdings, world.playbook(ZONE, 1), world.calendar(BEGAN), now)
            held.record(STAGES[stage](dossier, now))
    return store


def drained(drain: Drain) -> Counter[str]:
    """Let a drain run on simulated time; gives how many letters had which outcome."""
    loop = SimulatedLoop(Random(1))  # noqa: S311 - the loop's seed
    try:
        return loop.run_until_complete(drain.run(0))
    finally:
        loop.close()


def test_what_was_claimed_before_the_lid_was_shut_keeps_to_the_night_it_is_opened_in() -> None:
    now = world.World(ZONE, BEGAN, 1, 1, 1, frozenset()).begins_at + timedelta(hours=2)
    store = decided(now)
    store.first = False
    mailer = _ShutOnce(now)
    quiet = QuietHours.model_validate({"from": "20:00", "until": "07:30"})
    terms = Terms(batch=10, lease=3.0, manners=Manners(timezone=ZONE, quiet=quiet))
    outcomes = drained(Drain(store, mailer, lambda: now + mailer.shut, "w", terms))
    waits = {letter.key for letter in store.letters() if letter.status == "waiting"}
    assert mailer.sent.total() == 1
    assert mailer.sent.keys().isdisjoint(waits)
    assert len(waits) == outcomes["left"] == len(store.letters()) - 1


def test_letters_whose_claim_was_over_when_it_came_are_sent_once() -> None:
    now = world.World(ZONE, BEGAN, 1, 1, 1, frozenset()).begins_at + timedelta(hours=2)
    store = decided(now)
    posted = {letter.key for letter in store.letters()}
    assert posted
    mailer = _Counting(now)
    # A claim in the past is free again at once, so the drain takes what it already has.
    late = now + timedelta(seconds=20)
    drained(Drain(store, mailer, lambda: late, "w", Terms(batch=10, lease=3.0)))
    assert mailer.sent == dict.fromkeys(posted, 1)
