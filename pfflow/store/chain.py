"""The ledger in its tables: appending to chains, reading them, and finding where one is broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from pfflow.domain.ledger import GENESIS, Break, Entry, EntryDraft, chained, first_break
from pfflow.store.errors import UnknownProjectError
from pfflow.store.statements import batches, in_byte_order
from pfflow.store.tables import LedgerHeadRow, LedgerRow, ProjectHeadRow

_NAMES = tuple(field.name for field in fields(Entry))
_values = attrgetter(*_NAMES)
_COLUMNS = tuple(getattr(LedgerRow, name) for name in _NAMES)


def begin_chains(connection: Connection, project_refs: Iterable[str]) -> None:
    """Give new projects the head of an empty chain."""
    heads = [{"project_ref": ref, "seq": 0, "digest": GENESIS} for ref in project_refs]
    if heads:
        connection.execute(insert(LedgerHeadRow), heads)


def append(connection: Connection, drafts: Mapping[str, Sequence[EntryDraft]]) -> int:
    """Append drafts to the chains of their projects and move the heads; gives how many entries that made.

    Heads are taken in the order of their refs, so that two workers that write for several projects never wait for each
    other in a circle.
    """
    refs = sorted(ref for ref, some in drafts.items() if some)
    entries: list[Entry] = []
    order = in_byte_order(connection, LedgerHeadRow.project_ref)
    heads: list[dict[str, object]] = []
    for batch in batches(refs):
        held = select(LedgerHeadRow.project_ref, LedgerHeadRow.seq, LedgerHeadRow.digest)
        held = held.where(LedgerHeadRow.project_ref.in_(batch)).order_by(order).with_for_update()
        found = {ref: (seq, digest) for ref, seq, digest in connection.execute(held)}
        for ref in batch:
            if ref not in found:
                raise UnknownProjectError(ref)
            in_utc = [replace(draft, at=draft.at.astimezone(UTC)) for draft in drafts[ref]]
            added = chained(ref, *found[ref], in_utc)
            entries.extend(added)
            heads.append({"of": ref, "seq": added[-1].seq, "digest": added[-1].digest})
    if entries:
        connection.execute(insert(LedgerRow), [dict(zip(_NAMES, _values(entry), strict=True)) for entry in entries])
        connection.execute(
            update(LedgerHeadRow.__table__).where(LedgerHeadRow.project_ref == bindparam("of")),  # type: ignore[arg-type]  # a declared class's table is a Table
            heads,
        )
    return len(entries)


def entries_of(connection: Connection, project_ref: str) -> tuple[Entry, ...]:
    """Give a project's entries in order."""
    rows = connection.execute(select(*_COLUMNS).where(LedgerRow.project_ref == project_ref).order_by(LedgerRow.seq))
    return tuple(_entry(row) for row in rows)


def first_at(connection: Connection, project_ref: str, kind: str, subject: str) -> datetime | None:
    """Give when a project's ledger first says something of a kind on a subject; None where it never does."""
    mine = (LedgerRow.project_ref == project_ref, LedgerRow.kind == kind, LedgerRow.subject == subject)
    at = connection.execute(select(LedgerRow.at).where(*mine).order_by(LedgerRow.seq).limit(1)).scalar()
    return datetime.fromisoformat(at) if at else None


def breaks(connection: Connection) -> tuple[Break, ...]:
    """Give the first break of every chain that is broken, in order of project; entries are streamed.

    A project begins with the entry of its import, so one without any has lost its chain, head and all.
    """
    heads = {
        ref: (seq, digest)
        for ref, seq, digest in connection.execute(
            select(LedgerHeadRow.project_ref, LedgerHeadRow.seq, LedgerHeadRow.digest)
        )
    }
    projects = set(connection.execute(select(ProjectHeadRow.project_ref)).scalars())
    ordered = select(*_COLUMNS).order_by(LedgerRow.project_ref, LedgerRow.seq).execution_options(yield_per=1000)
    found: list[Break | None] = []
    with connection.execute(ordered) as rows:
        for ref, group in groupby((_entry(row) for row in rows), key=lambda entry: entry.project_ref):
            projects.discard(ref)
            found.append(first_break(ref, group, *heads.pop(ref, (0, GENESIS))))
    found.extend(first_break(ref, (), seq, digest) for ref, (seq, digest) in heads.items() if ref not in projects)
    found.extend(Break(ref, 1, "the chain is gone: entry 1 of the project is missing") for ref in projects)
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.project_ref))


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(**dict(zip(_NAMES, row, strict=True)))
