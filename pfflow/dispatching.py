"""Draining the outbox: letters are claimed, sent and marked at the same time, each step a little ahead of the next.

While the connections send one lease of letters, the next is claimed, and what was sent is marked in batches. At most
`connections + batch` letters are sent and not yet marked at any instant: that many, and no more, can go out a second
time (under the same Message-ID) when the process is killed. Claims are short and renewed while the process lives, so
what a dead one had taken is free within one lease. Any number of processes may drain one outbox.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from pfflow.domain.manners import FREE, Manners
from pfflow.ports import Claimed, Clock, Mailer, Receipt, Store, Taken

T = TypeVar("T")

_RENEWALS = 4
"""How often a claim is renewed in the time it lasts; with less than one such part left a letter is not begun."""

_LONGEST_OVER = timedelta(minutes=1)
"""A claim that is over for longer is not renewed: whether its letters may go was asked too long ago. A lid was shut."""

_PAUSE = 0.05
"""Seconds before what another worker holds is asked for again."""

_LONGEST_UNMARKED = 0.1
"""Seconds a letter that was sent waits for others to be marked with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How much is taken at a time: letters a mark, twice as many a claim; a claim lasts `lease` seconds if not renewed.

    `manners` say which letters wait although they are ready.
    """

    batch: int = 50
    lease: float = 3.0
    manners: Manners = FREE


class Outbox(Protocol):
    """What is drained: the store's letters, or its chat texts."""

    def claim(self, worker: str, now: datetime, limit: int, seconds: float, manners: Manners = FREE) -> Taken:
        """Take up to `limit` of what waits for `seconds`."""
        ...

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold what is claimed until another instant; gives what the worker still had."""
        ...

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Write down what became of it."""
        ...

    def waiting(self, now: datetime) -> tuple[int, datetime | None]:
        """Give how many may be claimed now, and when the next of the others may."""
        ...


@dataclass(frozen=True, slots=True)
class ChatTexts:
    """A store's chat texts, to be drained beside its letters, so that neither waits for the other."""

    store: Store

    def claim(self, worker: str, now: datetime, limit: int, seconds: float, manners: Manners = FREE) -> Taken:
        """Take texts, as the store does."""
        return self.store.claim(worker, now, limit, seconds, manners, chat=True)

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold them, as the store does."""
        return self.store.renew(worker, keys, until)

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Settle them, as the store does."""
        self.store.settle(worker, receipts)

    def waiting(self, now: datetime) -> tuple[int, datetime | None]:
        """Count them, as the store does."""
        return self.store.waiting(now, chat=True)


