"""Living one project through the years: the real decisions, past the sweeps that have nothing to say."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time

from pfflow.cycle import Cycle
from pfflow.domain.business_days import DAY, wall_instant
from pfflow.domain.decision import Decision, Dossier, Finding
from pfflow.domain.drafting import Draft
from pfflow.domain.facts import Absence
from pfflow.domain.ladder import Action, action_in
from pfflow.domain.obligations import Status
from pfflow.domain.planning import Window, wanted
from pfflow.domain.project import PhaseError
from pfflow.domain.replanning import replan
from pfflow.domain.replanning.reconciling import horizon_on
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld
from pfflow.rehearsal.clock import SWEEPS, first_sweep, sweep_after
from pfflow.rehearsal.happenings import concerns, happen, happens_at
from pfflow.rehearsal.people import People, Reply
from pfflow.rehearsal.quiet import Quiet, stirs_at, waits
from pfflow.rehearsal.script import Answers, Happening, Missed, Script
from pfflow.rehearsal.stirring import EVER, NEVER
from pfflow.rehearsal.world import Life, MemoryStore

_PAID_AT = time(16)

See = Callable[[Decision, Dossier], None]
"""Is shown every decision that said something, with the dossier it was made from as it stands after it."""


class RehearsalError(RuntimeError):
    """A decision that failed, or a phase that has no such move: live it would fail as well."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are rehearsed, both included."""

    first: date
    last: date


