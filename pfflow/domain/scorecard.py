"""The monthly scorecard of a department: weighted measures, each with its evidence, 0 to 100.

A measure without data is not scored and its weight is shared among the others in proportion; the card says so. The same
facts give the same card, so it can be computed again from the ledger and the register.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from pfflow.domain.business_days import wall_instant
from pfflow.domain.decision import Dossier
from pfflow.domain.facts import SurveyAnswer
from pfflow.domain.ladder import Action, action_in
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.parties import Realm
from pfflow.domain.playbook import ScorecardRow
from pfflow.domain.satisfaction import csat
from pfflow.domain.words import Words

_FULL = Decimal(100)
_TENTH = Decimal("0.1")
_PER_ESCALATION = Decimal(20)
"""What one escalation takes off; five or more leave nothing. A default of ours, to be set by the house."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One row of the card: its score (None without data), and the evidence it is made of."""

    row: ScorecardRow
    score: Decimal | None
    evidence: Words
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A department's card for one calendar month; `total` is None where no measure has data."""

    role: str
    first: date
    last: date
    rows: tuple[Scored, ...]
    total: Decimal | None

    @property
    def month(self) -> str:
        """The month as 2026-01."""
        return month_of(self.first)


def month_of(day: date) -> str:
    """Give a day's month as 2026-01; a date's own format, which asks the system, takes ten times as long."""
    return day.isoformat()[:7]


def card_of(dossier: Dossier, role: str, first: date, last: date) -> Card:
    """Score a department for the month from `first` to `last`, both included."""
    # It is asked for when the month has ended and again when the card is sent, and little has changed by then.
    held = dossier.held
    return held.remembered_between(("card", role), first, last, lambda: _card_of(dossier, role, first, last))


def _card_of(dossier: Dossier, role: str, first: date, last: date) -> Card:
    rows = tuple(_score(dossier, row, role, first, last) for row in dossier.playbook.scorecard.rows)
    counted = [(scored.row.weight, scored.score) for scored in rows if scored.score is not None]
    weight = sum((w for w, _ in counted), Decimal(0))
    total = sum((w * score for w, score in counted), Decimal(0)) / weight if weight else None
    return Card(
        role=role,
        first=first,
        last=last,
        rows=rows,
        total=None if total is None else total.quantize(_TENTH, rounding=ROUND_HALF_UP),
    )


def _score(dossier: Dossier, row: ScorecardRow, role: str, first: date, last: date) -> Scored:
    match row.measure:
        case "on-time":
            return _on_time(dossier, row, role, first, last)
        case "escalations":
            return _escalations(dossier, row, role, first, last)
        case "internal-satisfaction":
            return dossier.held.remembered(
                ("satisfaction", row, role, first, last), lambda: _satisfaction(dossier, row, role, first, last)
            )
        case "milestones":
            return dossier.held.remembered(("milestones", row, role), lambda: _milestones(dossier, row, role))
        case "budget":
            return _budget(dossier, row, last)


def _owed_by(dossier: Dossier, role: str, first: date, last: date) -> list[Obligation]:
    owed = dossier.held.due_within(first, last)
    mine = (o for o in owed if o.debtor == role and o.status is not Status.CANCELLED)
    return sorted(mine, key=lambda o: o.key)


def _kept(dossier: Dossier, obligation: Obligation) -> bool:
    """Whether it was done in time; a warning has no day of its own, and is answered in time before it climbs."""
    if obligation.status is Status.WAIVED:
        return True
    if obligation.kind is ObligationKind.NOTICE:
        firings = dossier.held.firings_of(obligation.key)
        return not any(f.outcome == "fired" and action_in(f.rung) == Action.ESCALATE for f in firings)
    closed_on = _local_day(dossier, obligation.closed_at)
    return closed_on is not None and closed_on <= obligation.due_on


def _on_time(dossier: Dossier, row: ScorecardRow, role: str, first: date, last: date) -> Scored:
    owed = _owed_by(dossier, role, first, last)
    if not owed:
        return Scored(row, None, Words("本月无到期事项", "nothing was due"))
    kept = [o for o in owed if _kept(dossier, o)]
    late = tuple(o.key for o in owed if o not in kept)
    return Scored(
        row,
        _share(len(kept), len(owed)),
        Words(f"到期 {len(owed)} 项，按时 {len(kept)} 项", f"{len(kept)} of {len(owed)} due were on time"),
        late,
    )


