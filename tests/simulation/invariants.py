"""What must hold whatever happens, watched from outside the house: every commit, letter and death is seen here.

The auditor keeps its own books from what it sees and compares. It knows what the rules say, not how the product keeps
them: a ladder's steps are counted here by days, one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Decision, Holdings
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.ladder import Action, Ladder, bare_name
from pfflow.domain.ledger import GENESIS, Entry
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.playbook import Playbook
from pfflow.domain.words import Stage
from tests.simulation.mail_invariants import MailAuditor
from tests.simulation.world import HOLD_DAYS

_STEPS = frozenset({"fired", "skipped", "merged"})
_STAGES = frozenset(map(str, Stage))
_CLOSING = frozenset({"fulfilled", "waived", "cancelled"})


class Auditor(MailAuditor):
    """Sees everything that takes effect, and raises Violation for what must not be."""

    def __init__(self, store: Any, say: Callable[[str], None], zones: Mapping[str, str]) -> None:
        super().__init__(say, zones)
        self._store = store
        self._known: dict[str, list[Entry]] = {}
        self._expected: Counter[tuple[str, str, str]] = Counter()
        self._taken: dict[tuple[str, str], str] = {}
        self._last_due: dict[tuple[str, int, int], datetime] = {}
        self._touches: dict[str, Interaction] = {}
        self.edition_of: dict[str, int] = {}

    # What is recorded.

    def reported(self, touch: Interaction) -> None:
        """Note what a person said, once it is committed."""
        self._touches[touch.ext_id] = touch
        self._read_ledgers()

    def noted(self) -> None:
        """Read what an import or an adoption wrote."""
        self._read_ledgers()

    def rolled_back(self) -> None:
        """Nothing may have been written by what did not happen."""
        before = {ref: len(entries) for ref, entries in self._known.items()}
        self._read_ledgers()
        after = {ref: len(entries) for ref, entries in self._known.items()}
        if before != after:
            self.broken("transaction", f"entries were written by a decision that was rolled back: {before} {after}")

    def decided(
        self, worker: str, decision: Decision | None, held: Holdings, as_of: datetime, *, a_plan: bool = False
    ) -> None:
        """Look at a decision that is committed: a stage's, or a plan's, which hears nobody."""
        if decision is None:
            self._read_ledgers()
            return
        if not decision.quiet:
            self._say(
                f"{worker} decides {decision.stage} of {decision.project_ref} at {as_of:%m-%d %H:%M}: "
                + ", ".join(f"{entry.kind} {entry.subject}" for entry in decision.entries)
            )
        for entry in decision.entries:
            self._expected[decision.project_ref, entry.kind, entry.subject] += 1
        self.count["decisions"] += 1
        for firing in decision.firings:
            self._look_at_firing(worker, decision, firing, held)
        for notice in decision.notices:
            self.posted(notice)
        for one in decision.obligations:
            self._due[one.key] = one.due_at
            if one.status.value in _CLOSING:
                self._closed[one.key] = one.status.value
            else:
                self._closed.pop(one.key, None)
        if not a_plan:
            self._unheard(decision, held, as_of)
        self._read_ledgers()

    def _look_at_firing(self, worker: str, decision: Decision, firing: Any, held: Holdings) -> None:
        pair = (firing.obligation_key, firing.rung)
        if firing.outcome not in _STEPS:
            return
        self.count[firing.outcome] += 1
        if pair in self._taken:
            self.broken("no rung twice", f"{firing.rung} of {firing.obligation_key} was {self._taken[pair]} before")
        self._taken[pair] = firing.outcome
        if firing.outcome != "fired" and not firing.because:
            self.broken("no skip without a reason", f"{firing.rung} of {firing.obligation_key}")
        before = held.obligations.get(firing.obligation_key)
        ended = self._closed.get(firing.obligation_key)
        if firing.outcome == "fired" and ended:
            self.broken("nothing after the end", f"{firing.rung} of {firing.obligation_key}, which is {ended}")
        action = next((a for a in Action if firing.rung.startswith(a.value)), None)
        if firing.outcome == "fired" and action in (Action.REQUEST, Action.REMIND, Action.ESCALATE):
            now = {one.key: one for one in decision.obligations}.get(firing.obligation_key, before)
            course = (firing.obligation_key, now.sequence if now else 0, self.edition_of.get(worker, 0))
            last = self._last_due.get(course)
            if last is not None and firing.due_at < last:
                self.broken("monotone", f"{firing.rung} of {firing.obligation_key} comes after a later rung")
            self._last_due[course] = firing.due_at

    def _unheard(self, decision: Decision, held: Holdings, as_of: datetime) -> None:
        """A stage must hear what was said of its obligations before it decided."""
        after = {**held.obligations, **{one.key: one for one in decision.obligations}}
        for touch in held.facts.interactions:
            owed = after.get(touch.obligation_key)
            if owed is None or owed.stage is not decision.stage or not owed.live or touch.at > as_of:
                continue
            if touch.kind is Touch.FULFILMENT and owed.kind is not ObligationKind.APPROVAL:
                self.broken("fulfilment ends it", f"{owed.key} is still owed after {touch.ext_id}")
        for owed in decision.obligations:
            if owed.held_until is not None and owed.held_until > as_of + timedelta(days=HOLD_DAYS):
                self.broken("an acknowledgement ends", f"{owed.key} is held until {owed.held_until}")

    def _read_ledgers(self) -> list[Entry]:
        """Look at what is new: it continues the chain, and somebody committed it. Gives the entries of letters."""
        of_letters = []
        for ref in self._store.project_refs():
            known = self._known.setdefault(ref, [])
            entries = self._store.ledger(ref)
            if len(entries) < len(known) or (known and entries[len(known) - 1] != known[-1]):
                self.broken("nothing recorded is lost", f"the ledger of {ref} has lost entries")
            for entry in entries[len(known) :]:
                before = known[-1].digest if known else GENESIS
                if (entry.seq, entry.previous) != (len(known) + 1, before) or entry.digest != entry.expected_digest():
                    self.broken("ledger unbroken", f"entry {entry.seq} of {ref}")
                known.append(entry)
                if entry.stage == "delivery":
                    of_letters.append(entry)
                if entry.stage in _STAGES:
                    self._expected[ref, entry.kind, entry.subject] -= 1
                    if self._expected[ref, entry.kind, entry.subject] < 0:
                        self.broken("transaction", f"{entry.kind} {entry.subject} is in no committed decision")
        return of_letters

    # At the end, when all is calm.

    def at_the_end(self, playbook: Playbook, calendar: BusinessCalendar, swept_at: datetime, changed: bool) -> None:  # noqa: FBT001 - a fact of the run
        """Look at everything once more after the faults are over and everybody had time."""
        self._read_ledgers()
        if missing := [what for what, count in self._expected.items() if count > 0]:
            self.broken("nothing recorded is lost", f"never reached the ledger: {missing[:3]}")
        self._letters_are_gone()
        for ref in self._store.project_refs():
            held = self._store.holdings(ref)
            self._firings_are_recorded(held)
            for touch in self._touches.values():
                if touch.project_ref == ref and touch not in held.facts.interactions:
                    self.broken("nothing recorded is lost", f"what {touch.contact_ref} said ({touch.ext_id}) is gone")
            if not changed:
                for owed in held.obligations.values():
                    self._ladder_is_taken(owed, playbook, calendar, swept_at)

    def _letters_are_gone(self) -> None:
        for letter in self._store.letters():
            if _key(letter) not in self._letters:
                self.broken("transaction", f"{_key(letter)} is in the outbox and in no committed decision")
            if letter.status == "waiting":
                self.broken("every letter goes", f"{_key(letter)} waits still, claimed by {letter.claimed_by}")
        if lost := self._letters.keys() - {_key(letter) for letter in self._store.letters()}:
            self.broken("nothing recorded is lost", f"letters are gone: {sorted(lost)[:3]}")

    def _firings_are_recorded(self, held: Holdings) -> None:
        for (key, rung), firing in held.firings.items():
            if firing.outcome in _STEPS and (key, rung) not in self._taken:
                self.broken("transaction", f"{rung} of {key} is {firing.outcome} by no committed decision")
        fired = {(k, r) for (k, r), outcome in self._taken.items() if outcome == "fired" and k in held.obligations}
        written = {(one.obligation_key, one.rung) for one in self._letters.values()}
        if silent := fired - written:
            self.broken("heard by someone", f"rungs fired without a letter: {sorted(silent)[:3]}")
        if lost := fired - held.firings.keys():
            self.broken("nothing recorded is lost", f"firings are gone: {sorted(lost)[:3]}")

    def _ladder_is_taken(
        self, owed: Obligation, playbook: Playbook, calendar: BusinessCalendar, swept_at: datetime
    ) -> None:
        ladder = playbook.ladders.get(owed.ladder)
        if ladder is None or not owed.live or owed.sequence:
            return
        held = owed.held_until is not None and owed.held_until > swept_at
        taken = {bare_name(rung): outcome for (key, rung), outcome in self._taken.items() if key == owed.key}
        heard = False
        for name, at, action in _due_steps(owed, ladder, playbook, calendar):
            if at > swept_at or action is Action.SEND or (held and action is not Action.INVITE):
                continue
            if name not in taken:
                self.broken("no rung skipped", f"{name} of {owed.key} was due {at} and nothing is recorded of it")
            heard = heard or action is Action.ESCALATE
        reached = [rung for (key, rung), outcome in self._taken.items() if key == owed.key and outcome == "fired"]
        if heard and owed.due_at < swept_at and not any(rung.startswith(("escalate", "remind")) for rung in reached):
            self.broken("heard by someone", f"{owed.key} is overdue and nobody was told")


def _key(letter: Any) -> str:
    key: str = letter.notice.key
    return key


def _due_steps(
    owed: Obligation, ladder: Ladder, playbook: Playbook, calendar: BusinessCalendar
) -> list[tuple[str, datetime, Action]]:
    """Give the steps counted in days, with their instants, by counting days one by one; hours are the product's."""
    found = []
    zone = playbook.zone
    for rung in ladder.rungs:
        if rung.at.unit.value != "bd":
            continue
        day = owed.due_at.astimezone(zone).date()
        step = 1 if rung.at.count > 0 else -1
        left = abs(rung.at.count)
        while left:
            day += timedelta(days=step)
            left -= calendar.is_business_day(day)
        grace = int(str(owed.details.get("grace_days", 0))) if rung.do is Action.ESCALATE else 0
        at = datetime.combine(day, playbook.hours.letters, zone) + timedelta(days=grace)
        found.append((rung.name, at, rung.do))
    return found
