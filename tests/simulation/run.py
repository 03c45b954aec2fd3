"""One seed, one life: a world is drawn; workers, people, operators and faults live in it while the auditor watches."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random  # noqa: TID251 - the seed
from typing import Any

from pfflow.cycle import STAGES, Cycle, dossier_of
from pfflow.dispatching import Terms
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.obligations import ObligationKind
from pfflow.domain.playbook import Playbook
from pfflow.domain.replanning import replan
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld
from pfflow.store import MailTurn
from tests.simulation import world as worlds
from tests.simulation.faults import Crash, FaultyStore, Worker
from tests.simulation.invariants import Auditor
from tests.simulation.loop import SimulatedLoop, StuckError
from tests.simulation.model_store import ModelStore
from tests.simulation.outside import Server, SimulatedMailer
from tests.simulation.posted import LEASE, Violation

DAY = 86400.0
STALLS = 0.03
"""How likely a call to the store hangs for seconds, where the seed has pauses."""
CALM_DAYS = 3
_CALM = (Stage.INFORMATION_GATHERING, Stage.COMMUNICATION)
"""How long everybody has, after the faults are over, to do what is left."""
PUT_OFF_DAYS = 14
"""Days for which caps may have put letters off: two a day, and a reader has gathered a score."""
_STAGES = tuple(STAGES)
_OFTEN = {
    Stage.IDENTIFICATION: 0.15,
    Stage.INFORMATION_GATHERING: 0.3,
    Stage.SERVICE_DESIGN: 0.1,
    Stage.COMMUNICATION: 1.0,
    Stage.EVALUATION: 0.05,
}
"""How often a sweep is of a stage; most of what can go wrong is on the ladders of communication."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a simulation is made of; a planted bug is another part in a part's place."""

    store: Callable[[], Any] = ModelStore
    faulty_store: type[FaultyStore] = FaultyStore
    mailer: type[SimulatedMailer] = SimulatedMailer
    cycle: type[Cycle] = Cycle


@dataclass(slots=True)
class Result:
    """What became of a seed: empty `violation` if all invariants held, and everything that happened, line by line."""

    seed: int
    world: str
    violation: str = ""
    trace: list[str] = field(default_factory=list)
    count: Counter[str] = field(default_factory=Counter)


