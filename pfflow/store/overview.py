"""What pages show of all projects at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from pfflow.domain.obligations import Status
from pfflow.domain.project import Phase
from pfflow.store.column_types import UtcInstant
from pfflow.store.fact_tables import FACT_TABLES
from pfflow.store.outbox import WAITING
from pfflow.store.tables import LedgerHeadRow, LetterRow, ObligationRow, ProjectHeadRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOverview:
    """One project in a line. `live` obligations are still owed, `next_due_at` is the first of them."""

    project_ref: str
    name: str
    name_zh: str
    phase: Phase
    status: str
    live: int
    next_due_at: datetime | None
    letters_waiting: int
    entries: int
    version: int
    engaged_at: datetime | None


def overviews(connection: Connection) -> tuple[ProjectOverview, ...]:
    """Give one line for every project, in order of ref."""
    project = FACT_TABLES["projects"].c
    owed = (
        select(
            ObligationRow.project_ref,
            func.count().label("live"),
            func.min(ObligationRow.due_at, type_=UtcInstant()).label("next_due_at"),
        )
        .where(ObligationRow.status.in_([Status.PLANNED, Status.OPEN]))
        .group_by(ObligationRow.project_ref)
        .subquery()
    )
    letters = (
        select(LetterRow.project_ref, func.count().label("letters_waiting"))
        .where(LetterRow.status == WAITING)
        .group_by(LetterRow.project_ref)
        .subquery()
    )
    lines = (
        select(
            project.project_ref,
            project.name,
            project.name_zh,
            project.phase,
            project.status,
            func.coalesce(owed.c.live, 0).label("live"),
            owed.c.next_due_at,
            func.coalesce(letters.c.letters_waiting, 0).label("letters_waiting"),
            LedgerHeadRow.seq.label("entries"),
            ProjectHeadRow.version,
            ProjectHeadRow.engaged_at,
        )
        .join(ProjectHeadRow, ProjectHeadRow.project_ref == project.project_ref)
        .join(LedgerHeadRow, LedgerHeadRow.project_ref == project.project_ref)
        .outerjoin(owed, owed.c.project_ref == project.project_ref)
        .outerjoin(letters, letters.c.project_ref == project.project_ref)
    )
    found = (ProjectOverview(**row._mapping) for row in connection.execute(lines))  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return tuple(sorted(found, key=lambda line: line.project_ref))
