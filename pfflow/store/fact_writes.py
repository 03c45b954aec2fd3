"""Writing what the register, the people and the gates say: what changed and no more, with an entry for each project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, ForeignKey, delete, insert, select, text, update

from pfflow.domain.facts import KEYS, Absence, Facts, Financial, Interaction, RaciRow, Record, key_of
from pfflow.domain.ledger import EntryDraft, canonical_json
from pfflow.domain.parties import Contact, Party
from pfflow.domain.project import Move, Phase, Project, next_phase
from pfflow.domain.words import Json
from pfflow.store import chain, fact_history
from pfflow.store.errors import DuplicateRecordError, OrphanError, UnknownProjectError
from pfflow.store.fact_reads import Concern
from pfflow.store.fact_tables import FACT_TABLES, record_of, row_of
from pfflow.store.statements import batches, in_byte_order, insert_unless_there, table_of, upsert
from pfflow.store.tables import ProjectHeadRow

REGISTER = "register"
"""The `stage` of ledger entries about facts: no stage of the house, but where facts come from."""
PHASE = "phase"
"""The `stage` of ledger entries about moves between phases."""

_IMPORT_LOCK = (
    7066_1001  # any number, the same in every version: two imports at once would compare with what neither wrote
)
_HEADS = table_of(ProjectHeadRow)
_PROJECTS = FACT_TABLES["projects"]


@dataclass(frozen=True, slots=True)
class _Change:
    sheet: str
    old: Record | None
    new: Record


def import_facts(connection: Connection, facts: Facts, at: datetime, by: str) -> int:
    """Write the records that are new or changed; gives how many.

    Every project that a change concerns gets one ledger entry (counts and a digest, no personal data) and a higher
    version. The phase of a project that exists is left as it is: only a gate moves it. Raises OrphanError and
    DuplicateRecordError, naming the record; then nothing is written.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _IMPORT_LOCK})
    changes = [change for sheet, some in facts.sheets().items() for change in _changes(connection, sheet, some)]
    _refuse_orphans(connection, changes)
    gone = _replaced_raci(connection, facts)
    for sheet, table in FACT_TABLES.items():
        upsert(connection, table, [row_of(change.new) for change in changes if change.sheet == sheet])
    born = [c.new.project_ref for c in changes if isinstance(c.new, Project) and c.old is None]
    begin_projects(connection, born)
    touched = _touched(connection, [*changes, *gone])
    raise_versions(connection, touched)
    number = fact_history.next_import(connection)
    fact_history.keep(connection, number, _replaced([*changes, *gone], touched, born))
    chain.append(connection, {ref: [_imported(some, number, at, by)] for ref, some in touched.items()})
    return len(changes) + len(gone)


def _replaced_raci(connection: Connection, facts: Facts) -> list[_Change]:
    """Delete the held RACI rows of activities that the facts state without them: an activity is stated whole.

    Otherwise a change of who is Accountable would leave two.
    """
    table = FACT_TABLES["raci"]
    stated, activities = set(facts.raci), {(row.phase, row.activity) for row in facts.raci}
    held = [record_of("raci", row) for row in connection.execute(select(table))]
    gone = [row for row in held if isinstance(row, RaciRow) and (row.phase, row.activity) in activities]
    changes = [_Change("raci", row, row) for row in gone if row not in stated]
    for change in changes:
        matches = [table.c[name] == getattr(change.new, name) for name in KEYS["raci"]]
        connection.execute(delete(table).where(*matches))
    return changes


def begin_projects(connection: Connection, project_refs: Sequence[str]) -> None:
    """Give new projects their heads."""
    if project_refs:
        heads = [{"project_ref": ref, "version": 0, "engaged_at": None} for ref in project_refs]
        connection.execute(insert(_HEADS), heads)
        chain.begin_chains(connection, project_refs)


def raise_versions(connection: Connection, project_refs: Iterable[str]) -> None:
    """Raise the version of projects, waiting for whoever decides for one of them now."""
    for batch in batches(sorted(project_refs)):
        these = ProjectHeadRow.project_ref.in_(batch)
        order = in_byte_order(connection, ProjectHeadRow.project_ref)
        connection.execute(select(ProjectHeadRow.project_ref).where(these).order_by(order).with_for_update())
        connection.execute(update(_HEADS).where(these).values(version=ProjectHeadRow.version + 1))


def report_touch(connection: Connection, interaction: Interaction, by: str, at: datetime) -> bool:
    """Write an interaction down unless one with its ext_id is there; gives whether it was new.

    Raises UnknownProjectError.
    """
    require_project(connection, interaction.project_ref)
    # Facts first, heads after, as in an import: whoever writes both takes them in this order.
    if not insert_unless_there(connection, FACT_TABLES["interactions"], row_of(interaction)):
        return False
    raise_versions(connection, [interaction.project_ref])
    data = {
        "ext_id": interaction.ext_id,
        "kind": interaction.kind.value,
        "party_ref": interaction.party_ref,
        "contact_ref": interaction.contact_ref,
        "at": interaction.at.isoformat(),
        "by": by,
        "sha256": _digest([interaction]),
    }
    subject = interaction.obligation_key or f"interaction/{interaction.ext_id}"
    draft = EntryDraft(at=at, stage=REGISTER, kind="reported", subject=subject, data=data)
    chain.append(connection, {interaction.project_ref: [draft]})
    return True


