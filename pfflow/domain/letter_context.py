"""What a letter is told: its templates' context, from an obligation, a step of its ladder and the past."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from pfflow.domain.audience import creditors, names_of, owner_of, roles_meant
from pfflow.domain.business_days import business_days_between
from pfflow.domain.decision import Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.ladder import Action, Step, action_in
from pfflow.domain.obligations import KEPT, Obligation, ObligationKind
from pfflow.domain.words import NO_WORDS, Json, Stage, Words

FALLBACK = Stage.COMMUNICATION
"""The stage whose templates serve where a stage has none of its own."""

HANDOVER = "communication/handover"
"""The letter to whom an obligation was handed over to, of whatever stage it is."""

_CHASING = {Action.REMIND: "reminder", Action.ESCALATE: "escalation"}
_OWN = {
    Stage.IDENTIFICATION: {Action.INVITE: "kickoff", **_CHASING},
    Stage.INFORMATION_GATHERING: {Action.REQUEST: "request", **_CHASING},
    Stage.SERVICE_DESIGN: {Action.REQUEST: "approval_request", Action.SEND: "offer", **_CHASING},
    Stage.COMMUNICATION: {
        Action.ANNOUNCE: "announcement",
        Action.INVITE: "invitation",
        Action.REQUEST: "request",
        Action.SEND: "report",
        **_CHASING,
    },
    Stage.EVALUATION: {Action.SEND: "scorecard", **_CHASING},
}
TEMPLATES: Mapping[tuple[Stage, Action], str] = MappingProxyType(
    {(stage, action): f"{stage}/{notice}" for stage, own in _OWN.items() for action, notice in own.items()}
)


def template_of(obligation: Obligation, action: Action) -> str:
    """Give the template folder of a letter.

    A warning names its own for every action but escalating, since nothing else is said of it; elsewhere the stage's
    own words go before communication's.
    """
    if obligation.template:
        return TEMPLATES[FALLBACK, action] if action is Action.ESCALATE else obligation.template
    return TEMPLATES.get((obligation.stage, action)) or TEMPLATES[FALLBACK, action]


def letter_context(
    draft: Draft, obligation: Obligation, step: Step, following: Step | None, because: Words = NO_WORDS
) -> dict[str, Json]:
    """Give what the templates read for one step of an obligation's ladder; JSON, self-contained, without addresses.

    It is empty where letters are not written.
    """
    dossier, today = draft.dossier, draft.today
    if not dossier.written:
        return {}
    late = obligation.due_on < today
    overdue = business_days_between(obligation.due_on, today, dossier.calendar) if late else 0
    return {
        **dossier.held.remembered("letterhead", lambda: _letterhead(dossier)),
        "obligation": {
            "key": obligation.key,
            "kind": str(obligation.kind),
            "title": obligation.title.as_json(),
            "due_at": obligation.due_at.isoformat(),
            "due_on": obligation.due_on.isoformat(),
            "unadjusted_on": obligation.unadjusted_on.isoformat(),
            "provisional": obligation.provisional,
            "timezone": obligation.timezone,
            "period_start": obligation.period_start.isoformat() if obligation.period_start else None,
            "period_end": obligation.period_end.isoformat() if obligation.period_end else None,
            "minutes": obligation.minutes,
            "clause_ref": str(obligation.details.get("clause_ref", "")),
        },
        "rung": {
            "name": step.name,
            "action": str(step.rung.do),
            "number": int(step.name.rpartition("/")[2]) if "/" in step.name else 1,
            "to": step.rung.to,
        },
        "debtor": names_of(dossier, filter(None, (obligation.debtor,)), today).as_json(),
        "creditor": creditors(dossier, obligation, today).as_json(),
        "undated": _undated(obligation),
        "overdue_days": overdue,
        "said": [
            {"action": action_in(f.rung), "on": _day(draft, f.fired_at)}
            for f in draft.firings_of(obligation.key)
            if f.outcome == "fired" and action_in(f.rung)
        ],
        "next": _next(draft, obligation, following),
        "instead_of": [],
        "delayed": None,
        "reason": because.as_json(),
        "details": {name: value for name, value in obligation.details.items() if name not in KEPT},
    }


def _letterhead(dossier: Dossier) -> dict[str, Json]:
    """Give what every letter of a project is told."""
    house, project = dossier.playbook.house, dossier.project
    return {
        "house": {"name": house.name.words.as_json(), "email": house.email},
        "project": {
            "ref": project.project_ref,
            "name": Words(project.name_zh, project.name).as_json(),
            "phase": str(project.phase),
        },
    }


def _undated(obligation: Obligation) -> bool:
    """Whether an obligation says no day to do anything by: a warning or a summary, due the moment it is made."""
    return obligation.kind is ObligationKind.NOTICE and bool(obligation.template)


def _day(draft: Draft, instant: datetime) -> str:
    return instant.astimezone(draft.dossier.playbook.zone).date().isoformat()


def _next(draft: Draft, obligation: Obligation, following: Step | None) -> Json:
    if following is None or obligation.kind is ObligationKind.OFFER:
        return None
    return {
        "action": str(following.rung.do),
        "on": _day(draft, following.at),
        "to": _to(draft, obligation, following.rung.to).as_json(),
    }


def _to(draft: Draft, obligation: Obligation, word: str) -> Words:
    """Give the names of whom a word stands for; an owner nobody named is the head, as in the audience."""
    owner = owner_of(draft.dossier, obligation.subject) if word == "owner" else None
    if owner is not None:
        return Words(owner.name, owner.name)
    roles = roles_meant(draft.dossier, "head" if word == "owner" else word, obligation)
    return names_of(draft.dossier, roles, draft.today)
