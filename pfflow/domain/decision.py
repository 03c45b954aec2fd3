"""What a stage may see (the dossier) and all it may say (the decision). Both are frozen; deciding is pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar

from pfflow.domain.business_days import DAY, BusinessCalendar
from pfflow.domain.facts import Facts, FundUse, Interaction, Touch
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.ladder import Firing
from pfflow.domain.ledger import EntryDraft
from pfflow.domain.notices import Notice
from pfflow.domain.obligations import Obligation
from pfflow.domain.opt_outs import OptionalLetter
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Project
from pfflow.domain.trouble import Undelivered
from pfflow.domain.words import Json, Stage, Words

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The last thing a stage concluded on a subject, and why. Unique for project, stage and subject.

    Subjects read like `party/P-01`, `package`, `completeness/P-01`, `scorecard/finance/2026-01`; `value` is what was
    concluded, `because` the rule and facts that led to it.
    """

    stage: Stage
    subject: str
    value: Mapping[str, Json]
    because: str = ""
    concluded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something people should see that is nobody's letter: an unclassified party, an activity without Accountable."""

    stage: Stage
    kind: str
    subject: str
    text: Words


def remembered_in(memo: dict[Hashable, Any], what: Hashable, make: Callable[[], Made]) -> Made:
    """Give what a memo has under a name, made now unless it is there."""
    if what not in memo:
        memo[what] = make()
    made: Made = memo[what]
    return made


ITEMISED = "fund-use/"
"""How the subjects begin under which communication concludes what a sent fund-use report itemised."""


@dataclass(frozen=True, slots=True)
class Itemised:
    """What the fund-use reports so far itemised: the vouchers, and the first day they were about, None without any."""

    vouchers: AbstractSet[str]
    since: date | None


def itemised_in(conclusions: Iterable[Conclusion]) -> Itemised:
    """Give what fund-use reports itemised by what communication concluded when they were sent."""
    vouchers: set[str] = set()
    since: date | None = None
    for conclusion in conclusions:
        if conclusion.subject.startswith(ITEMISED):
            vouchers.update(conclusion.value["vouchers"])  # type: ignore[arg-type]  # communication wrote a list of texts
            start = date.fromisoformat(str(conclusion.value["start"]))
            since = min(start, since or start)
    return Itemised(vouchers, since)


paid_on, paid_on_and_voucher = attrgetter("paid_on"), attrgetter("paid_on", "voucher")
"""By what payments are put in order."""


def in_order(payments: Iterable[FundUse], project_ref: str) -> list[FundUse]:
    """Give a project's payments in order of day and voucher."""
    return sorted((one for one in payments if one.project_ref == project_ref), key=paid_on_and_voucher)