class Drain:
    """One worker's draining of the outbox, once, from the first claim to the last mark.

    Nothing is torn off: on an error, or when it is cancelled, no further letter is begun, those on their way arrive and
    are marked, the others are given back, and then the error is raised.
    """

    def __init__(self, store: Outbox, mailer: Mailer, clock: Clock, worker: str, terms: Terms) -> None:
        self._store = store
        self._mailer = mailer
        self._clock = clock
        self._worker = worker
        self._terms = terms
        self._in_hand: dict[str, Claimed] = {}  # claimed and not marked, each with the end of its claim as renewed
        self._begun: set[str] = set()  # those of them whose sending began
        self._to_send: asyncio.Queue[str | None] = asyncio.Queue(terms.batch)
        self._may_be_unmarked = asyncio.Semaphore(mailer.connections + terms.batch)
        self._to_mark: list[Receipt] = []
        self._worth_marking = asyncio.Event()
        self._all_marked = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._all_sent = False
        self._over = asyncio.Event()
        self._store_takes = 0.0  # seconds of a transaction, lately
        self._error: Exception | None = None
        self._counted: Counter[str] = Counter()

    async def run(self, patience: float) -> Counter[str]:
        """Send what waits until nothing can be claimed, and for `patience` seconds what is taken or put off until then.

        Gives how many letters had which outcome.
        """
        work = asyncio.create_task(self._work(patience))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            self._stop()
            await work
            raise
        if self._error is not None:
            raise self._error
        return self._counted

    async def _work(self, patience: float) -> None:
        async with self._mailer.kept_open(), asyncio.TaskGroup() as group:
            group.create_task(self._renew())
            marking = group.create_task(self._mark())
            sending = [group.create_task(self._send()) for _ in range(self._mailer.connections)]
            await self._claim(patience)
            for _ in sending:
                await self._to_send.put(None)
            await asyncio.gather(*sending)
            self._all_sent = True
            self._worth_marking.set()
            await marking
            self._over.set()

    def _stop(self, error: Exception | None = None) -> None:
        """Begin no further letter; the first error is the one that is told."""
        self._error = self._error or error
        self._stopping.set()
        self._all_marked.set()
        self._worth_marking.set()
        for _ in range(self._mailer.connections):
            self._may_be_unmarked.release()  # who waits here finds that it is over

    async def _claim(self, patience: float) -> None:
        """Take letters, a lease ahead of those that are being sent, until none is left to take or to wait for."""
        give_up_at = self._clock() + timedelta(seconds=patience)
        terms = self._terms
        while not self._stopping.is_set():
            try:
                claimed = await self._in_store(
                    self._store.claim, self._worker, self._clock(), 2 * terms.batch, self._lease(), terms.manners
                )
                self._counted.update(one.outcome for one in claimed.settled)
                # A claim that had to wait for the database may be over when it comes, and be made again by the next.
                new = [one.message_id for one in claimed if one.message_id not in self._in_hand]
                self._in_hand.update((one.message_id, one) for one in claimed)
                for key in new:
                    await self._to_send.put(key)
                if claimed:
                    give_up_at = self._clock() + timedelta(seconds=patience)
                elif not await self._more_to_come(give_up_at):
                    return
            except Exception as error:  # noqa: BLE001 - kept and raised when what is on its way has arrived
                self._stop(error)

    async def _more_to_come(self, give_up_at: datetime) -> bool:
        """Wait until a letter may be claimed again; gives whether one may before the patience is over."""
        while self._in_hand and not self._stopping.is_set():
            self._all_marked.clear()
            self._worth_marking.set()
            await self._all_marked.wait()
        now = self._clock()
        ready, next_at = await self._in_store(self._store.waiting, now)
        again_at = now if ready else next_at
        if again_at is None or now >= give_up_at or again_at > give_up_at:
            return False
        await _until(self._stopping, max(_PAUSE, (again_at - now).total_seconds()))
        return True

    async def _send(self) -> None:
        """Send one letter after the other, as long as there is room for one more that is sent and not marked."""
        while (key := await self._to_send.get()) is not None:
            if not self._stopping.is_set():
                await self._may_be_unmarked.acquire()
            claimed = await self._held(key)
            if claimed is None:  # somebody else has it by now
                self._may_be_unmarked.release()
                continue
            if self._stopping.is_set() or not self._lasts(claimed):
                left = Receipt(message_id=key, outcome="left", at=self._clock(), response="not begun; claimed anew")
                self._to_mark.append(left)
            else:
                self._begun.add(key)
                try:
                    self._to_mark.extend(await self._mailer.deliver((claimed,)))
                except Exception as error:  # noqa: BLE001 - as above; a mailer does not raise for a letter's fault
                    self._stop(error)
            if len(self._to_mark) >= min(len(self._in_hand), self._terms.batch // 2):
                self._worth_marking.set()

    async def _held(self, key: str) -> Claimed | None:
        """Give a letter in hand with a claim that lasts, if it can be had; None where somebody else has the letter."""
        claimed = self._in_hand.get(key)
        if claimed is not None and not self._lasts(claimed) and not self._stopping.is_set():
            await self._renewed(key)
            return self._in_hand.get(key)
        return claimed

    def _lasts(self, claimed: Claimed) -> bool:
        """Whether a claim lasts until it is renewed next; if not, somebody else may have the letter by then."""
        return self._clock() + timedelta(seconds=self._terms.lease / _RENEWALS) < claimed.until

    async def _mark(self) -> None:
        """Write down what became of letters: half a batch, all that are in hand, or what there is after a moment."""
        while self._to_mark or not self._all_sent:
            if not self._all_sent:
                await _until(self._worth_marking, _LONGEST_UNMARKED)
            self._worth_marking.clear()
            for receipts in _batches(self._to_mark, self._terms.batch):
                if not await self._settled(receipts):
                    break

    async def _settled(self, receipts: Sequence[Receipt]) -> bool:
        """Mark a batch; gives whether that could be done. What cannot be marked twice over is left as it is."""
        gave_up = self._stopping.is_set()
        try:
            await self._in_store(self._store.settle, self._worker, receipts)
        except Exception as error:  # noqa: BLE001 - as above
            self._stop(error)
            if not gave_up:
                self._to_mark[:0] = receipts
            return False
        for receipt in receipts:
            self._in_hand.pop(receipt.message_id, None)
            self._begun.discard(receipt.message_id)
            self._counted[receipt.outcome] += 1
            self._may_be_unmarked.release()
        if not self._in_hand:
            self._all_marked.set()
        return True

    async def _renew(self) -> None:
        """Keep what is in hand claimed; what was lost all the same is let go."""
        while not self._over.is_set():
            await _until(self._over, self._terms.lease / _RENEWALS)
            if self._in_hand:
                await self._renewed()

    async def _renewed(self, wanted: str = "") -> None:
        """Renew all claims, unless the wanted one was renewed while this waited for its turn.

        What was over for long and is not begun is not renewed: it is given back and claimed anew, by what holds now.
        """
        async with self._one_at_a_time:
            claimed = self._in_hand.get(wanted)
            if claimed is not None and self._lasts(claimed):
                return
            began = self._clock()
            keys = tuple(key for key, one in self._in_hand.items() if key in self._begun or not _long_over(one, began))
            if not keys:
                return
            until = began + timedelta(seconds=self._lease())
            try:
                kept = await asyncio.to_thread(self._store.renew, self._worker, keys, until)
            except Exception as error:  # noqa: BLE001 - as above
                self._stop(error)
                return
            self._took(began)
        for key in set(keys) & self._in_hand.keys():
            if key in kept:
                self._in_hand[key] = replace(self._in_hand[key], until=until)
            else:
                del self._in_hand[key]
        if not self._in_hand:
            self._all_marked.set()

    def _lease(self) -> float:
        """Give the seconds of a claim: as said, or twice as long as a renewal needs where the disk is that slow."""
        return max(self._terms.lease, 2 * _RENEWALS * self._store_takes)

    def _took(self, began: datetime) -> None:
        """Remember how long the store takes; a stall is forgotten by and by."""
        self._store_takes = max((self._clock() - began).total_seconds(), self._store_takes / 2)

    async def _in_store(self, method: Callable[..., T], *arguments: object) -> T:
        """Do one transaction, away from the event loop; one at a time, as SQLite would have it anyway."""
        async with self._one_at_a_time:
            began = self._clock()
            done = await asyncio.to_thread(method, *arguments)
            self._took(began)
            return done


def _long_over(claimed: Claimed, now: datetime) -> bool:
    return claimed.until + _LONGEST_OVER < now


def _batches(receipts: list[Receipt], size: int) -> Iterator[list[Receipt]]:
    """Take the receipts out of a list that grows meanwhile, in batches."""
    while receipts:
        batch, receipts[:] = receipts[:size], receipts[size:]
        yield batch


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
