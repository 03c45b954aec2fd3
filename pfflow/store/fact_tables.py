"""The tables of what the register says: one for each record type, with its fields as columns and its key as key.

They are made from the dataclasses, so that a field of a record is said once; the migrations say what stands in a
database, and a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType, NoneType
from typing import Any, get_args, get_type_hints

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Row,
    Table,
    Text,
    text,
)
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.types import TypeEngine

from pfflow.domain.facts import KEYS, RECORDS, Record
from pfflow.store.column_types import EnumText, ExactDecimal, UtcInstant
from pfflow.store.tables import Base

TABLE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "parties": "party",
        "contacts": "contact",
        "projects": "project",
        "participations": "participation",
        "milestones": "milestone",
        "conditions": "condition_item",
        "financials": "financial",
        "budget": "budget_line",
        "fund_use": "fund_use",
        "assessments": "assessment",
        "needs": "need",
        "raci": "raci_row",
        "obligations": "undertaking",
        "interactions": "interaction",
        "surveys": "survey_answer",
        "absences": "absence",
    }
)
"""The table of each sheet. The sheet `obligations` holds undertakings; `obligation` is what follows from them."""

_PLAIN: Mapping[type, TypeEngine[Any]] = MappingProxyType(
    {
        str: Text(),
        int: BigInteger(),
        bool: Boolean(),
        date: Date(),
        datetime: UtcInstant(),
        Decimal: ExactDecimal(),
    }
)
_REFERS_TO_PARTY = frozenset({"contacts", "participations"})


_CAME_LATER: Mapping[tuple[str, str], TextClause] = MappingProxyType(
    {
        ("interactions", "to_ref"): text("''"),
        ("interactions", "severity"): text("''"),
        ("conditions", "milestone"): text("''"),
        ("conditions", "offset_days"): text("0"),
        ("obligations", "milestone"): text("''"),
    }
)
"""What rows hold that were there before their column was."""


def _column(sheet: str, name: str, annotation: Any) -> Column[Any]:  # noqa: ANN401 - an annotation is any form of type
    alternatives = get_args(annotation) or (annotation,)
    (plain,) = (kind for kind in alternatives if kind is not NoneType)
    return Column(
        name,
        EnumText(plain) if issubclass(plain, StrEnum) else _PLAIN[plain],
        *_references(sheet, name),
        nullable=NoneType in alternatives,
        server_default=_CAME_LATER.get((sheet, name)),
    )


def _references(sheet: str, name: str) -> tuple[ForeignKey, ...]:
    if name == "project_ref" and sheet != "projects":
        return (ForeignKey("project.project_ref"),)
    if name == "party_ref" and sheet in _REFERS_TO_PARTY:
        return (ForeignKey("party.party_ref"),)
    if name == "contact_ref" and sheet == "absences":
        return (ForeignKey("contact.contact_ref"),)
    return ()


def _table(sheet: str, record: type[Record]) -> Table:
    hints = get_type_hints(record)
    columns = (_column(sheet, field.name, hints[field.name]) for field in fields(record))
    return Table(TABLE_NAMES[sheet], Base.metadata, *columns, PrimaryKeyConstraint(*KEYS[sheet]))


FACT_TABLES: Mapping[str, Table] = MappingProxyType({sheet: _table(sheet, record) for sheet, record in RECORDS.items()})
"""The table of each sheet, in the order the sheets refer to each other."""

for _sheet, _name in (
    ("contacts", "party_ref"),
    ("participations", "party_ref"),
    ("needs", "project_ref"),
    ("interactions", "project_ref"),
    ("surveys", "project_ref"),
):
    Index(f"ix_{TABLE_NAMES[_sheet]}_{_name}", FACT_TABLES[_sheet].c[_name])


def record_of(sheet: str, row: Row[Any]) -> Record:
    """Give the record a row of the sheet's table holds."""
    return RECORDS[sheet](**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def row_of(record: Record) -> dict[str, Any]:
    """Give a record's columns."""
    return {field.name: getattr(record, field.name) for field in fields(record)}
