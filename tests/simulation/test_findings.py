"""What the simulation found in the house, each as a small story of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from random import Random  # noqa: TID251 - the loop's seed

from pfflow.cycle import STAGES, dossier_of
from pfflow.dispatching import Drain, Terms
from pfflow.domain.manners import FREE, Manners
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


def test_letters_whose_claim_was_over_when_it_came_are_sent_once() -> None:
    now = world.World(ZONE, BEGAN, 1, 1, 1, frozenset()).begins_at + timedelta(hours=2)
    store = _SlowOnce()
    store.import_facts(world.facts(1, BEGAN), now - timedelta(days=1), "test")
    for stage in (Stage.IDENTIFICATION, Stage.INFORMATION_GATHERING, Stage.COMMUNICATION):
        with store.deciding("G1", stage, now) as held:
            assert not isinstance(held, NotHeld)
            dossier = dossier_of(held.holdings, world.playbook(ZONE, 1), world.calendar(BEGAN), now)
            held.record(STAGES[stage](dossier, now))
    posted = {letter.key for letter in store.letters()}
    assert posted
    mailer = _Counting(now)
    loop = SimulatedLoop(Random(1))  # noqa: S311 - the loop's seed
    # A claim in the past is free again at once, so the drain takes what it already has.
    late = now + timedelta(seconds=20)
    try:
        loop.run_until_complete(Drain(store, mailer, lambda: late, "w", Terms(batch=10, lease=3.0)).run(0))
    finally:
        loop.close()
    assert mailer.sent == dict.fromkeys(posted, 1)
