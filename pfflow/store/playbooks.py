"""The playbooks that were adopted, word for word; the last one is in force."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, insert, select

from pfflow.domain.ledger import EntryDraft
from pfflow.store import chain
from pfflow.store.fact_writes import raise_versions
from pfflow.store.statements import table_of
from pfflow.store.tables import PlaybookRow, ProjectHeadRow

PLAYBOOK = "playbook"
"""The `stage` of ledger entries about playbooks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlaybook:
    """A playbook as it was adopted. `sha256` is of the text in UTF-8, in hexadecimal."""

    name: str
    version: int
    text: str
    sha256: str
    adopted_at: datetime
    adopted_by: str


_COLUMNS = tuple(getattr(PlaybookRow, field.name) for field in fields(StoredPlaybook))


def adopt(connection: Connection, text: str, name: str, version: int, *, at: datetime, by: str) -> StoredPlaybook:
    """Put a playbook in force, with an entry in every ledger; the one in force already stays as it was adopted."""
    current = in_force(connection)
    digest = sha256(text.encode()).hexdigest()
    if current and (current.name, current.version, current.sha256) == (name, version, digest):
        return current
    row = {"name": name, "version": version, "text": text, "sha256": digest, "adopted_at": at, "adopted_by": by}
    connection.execute(insert(table_of(PlaybookRow)), row)
    every = connection.execute(select(ProjectHeadRow.project_ref)).scalars().all()
    raise_versions(connection, every)
    draft = EntryDraft(
        at=at, stage=PLAYBOOK, kind="adopted", subject=f"{name}/{version}", data={"sha256": digest, "by": by}
    )
    chain.append(connection, {ref: [draft] for ref in every})
    return StoredPlaybook(name=name, version=version, text=text, sha256=digest, adopted_at=at, adopted_by=by)


def in_force(connection: Connection) -> StoredPlaybook | None:
    """Give the playbook that was adopted last, or None."""
    row = connection.execute(select(*_COLUMNS).order_by(PlaybookRow.adoption.desc()).limit(1)).first()
    return StoredPlaybook(**row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def with_digest(connection: Connection, digest: str) -> StoredPlaybook | None:
    """Give the playbook with this SHA-256 of its text, as it was adopted first, or None."""
    chosen = select(*_COLUMNS).where(PlaybookRow.sha256 == digest).order_by(PlaybookRow.adoption).limit(1)
    row = connection.execute(chosen).first()
    return StoredPlaybook(**row._mapping) if row else None  # noqa: SLF001 - as above
