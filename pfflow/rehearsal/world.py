"""The book of record of a rehearsal: the Store protocol over plain dictionaries, by the rules every store keeps."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pfflow.domain.changing import changing
from pfflow.domain.decision import Decision, Holdings
from pfflow.domain.facts import Facts, Interaction
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.manners import FREE, Manners
from pfflow.domain.project import Project
from pfflow.domain.recording import Mark, mismatch, named, news, why_not_held
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld, Receipt, Recorded, Taken
from pfflow.rehearsal.index import Index, Indexed, begun
from pfflow.rehearsal.scope import facts_of, widened, with_records
from pfflow.rehearsal.stirring import EVER

NOTHING = Facts()


_changed = changing(Facts)


@dataclass(slots=True)
class Life:
    """One project of a rehearsal: its facts, their version, and everything that was decided.

    `around` has the records of parties that may yet come to it.
    """

    facts: Facts
    index: Index
    holiday_lists: tuple[HouseList, ...] = ()
    version: int = 1
    engaged_at: datetime | None = None
    marks: dict[Stage, Mark] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    decision: Decision | None = None
    """The last decision that was recorded."""
    at: datetime = EVER
    """The instant being lived when facts are about to change."""
    around: Facts = NOTHING
    _holdings: Indexed | None = None

    @property
    def project(self) -> Project:
        """The project as it now stands."""
        return self.facts.projects[0]

    @property
    def holdings(self) -> Holdings:
        """What a stage is given to decide from: the same until the facts change, and with what is decided meanwhile."""
        known = self._holdings
        if (
            known is None
            or known.facts is not self.facts
            or known.engaged_at != self.engaged_at
            or known.holiday_lists is not self.holiday_lists
        ):
            self._holdings = known = Indexed(
                project=self.project,
                facts=self.facts,
                obligations=self.index.obligations,
                firings=self.index.firings,
                conclusions=self.index.conclusions,
                engaged_at=self.engaged_at,
                holiday_lists=self.holiday_lists,
                index=self.index,
            )
        return known

    def learn(self, **records: tuple[Any, ...]) -> None:
        """Take in records of sheets, in the place of those with their keys, as an import does."""
        before = self.facts
        self.facts = widened(with_records(before, **records), self.around, records)
        if records.keys() != {"fund_use"}:
            self.index.memo.clear()
        payments = records.get("fund_use", ())
        if len(self.facts.fund_use) == len(before.fund_use) + len(payments):
            for payment in payments:
                self.index.payments.add(payment)
        else:  # some stand in the place of others
            self.index.payments.begin(self.facts.fund_use)
        self.version += 1

    def hear(self, touch: Interaction) -> None:
        """Take in what somebody said, as the store takes in a touch that is reported."""
        self.index.hear((touch,))
        # In the order it was said, not in that of its key: nothing that decides looks at the order of the sheet.
        self.facts = _changed(self.facts, interactions=(*self.facts.interactions, touch))
        self.version += 1

    def record(self, decision: Decision) -> Recorded:
        """Write a decision down."""
        new = news(self.holdings, decision)
        for one in new.obligations:
            self.index.put(one)
        for firing in new.firings:
            self.index.fire(firing)
        for conclusion in new.conclusions:
            self.index.conclude(conclusion)
        notices = {notice.key for notice in decision.notices} - self.keys
        self.keys |= notices
        self.marks[decision.stage] = Mark(decision.as_of, self.version)
        self.engaged_at = self.engaged_at or decision.as_of
        self.decision = decision
        return Recorded(
            obligations=len(new.obligations),
            firings=len(new.firings),
            notices=len(notices),
            entries=len(decision.entries),
        )


@dataclass(slots=True)
class Hold:
    """A project held for one stage at one instant. One decision may be recorded under it."""

    life: Life
    stage: Stage
    as_of: datetime
    holdings: Holdings
    _recorded: bool = False

    def record(self, decision: Decision) -> Recorded:
        """Write the decision down; raises ValueError for one that is not of this hold, or a second one."""
        hold = (self.holdings.project.project_ref, self.stage, self.as_of)
        wrong = mismatch(*hold, decision)
        if not wrong and self._recorded:
            wrong = f"a decision of {named(*hold)} is recorded already under this hold"
        if wrong:
            raise ValueError(wrong)
        self._recorded = True
        return self.life.record(decision)


class MemoryStore:
    """A store that keeps everything in this process and sends nothing: what is noticed is counted elsewhere."""

    def __init__(self, facts: Facts, holiday_lists: tuple[HouseList, ...] = ()) -> None:
        self.lives: dict[str, Life] = {}
        for project in sorted(facts.projects, key=lambda one: one.project_ref):
            own = facts_of(facts, project.project_ref)
            self.lives[project.project_ref] = Life(own, begun(own), holiday_lists, around=facts)

    def project_refs(self) -> tuple[str, ...]:
        """Give all project refs in order."""
        return tuple(self.lives)

    def deciding(
        self, project_ref: str, stage: Stage, as_of: datetime, *, again: bool = False
    ) -> AbstractContextManager[Hold | NotHeld]:
        """Hold a project while a stage decides for it. Nobody else is there, so nobody waits and nothing is undone."""
        life = self.lives[project_ref]
        reason = why_not_held(life.marks.get(stage), as_of, life.version, again=again)
        return nullcontext(NotHeld(reason) if reason else Hold(life, stage, as_of, life.holdings))

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
        """Give no letter: a rehearsal sends none."""
        del worker, now, limit, seconds, manners, chat
        return Taken()

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold no letter longer: none is claimed."""
        del worker, keys, until
        return frozenset()

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Take no receipt: a rehearsal sends nothing."""
        del worker, receipts

    def waiting(self, now: datetime, *, chat: bool = False) -> tuple[int, datetime | None]:
        """Say that no letter waits."""
        del now, chat
        return 0, None