def move_phase(connection: Connection, project_ref: str, move: Move, *, by: str, evidence: str, at: datetime) -> Phase:
    """Move a project to its next phase and write down who, when and on what evidence; gives the phase.

    Whether the gate is open is the caller's to judge. Raises UnknownProjectError and PhaseError.
    """
    this = _PROJECTS.c.project_ref == project_ref
    phase = connection.execute(select(_PROJECTS.c.phase).where(this).with_for_update(key_share=True)).scalar()
    if phase is None:
        raise UnknownProjectError(project_ref)
    reached = next_phase(phase, move)
    connection.execute(update(_PROJECTS).where(this).values(phase=reached))
    raise_versions(connection, [project_ref])
    data = {"from": phase.value, "to": reached.value, "move": move.value, "by": by, "evidence": evidence}
    draft = EntryDraft(at=at, stage=PHASE, kind="moved", subject=project_ref, data=data)
    chain.append(connection, {project_ref: [draft]})
    return reached


def require_project(connection: Connection, project_ref: str) -> None:
    """Raise UnknownProjectError unless the project is held."""
    if not connection.execute(select(_PROJECTS.c.project_ref).where(_PROJECTS.c.project_ref == project_ref)).first():
        raise UnknownProjectError(project_ref)


def _changes(connection: Connection, sheet: str, some: Sequence[Record]) -> list[_Change]:
    incoming: dict[tuple[str, ...], Record] = {}
    for record in some:
        key = key_of(sheet, record)
        if incoming.setdefault(key, record) != record:
            raise DuplicateRecordError(f"{sheet}: two records for {' / '.join(key)} say different things")
    held = _held(connection, sheet, list(incoming.values()))
    changes = []
    for key, record in incoming.items():
        old = held.get(key)
        new = replace(record, phase=old.phase) if isinstance(record, Project) and isinstance(old, Project) else record
        if new != old:
            changes.append(_Change(sheet, old, new))
    return changes


def _held(connection: Connection, sheet: str, some: Sequence[Record]) -> dict[tuple[str, ...], Record]:
    table = FACT_TABLES[sheet]
    name = KEYS[sheet][0]
    first = table.c[name]
    values = sorted({getattr(record, name) for record in some})
    held: dict[tuple[str, ...], Record] = {}
    for batch in batches(values):
        for row in connection.execute(select(table).where(first.in_(batch))):
            record = record_of(sheet, row)
            held[key_of(sheet, record)] = record
    return held


def _refuse_orphans(connection: Connection, changes: Sequence[_Change]) -> None:
    targets = (("projects", "project_ref"), ("parties", "party_ref"), ("contacts", "contact_ref"))
    for sheet, column in targets:
        target = FACT_TABLES[sheet].c[column]
        referring = [c for c in changes if any(key.column is target for key in _references(c.sheet, column))]
        named = sorted({getattr(change.new, column) for change in referring})
        known = {getattr(change.new, column) for change in changes if change.sheet == sheet}
        for batch in batches(named):
            known.update(connection.execute(select(target).where(target.in_(batch))).scalars())
        for change in referring:
            ref = getattr(change.new, column)
            if ref not in known:
                record = " / ".join(key_of(change.sheet, change.new))
                raise OrphanError(f"{change.sheet}: {record} refers to {column} {ref!r}, which is not registered")


def _references(sheet: str, column: str) -> Iterable[ForeignKey]:
    columns = FACT_TABLES[sheet].c
    return columns[column].foreign_keys if column in columns else ()


def _touched(connection: Connection, changes: Sequence[_Change]) -> dict[str, list[_Change]]:
    touched: dict[str, list[_Change]] = {}
    if not changes:
        return touched
    concern = Concern.of_all(connection)
    for change in changes:
        refs = concern.all_projects if isinstance(change.new, RaciRow) else _concerned(change, concern)
        for ref in refs:
            touched.setdefault(ref, []).append(change)
    return touched


def _concerned(change: _Change, concern: Concern) -> set[str]:
    refs: set[str] = set()
    for record in (change.old, change.new):
        if isinstance(record, Party | Contact):
            refs |= concern.of_party(record.party_ref)
        elif isinstance(record, Financial):
            refs |= concern.of_subject(record.subject_ref)
        elif isinstance(record, Absence):
            refs |= concern.of_contact(record.contact_ref)
        elif record is not None and not isinstance(record, RaciRow):
            refs.add(record.project_ref)
    return refs


def _replaced(
    changes: Sequence[_Change], touched: Mapping[str, Sequence[_Change]], born: Sequence[str]
) -> list[tuple[str, Record | None, Record]]:
    """Give the changes that somebody may want to take back: none concerns only projects that begin with them."""
    before = {id(change) for ref, some in touched.items() if ref not in born for change in some}
    return [(change.sheet, change.old, change.new) for change in changes if id(change) in before]


def _imported(changes: Sequence[_Change], number: int, at: datetime, by: str) -> EntryDraft:
    counts = Counter(change.sheet for change in changes)
    digest = _digest([change.new for change in changes])
    data: dict[str, Json] = {"changed": dict(counts), "sha256": digest, "import": number, "by": by}
    return EntryDraft(at=at, stage=REGISTER, kind="imported", subject="facts", data=data)


def _digest(records: Sequence[Record]) -> str:
    lines = [[type(record).__name__, *(str(value) for value in row_of(record).values())] for record in records]
    return sha256(canonical_json(sorted(lines)).encode()).hexdigest()
