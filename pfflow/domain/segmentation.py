"""Segmentation: every party into the first segment whose condition holds, with the rule that fired."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import lru_cache

from pfflow.domain.conditions import ConditionError, holds, references
from pfflow.domain.parties import Party
from pfflow.domain.playbook import Segment
from pfflow.domain.project import Project

_ROLES = "roles"
_EVERYTHING = (
    *(("party", field.name) for field in fields(Party)),
    ("party", _ROLES),
    *(("project", field.name) for field in fields(Project)),
)


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


def _asked(when: str, party: Party, project: Project, roles: tuple[str, ...]) -> bool | str:
    """Give whether a condition holds, or why it could not be asked."""
    records = {"party": party, "project": project}
    asked = _asks_for(when) or _EVERYTHING
    known = ((root, name, roles if name == _ROLES else getattr(records[root], name)) for root, name in asked)
    return _answered(when, tuple(known))


@lru_cache(maxsize=8192)
def _answered(when: str, known: tuple[tuple[str, str, object], ...]) -> bool | str:
    """Give what a condition says of the facts it asks for: the same is asked once, whatever else is known."""
    facts: dict[str, dict[str, object]] = {"party": {}, "project": {}}
    for root, name, value in known:
        facts[root][name] = value
    try:
        return holds(when, facts)
    except ConditionError as error:
        return str(error)


@lru_cache(maxsize=1024)
def _asks_for(when: str) -> tuple[tuple[str, str], ...]:
    """Give the facts a condition asks for; nothing where it asks for a record as a whole, or for what there is not."""
    asked = dict.fromkeys((one.root, one.field) for one in references(when))
    return tuple(asked) if asked.keys() <= set(_EVERYTHING) else ()
