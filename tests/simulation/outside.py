"""The world outside: a mail server under the seed's control, and the mailer that speaks to it for a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 - the seed

from pfflow.delivery.smtp import retry_at
from pfflow.ports import Claimed, Receipt
from tests.simulation.faults import Worker
from tests.simulation.invariants import Auditor

DOZE = 0.05
"""How likely the machines are shut while a letter is on its way, where the seed has it."""
TROUBLE = 0.15
"""How likely each kind of trouble is for a letter, where the seed has it."""


@dataclass(slots=True)
class Server:
    """A mail server: what it took, how often, and how it behaves."""

    random: Random
    faults: frozenset[str]
    auditor: Auditor
    jump: Callable[[timedelta], None]

    def doze(self) -> None:
        """Let hours pass at once, perhaps: all machines are shut while letters are on their way."""
        if "doze" in self.faults and self.random.random() < DOZE:
            self.jump(timedelta(hours=self.random.choice((1, 3, 8))))

    def troubled(self, kind: str) -> bool:
        """Whether it makes this trouble now."""
        return kind in self.faults and self.random.random() < TROUBLE


class SimulatedMailer:
    """A worker's way to the server: two letters at a time, each with whatever happens to it."""

    connections = 2

    def __init__(self, server: Server, worker: Worker, clock: Callable[[], datetime]) -> None:
        self.server = server
        self.worker = worker
        self.clock = clock

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        """Connections are not simulated."""
        yield

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        """Send the letters, one after the other."""
        return tuple([await self._one(one) for one in claimed])

    def message_id(self, claimed: Claimed) -> str:
        """Give what the Message-ID is made of."""
        return claimed.message_id

    async def _one(self, claimed: Claimed) -> Receipt:
        server, auditor, name = self.server, self.server.auditor, self.worker.name
        self.worker.may_die("before sending")
        auditor.transmitting(name, claimed, self.message_id(claimed), self.clock())
        server.doze()
        await asyncio.sleep(server.random.random() * (6.0 if server.troubled("slow") else 0.2))
        self.worker.may_die("while sending")
        if server.troubled("refused"):
            return self._receipt(claimed, "retry", "451 try later")
        if server.troubled("rejected"):
            return self._receipt(claimed, "failed", "550 no such user")
        if server.troubled("accepted-late"):
            # The reply does not come in time; the server takes the letter all the same, at some later moment.
            asyncio.get_running_loop().call_later(server.random.random() * 600, auditor.accepted, name, claimed, True)
            auditor.given_up(claimed)
            return self._receipt(claimed, "retry", "the connection timed out")
        lost = server.troubled("reply-lost")
        auditor.accepted(name, claimed, lost)
        if lost:
            auditor.given_up(claimed)
        self.worker.may_die("after sending")
        if lost:
            return self._receipt(claimed, "retry", "the connection dropped while sending")
        return self._receipt(claimed, "sent", "250 taken")

    def _receipt(self, claimed: Claimed, outcome: str, response: str) -> Receipt:
        now = self.clock()
        again = retry_at(claimed.message_id, claimed.attempts, now) if outcome == "retry" else None
        return Receipt(message_id=claimed.message_id, outcome=outcome, at=now, response=response, retry_at=again)
