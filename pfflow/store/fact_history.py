"""What the facts were: each import keeps the records it replaced as they were, and the names of those it added.

An import has a number, which the entries it leaves in the ledgers carry. Taking back every import from a number on, the
first of them last, gives the facts as they were before it. Touches and moves between phases need no copy: a touch is
never changed, and the ledger names each touch and each move. What is kept here concerns persons as the facts do; erase
both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, TypeAlias

from pydantic import TypeAdapter
from sqlalchemy import Connection, func, insert, select

from pfflow.domain.facts import RECORDS, Facts, Record, key_of
from pfflow.domain.ledger import Entry, canonical_json
from pfflow.domain.project import Phase, Project
from pfflow.store.errors import UnknownProjectError
from pfflow.store.fact_reads import closure, members_of, records
from pfflow.store.fact_tables import FACT_TABLES
from pfflow.store.statements import table_of
from pfflow.store.tables import FactBeforeRow

_BEFORE = table_of(FactBeforeRow)
_SHARED = ("parties", "contacts", "absences", "raci")
_OWN = tuple(sheet for sheet in RECORDS if sheet not in (*_SHARED, "financials"))
_Undone: TypeAlias = dict[str, dict[tuple[str, ...], Record | None]]


def next_import(connection: Connection) -> int:
    """Give the number of the import that is being made; imports are made one at a time."""
    return int(connection.execute(select(func.coalesce(func.max(FactBeforeRow.number), 0))).scalar_one()) + 1


def keep(connection: Connection, number: int, changes: Iterable[tuple[str, Record | None, Record]]) -> None:
    """Keep what an import replaced: for each change its sheet, the record as it was (None where it is new) and is."""
    rows = [
        {
            "number": number,
            "sheet": sheet,
            "key": canonical_json(list(key_of(sheet, was or now))),
            "record": None if was is None else _kind(sheet).dump_python(was, mode="json"),
        }
        for sheet, was, now in changes
    ]
    if rows:
        connection.execute(insert(_BEFORE), rows)


def facts_before(connection: Connection, project_ref: str, later: Iterable[Entry]) -> Facts:
    """Give the facts that concerned a project before the entries of its ledger that are `later`, oldest first.

    Raises UnknownProjectError.
    """
    since = [entry for entry in later if entry.stage in ("register", "phase")]
    undone = _undone(connection, since)
    sheets: dict[str, tuple[Any, ...]] = {}
    for sheet in _SHARED:
        sheets[sheet] = _taken_back(sheet, records(connection, sheet), undone)
    for sheet in _OWN:
        held = records(connection, sheet, FACT_TABLES[sheet].c.project_ref == project_ref)
        sheets[sheet] = tuple(one for one in _taken_back(sheet, held, undone) if one.project_ref == project_ref)
    if not sheets["projects"]:
        raise UnknownProjectError(project_ref)
    sheets["projects"] = (_in_phase(sheets["projects"][0], since),)
    told = {json.loads(entry.data)["ext_id"] for entry in since if entry.kind == "reported"}
    sheets["interactions"] = tuple(t for t in sheets["interactions"] if t.ext_id not in told)
    scope = _scope(sheets)
    sheets["parties"] = tuple(party for party in sheets["parties"] if party.party_ref in scope)
    sheets["contacts"] = tuple(contact for contact in sheets["contacts"] if contact.party_ref in scope)
    people = {contact.contact_ref for contact in sheets["contacts"]}
    sheets["absences"] = tuple(away for away in sheets["absences"] if away.contact_ref in people)
    subjects = {project_ref, *scope}
    held = records(connection, "financials", FACT_TABLES["financials"].c.subject_ref.in_(sorted(subjects)))
    figures = _taken_back("financials", held, undone)
    sheets["financials"] = tuple(figure for figure in figures if figure.subject_ref in subjects)
    return Facts(**sheets)


def _undone(connection: Connection, since: Iterable[Entry]) -> _Undone:
    """Give by sheet and key what stood before the first import since then; later imports' copies do not matter."""
    numbers = [json.loads(entry.data).get("import") for entry in since if entry.kind == "imported"]
    found: _Undone = {}
    if numbers and numbers[0] is not None:
        rows = select(_BEFORE).where(FactBeforeRow.number >= numbers[0]).order_by(FactBeforeRow.number)
        for row in connection.execute(rows):
            was = None if row.record is None else _kind(row.sheet).validate_python(row.record)
            found.setdefault(row.sheet, {}).setdefault(tuple(json.loads(row.key)), was)
    return found


def _taken_back(sheet: str, held: Iterable[Record], undone: _Undone) -> tuple[Any, ...]:
    by_key: dict[tuple[str, ...], Record | None] = {key_of(sheet, record): record for record in held}
    by_key |= undone.get(sheet, {})
    found = (record for record in by_key.values() if record is not None)
    return tuple(sorted(found, key=lambda record: key_of(sheet, record)))


def _in_phase(project: Project, since: Iterable[Entry]) -> Project:
    moved = next((entry for entry in since if entry.stage == "phase"), None)
    return project if moved is None else replace(project, phase=Phase(json.loads(moved.data)["from"]))


def _scope(sheets: Mapping[str, tuple[Any, ...]]) -> frozenset[str]:
    department = {contact.contact_ref: contact.party_ref for contact in sheets["contacts"]}
    leads_to = {
        party.party_ref: {party.parent_ref, department.get(party.owner_ref, "")} - {""} for party in sheets["parties"]
    }
    for away in sheets["absences"]:
        if away.substitute_ref in department:
            leads_to.setdefault(department[away.contact_ref], set()).add(department[away.substitute_ref])
    members = members_of(sheets["projects"][0], (taken.party_ref for taken in sheets["participations"]))
    return frozenset(closure(members, leads_to))


@cache
def _kind(sheet: str) -> TypeAdapter[Any]:
    return TypeAdapter(RECORDS[sheet])
