"""Workers that die: every call to the store or the mail server may be the last, before or after it took effect."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random  # noqa: TID251 - the seed
from typing import Any, TypeVar

from pfflow.domain.decision import Decision, Holdings
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld, Receipt, Recorded, Taken
from tests.simulation.invariants import Auditor

T = TypeVar("T")

CRASH = 0.025
"""How likely a call is to be a worker's last, at each of its boundaries, where the seed has crashes."""
BUSY = 0.1


class Crash(BaseException):
    """The process is gone: no handler of its own runs to any effect."""


@dataclass(slots=True, eq=False)
class Worker:
    """One life of a worker process."""

    name: str
    random: Random
    faults: frozenset[str]
    auditor: Auditor
    alive: bool = True

    def may_die(self, where: str) -> None:
        """Be alive, or raise; and perhaps die here."""
        if not self.alive:
            raise Crash(where)
        if "crash" in self.faults and self.random.random() < CRASH:
            self.die(where)

    def die(self, where: str) -> None:
        """End here and now."""
        self.end(where)
        raise Crash(where)

    def end(self, where: str) -> None:
        """Be dead from now on."""
        if self.alive:
            self.alive = False
            self.auditor.died(self.name, where)


class _Held:
    """A hold whose worker may die before and after it records."""

    def __init__(self, held: Any, worker: Worker) -> None:
        self._held = held
        self._worker = worker
        self.decision: Decision | None = None

    @property
    def holdings(self) -> Holdings:
        held: Holdings = self._held.holdings
        return held

    def record(self, decision: Decision) -> Recorded:
        self._worker.may_die(f"before recording {decision.stage}")
        recorded: Recorded = self._held.record(decision)
        self.decision = decision
        self._worker.may_die(f"before the commit of {decision.stage}")
        return recorded


class FaultyStore:
    """The store as one worker sees it; what takes effect is shown to the auditor at once."""

    def __init__(self, store: Any, worker: Worker) -> None:
        self._store = store
        self._worker = worker

    def project_refs(self) -> tuple[str, ...]:
        """Give all project refs in order."""
        return self._read(self._store.project_refs)

    @contextmanager
    def deciding(self, project_ref: str, stage: Stage, as_of: datetime) -> Iterator[Any]:
        """Hold a project; the worker may die inside, and then nothing of it was."""
        worker = self._worker
        worker.may_die(f"before {stage} of {project_ref}")
        if "busy" in worker.faults and worker.random.random() < BUSY:
            yield NotHeld("busy")
            return
        try:
            with self._store.deciding(project_ref, stage, as_of) as held:
                if isinstance(held, NotHeld):
                    yield held
                    return
                proxy = _Held(held, worker)
                yield proxy
        except BaseException:
            worker.auditor.rolled_back()
            raise
        worker.auditor.decided(worker.name, proxy.decision, proxy.holdings, as_of)
        worker.may_die(f"after the commit of {stage} of {project_ref}")

    def claim(self, worker: str, now: datetime, limit: int, seconds: float, *rest: Any, **more: Any) -> Taken:
        """Take letters."""
        self._worker.may_die("before claiming")
        claimed: Taken = self._store.claim(worker, now, limit, seconds, *rest, **more)
        self._worker.auditor.claimed(self._worker.name, claimed, now, limit, *rest)
        self._worker.may_die("after claiming")
        return claimed

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold letters longer."""

        def renew() -> frozenset[str]:
            kept: frozenset[str] = self._store.renew(worker, keys, until)
            self._worker.auditor.renewed(worker, kept, until)
            return kept

        return self._write("renewing", renew, lambda: None)

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Write down what became of letters."""
        self._write(
            "marking",
            lambda: self._store.settle(worker, receipts),
            lambda: self._worker.auditor.settled(worker, receipts),
        )

    def waiting(self, now: datetime, **more: Any) -> tuple[int, datetime | None]:
        """Give how many letters wait."""
        left: tuple[int, datetime | None] = self._read(lambda: self._store.waiting(now, **more))
        return left

    def _read(self, call: Callable[[], T]) -> T:
        self._worker.may_die("reading")
        return call()

    def _write(self, what: str, call: Callable[[], T], seen: Callable[[], None]) -> T:
        self._worker.may_die(f"before {what}")
        result = call()
        seen()
        self._worker.may_die(f"after {what}")
        return result
