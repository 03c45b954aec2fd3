"""Bugs planted on purpose, each a part in a part's place: a simulation that finds none of them shows nothing.

The product is not edited: a store that forgets a rule, a mailer that breaks one, or a function of the house that is
another for the time of a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

import pfflow.cycle
from pfflow.domain.decision import Decision, Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.facts import Touch
from pfflow.domain.ladder import Firing
from pfflow.domain.manners import FREE, Manners, Window
from pfflow.domain.notices import Notice
from pfflow.domain.obligations import Obligation, Status
from pfflow.domain.words import Stage
from pfflow.ports import Claimed, NotHeld, Receipt, Recorded, Taken
from pfflow.store import MailTurn
from tests.simulation import model_outbox
from tests.simulation import planted_mail as mail
from tests.simulation.model_outbox import ModelLetter
from tests.simulation.model_store import ModelHeld, ModelStore
from tests.simulation.outside import SimulatedMailer
from tests.simulation.replacing import replaced
from tests.simulation.run import Parts, Result, simulate


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug: what it is, the parts that have it, and what is replaced while a seed runs."""

    name: str
    parts: Parts = field(default_factory=Parts)
    planted: Callable[[], AbstractContextManager[None]] = nullcontext


def simulate_with(bug: Bug, seed: int) -> Result:
    """Live a seed in a house that has the bug."""
    with bug.planted():
        return simulate(seed, bug.parts)


class _MarksTooEarly(ModelStore):
    """Marks a rung as taken as soon as it is decided, before the decision is recorded."""

    @contextmanager
    def deciding(
        self, project_ref: str, stage: Stage, as_of: datetime, *, again: bool = False
    ) -> Iterator[ModelHeld | NotHeld]:
        with super().deciding(project_ref, stage, as_of, again=again) as held:
            at_once = partial(self._mark_firings, project_ref)
            yield _Eager(held, at_once) if isinstance(held, ModelHeld) else held

    def _mark_firings(self, project_ref: str, decision: Decision) -> None:
        for firing in decision.firings:
            self._projects[project_ref].firings[firing.obligation_key, firing.rung] = firing


class _WritesOutside(ModelStore):
    """Appends to the ledger at once, not with the rest of the decision."""

    @contextmanager
    def deciding(
        self, project_ref: str, stage: Stage, as_of: datetime, *, again: bool = False
    ) -> Iterator[ModelHeld | NotHeld]:
        with super().deciding(project_ref, stage, as_of, again=again) as held:
            at_once = partial(self._append_entries, project_ref)
            yield _Eager(held, at_once, entries=False) if isinstance(held, ModelHeld) else held

    def _append_entries(self, project_ref: str, decision: Decision) -> None:
        self._append(project_ref, decision.entries)


class _Eager(ModelHeld):
    """A hold under which something happens as soon as a decision is recorded."""

    def __init__(self, held: ModelHeld, at_once: Callable[[Decision], None], *, entries: bool = True) -> None:
        super().__init__(held.holdings)
        self._held = held
        self._at_once = at_once
        self._entries = entries

    def record(self, decision: Decision) -> Recorded:
        self._at_once(decision)
        return self._held.record(decision if self._entries else replace(decision, entries=()))


class _KeepsClaims(ModelStore):
    """Gives a claim that never ends: what a dead worker had nobody gets."""

    def claim(
        self,
        worker: str,
        now: datetime,
        limit: int,
        seconds: float,
        manners: Manners = FREE,
        *,
        chat: bool = False,
    ) -> Taken:
        claimed = super().claim(worker, now, limit, seconds, manners, chat=chat)
        for letter in self._letters_of(one.message_id for one in claimed):
            letter.claimed_until = now + timedelta(days=3650)
        return claimed

    def renew(self, worker: str, keys: Sequence[str], _until: datetime) -> frozenset[str]:
        return frozenset(one.message_id for one in self._letters_of(keys) if one.claimed_by == worker)

    def _letters_of(self, keys: Iterable[str]) -> list[ModelLetter]:
        return [letter for key in keys for letter in self.told_in(key)]


class _ForgetsCancelling(ModelStore):
    """Does not write that something was cancelled, so its ladder climbs on."""

    def _apply(self, project: Any, decision: Decision) -> None:
        kept = tuple(one for one in decision.obligations if one.status is not Status.CANCELLED)
        super()._apply(project, replace(decision, obligations=kept))


class _IgnoresTheSwitch(ModelStore):
    """Gives letters out although mail is stopped."""

    def turn_mail(self, made: MailTurn) -> bool:
        return super().turn_mail(replace(made, stopped=False))


class _CountsOnlyMarks(ModelStore):
    """Counts for a cap what left, and not what another worker is sending."""

    def _window(self, cap: int | None, span: timedelta, now: datetime, reader: str = "") -> Window | None:
        window = super()._window(cap, span, now, reader)
        if window is not None:
            window.times = [at for at in window.times if at != now]
        return window


class _LetsAnybodyMark(ModelStore):
    """Takes a mark from a worker that lost its claim."""

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        for letter in (one for receipt in receipts for one in self.told_in(receipt.message_id)):
            if letter.status == "waiting":
                letter.claimed_by = worker
        super().settle(worker, receipts)


class _RevivesClaims(ModelStore):
    """Renews a claim although another worker has the letter by now."""

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        for letter in (one for key in keys for one in self.told_in(key)):
            if letter.status == "waiting":
                letter.claimed_by = worker
        return super().renew(worker, keys, until)


