"""The ledger: append-only, one chain a project, each entry carrying the hash of the one before it.

The hash is SHA-256 over the canonical JSON of every other field (keys sorted, no spaces, UTF-8), so a change of any
byte of an entry, its removal or its re-ordering breaks the chain at that entry. An entry holds ids and hashes of what
concerns a person, never the data itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from pfflow.domain.words import Json

GENESIS = "0" * 64
"""What the first entry of a chain carries as the hash before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """What is to be written down: `kind` is a verb in the past (classified, planned, fired, fulfilled, sent, …)."""

    at: datetime
    stage: str
    kind: str
    subject: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry as it stands in the ledger; `data` is the canonical JSON text that was hashed, `at` ISO 8601 in UTC."""

    project_ref: str
    seq: int
    at: str
    stage: str
    kind: str
    subject: str
    data: str
    previous: str
    digest: str

    def expected_digest(self) -> str:
        """Compute the digest this entry should carry."""
        fields = (self.project_ref, self.seq, self.at, self.stage, self.kind, self.subject, self.data, self.previous)
        return sha256(canonical_json(list(fields)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain is broken, and how."""

    project_ref: str
    seq: int
    what: str


def canonical_json(value: Json) -> str:
    """Give the one JSON text of a value: keys sorted, no spaces, characters as they are."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def chained(project_ref: str, seq: int, previous: str, drafts: Iterable[EntryDraft]) -> tuple[Entry, ...]:
    """Give the drafts as entries that continue a chain whose last entry has number `seq` and digest `previous`."""
    entries: list[Entry] = []
    for draft in drafts:
        seq += 1
        bare = Entry(
            project_ref=project_ref,
            seq=seq,
            at=draft.at.isoformat(),
            stage=draft.stage,
            kind=draft.kind,
            subject=draft.subject,
            data=canonical_json(dict(draft.data)),
            previous=previous,
            digest="",
        )
        previous = bare.expected_digest()
        entries.append(
            Entry(
                project_ref=project_ref,
                seq=seq,
                at=bare.at,
                stage=bare.stage,
                kind=bare.kind,
                subject=bare.subject,
                data=bare.data,
                previous=bare.previous,
                digest=previous,
            )
        )
    return tuple(entries)


def first_break(project_ref: str, entries: Iterable[Entry], head_seq: int, head_digest: str) -> Break | None:
    """Give the first broken entry of a chain, or None; entries come by seq, the head is what the project keeps."""
    seq, previous = 0, GENESIS
    for entry in entries:
        if entry.seq != seq + 1:
            return Break(project_ref, seq + 1, f"entry {seq + 1} is missing: entry {entry.seq} follows entry {seq}")
        if entry.previous != previous:
            return Break(project_ref, entry.seq, f"entry {entry.seq} does not carry the hash of entry {seq}")
        if entry.project_ref != project_ref or entry.digest != entry.expected_digest():
            return Break(project_ref, entry.seq, f"entry {entry.seq} was changed: its content does not match its hash")
        seq, previous = entry.seq, entry.digest
    return _break_at_head(project_ref, seq, previous, head_seq, head_digest)


def _break_at_head(project_ref: str, seq: int, previous: str, head_seq: int, head_digest: str) -> Break | None:
    if seq == head_seq and previous != head_digest:
        return Break(project_ref, seq, f"the chain was rewritten: entry {seq} is not the one the project's head names")
    if seq > head_seq:
        return Break(project_ref, head_seq + 1, f"entry {head_seq + 1} was added: the project's head is {head_seq}")
    if seq < head_seq:
        return Break(project_ref, seq + 1, f"the chain ends at entry {seq}, the project's head is entry {head_seq}")
    return None