class Simulation:
    """One seed's world, alive."""

    def __init__(self, seed: int, parts: Parts, store: Any) -> None:
        self.random = Random(seed)  # noqa: S311 - the seed
        self.world = worlds.drawn_world(self.random, worlds.drawn_habits(seed))
        self.loop = SimulatedLoop(self.random)
        self.parts = parts
        self.store = store
        self.trace: list[str] = []
        self.auditor = Auditor(store, self.say, dict(self.world.habits.zones))
        self.jumped = timedelta()
        self.edition = 1
        self.changed = False
        self.faults = set(self.world.faults)
        if "pause" in self.faults:
            self.loop.stalls = STALLS
        if self.world.habits.dozes:
            self.faults.add("doze")
        self.swept_at = self.world.begins_at
        self.calendar = worlds.calendar(self.world.begins_on)

    def now(self) -> datetime:
        """Give the instant on everybody's clock."""
        return self.world.begins_at + timedelta(seconds=self.loop.now) + self.jumped

    def say(self, line: str) -> None:
        """Write a line of the trace."""
        self.trace.append(f"{self.now():%m-%d %H:%M:%S.%f} {line}"[:400])

    def playbook(self, edition: int) -> Playbook:
        """Give an edition of the playbook."""
        return worlds.playbook(self.world.zone, edition, self.world.habits)

    async def live(self) -> None:
        """Live the drawn days, then the calm ones, and look at all of it."""
        at = self.now()
        begins_on = self.world.begins_on
        away = worlds.drawn_absences(self.random, begins_on) if "absence" in self.faults else ()
        zones = dict(self.world.habits.zones)
        self.store.import_facts(worlds.facts(self.world.projects, begins_on, away, zones), at, "register")
        self.store.adopt_playbook("1", "small", 1, at, "operations")
        self.auditor.noted()
        ends = self.world.days * DAY
        tasks = [asyncio.ensure_future(self.worker_slot(number, ends)) for number in range(self.world.workers)]
        tasks += [asyncio.ensure_future(one) for one in (self.people(ends), self.operators(ends))]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        await asyncio.sleep(700)  # what the server takes late has arrived
        await self.calm()
        self.auditor.at_the_end(self.playbook(self.edition), self.calendar, self.swept_at, self.changed)

    async def worker_slot(self, number: int, ends: float) -> None:
        """Keep a worker running: when it dies another is started, some time later."""
        life = 0
        while self.loop.now < ends:
            life += 1
            worker = Worker(f"w{number}.{life}", self.random, frozenset(self.faults), self.auditor)
            task = asyncio.ensure_future(self.work(worker, ends))
            if "kill" in self.faults and self.random.random() < 0.5:
                self.loop.call_later(self.random.random() * 2 * DAY, self.kill, worker, task)
            while not task.done():
                await asyncio.wait([task])
            error = None if task.cancelled() else task.exception()
            if self.auditor.violation:
                raise Violation(self.auditor.violation)
            if error is not None and worker.alive:
                raise error
            await asyncio.sleep(self.random.choice((1.0, 10.0, 3600.0, 20000.0)))

    def kill(self, worker: Worker, task: asyncio.Future[None]) -> None:
        """End a worker wherever it is."""
        if worker.alive and not task.done():
            worker.end("killed")
            task.cancel()

    async def work(self, worker: Worker, ends: float) -> None:
        """Sweep and dispatch again and again, as a deployment does, until the worker dies or the time is over."""
        edition = self.edition
        while self.loop.now < ends:
            await asyncio.sleep(self.until_next_turn())
            if "stale-playbook" not in self.faults or self.random.random() < 0.5:
                edition = self.edition
            stages = [one for one in _STAGES if self.random.random() < _OFTEN[one]]
            turns = [self.turn(worker, edition, stages)]
            if "duplicate-run" in self.faults and self.random.random() < 0.3:
                turns.append(self.turn_of_twin(worker, edition, stages))
            await asyncio.gather(*turns)

    async def turn_of_twin(self, worker: Worker, edition: int, stages: list[Stage]) -> None:
        """Do the same at the same moment in another process, as a run that was started twice does."""
        twin = Worker(f"{worker.name}.twin", self.random, frozenset(self.faults), self.auditor)
        try:
            await self.turn(twin, edition, stages)
        except BaseException:
            if twin.alive or self.auditor.violation:
                raise

    def until_next_turn(self) -> float:
        """Give how long a worker rests: as its deployment's schedule says, like others, or anyhow."""
        rest = self.random.choice((3600.0, 28800.0, 57600.0, 86400.0)) * (0.5 + self.random.random())
        if self.random.random() < 0.6:
            return (self.loop.now + rest) // 14400 * 14400 + 14400 - self.loop.now + self.random.random() * 2
        return rest

    async def turn(self, worker: Worker, edition: int, stages: list[Stage]) -> None:
        """Decide some stages for every project at one instant, then drain the outbox."""
        cycle = self.cycle(worker, edition)
        as_of = self.now()
        self.auditor.edition_of[worker.name] = edition
        for stage in stages:
            for ref in self.store.project_refs():
                outcome = await asyncio.to_thread(cycle.decide, stage, ref, as_of)
                if outcome.status == "failed":
                    self.auditor.broken("deciding does not fail", outcome.error)
        await cycle.dispatch(patience=self.random.choice((0.0, 0.0, 4.0)))

    def cycle(self, worker: Worker, edition: int) -> Cycle:
        """Give the product's cycle over the simulated world."""
        server = Server(self.random, frozenset(self.faults), self.auditor, self.jump)
        playbook = self.playbook(edition)
        manners = self.world.habits.manners(self.world.zone, playbook.quiet, capped="caps" in self.faults)
        return self.parts.cycle(
            store=self.parts.faulty_store(self.store, worker),
            playbook=playbook,
            calendar_of=lambda _playbook, _held, _at: self.calendar,
            mailer=self.parts.mailer(server, worker, self.now),
            clock=self.now,
            worker=worker.name,
            terms=Terms(batch=6, lease=LEASE, manners=manners),
            busy_seconds=0.0,
        )

    async def people(self, ends: float) -> None:
        """Let people answer what is asked of them: at once, late, twice, or never."""
        number = 0
        while self.loop.now < ends:
            await asyncio.sleep(self.random.random() * 0.7 * DAY)
            ref = self.random.choice(self.store.project_refs())
            owed = [one for one in self.store.holdings(ref).obligations.values() if one.live]
            if not owed:
                continue
            one = self.random.choice(owed[:6])
            number += 1
            kinds = [Touch.ACKNOWLEDGEMENT, Touch.FULFILMENT, Touch.FULFILMENT, Touch.WAIVER, Touch.MEETING]
            if one.kind is ObligationKind.APPROVAL:
                kinds = [Touch.APPROVAL, Touch.REJECTION, Touch.ACKNOWLEDGEMENT]
            if "handover" in self.faults:
                kinds += [Touch.HANDOVER]
            back = self.random.random() * DAY if "late-answer" in self.faults else 0.0
            touch = Interaction(
                ext_id=f"T{number}",
                project_ref=ref,
                party_ref="FIN",
                contact_ref=self.random.choice(("C-FIN", "C-OPS", "C-BANK")),
                at=self.now() - timedelta(seconds=back),
                kind=self.random.choice(kinds),
                to_ref=self.random.choice(("C-OPS", "C-REL", "C-HEAD")),
                outcome="said so",
                obligation_key=one.key,
            )
            for _ in range(2 if "double-answer" in self.faults and self.random.random() < 0.4 else 1):
                self.store.report_touch(touch, "portal", self.now())
                self.say(f"{touch.contact_ref} says {touch.kind} of {one.key}")
                self.auditor.reported(touch)

    async def operators(self, ends: float) -> None:
        """Let operators change the playbook and plan, stop and start mail, and let the machines' clocks jump."""
        while self.loop.now < ends:
            await asyncio.sleep(self.random.random() * 1.5 * DAY)
            if "playbook" in self.faults and self.random.random() < 0.4:
                self.adopt(self.random.randint(1, worlds.EDITIONS))
            if "plan" in self.faults and self.random.random() < 0.4:
                self.apply_plan()
            if "stop" in self.faults and self.random.random() < 0.4:
                self.turn_mail(stopped=not self.auditor.stopped)
            if self.world.habits.releases and self.random.random() < 0.4:
                self.release()
            if "clock-forward" in self.faults and self.random.random() < 0.3:
                self.jump(timedelta(seconds=self.random.choice((2, 40, 7200))))
            if "clock-back" in self.faults and self.random.random() < 0.3:
                self.jump(-timedelta(seconds=self.random.choice((2, 40, 7200))))

    def release(self) -> None:
        """Let letters that failed wait to be sent again."""
        if count := self.store.release("failed", "operations", self.now()):
            self.say(f"operations release {count} letter(s)")
        self.auditor.released()

    def turn_mail(self, *, stopped: bool) -> None:
        """Stop or start all mail."""
        turn = MailTurn(stopped=stopped, turned_at=self.now(), turned_by="operations", because="a wrong figure")
        self.store.turn_mail(turn)
        self.auditor.stopped = stopped
        self.say(f"mail {'stops' if stopped else 'starts'}")

    def adopt(self, edition: int) -> None:
        """Put another edition in force."""
        if edition == self.edition:
            return
        self.store.adopt_playbook(str(edition), "small", edition, self.now(), "operations")
        self.edition, self.changed = edition, True
        self.say(f"edition {edition} is in force")
        self.auditor.noted()

    def apply_plan(self) -> None:
        """Reconcile every project with the edition in force: dates are added, moved and cancelled."""
        self.changed = True
        for ref in self.store.project_refs():
            as_of = self.now()
            with self.store.deciding(ref, Stage.COMMUNICATION, as_of, again=True) as held:
                if isinstance(held, NotHeld):
                    continue
                dossier = dossier_of(held.holdings, self.playbook(self.edition), self.calendar, as_of)
                decision = replan(dossier, as_of).decision
                held.record(decision)
                before = held.holdings
            self.auditor.decided("operations", decision, before, as_of, a_plan=True)

    def jump(self, by: timedelta) -> None:
        """Let all clocks jump."""
        self.jumped += by
        self.say(f"the clocks jump by {by.total_seconds():+.0f} s")

    async def calm(self) -> None:
        """Let the faults end and one worker do what is left, once a day."""
        self.faults.clear()
        self.loop.stalls = 0.0
        if self.auditor.stopped:
            self.turn_mail(stopped=False)
        self.say("all is calm")
        late = timedelta(days=1)
        if self.world.begins_at + timedelta(seconds=self.loop.now) > self.now():
            await asyncio.sleep(late.total_seconds())  # a clock that was put back has to catch up first
        late_start = any(self.not_begun(ref) for ref in self.store.project_refs())
        for number in range(CALM_DAYS):
            await asyncio.sleep(DAY)
            worker = Worker(f"calm.{number}", self.random, frozenset(), self.auditor)
            self.swept_at = self.now()
            await self.turn(worker, self.edition, list(_STAGES[:4] if number == 0 or late_start else _CALM))
        await self.send_what_was_put_off()

    def not_begun(self, ref: str) -> bool:
        """Whether nobody decided identification for a project yet: its kick-off is planned when all is calm only."""
        held = self.store.holdings(ref)
        return not any(owed.stage is Stage.IDENTIFICATION for owed in held.obligations.values())

    async def send_what_was_put_off(self) -> None:
        """Dispatch whenever a letter that caps or quiet hours keep may go, until none is left or it took too long."""
        worker = Worker("calm.last", self.random, frozenset(), self.auditor)
        ends = self.now() + timedelta(days=PUT_OFF_DAYS)
        while (next_at := self.store.waiting(self.now())[1]) is not None and next_at < ends:
            await asyncio.sleep((next_at - self.now()).total_seconds())
            await self.cycle(worker, self.edition).dispatch()


def simulate(seed: int, parts: Parts | None = None, store: Any = None) -> Result:
    """Live a seed; the same seed gives the same trace, whatever happens in it."""
    parts = parts or Parts()
    simulation = Simulation(seed, parts, parts.store() if store is None else store)
    result = Result(seed, str(simulation.world), trace=simulation.trace, count=simulation.auditor.count)
    with _silent():
        try:
            simulation.loop.run_until_complete(simulation.live())
        except StuckError as error:
            result.violation = f"progress: {error}"
        except (Violation, BaseExceptionGroup):
            if not simulation.auditor.violation:
                raise
        finally:
            _end(simulation.loop)
    result.violation = simulation.auditor.violation or result.violation
    return result


def _end(loop: SimulatedLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the product's log of failures out of the way: the auditor says what is wrong."""
    logger = logging.getLogger("pfflow")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def with_part(**changes: Any) -> Parts:
    """Give the parts with some in another's place."""
    return replace(Parts(), **changes)


__all__ = ["Crash", "Parts", "Result", "Simulation", "simulate", "with_part"]
