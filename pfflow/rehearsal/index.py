"""What a rehearsed project holds, with indices, so that a decision costs what is due and not what exists."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pfflow.domain.business_days import DAY
from pfflow.domain.decision import ITEMISED, Conclusion, Holdings, Itemised, Made, itemised_in, remembered_in
from pfflow.domain.facts import Facts, FundUse, Interaction, Touch
from pfflow.domain.ladder import Firing
from pfflow.domain.obligations import Obligation
from pfflow.domain.words import Stage
from pfflow.rehearsal.payments import Payments
from pfflow.rehearsal.stirring import EVER, Stirring


@dataclass(slots=True)
class Index:
    """One project's obligations, firings, conclusions and interactions, each found by what is asked for.

    `stirs` says when something may next be said of a live obligation, `plans_on` on which day the horizon may reach the
    next date of a source, or of any (the empty name); what is not in it may be planned at once.
    """

    obligations: dict[str, Obligation] = field(default_factory=dict)
    firings: dict[tuple[str, str], Firing] = field(default_factory=dict)
    conclusions: dict[tuple[Stage, str], Conclusion] = field(default_factory=dict)
    concluded_by: dict[Stage, dict[str, Conclusion]] = field(default_factory=lambda: {stage: {} for stage in Stage})
    stirs: dict[Stage, Stirring] = field(default_factory=lambda: {stage: Stirring() for stage in Stage})
    plans_on: Mapping[str, date] = field(default_factory=dict)
    of_stage: dict[Stage, dict[str, Obligation]] = field(default_factory=lambda: {stage: {} for stage in Stage})
    live: dict[Stage, dict[str, Obligation]] = field(default_factory=lambda: {stage: {} for stage in Stage})
    last_due: dict[Stage, dict[str, date]] = field(default_factory=lambda: {stage: {} for stage in Stage})
    closed: dict[Stage, set[str]] = field(default_factory=lambda: {stage: set() for stage in Stage})
    all_closed: set[frozenset[str]] = field(default_factory=set)
    due_in: dict[int, dict[str, Obligation]] = field(default_factory=lambda: defaultdict(dict))
    fired_in: dict[int, list[Firing]] = field(default_factory=lambda: defaultdict(list))
    firings_of: dict[str, list[Firing]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[str, list[Interaction]] = field(default_factory=lambda: defaultdict(list))
    memo: dict[Hashable, Any] = field(default_factory=dict)
    changed_in: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    fired_on: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    vouchers: set[str] = field(default_factory=set)
    itemised_since: date | None = None
    payments: Payments = field(default_factory=Payments)
    touched: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    touched_at: list[datetime] = field(default_factory=list)
    touches_of: dict[Touch, list[Interaction]] = field(default_factory=lambda: defaultdict(list))

    def put(self, one: Obligation) -> None:
        """Keep an obligation in the place of the one with its key."""
        before = self.obligations.get(one.key)
        self.obligations[one.key] = one
        self.changed_in[_month(one.due_on)] += 1
        self.of_stage[one.stage][one.key] = one
        if before is not None and before.debtor != one.debtor:
            self.memo.clear()  # what was fired of it in other months is another's now
        if before is not None and before.due_on != one.due_on:
            del self.due_in[_month(before.due_on)][one.key]
            self.changed_in[_month(before.due_on)] += 1
        self.due_in[_month(one.due_on)][one.key] = one
        if one.live:
            self.live[one.stage][one.key] = one
            if one.key in self.closed[one.stage]:
                self.closed[one.stage].remove(one.key)
                self.all_closed.clear()
            if one.key not in self.stirs[one.stage]:
                self.stirs[one.stage].put(one.key, EVER)
        else:
            self.closed[one.stage].add(one.key)
            self.live[one.stage].pop(one.key, None)
            self.stirs[one.stage].drop(one.key)
        self._note_last_due(before, one)

    def _note_last_due(self, before: Obligation | None, one: Obligation) -> None:
        source, last = _source(one), self.last_due[one.stage]
        if before is None or before.due_on <= one.due_on:
            last[source] = max(one.due_on, last.get(source, one.due_on))
        elif last[source] == before.due_on:
            last[source] = max(o.due_on for o in self.of_stage[one.stage].values() if _source(o) == source)

    def fire(self, firing: Firing) -> None:
        """Keep a firing."""
        self.firings[firing.obligation_key, firing.rung] = firing
        self.firings_of[firing.obligation_key].append(firing)
        self.fired_in[_month(firing.fired_at)].append(firing)
        self.changed_in[_month(firing.fired_at)] += 1
        owed = self.obligations.get(firing.obligation_key)
        if owed is not None:  # a warning that climbs in a later month was not answered in time in its own
            self.changed_in[_month(owed.due_on)] += 1
        self.fired_on[firing.fired_at.date()] += 1

    def conclude(self, conclusion: Conclusion) -> None:
        """Keep a conclusion in the place of the one on its subject."""
        subjects = self.concluded_by[conclusion.stage]
        anew = conclusion.subject in subjects
        self.conclusions[conclusion.stage, conclusion.subject] = conclusion
        subjects[conclusion.subject] = conclusion
        if conclusion.stage is Stage.COMMUNICATION and conclusion.subject.startswith(ITEMISED):
            if anew:
                self.vouchers, self.itemised_since = set(), None
            said = itemised_in(subjects.values() if anew else (conclusion,))
            self.vouchers |= said.vouchers
            self.payments.itemise(self.vouchers if anew else said.vouchers, anew=anew)
            self.itemised_since = min(filter(None, (said.since, self.itemised_since)), default=None)

    def hear(self, touches: Iterable[Interaction]) -> None:
        """Keep interactions that are new."""
        for one in touches:
            if one.obligation_key:
                insort(self.answers[one.obligation_key], one, key=lambda t: t.ext_id)
            if one.party_ref:
                insort(self.touched[one.party_ref], one.at)
            self.touches_of[one.kind].append(one)
            insort(self.touched_at, one.at)

    def wake(self) -> None:
        """Let everything be asked again: the facts are others."""
        self.plans_on = {}
        for stirring in self.stirs.values():
            stirring.wake()


def _month(day: date) -> int:
    return day.year * 12 + day.month


def _source(one: Obligation) -> str:
    return one.key.split("/", 2)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed(Holdings):
    """Holdings that look up in an index instead of looking through; what they say is the same, by test."""

    index: Index

    def remembered(self, what: Hashable, make: Callable[[], Made]) -> Made:
        """Give what is made of the facts other than interactions and payments, made once until they change."""
        memo = self.index.memo
        if what in memo:  # as `remembered_in` does, which a rehearsal of thirty years would call 400,000 times
            known: Made = memo[what]
            return known
        return remembered_in(memo, what, make)

    def remembered_between(self, what: Hashable, first: date, last: date, make: Callable[[], Made]) -> Made:
        """Give what is made of the facts, and of what is due and was fired from a day to a day, made once till then.

        What was fired since of what was due then counts as well.
        """
        index = self.index
        stamp = (
            *(index.changed_in[month] for month in range(_month(first), _month(last) + 1)),
            # What was fired on the day beside a month may be of the month in another zone.
            index.fired_on[first - DAY],
            index.fired_on[last + DAY],
            index.payments.edition(last),
        )
        known = index.memo.get((what, first, last))
        if known is None or known[0] != stamp:
            index.memo[what, first, last] = known = (stamp, make())
        made: Made = known[1]
        return made

    def remembered_before(self, what: Hashable, at: datetime, make: Callable[[], Made]) -> Made:
        """Give what is made of the facts and of the interactions before an instant, made once until they change."""
        index = self.index
        before = bisect_left(index.touched_at, at)
        known = index.memo.get((what, at))
        if known is None or known[0] != before:
            index.memo[what, at] = known = (before, make())
        made: Made = known[1]
        return made

    def of_stage(self, stage: Stage) -> Iterable[Obligation]:
        """Give the obligations a stage keeps."""
        return self.index.of_stage[stage].values()

    def live(self, stage: Stage) -> Iterable[Obligation]:
        """Give a stage's obligations that are still owed."""
        return self.index.live[stage].values()

    def stirring(self, stage: Stage, as_of: datetime) -> Iterable[Obligation]:
        """Give those of them whose time has come."""
        live = self.index.live[stage]
        return [live[key] for key in self.index.stirs[stage].up_to(as_of)]

    def may_plan(self, on: date, source: str = "") -> bool:
        """Whether the day has come on which the horizon may reach the next date of a source, or of any."""
        return self.index.plans_on.get(source, date.min) <= on

    def closed(self, stage: Stage) -> AbstractSet[str]:
        """Give the keys of a stage's obligations that are no longer owed."""
        return self.index.closed[stage]

    def all_closed(self, stage: Stage, keys: frozenset[str]) -> bool:
        """Whether all of these obligations of a stage were owed and are no longer: noted until one is again."""
        if keys not in self.index.all_closed:
            if not keys <= self.index.closed[stage]:
                return False
            self.index.all_closed.add(keys)
        return True

    def concluded_by(self, stage: Stage) -> Iterable[Conclusion]:
        """Give what a stage has concluded."""
        return self.index.concluded_by[stage].values()

    def itemised(self) -> Itemised:
        """Give what the fund-use reports so far itemised."""
        return Itemised(self.index.vouchers, self.index.itemised_since)

    def due_within(self, first: date, last: date) -> Iterable[Obligation]:
        """Give the obligations due from a day to a day."""
        return [one for one in self._due_in_months(first, last) if first <= one.due_on <= last]

    def _due_in_months(self, first: date, last: date) -> Iterator[Obligation]:
        for month in range(_month(first), _month(last) + 1):
            if month in self.index.due_in:
                yield from self.index.due_in[month].values()

    def last_due(self, stage: Stage) -> Mapping[str, date]:
        """Give the last day on which something of each source is due."""
        return self.index.last_due[stage]

    def firings_of(self, obligation_key: str) -> Iterable[Firing]:
        """Give the firings of an obligation."""
        return self.index.firings_of.get(obligation_key, ())

    def fired_within(self, first: date, last: date) -> Iterable[Firing]:
        """Give the firings of the months of two days."""
        months = range(_month(first), _month(last) + 1)
        return [one for month in months if month in self.index.fired_in for one in self.index.fired_in[month]]

    def answers_to(self, obligation_key: str) -> Iterable[Interaction]:
        """Give the interactions that name an obligation."""
        return self.index.answers.get(obligation_key, ())

    def touches_of(self, kind: Touch) -> Iterable[Interaction]:
        """Give the interactions of a kind."""
        return self.index.touches_of.get(kind, ())

    def last_touch_before(self, at: datetime, party_ref: str) -> datetime | None:
        """Give when the last interaction with a party before an instant was; None where there was none."""
        touched = self.index.touched.get(party_ref, ())
        before = bisect_left(touched, at)
        return touched[before - 1] if before else None

    def era(self, day: date) -> int:
        """Give the number of a span of days in which nobody takes a role and nobody leaves one."""
        known = self.index.memo.get("era of a day")
        if known is None or known[0] != day:
            self.index.memo["era of a day"] = known = (day, Holdings.era(self, day))
        era: int = known[1]
        return era

    def payments(self) -> Sequence[FundUse]:
        """Give the payments in order of day and voucher."""
        return self.index.payments.in_order

    def not_itemised(self) -> Sequence[FundUse]:
        """Give the payments that no fund-use report itemised so far, in order of day and voucher."""
        return self.index.payments.not_itemised

    def paid_up_to(self, last: date) -> Mapping[str, Decimal]:
        """Give what was paid under each budget line up to a day, by their names."""
        return self.index.payments.up_to(last)


def begun(facts: Facts) -> Index:
    """Give an index in which nothing is decided yet."""
    index = Index()
    index.hear(facts.interactions)
    index.payments.begin(facts.fund_use)
    return index