def _local_day(dossier: Dossier, at: datetime | None) -> date | None:
    return at.astimezone(dossier.playbook.zone).date() if at else None


def _escalations(dossier: Dossier, row: ScorecardRow, role: str, first: date, last: date) -> Scored:
    owed, near = dossier.held.obligations, timedelta(days=1)  # a zone's day begins up to a day off UTC's
    begins, ends = (wall_instant(day, time(0), dossier.playbook.zone) for day in (first, last + near))
    climbed = [
        f
        for f in dossier.held.fired_within(first - near, last + near)
        if begins <= f.fired_at < ends
        and f.outcome == "fired"
        and action_in(f.rung) == Action.ESCALATE
        and f.obligation_key in owed
        and owed[f.obligation_key].debtor == role
    ]
    score = max(Decimal(0), _FULL - _PER_ESCALATION * len(climbed))
    return Scored(
        row,
        score,
        Words(f"升级 {len(climbed)} 次", f"{len(climbed)} escalations"),
        tuple(sorted({f.obligation_key for f in climbed})),
    )


def _satisfaction(dossier: Dossier, row: ScorecardRow, role: str, first: date, last: date) -> Scored:
    """Score what a department's internal customers say of it; not what it says of itself, nor external customers."""
    parties = {p.party_ref for p in dossier.facts.participations if p.role == role}
    customers = {p.party_ref for p in dossier.facts.parties if p.realm is Realm.INTERNAL} - parties
    internal = (a for a in dossier.facts.surveys if a.respondent_ref in customers)
    answers = answers_about(internal, parties, first, last, "csat")
    measured = csat([a.score for a in answers])
    surveys = tuple(sorted({a.survey_ref for a in answers}))
    if measured.value is None:
        return Scored(
            row,
            None,
            Words(f"仅 {measured.n} 份答卷，少于 5 份不计", f"{measured.n} answers; below 5 none is shown"),
            surveys,
        )
    return Scored(
        row,
        measured.value.quantize(_TENTH, rounding=ROUND_HALF_UP),
        Words(f"{measured.n} 份答卷，选 4–5 分者占比", f"share choosing 4 or 5 of 5, {measured.n} answers"),
        surveys,
    )


def answers_about(
    answers: Iterable[SurveyAnswer], about: set[str], first: date, last: date, question: str
) -> tuple[SurveyAnswer, ...]:
    """Give the answers to one question about some parties from `first` to `last`."""
    return tuple(
        a for a in answers if a.about_ref in about and a.question == question and first <= a.answered_on <= last
    )


def _milestones(dossier: Dossier, row: ScorecardRow, role: str) -> Scored:
    mine = sorted((m for m in dossier.facts.milestones if m.owner_role == role), key=lambda m: m.milestone)
    if not mine:
        return Scored(row, None, Words("不负责里程碑", "owns no milestone"))
    slipping = [m for m in mine if m.slip_days()]
    return Scored(
        row,
        _share(len(mine) - len(slipping), len(mine)),
        Words(f"负责 {len(mine)} 个里程碑，延误 {len(slipping)} 个", f"{len(slipping)} of {len(mine)} milestones slip"),
        tuple(m.milestone for m in slipping),
    )


def _budget(dossier: Dossier, row: ScorecardRow, last: date) -> Scored:
    lines = dossier.facts.budget
    if not lines:
        return Scored(row, None, Words("登记簿中没有预算", "the register has no budget"))
    paid = dossier.held.paid_up_to(last)
    over = [line.budget_line for line in lines if paid.get(line.budget_line, Decimal(0)) > line.amount]
    return Scored(
        row,
        _share(len(lines) - len(over), len(lines)),
        Words(f"{len(lines)} 个科目，超支 {len(over)} 个", f"{len(over)} of {len(lines)} budget lines overdrawn"),
        tuple(sorted(over)),
    )


def _share(part: int, whole: int) -> Decimal:
    return (_FULL * part / whole).quantize(_TENTH, rounding=ROUND_HALF_UP)
