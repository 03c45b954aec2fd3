"""What pages show of all projects at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, false, func, select

from pfflow.domain.obligations import Status
from pfflow.domain.project import Phase
from pfflow.domain.words import Stage
from pfflow.store.column_types import UtcInstant
from pfflow.store.fact_tables import FACT_TABLES
from pfflow.store.outbox import WAITING
from pfflow.store.statements import batches
from pfflow.store.tables import LedgerHeadRow, LetterRow, ObligationRow, ProjectHeadRow, StageMarkRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOverview:
    """One project in a line.

    `live` obligations are still owed; `next_due_at` is the first of them, which may be `next_provisional`.
    """

    project_ref: str
    name: str
    name_zh: str
    phase: Phase
    status: str
    live: int
    next_due_at: datetime | None
    next_provisional: bool
    letters_waiting: int
    entries: int
    version: int
    engaged_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """How many letters of a project went, or are to go, by one channel, and how many of them have which status."""

    project_ref: str
    channel: str
    sent: int = 0
    waiting: int = 0
    held: int = 0
    failed: int = 0


def deliveries(connection: Connection, project_refs: Sequence[str] | None = None) -> tuple[Deliveries, ...]:
    """Give what went by which channel, of all projects or some, in order of ref and channel."""
    grouped = (LetterRow.project_ref, LetterRow.channel, LetterRow.status)
    chosen = select(*grouped, func.count()).group_by(*grouped)
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for refs in [None] if project_refs is None else batches(project_refs):
        some = chosen if refs is None else chosen.where(LetterRow.project_ref.in_(refs))
        for ref, channel, status, count in connection.execute(some):
            counts.setdefault((ref, channel), {})[status] = count
    return tuple(Deliveries(project_ref=ref, channel=channel, **of) for (ref, channel), of in sorted(counts.items()))


def overviews(connection: Connection) -> tuple[ProjectOverview, ...]:
    """Give one line for every project, in order of ref."""
    project = FACT_TABLES["projects"].c
    owed = (
        select(
            ObligationRow.project_ref,
            func.count().label("live"),
            func.min(ObligationRow.due_at, type_=UtcInstant()).label("next_due_at"),
            func.min(case((ObligationRow.provisional, ObligationRow.due_at)), type_=UtcInstant()).label("unsure"),
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
            func.coalesce(owed.c.unsure == owed.c.next_due_at, false()).label("next_provisional"),
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


def decided_after(
    connection: Connection, project_refs: Sequence[str], stage: Stage, as_of: datetime
) -> dict[str, datetime]:
    """Give to which instant a stage has decided for those projects for which that is later, by their refs."""
    found: dict[str, datetime] = {}
    later = select(StageMarkRow.project_ref, StageMarkRow.decided_to).where(
        StageMarkRow.stage == stage, StageMarkRow.decided_to > as_of
    )
    for batch in batches(project_refs):
        found |= dict(connection.execute(later.where(StageMarkRow.project_ref.in_(batch))).tuples().all())
    return found
