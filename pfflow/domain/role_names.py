"""Roles are joined by their names: what a playbook calls a role, the register must call it too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from pfflow.domain.audience import AUDIENCES
from pfflow.domain.facts import Facts
from pfflow.domain.playbook import Playbook

_NEAR = 0.75
"""How alike two names are, of 1, for one to be taken for the other misspelt."""


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A role that the playbook writes to and nobody in the register holds, or the other way round.

    `near` is the name on the other side it may be meant for; empty where there is none.
    """

    role: str
    where: str
    near: str = ""

    def __str__(self) -> str:
        """Say it in a sentence."""
        meant = f"; is it {self.near!r}?" if self.near else ""
        return f"role {self.role!r} ({self.where}){meant}"


def roles_named(playbook: Playbook) -> dict[str, str]:
    """Give every role a playbook names, each with the first place that names it."""
    places: dict[str, str] = {}
    for role, place in _places(playbook):
        if role and role not in AUDIENCES:
            places.setdefault(role, place)
    return places


def _places(playbook: Playbook) -> Iterator[tuple[str, str]]:
    yield playbook.house.head, "house.head"
    for name, activity in playbook.activities.items():
        for role in (activity.accountable, *activity.responsible, *activity.consulted, *activity.informed):
            yield role, f"activities.{name}"
    for segment in playbook.segments:
        yield segment.owner, f"segments.{segment.name}"
    for name, ladder in playbook.ladders.items():
        for rung in ladder.rungs:
            yield rung.to, f"ladders.{name}"
    yield playbook.service_design.offer_to, "service_design.offer_to"
    for role in playbook.scorecard.departments:
        yield role, "scorecard.departments"


def unmatched_roles(playbook: Playbook, facts: Facts) -> tuple[Unmatched, ...]:
    """Give the roles the playbook writes to that nobody holds, then the held ones that look like one misspelt.

    A role that only the register knows is no mistake by itself: segments read it, and nobody need write to it. A party
    ref stands for that party, so a playbook that names one names no role.
    """
    named = roles_named(playbook)
    held = {p.role: p for p in facts.participations}
    refs = {party.party_ref for party in facts.parties}
    nobody = sorted(set(named) - set(held) - refs)
    found = [Unmatched(role, f"{named[role]} of the playbook; nobody holds it", _near(role, held)) for role in nobody]
    strange = sorted(set(held) - set(named))
    for role in strange:
        near = _near(role, nobody)
        if near:
            one = held[role]
            found.append(Unmatched(role, f"party {one.party_ref} in project {one.project_ref}", near))
    return tuple(found)


def _near(role: str, among: Iterable[str]) -> str:
    return next(iter(get_close_matches(role, sorted(among), n=1, cutoff=_NEAR)), "")
