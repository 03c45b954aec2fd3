"""Where every project stands for a plan, in a few reads for all of them, and the marks of plans that found nothing.

The ledger's head stands for what is owed: whoever changes an obligation writes an entry, so the digest of the head is
another. A mark is written by whoever planned, beside the book of record: losing one costs a plan, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Row, delete, select

from pfflow.domain.obligations import ObligationKind, Status
from pfflow.domain.parties import Contact
from pfflow.domain.replanning.conflicts import Sitting, Terms, guest_of
from pfflow.domain.replanning.settled import Settled
from pfflow.domain.words import Words
from pfflow.store.fact_reads import records
from pfflow.store.fact_tables import FACT_TABLES
from pfflow.store.statements import batches, table_of, upsert
from pfflow.store.tables import LedgerHeadRow, ObligationRow, ProjectHeadRow, SettledPlanRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a project stands: its facts by `version`, what is owed by `ledger` (the digest of its head).

    `calendars` are the project's own, `settled` the mark of the last plan that found nothing to change.
    """

    project_ref: str
    name: Words
    calendars: str
    version: int
    ledger: str
    engaged_at: datetime | None
    settled: Settled | None = None


def standings(connection: Connection, project_refs: Sequence[str]) -> dict[str, Standing]:
    """Give where projects stand, by their refs; a ref that is not registered is left out."""
    project, mark = FACT_TABLES["projects"].c, table_of(SettledPlanRow).c
    columns = select(
        ProjectHeadRow.project_ref,
        project.name,
        project.name_zh,
        project.calendars,
        ProjectHeadRow.version,
        ProjectHeadRow.engaged_at,
        LedgerHeadRow.digest,
        mark.inputs,
        mark.valid_from,
        mark.valid_until,
        mark.held,
        mark.guests,
        mark.ladders_kept,
    )
    joined = (
        columns.join(project.project_ref.table, project.project_ref == ProjectHeadRow.project_ref)
        .join(LedgerHeadRow, LedgerHeadRow.project_ref == ProjectHeadRow.project_ref)
        .outerjoin(mark.project_ref.table, mark.project_ref == ProjectHeadRow.project_ref)
    )
    found = {}
    for batch in batches(project_refs):
        for row in connection.execute(joined.where(ProjectHeadRow.project_ref.in_(batch))):
            found[row.project_ref] = _standing(row)
    return found


def keep(connection: Connection, marks: Sequence[Settled]) -> None:
    """Keep marks, each in place of the one its project had."""
    rows = [
        {
            "project_ref": one.project_ref,
            "inputs": one.inputs,
            "valid_from": one.valid_from,
            "valid_until": one.valid_until,
            "held": one.held,
            "guests": [[list(terms), list(refs)] for terms, refs in one.guests.items()],
            "ladders_kept": one.ladders_kept,
        }
        for one in sorted(marks, key=lambda one: one.project_ref)
    ]
    upsert(connection, table_of(SettledPlanRow), rows)


def forget(connection: Connection, project_ref: str) -> None:
    """Take a project's mark away."""
    marks = table_of(SettledPlanRow)
    connection.execute(delete(marks).where(marks.c.project_ref == project_ref))


def sittings(connection: Connection, marks: Mapping[str, Settled], as_of: datetime) -> Iterator[Sitting]:
    """Give the meetings that lie ahead in settled projects, with whom the marks say they invite."""
    refs = sorted({ref for one in marks.values() for some in one.guests.values() for ref in some})
    contact = FACT_TABLES["contacts"].c.contact_ref
    known = [one for batch in batches(refs) for one in records(connection, "contacts", contact.in_(batch))]
    guests = {one.contact_ref: guest_of(one) for one in cast("list[Contact]", known)}
    people = {
        (project, *terms): tuple(guests[ref] for ref in some if ref in guests)
        for project, one in marks.items()
        for terms, some in one.guests.items()
    }
    o = ObligationRow
    columns = select(o.project_ref, o.ladder, o.activity, o.debtor, o.creditor, o.subject)
    columns = columns.add_columns(o.key, o.title_zh, o.title_en, o.due_at, o.minutes, o.timezone, o.provisional)
    ahead = columns.where(
        o.kind == ObligationKind.MEETING, o.status.in_([Status.PLANNED, Status.OPEN]), o.due_at > as_of
    )
    for batch in batches(sorted(marks)):
        for ref, *terms, key, zh, en, due_at, minutes, timezone, provisional in connection.execute(
            ahead.where(o.project_ref.in_(batch))
        ):
            yield Sitting(
                project_ref=ref,
                obligation_key=key,
                title=Words(zh, en),
                starts_at=due_at,
                minutes=minutes,
                timezone=timezone,
                guests=people[ref, key] if (ref, key) in people else people.get((ref, *terms), ()),
                provisional=provisional,
            )


def _standing(row: Row[Any]) -> Standing:
    mark = None
    if row.inputs is not None:
        guests = {cast("Terms", tuple(terms)): tuple(refs) for terms, refs in row.guests}
        mark = Settled(
            project_ref=row.project_ref,
            inputs=row.inputs,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            held=row.held,
            guests=guests,
            ladders_kept=row.ladders_kept,
        )
    return Standing(
        project_ref=row.project_ref,
        name=Words(row.name_zh, row.name),
        calendars=row.calendars,
        version=row.version,
        ledger=row.digest,
        engaged_at=row.engaged_at,
        settled=mark,
    )
