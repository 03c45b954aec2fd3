"""What recording a decision means, whatever it is recorded in: when a stage may decide, and what is news.

Every store keeps to these rules, the databases as well as the memory that a rehearsal runs on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pfflow.domain.decision import Conclusion, Decision, Holdings
from pfflow.domain.ladder import Firing
from pfflow.domain.obligations import Obligation
from pfflow.domain.words import Stage


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a stage has decided for a project, and what version of the facts it saw."""

    decided_to: datetime
    decided_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a decision says that was not held before."""

    obligations: tuple[Obligation, ...]
    firings: tuple[Firing, ...]
    conclusions: tuple[Conclusion, ...]


def why_not_held(mark: Mark | None, as_of: datetime, version: int, *, again: bool = False) -> str:
    """Give why a stage may not decide at an instant: `past`, `unchanged`, or empty where it may.

    A stage decides once for an instant and a version of the facts, and never before what it decided already.
    """
    if mark is None:
        return ""
    if as_of < mark.decided_to:
        return "past"
    return "unchanged" if as_of == mark.decided_to and version == mark.decided_version and not again else ""


def news(held: Holdings, decision: Decision) -> News:
    """Give what a decision adds: a rung fires once, an obligation and a conclusion stand as they were last said."""
    return News(
        obligations=tuple(o for o in decision.obligations if held.obligations.get(o.key) != o),
        firings=tuple(f for f in decision.firings if (f.obligation_key, f.rung) not in held.firings),
        conclusions=tuple(c for c in decision.conclusions if held.conclusions.get((c.stage, c.subject)) != c),
    )


def mismatch(project_ref: str, stage: Stage, as_of: datetime, decision: Decision) -> str:
    """Give why a decision cannot be recorded under a hold: it is of another, or speaks for others; empty if it can."""
    held, said = (project_ref, stage, as_of), (decision.project_ref, decision.stage, decision.as_of)
    if said != held:
        return f"the hold is for {named(*held)}, the decision is of {named(*said)}"
    strangers = {one.project_ref for one in decision.obligations} | {one.project_ref for one in decision.notices}
    strangers -= {decision.project_ref}
    return f"a decision for {decision.project_ref} speaks for {', '.join(sorted(strangers))}" if strangers else ""


def named(project_ref: str, stage: Stage, as_of: datetime) -> str:
    """Give a hold as errors name it."""
    return f"{project_ref}, {stage}, {as_of.isoformat()}"