class _PostsAgain(ModelStore):
    """Forgets the stage's mark and what was fired under a hold that is taken twice at one instant."""

    def holdings(self, project_ref: str) -> Any:
        held = super().holdings(project_ref)
        last = max((firing.fired_at for firing in held.firings.values()), default=None)
        return replace(held, firings={k: f for k, f in held.firings.items() if f.fired_at != last})


class _NewMessageId(SimulatedMailer):
    """Gives a letter that is tried again another Message-ID."""

    def message_id(self, claimed: Claimed) -> str:
        return f"{claimed.message_id}-{claimed.attempts}" if claimed.attempts else claimed.message_id


class _TakesRefusalForSuccess(SimulatedMailer):
    """Says of a letter that was put off that it was sent."""

    async def _one(self, claimed: Claimed) -> Receipt:
        receipt = await super()._one(claimed)
        return replace(receipt, outcome="sent", retry_at=None) if receipt.response.startswith("451") else receipt


def _hold_for_ever() -> AbstractContextManager[None]:
    right = Draft.hold

    def hold(draft: Draft, obligation: Obligation, until: datetime, *, by: str) -> Obligation:
        return right(draft, obligation, until + timedelta(days=3650), by=by)

    return replaced(Draft, "hold", hold)


def _give_no_reason() -> AbstractContextManager[None]:
    right = Draft.fire

    def fire(draft: Draft, firing: Firing, notices: Sequence[Notice]) -> None:
        right(draft, replace(firing, because="") if firing.outcome == "skipped" else firing, notices)

    return replaced(Draft, "fire", fire)


def _leave_a_hole() -> AbstractContextManager[None]:
    right = Draft.fire

    def fire(draft: Draft, firing: Firing, notices: Sequence[Notice]) -> None:
        if firing.outcome != "skipped":
            right(draft, firing, notices)

    return replaced(Draft, "fire", fire)


def _hold_only_the_cancelled() -> AbstractContextManager[None]:
    right = model_outbox.overtaken_by

    def forgetful(notice: Notice, owed: Obligation) -> str:
        return right(notice, owed) if owed.status is Status.CANCELLED else ""

    return replaced(model_outbox, "overtaken_by", forgetful)


def _ignore_fulfilment() -> AbstractContextManager[None]:
    right = pfflow.cycle.STAGES

    def deaf(dossier: Dossier, as_of: datetime) -> Decision:
        heard = tuple(t for t in dossier.facts.interactions if t.kind is not Touch.FULFILMENT)
        facts = replace(dossier.facts, interactions=heard)
        return right[Stage.INFORMATION_GATHERING](replace(dossier, held=replace(dossier.held, facts=facts)), as_of)

    stages: Mapping[Stage, Any] = MappingProxyType({**right, Stage.INFORMATION_GATHERING: deaf})
    return replaced(pfflow.cycle, "STAGES", stages)


BUGS: tuple[Bug, ...] = (
    Bug("a rung is marked before it is recorded", Parts(store=_MarksTooEarly)),
    Bug("a claim is never released", Parts(store=_KeepsClaims)),
    Bug("a ladder climbs on after its obligation was cancelled", Parts(store=_ForgetsCancelling)),
    Bug("a reminder goes out of what is done, waived or moved", planted=_hold_only_the_cancelled),
    Bug("a worker that lost its claim marks the letter", Parts(store=_LetsAnybodyMark)),
    Bug("a worker renews a claim that another has taken", Parts(store=_RevivesClaims)),
    Bug("a letter that is tried again has a new Message-ID", Parts(mailer=_NewMessageId)),
    Bug("a refusal is taken for success", Parts(mailer=_TakesRefusalForSuccess)),
    Bug("mail goes although it is stopped", Parts(store=_IgnoresTheSwitch)),
    Bug("a cap does not count what another worker is sending", Parts(store=_CountsOnlyMarks)),
    Bug("an acknowledgement never ends", planted=_hold_for_ever),
    Bug("a rung is skipped without a reason", planted=_give_no_reason),
    Bug("a rung is skipped and nothing is written of it", planted=_leave_a_hole),
    Bug("an entry is written outside the transaction", Parts(store=_WritesOutside)),
    Bug("a stage does not hear a fulfilment", planted=_ignore_fulfilment),
    Bug("the last firings are not read, so their rungs fire again", Parts(store=_PostsAgain)),
    Bug("mail goes in its reader's night", planted=mail.forget_the_night),
    Bug("the night is told by the house's clock, not by the reader's", planted=mail.tell_the_night_by_the_houses_clock),
    Bug("what the night puts off waits a day longer", planted=mail.sleep_a_day_longer),
    Bug("a machine that was shut for hours goes on with what it claimed", planted=mail.go_on_after_a_nap),
    Bug("of a mail of several letters only the first is marked", Parts(store=mail.MarksTheFirst)),
    Bug("a mail that is tried again tells what came since", Parts(store=mail.MakesMailsAnew)),
    Bug("what was done or cancelled goes inside a mail", Parts(store=mail.LooksAtTheFirst)),
    Bug("a letter that may have arrived joins a mail", planted=mail.merge_what_may_have_arrived),
    Bug("letters to several readers share a mail", Parts(store=mail.MergesReaders)),
    Bug("a reminder that comes too late takes its mail with it", Parts(store=mail.HoldsTheWholeMail)),
)


def found_by(bug: Bug, first: int = 0, seeds: int = 500) -> Result | None:
    """Give what the first seed that finds a bug says; None where none of so many does."""
    for seed in range(first, first + seeds):
        result = simulate_with(bug, seed)
        if result.violation:
            return result
    return None