def paid_by_line(
    payments: Iterable[FundUse], before: Mapping[str, Decimal] = MappingProxyType({})
) -> dict[str, Decimal]:
    """Give what payments come to under each budget line, on top of what came to it `before`."""
    paid = dict(before)
    for payment in payments:
        paid[payment.budget_line] = paid.get(payment.budget_line, Decimal(0)) + payment.amount
    return paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the store holds on one project: the facts that concern it, what is owed, what was fired and concluded.

    `engaged_at` is the first instant anything was decided for the project, None before that; `decided_to` to which
    instant each stage has decided; `holiday_lists` are the house's own, for all its projects; `undelivered` are the
    letters that failed or that our own fault keeps back; `opt_outs` are what contacts asked not to be sent. What is
    looked up is asked for by the methods: whoever keeps indices may answer faster, never otherwise.
    """

    project: Project
    facts: Facts
    obligations: Mapping[str, Obligation] = field(default_factory=dict)
    firings: Mapping[tuple[str, str], Firing] = field(default_factory=dict)
    conclusions: Mapping[tuple[Stage, str], Conclusion] = field(default_factory=dict)
    engaged_at: datetime | None = None
    decided_to: Mapping[Stage, datetime] = field(default_factory=dict)
    holiday_lists: tuple[HouseList, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    opt_outs: frozenset[tuple[str, OptionalLetter]] = frozenset()
    _memo: dict[Hashable, Any] = field(init=False, default_factory=dict, compare=False, repr=False)

    def remembered(self, what: Hashable, make: Callable[[], Made]) -> Made:
        """Give what is made of the facts other than interactions and payments, made once for each `what`.

        The playbook in force may go into it as well: whoever decides by another one asks other holdings.
        """
        return remembered_in(self._memo, what, make)

    def paid_up_to(self, last: date) -> Mapping[str, Decimal]:
        """Give what was paid under each budget line up to a day, by their names."""
        return remembered_in(self._memo, ("paid", last), lambda: paid_by_line(self.paid_within(date.min, last)))

    def paid_within(self, first: date, last: date) -> Sequence[FundUse]:
        """Give the payments from a day to a day, both included, in order of day and voucher."""
        payments = self.payments()
        begins = bisect_left(payments, first, key=paid_on)
        return payments[begins : bisect_right(payments, last, lo=begins, key=paid_on)]

    def payments(self) -> Sequence[FundUse]:
        """Give the project's payments in order of day and voucher."""
        return remembered_in(self._memo, "payments", lambda: in_order(self.facts.fund_use, self.project.project_ref))

    def remembered_between(self, what: Hashable, first: date, last: date, make: Callable[[], Made]) -> Made:
        """Give what is made of the facts, and of what is due and was fired from a day to a day, made once till then.

        That is until the facts change, or an obligation due then, a rung fired then, or one of what is due then is
        recorded.
        """
        return remembered_in(self._memo, (what, first, last), make)

    def remembered_before(self, what: Hashable, at: datetime, make: Callable[[], Made]) -> Made:
        """Give what is made of the facts and of the interactions before an instant, made once until they change."""
        return remembered_in(self._memo, (what, at), make)

    def changes_of_roles(self) -> Sequence[date]:
        """Give the days on which somebody takes a role, or has left one, in order."""

        def changes() -> list[date]:
            began = {p.since for p in self.facts.participations if p.since}
            return sorted(began | {p.until + DAY for p in self.facts.participations if p.until})

        return self.remembered("changes of roles", changes)

    def era(self, day: date) -> int:
        """Give the number of a span of days in which nobody takes a role and nobody leaves one."""
        return bisect_right(self.changes_of_roles(), day)

    def of_stage(self, stage: Stage) -> Iterable[Obligation]:
        """Give the obligations a stage keeps, in any order."""
        return [o for o in self.obligations.values() if o.stage is stage]

    def live(self, stage: Stage) -> Iterable[Obligation]:
        """Give a stage's obligations that are still owed, in any order."""
        return [o for o in self.of_stage(stage) if o.live]

    def stirring(self, stage: Stage, as_of: datetime) -> Iterable[Obligation]:
        """Give a stage's live obligations of which something may be said at an instant: all, where nobody knows."""
        del as_of
        return self.live(stage)

    def may_plan(self, on: date, source: str = "") -> bool:
        """Whether a day's horizon may reach a date that is not planned, of a cadence or undertaking or of any.

        It always may where nobody knows.
        """
        del on, source
        return True

    def closed(self, stage: Stage) -> AbstractSet[str]:
        """Give the keys of a stage's obligations that are no longer owed."""
        return {o.key for o in self.of_stage(stage) if not o.live}

    def all_closed(self, stage: Stage, keys: frozenset[str]) -> bool:
        """Whether all of these obligations of a stage were owed and are no longer."""
        return keys <= self.closed(stage)

    def concluded_by(self, stage: Stage) -> Iterable[Conclusion]:
        """Give what a stage has concluded, in any order."""
        return [one for (by, _), one in self.conclusions.items() if by is stage]

    def itemised(self) -> Itemised:
        """Give what the fund-use reports so far itemised."""
        return itemised_in(self.concluded_by(Stage.COMMUNICATION))

    def not_itemised(self) -> Sequence[FundUse]:
        """Give the payments that no fund-use report itemised so far, in order of day and voucher."""
        vouchers = self.itemised().vouchers
        return [one for one in self.payments() if one.voucher not in vouchers]

    def due_within(self, first: date, last: date) -> Iterable[Obligation]:
        """Give the obligations due from a day to a day, both included, in any order."""
        return [o for o in self.obligations.values() if first <= o.due_on <= last]

    def last_due(self, stage: Stage) -> Mapping[str, date]:
        """Give the last day on which something of a stage is due, by the second part of the keys as it is written."""
        last: dict[str, date] = {}
        for one in self.of_stage(stage):
            source = one.key.split("/", 2)[1]
            last[source] = max(one.due_on, last.get(source, one.due_on))
        return last

    def firings_of(self, obligation_key: str) -> Iterable[Firing]:
        """Give the firings of an obligation, in any order."""
        return [firing for (key, _), firing in self.firings.items() if key == obligation_key]

    def fired_within(self, first: date, last: date) -> Iterable[Firing]:
        """Give the firings from a day to a day in UTC, both included, and maybe others, in any order."""
        del first, last
        return self.firings.values()

    def answers_to(self, obligation_key: str) -> Iterable[Interaction]:
        """Give the interactions that name an obligation, in any order."""
        return [touch for touch in self.facts.interactions if touch.obligation_key == obligation_key]

    def touches_of(self, kind: Touch) -> Iterable[Interaction]:
        """Give the interactions of a kind, in any order."""
        return [touch for touch in self.facts.interactions if touch.kind is kind]

    def last_touch_before(self, at: datetime, party_ref: str) -> datetime | None:
        """Give when the last interaction with a party before an instant was; None where there was none."""
        touched = (touch.at for touch in self.facts.interactions if touch.party_ref == party_ref)
        return max((one for one in touched if one < at), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All a stage may see of one project: what the store holds, the playbook, and the project's calendar.

    Where nobody will read what is decided, letters are not `written`: who is told what, when and why is the same, and
    their templates' context is empty.
    """

    held: Holdings
    playbook: Playbook
    calendar: BusinessCalendar
    engaged_on: date
    written: bool = True

    @property
    def project(self) -> Project:
        """The project."""
        return self.held.project

    @property
    def facts(self) -> Facts:
        """The facts that concern the project."""
        return self.held.facts

    def of_stage(self, stage: Stage) -> tuple[Obligation, ...]:
        """Give the obligations a stage keeps, in order of due instant and key."""
        return tuple(sorted(self.held.of_stage(stage), key=attrgetter("due_at", "key")))

    def concluded(self, stage: Stage, subject: str) -> Mapping[str, Json]:
        """Give what a stage last concluded on a subject; empty where it has not."""
        conclusion = self.held.conclusions.get((stage, subject))
        return conclusion.value if conclusion else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """By what a decision was made, beside what is held on its project: kept with it, so that it can be made again.

    `playbook` is the SHA-256 of the playbook's text. An applied plan names the one in force `before` it and the last
    day it planned (`until`); a stage's decision has neither.
    """

    playbook: str
    calendar: BusinessCalendar
    before: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All a stage says of one project at one instant: recorded as one transaction, or not at all.

    `calendar` is what its dates were planned by, None where it plans none. `basis` is added by whoever has it recorded.
    """

    project_ref: str
    stage: Stage
    as_of: datetime
    entries: tuple[EntryDraft, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    firings: tuple[Firing, ...] = ()
    notices: tuple[Notice, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    findings: tuple[Finding, ...] = ()
    calendar: BusinessCalendar | None = None
    basis: Basis | None = None

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to record."""
        return not (self.entries or self.obligations or self.firings or self.notices or self.conclusions)
