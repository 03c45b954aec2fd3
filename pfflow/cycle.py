"""The four verbs: read, decide, record, dispatch. Reading, deciding and recording are one transaction a project.

A failed project does not stop the others: its error is in its outcome. Dispatch drains the outbox; any number of
workers may drain it at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from pfflow.dispatching import ChatTexts, Drain, Terms
from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Basis, Decision, Dossier, Finding, Holdings
from pfflow.domain.ladder import action_in
from pfflow.domain.playbook import Playbook
from pfflow.domain.words import Stage
from pfflow.ports import Clock, Deciding, Mailer, NotHeld, Recorded, Store
from pfflow.stages import communication, evaluation, identification, information_gathering, service_design

logger = logging.getLogger(__name__)

Decide = Callable[[Dossier, datetime], Decision]
CalendarOf = Callable[[Playbook, Holdings, datetime], BusinessCalendar]
"""Gives a project's calendar, wide enough for everything a decision at an instant may look at."""

STAGES: Mapping[Stage, Decide] = MappingProxyType(
    {
        Stage.IDENTIFICATION: identification.decide,
        Stage.INFORMATION_GATHERING: information_gathering.decide,
        Stage.SERVICE_DESIGN: service_design.decide,
        Stage.COMMUNICATION: communication.decide,
        Stage.EVALUATION: evaluation.decide,
    }
)
"""The five stages in the order a day's lifecycle runs them."""

