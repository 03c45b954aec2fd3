"""Segmentation: every party into the first segment whose condition holds, with the rule that fired."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache

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
    troubles: list[str] = []
    for segment in segments:
        found = _asked(segment.when, party, project, roles)
        if found is True:
            return Classification(party, segment, f"{segment.name}: {segment.when}")
        if found is not False:
            troubles.append(f"{segment.name} could not be asked: {found}")
    return Classification(party, None, "; ".join(("no rule holds", *troubles)))


@lru_cache(maxsize=8192)
def _asked(when: str, party: Party, project: Project, roles: tuple[str, ...]) -> bool | str:
    """Give whether a condition holds, or why it could not be asked; the same facts are asked once."""
    facts: Mapping[str, object] = {"party": {**asdict(party), "roles": roles}, "project": asdict(project)}
    try:
        return holds(when, facts)
    except ConditionError as error:
        return str(error)
