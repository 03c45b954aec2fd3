"""Segmentation: every party into the first segment whose condition holds, with the rule that fired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from pfflow.domain.conditions import ConditionError, holds
from pfflow.domain.parties import Party
from pfflow.domain.playbook import Segment
from pfflow.domain.project import Project


@dataclass(frozen=True, slots=True)
class Classification:
    """A party's segment and the rule that put it there; `segment` is None where no rule holds."""

    party: Party
    segment: Segment | None
    because: str


def classify(
    party: Party, project: Project, segments: Iterable[Segment], roles: tuple[str, ...] = ()
) -> Classification:
    """Give the first segment whose condition holds on the party, the project and the party's roles in it."""
    facts: Mapping[str, object] = {"party": {**asdict(party), "roles": roles}, "project": asdict(project)}
    troubles: list[str] = []
    for segment in segments:
        try:
            if holds(segment.when, facts):
                return Classification(party, segment, f"{segment.name}: {segment.when}")
        except ConditionError as error:
            troubles.append(f"{segment.name} could not be asked: {error}")
    return Classification(party, None, "; ".join(("no rule holds", *troubles)))
