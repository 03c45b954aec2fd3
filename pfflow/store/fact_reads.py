"""Reading what the register says: all of it, or what concerns one project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, select

from pfflow.domain.facts import Facts, key_of
from pfflow.domain.parties import Participation
from pfflow.domain.project import Project
from pfflow.store.errors import UnknownProjectError
from pfflow.store.fact_tables import FACT_TABLES, record_of

_PARTY = FACT_TABLES["parties"].c
_CONTACT = FACT_TABLES["contacts"].c
_PROJECT = FACT_TABLES["projects"].c
_ABSENCE = FACT_TABLES["absences"].c
_PARTICIPATION = FACT_TABLES["participations"].c


def all_facts(connection: Connection) -> Facts:
    """Give everything, each sheet in the order of its key."""
    return _facts({sheet: records(connection, sheet) for sheet in FACT_TABLES})


def facts_of(connection: Connection, project_ref: str) -> Facts:
    """Give what concerns one project.

    That is its own records, the parties in its scope with their contacts and figures, and the RACI table, which is the
    house's. Raises UnknownProjectError.
    """
    projects = cast("tuple[Project, ...]", records(connection, "projects", _PROJECT.project_ref == project_ref))
    if not projects:
        raise UnknownProjectError(project_ref)
    own = {
        sheet: records(connection, sheet, table.c.project_ref == project_ref)
        for sheet, table in FACT_TABLES.items()
        if "project_ref" in table.c and sheet != "projects"
    }
    participations = cast("tuple[Participation, ...]", own["participations"])
    scope = scope_of(connection, members_of(projects[0], (taken.party_ref for taken in participations)))
    figures = FACT_TABLES["financials"].c.subject_ref.in_([project_ref, *scope])
    return _facts(
        own
        | {
            "projects": projects,
            "parties": records(connection, "parties", _PARTY.party_ref.in_(scope)),
            "contacts": records(connection, "contacts", _CONTACT.party_ref.in_(scope)),
            "financials": records(connection, "financials", figures),
            "raci": records(connection, "raci"),
            "absences": _absences(connection, scope),
        }
    )


def _absences(connection: Connection, party_refs: Iterable[str]) -> tuple[Any, ...]:
    """Give the absences of the parties' contacts."""
    theirs = select(_CONTACT.contact_ref).where(_CONTACT.party_ref.in_(list(party_refs)))
    return records(connection, "absences", _ABSENCE.contact_ref.in_(theirs))


def records(connection: Connection, sheet: str, *conditions: ColumnElement[bool]) -> tuple[Any, ...]:
    """Give a sheet's records in the order of its key, all or those that meet the conditions."""
    table = FACT_TABLES[sheet]
    found = (record_of(sheet, row) for row in connection.execute(select(table).where(*conditions)))
    # Sorted here: databases sort text by the language they were made for, and a decision must not depend on it.
    return tuple(sorted(found, key=lambda record: key_of(sheet, record)))


def members_of(project: Project, party_refs: Iterable[str]) -> frozenset[str]:
    """Give the parties a project names: those that take part, its sponsor and its borrower."""
    return frozenset({*party_refs, project.sponsor_ref, project.borrower_ref} - {""})


def scope_of(connection: Connection, members: frozenset[str]) -> list[str]:
    """Give the parties that concern a project whose members these are.

    To the members come, as far as it goes, their parents (who is behind them), the departments of the contacts that own
    the relationship (who speaks for the house), and the parties of those who stand in for their contacts.
    """
    away, other = FACT_TABLES["contacts"].alias("away").c, FACT_TABLES["contacts"].alias("other").c
    substitutes = (
        select(other.party_ref)
        .join_from(other.contact_ref.table, _ABSENCE.contact_ref.table, _ABSENCE.substitute_ref == other.contact_ref)
        .join(away.contact_ref.table, away.contact_ref == _ABSENCE.contact_ref)
    )
    step = select(_PARTY.parent_ref, _CONTACT.party_ref).select_from(
        FACT_TABLES["parties"].outerjoin(FACT_TABLES["contacts"], _CONTACT.contact_ref == _PARTY.owner_ref)
    )
    scope: set[str] = set()
    frontier = set(members)
    while frontier:
        scope |= frontier
        rows = connection.execute(step.where(_PARTY.party_ref.in_(sorted(frontier)))).all()
        standing = connection.execute(substitutes.where(away.party_ref.in_(sorted(frontier)))).scalars()
        frontier = {*(ref for row in rows for ref in row if ref), *standing} - scope
    return sorted(scope)


@dataclass(frozen=True, slots=True)
class Concern:
    """Which projects a party concerns: the inverse of `scope_of`, for all projects at once."""

    all_projects: frozenset[str]
    by_party: Mapping[str, frozenset[str]]
    party_of: Mapping[str, str]

    @classmethod
    def of_all(cls, connection: Connection) -> Concern:
        """Read who is tied to whom and follow it from every project."""
        named: dict[str, set[str]] = {}
        for ref, sponsor, borrower in connection.execute(
            select(_PROJECT.project_ref, _PROJECT.sponsor_ref, _PROJECT.borrower_ref)
        ):
            named[ref] = {sponsor, borrower} - {""}
        for ref, party in connection.execute(select(_PARTICIPATION.project_ref, _PARTICIPATION.party_ref)):
            named[ref].add(party)
        department = dict(connection.execute(select(_CONTACT.contact_ref, _CONTACT.party_ref)).tuples().all())
        leads_to = {
            ref: {parent, department.get(owner, "")} - {""}
            for ref, parent, owner in connection.execute(select(_PARTY.party_ref, _PARTY.parent_ref, _PARTY.owner_ref))
        }
        for ref, substitute in connection.execute(select(_ABSENCE.contact_ref, _ABSENCE.substitute_ref)):
            if substitute in department:
                leads_to.setdefault(department[ref], set()).add(department[substitute])
        projects: dict[str, set[str]] = {}
        for ref, members in named.items():
            for party in closure(members, leads_to):
                projects.setdefault(party, set()).add(ref)
        by_party = {party: frozenset(refs) for party, refs in projects.items()}
        return cls(frozenset(named), by_party, department)

    def of_party(self, party_ref: str) -> frozenset[str]:
        """Give the projects a party concerns."""
        return self.by_party.get(party_ref, frozenset())

    def of_contact(self, contact_ref: str) -> frozenset[str]:
        """Give the projects a contact concerns."""
        return self.of_party(self.party_of.get(contact_ref, ""))

    def of_subject(self, subject_ref: str) -> frozenset[str]:
        """Give the projects the figures of a party or project concern."""
        return self.of_party(subject_ref) | ({subject_ref} & self.all_projects)


def closure(start: Iterable[str], leads_to: Mapping[str, set[str]]) -> set[str]:
    """Give all that is reached from a start."""
    reached: set[str] = set()
    frontier = set(start)
    while frontier:
        reached |= frontier
        frontier = {ref for party in frontier for ref in leads_to.get(party, ())} - reached
    return reached


def _facts(sheets: Mapping[str, tuple[Any, ...]]) -> Facts:
    return Facts(**sheets)
