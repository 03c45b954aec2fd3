"""What concerns one project of a register: what the store gives a decision, from plain tuples.

Held equal to `SqlStore.facts(project_ref)` by test.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pfflow.domain.facts import Facts, key_of


class UnknownProjectError(LookupError):
    """A project that the register does not have."""


SHARED = ("parties", "contacts", "absences", "financials")
"""The sheets of which a project has a part: what is of the parties in its scope."""
_WIDENING = frozenset({"participations", "absences", "contacts"})
"""What brings others into a project's scope when it changes: who takes a role, who stands in, who is where."""


def facts_of(facts: Facts, project_ref: str, also: Iterable[str] = ()) -> Facts:
    """Give the facts that concern a project, each sheet in the order of its key. Raises UnknownProjectError.

    That is its own records, the parties in its scope with their contacts and figures, and the RACI table, which is the
    house's. What is of the parties named `also` is given as if they were in its scope.
    """
    project = next((one for one in facts.projects if one.project_ref == project_ref), None)
    if project is None:
        raise UnknownProjectError(f"no project {project_ref!r} is registered")
    members = {p.party_ref for p in facts.participations if p.project_ref == project_ref}
    scope = _scope(facts, members | set(also) | ({project.sponsor_ref, project.borrower_ref} - {""}))
    theirs = {one.contact_ref for one in facts.contacts if one.party_ref in scope}
    kept: dict[str, tuple[Any, ...]] = {}
    for sheet, records in facts.sheets().items():
        match sheet:
            case "parties" | "contacts":
                some = [one for one in records if one.party_ref in scope]  # type: ignore[union-attr]  # these sheets' records have it
            case "absences":
                some = [one for one in facts.absences if one.contact_ref in theirs]
            case "financials":
                some = [one for one in records if one.subject_ref in scope or one.subject_ref == project_ref]  # type: ignore[union-attr]  # as above
            case "raci":
                some = list(records)
            case _:
                some = [one for one in records if one.project_ref == project_ref]  # type: ignore[union-attr]  # as above
        kept[sheet] = tuple(sorted(some, key=lambda one, sheet=sheet: key_of(sheet, one)))  # type: ignore[misc]  # a default binds the loop's value
    return Facts(**kept)


def with_records(facts: Facts, **records: tuple[Any, ...]) -> Facts:
    """Give the facts with records put in the place of those with their keys, each sheet in the order of its key."""
    changed: dict[str, Any] = {}
    for sheet, some in records.items():
        kept: list[Any] = list(getattr(facts, sheet))
        for one in some:
            key = key_of(sheet, one)
            place = bisect_left(kept, key, key=lambda record: key_of(sheet, record))
            there = place < len(kept) and key_of(sheet, kept[place]) == key
            kept[place : place + there] = [one]
        changed[sheet] = tuple(kept)
    return replace(facts, **changed)


def widened(facts: Facts, around: Facts, changed: Iterable[str]) -> Facts:
    """Give a project's facts after sheets changed: with those of who came into its scope, which are `around` it."""
    if _WIDENING.isdisjoint(changed):
        return facts
    laid_over: dict[str, Any] = {
        sheet: tuple({key_of(sheet, one): one for one in (*getattr(around, sheet), *getattr(facts, sheet))}.values())
        for sheet in SHARED
    }
    return facts_of(replace(facts, **laid_over), facts.projects[0].project_ref)


def _scope(facts: Facts, members: set[str]) -> frozenset[str]:
    """Give the members, and as far as it goes their parents and the parties of who owns them or stands in for them."""
    at = {one.contact_ref: one.party_ref for one in facts.contacts}
    leads_to = {one.party_ref: {one.parent_ref, at.get(one.owner_ref, "")} - {""} for one in facts.parties}
    for away in facts.absences:
        if away.contact_ref in at and away.substitute_ref in at:
            leads_to.setdefault(at[away.contact_ref], set()).add(at[away.substitute_ref])
    reached: set[str] = set()
    frontier = set(members)
    while frontier:
        reached |= frontier
        frontier = {ref for party in frontier for ref in leads_to.get(party, ())} - reached
    return frozenset(reached)
