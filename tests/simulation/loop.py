"""An event loop whose time is simulated: nothing waits, and every delay is drawn from one seed.

Only what the house's asynchronous code needs is there: tasks, timers, and calls handed to threads. Such a call runs in
the loop itself, at an instant the seed chooses, so that workers meet at the store in every order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random  # noqa: TID251 - the seed
from typing import Any


class StuckError(RuntimeError):
    """Every task waits for another one: nothing will ever happen again."""


class _NoSelector:
    """Stands where the loop asks the operating system: time passes at once."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise StuckError("every task waits for another one")
        self._loop.now += max(0.0, timeout)
        return []


class SimulatedLoop(asyncio.BaseEventLoop):
    """A loop that runs on simulated seconds since its beginning, in `now`."""

    def __init__(self, random: Random, *, slowest: float = 0.05) -> None:
        super().__init__()
        self.now = 0.0
        self._random = random
        self._slowest = slowest
        self.stalls = 0.0
        self._selector = _NoSelector(self)
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Give the simulated seconds."""
        return self.now

    def run_in_executor(self, _executor: object, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # the base class leaves its generics open
        """Run a call in the loop after a delay that the seed draws."""
        future: asyncio.Future[Any] = self.create_future()

        def run() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except BaseException as error:  # noqa: BLE001 - whatever a thread raises is the waiter's
                future.set_exception(error)

        stalled = self.stalls > 0 and self._random.random() < self.stalls
        self.call_later(self._random.random() * (12.0 if stalled else self._slowest), run)
        return future

    def _process_events(self, event_list: list[object]) -> None:
        """There are none from outside."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""