_PAUSE = 0.05
"""Seconds before what another worker holds is asked for again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one project in one stage.

    `status` is decided, quiet (nothing to say), failed (see `error`), or why it was not held: busy, unchanged, past.
    `did` counts the ledger entries by kind (planned, fulfilled, …) and the rungs taken by action (remind, escalate, …).
    """

    project_ref: str
    stage: Stage
    as_of: datetime
    status: str
    recorded: Recorded = field(default_factory=Recorded)
    did: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """A decision that is recorded, with the dossier it was made from."""

    dossier: Dossier
    decision: Decision
    recorded: Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatched:
    """How many letters and chat texts were sent, and of both together how many held back, put off and failed.

    Held back and failed are those of a claim too, which never come to be sent.
    """

    sent: int = 0
    texts: int = 0
    held: int = 0
    retry: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """The engine's hands in one place: a store, the playbook in force, calendars, and who sends."""

    store: Store
    playbook: Playbook
    calendar_of: CalendarOf
    mailer: Mailer
    clock: Clock
    worker: str
    messenger: Mailer | None = None
    """Who sends chat texts; without one they wait."""
    written: bool = True
    """Whether letters are written; a rehearsal that keeps none only counts them."""
    edition: str = ""
    """The SHA-256 of the playbook's text; what is decided by a text nobody named cannot be decided again."""
    terms: Terms = field(default_factory=Terms)
    busy_seconds: float = 30.0
    """How long a sweep waits for a project another worker has; a database with one writer waits as long by itself."""

    def decide(self, stage: Stage, project_ref: str, as_of: datetime) -> Outcome:
        """Read a project, decide a stage for it, and record the decision; never raises for the project's fault."""
        try:
            with self.store.deciding(project_ref, stage, as_of) as held:
                if isinstance(held, NotHeld):
                    return Outcome(project_ref=project_ref, stage=stage, as_of=as_of, status=held.reason)
                settled = self.settle(stage, held, as_of)
        except Exception as error:
            logger.exception("%s failed for %s", stage, project_ref)
            return Outcome(
                project_ref=project_ref,
                stage=stage,
                as_of=as_of,
                status="failed",
                error=f"{type(error).__name__}: {error}",
            )
        return Outcome(
            project_ref=project_ref,
            stage=stage,
            as_of=as_of,
            status="quiet" if settled.decision.quiet else "decided",
            recorded=settled.recorded,
            did=_did(settled.decision),
            findings=settled.decision.findings,
        )

    def settle(self, stage: Stage, held: Deciding, as_of: datetime) -> Settled:
        """Decide a stage for a project that is held, and record the decision; raises what either raises."""
        # The store gives instants back in UTC: what is decided again later is to be the same text.
        at = as_of.astimezone(UTC)
        dossier = self.dossier(held.holdings, at)
        decision = STAGES[stage](dossier, at)
        basis = self.basis(dossier)
        recorded = held.record(decision if basis is None else replace(decision, basis=basis))
        return Settled(dossier, decision, recorded)

    def dossier(self, holdings: Holdings, as_of: datetime) -> Dossier:
        """Give all a stage may see: holdings, playbook and calendar, with the first day of the relationship."""
        calendar = self.calendar_of(self.playbook, holdings, as_of)
        return dossier_of(holdings, self.playbook, calendar, as_of, written=self.written)

    def basis(self, dossier: Dossier) -> Basis | None:
        """Give by what a decision on a dossier is made; None where the playbook's text was not named."""
        return Basis(playbook=self.edition, calendar=dossier.calendar) if self.edition else None

    def sweep(self, stage: Stage, as_of: datetime, project_refs: Iterable[str]) -> Iterator[Outcome]:
        """Decide a stage for each project, one after the other; those that were busy are waited for at the end.

        Whoever goes on without them would decide the next stage, or live the next day, before this one is recorded.
        """
        busy: list[str] = []
        for project_ref in project_refs:
            outcome = self.decide(stage, project_ref, as_of)
            if outcome.status == "busy":
                busy.append(project_ref)
            else:
                yield outcome
        for project_ref in busy:
            yield self._decide_when_free(stage, project_ref, as_of)

    def _decide_when_free(self, stage: Stage, project_ref: str, as_of: datetime) -> Outcome:
        give_up_at = self.clock() + timedelta(seconds=self.busy_seconds)
        while True:
            outcome = self.decide(stage, project_ref, as_of)
            if outcome.status != "busy" or self.clock() >= give_up_at:
                return outcome
            time.sleep(_PAUSE)  # noqa: TID251 - another process decides; nothing here can be told when it is done

    async def dispatch(self, *, patience: float = 0.0) -> Dispatched:
        """Send what waits until nothing can be claimed.

        With `patience` (seconds) it waits that long for letters that another worker has taken and not settled, or that
        a server put off, so the letters of a worker that died are sent once its lease ends. What manners keep waits.
        """
        if self.terms.manners.stopped:
            return Dispatched()
        drains = [Drain(self.store, self.mailer, self.clock, self.worker, self.terms)]
        if self.messenger is not None:
            few = replace(self.terms, batch=self.messenger.connections)
            drains.append(Drain(ChatTexts(self.store), self.messenger, self.clock, self.worker, few))
        # What goes wrong with the one is raised when the other is done.
        ended = await asyncio.gather(*(drain.run(patience) for drain in drains), return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error
        letters, *texts = (counted for counted in ended if not isinstance(counted, BaseException))
        counted = sum(texts, letters)
        return Dispatched(
            sent=letters["sent"],
            texts=counted["sent"] - letters["sent"],
            held=counted["held"],
            retry=counted["retry"],
            failed=counted["failed"],
        )


def dossier_of(
    holdings: Holdings, playbook: Playbook, calendar: BusinessCalendar, as_of: datetime, *, written: bool = True
) -> Dossier:
    """Give what is held on a project with playbook, calendar and the first day of the relationship, `as_of` at most."""
    engaged_at = min(as_of, holdings.engaged_at or as_of)
    engaged_on = engaged_at.astimezone(playbook.zone).date()
    return Dossier(held=holdings, playbook=playbook, calendar=calendar, engaged_on=engaged_on, written=written)


def _did(decision: Decision) -> Mapping[str, int]:
    kinds = [entry.kind for entry in decision.entries]
    kinds += [action_in(firing.rung) for firing in decision.firings if firing.outcome == "fired"]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