@dataclass(slots=True)
class Living:
    """One project being lived. `every_sweep` leaves none out, to show that leaving out changes nothing."""

    store: MemoryStore
    cycle: Cycle
    project_ref: str
    script: Script
    span: Span
    see: See
    every_sweep: bool = False
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    said: list[tuple[datetime, Reply]] = field(default_factory=list)
    looked: list[tuple[datetime, Stage]] = field(default_factory=list)
    _looks: dict[Stage, datetime] = field(default_factory=dict)
    _queue: list[tuple[datetime, int, Happening | Reply | Missed]] = field(default_factory=list)
    _expected: dict[str, int] = field(default_factory=dict)
    _quiet: Quiet = field(default_factory=Quiet)
    _number: int = 0

    def through(self) -> None:
        """Live every day of the span. Raises RehearsalError."""
        zone = self.cycle.playbook.zone
        begins = wall_instant(self.span.first, time(0), zone)
        ends = wall_instant(self.span.last + DAY, time(0), zone)
        people = self._begun(begins)
        while True:
            at, _, stage = min((at, number, stage) for number, (stage, at) in enumerate(self._looks.items()))
            if self._queue and self._queue[0][0] <= at:
                at, number, what = heapq.heappop(self._queue)
                if at >= ends:
                    break
                self._turn(at, number, what, people)
            elif at >= ends:
                break
            else:
                self._decide(stage, at, people)

    def _begun(self, begins: datetime) -> People:
        """Make everything ready for the first day: who is away, what will happen, and the people."""
        life, zone = self._life, self.cycle.playbook.zone
        life.at = begins
        known = {contact.contact_ref for contact in life.facts.contacts}
        away = tuple(
            Absence(contact_ref=a.contact, since=a.since, until=a.until, substitute_ref=a.substitute)
            for a in self.script.absences
            if a.contact in known
        )
        if away:
            life.learn(absences=away)
        people = People(self.script, self._history(begins))
        for happening in self.script.happenings:
            if concerns(happening, life):
                self._expect(max(begins, happens_at(happening, self.cycle.playbook)), happening)
                missed = happening.missed_payment
                if missed is not None and missed.paid is not None:
                    self._expect(wall_instant(missed.paid, _PAID_AT, zone), missed)
        self._looks = {stage: first_sweep(stage, begins, zone) for stage in SWEEPS}
        for touch in life.facts.interactions:
            if touch.obligation_key and touch.at > begins:
                self._expect(touch.at, Reply(touch.at, touch.obligation_key))
        return people

    @property
    def _life(self) -> Life:
        return self.store.lives[self.project_ref]

    def _expect(self, at: datetime, what: Happening | Reply | Missed) -> int:
        self._number += 1
        heapq.heappush(self._queue, (at, self._number, what))
        return self._number

    def _dossier(self, as_of: datetime) -> Dossier:
        return self.cycle.dossier(self._life.holdings, as_of)

    def _decide(self, stage: Stage, at: datetime, people: People) -> None:
        life = self._life
        life.decision = None
        stirred = [one.key for one in life.holdings.stirring(stage, at)]
        try:
            with self.store.deciding(self.project_ref, stage, at) as held:
                settled = None if isinstance(held, NotHeld) else self.cycle.settle(stage, held, at)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise RehearsalError(f"{self.project_ref}: {stage} at {at.isoformat()} fails: {what}") from error
        self.looked.append((at, stage))
        if settled is None:
            self._after(stage, at, stirred, people, self._dossier(at))
            return
        for finding in settled.decision.findings:
            self.findings.setdefault((finding.kind, finding.subject), finding)
        self._after(stage, at, stirred, people, settled.dossier)

    def _after(self, stage: Stage, at: datetime, stirred: Sequence[str], people: People, dossier: Dossier) -> None:
        life, decision = self._life, self._life.decision
        if decision is not None and not decision.quiet:
            self.see(decision, dossier)
            self._hear_back(decision, dossier, people)
            if stage is Stage.IDENTIFICATION and decision.conclusions:
                self._wake((Stage.INFORMATION_GATHERING,), at)
            if stage is not Stage.EVALUATION and self._is_scored(decision):
                self._wake((Stage.EVALUATION,), at)
        zone = self.cycle.playbook.zone
        if self.every_sweep:
            self._looks[stage] = sweep_after(stage, at, zone)
            return
        index, draft = life.index, Draft(dossier, stage, at)
        live, stirs = index.live[stage], index.stirs[stage]
        changed = [one.key for one in decision.obligations] if decision is not None else []
        for key in {*stirred, *changed}:
            if key in live:
                stirs.put(key, stirs_at(draft, live[key]))
        quiet_until = self._quiet.looks_at(stage, dossier, at)
        if stage is Stage.COMMUNICATION:
            index.plans_on = self._quiet.plans_on
        look = min(stirs.first_at, quiet_until)
        if look <= at:
            self._looks[stage] = sweep_after(stage, at, zone)
        else:
            self._looks[stage] = first_sweep(stage, look, zone) if look < NEVER else NEVER

    def _is_scored(self, decision: Decision) -> bool:
        """Whether a decision changes what a card that is not sent yet is about: what was due in its month."""
        index = self._life.index
        months = {(one.period_start, one.period_end) for one in index.live[Stage.EVALUATION].values()}
        climbed = (firing for firing in decision.firings if action_in(firing.rung) == Action.ESCALATE)
        said_of = [*decision.obligations, *(index.obligations[firing.obligation_key] for firing in climbed)]
        return any(
            first is not None and last is not None and first <= one.due_on <= last
            for first, last in months
            for one in said_of
        )

    def _hear_back(self, decision: Decision, dossier: Dossier, people: People) -> None:
        """Let people who were told of something for the first time answer it when they will."""
        told = dict.fromkeys(notice.obligation_key for notice in decision.notices)
        moved = [o.key for o in decision.obligations if o.key in self._expected and o.status is Status.PLANNED]
        for key in (*told, *moved):
            owed = dossier.held.obligations[key]
            if not owed.live or (key in self._expected and key not in moved):
                continue
            self._expected[key] = 0
            asked = sorted(n.contact_ref for n in decision.notices if n.obligation_key == key)
            if any(touch.at > decision.as_of for touch in dossier.held.answers_to(key)) or self._is_missed(key):
                continue
            reply = people.reply(dossier, owed, asked, decision.as_of)
            if reply is not None:
                self._expected[key] = self._expect(reply.at, reply)

    def _is_missed(self, key: str) -> bool:
        refs = {one.missed_payment.ref for one in self.script.happenings if one.missed_payment is not None}
        return key.split("/")[1] in refs

    def _turn(self, at: datetime, number: int, what: Happening | Reply | Missed, people: People) -> None:
        """Let something happen to the project, and wake whom it concerns."""
        self._life.at = at
        if isinstance(what, Reply):
            if self._expected.get(what.obligation_key, number) in (number, 0):
                self._take(at, what)
            return
        if isinstance(what, Missed):
            owed = [o for o in self._life.index.live[Stage.COMMUNICATION].values() if o.key.split("/")[1] == what.ref]
            for one in owed:
                reply = people.pays(self._dossier(at), one, at)
                if reply is not None:
                    self._take(at, reply)
            return
        try:
            replans = happen(what, self._life)
        except PhaseError as error:
            raise RehearsalError(f"{self.project_ref}: what the script lets happen on {what.on}: {error}") from None
        self._changed(at)
        if replans:
            self._replan(at, people)

    def _take(self, at: datetime, reply: Reply) -> None:
        """Let what somebody said or did come in."""
        life = self._life
        owed = life.index.obligations.get(reply.obligation_key)
        if reply.touch is not None:
            if owed is None or not owed.live:
                return
            life.hear(reply.touch)
        elif reply.records:
            life.learn(**reply.records)
        if reply.touch is not None or reply.records:
            self.said.append((at, reply))
        if owed is None or reply.records.keys() - {"fund_use"}:
            self._changed(at)
            return
        # The register may have an answer to what is over by then; a payment changes only a report that waits for it.
        if owed.live and (not reply.records or waits(Draft(self._dossier(at), owed.stage, at), owed)):
            life.index.stirs[owed.stage].put(owed.key, EVER)
            self._wake((owed.stage,), at)
        if reply.records and life.index.live[Stage.EVALUATION]:  # the budget is in the cards that are open
            self._wake((Stage.EVALUATION,), at)

    def _changed(self, at: datetime) -> None:
        """Ask every stage of everything again: the facts are others."""
        self._quiet.forget()
        self._life.index.wake()
        self._wake(tuple(SWEEPS), at)

    def _replan(self, at: datetime, people: People) -> None:
        """Plan and apply, as people do when an official list arrives or a milestone slips."""
        at = at.astimezone(UTC)
        with self.store.deciding(self.project_ref, Stage.COMMUNICATION, at, again=True) as held:
            if isinstance(held, NotHeld):
                return
            before = self.cycle.dossier(held.holdings, at)
            until, basis = horizon_on(self.cycle.playbook, at), self.cycle.basis(before)
            decision = replan(before, at, until=until).decision
            made_by = replace(basis, before=basis.playbook, until=until) if basis else None
            held.record(replace(decision, basis=made_by))
        dossier = self._dossier(at)
        self.see(decision, dossier)
        self._hear_back(decision, dossier, people)

    def _wake(self, stages: Sequence[Stage], at: datetime) -> None:
        zone = self.cycle.playbook.zone
        for stage in stages:
            self._looks[stage] = min(self._looks[stage], first_sweep(stage, at, zone))

    def _history(self, begins: datetime) -> Callable[[str], Sequence[int]]:
        """Give how late each party was in the register's past: calendar days from due to said, fulfilments only."""
        if not any(rule.answers is Answers.AS_IN_HISTORY for rule in self.script.answers):
            return lambda _: ()
        life = self._life
        spoken = [t for t in life.facts.interactions if t.obligation_key]
        late: dict[str, list[int]] = {}
        if spoken:
            dossier, zone = self._dossier(begins), self.cycle.playbook.zone
            days = [t.at.astimezone(zone).date() for t in spoken]
            window = Window(date(min(days).year - 1, 1, 1), date(max(days).year, 12, 31))
            due = {one.obligation.key: one.obligation.due_on for one in wanted(dossier, window, lambda *_: None)}
            for touch in spoken:
                if touch.obligation_key in due and touch.kind.value in ("fulfilment", "meeting"):
                    said_on = touch.at.astimezone(zone).date()
                    late.setdefault(touch.party_ref, []).append((said_on - due[touch.obligation_key]).days)
        return lambda party_ref: late.get(party_ref, ())
