"""What silence costs: how long a debtor who says nothing is left alone, and how far it climbs, by ladder arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pfflow.domain.courses import courses
from pfflow.domain.decision import Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import steps
from pfflow.domain.ladder import Action
from pfflow.domain.obligations import Obligation, ObligationKind
from pfflow.domain.words import Words

_LONG = timedelta(days=400)
_BEFORE = frozenset({Action.ANNOUNCE, Action.INVITE, Action.REQUEST, Action.REMIND})


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """One cadence or undertaking whose debtor stays silent, on its first date of the rehearsal. Days are calendar days.

    `told_before` is how many days before the date the first letter goes, 0 if none does; `slack` how many days after
    it the first escalation goes, None where none ever does; `climbs` how often it escalates, the last time after `ends`
    days, to `top`.
    """

    source: str
    title: Words
    told_before: int
    slack: int | None
    climbs: int
    ends: int | None
    top: str


def silence_of(dossier: Dossier, obligation: Obligation) -> Silence | None:
    """Give what silence costs on an obligation; None for what is told when it comes up."""
    if obligation.kind in (ObligationKind.NOTICE, ObligationKind.OFFER):
        return None
    draft = Draft(dossier, obligation.stage, obligation.due_at + _LONG)
    zone = dossier.playbook.zone
    taken = [
        (step, (step.at.astimezone(zone).date() - obligation.due_on).days)
        for step in steps(draft, obligation, courses(dossier.playbook, obligation))
        if step.at <= draft.as_of
    ]
    told = [-days for step, days in taken if step.rung.do in _BEFORE and days <= 0]
    climbs = [(step, days) for step, days in taken if step.rung.do is Action.ESCALATE]
    return Silence(
        source=obligation.key.split("/")[1],
        title=obligation.title,
        told_before=max(told, default=0),
        slack=min((days for _, days in climbs), default=None),
        climbs=len(climbs),
        ends=max((days for _, days in climbs), default=None),
        top=max(climbs, key=lambda one: one[1])[0].rung.to if climbs else "",
    )


def silences(dossier: Dossier, obligations: dict[str, Obligation]) -> tuple[Silence, ...]:
    """Give what silence costs on the first date of every cadence and undertaking, in order of their names."""
    first: dict[str, Obligation] = {}
    for one in obligations.values():
        source = one.key.split("/")[1]
        before = first.get(source)
        if before is None or (one.due_at, one.key) < (before.due_at, before.key):
            first[source] = one
    found = (silence_of(dossier, one) for _, one in sorted(first.items()))
    return tuple(one for one in found if one is not None)
