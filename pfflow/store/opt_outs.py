"""Who asked not to be sent surveys or digests, kept apart from the register: an import must not undo it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select

from pfflow.domain.ledger import EntryDraft
from pfflow.domain.opt_outs import OptionalLetter
from pfflow.store import chain
from pfflow.store.fact_reads import Concern
from pfflow.store.fact_tables import FACT_TABLES
from pfflow.store.fact_writes import REGISTER, raise_versions
from pfflow.store.statements import batches, insert_unless_there, table_of
from pfflow.store.tables import OptOutRow

_OPT_OUTS = table_of(OptOutRow)
_CONTACTS = FACT_TABLES["contacts"]


def opt_out(connection: Connection, contact_ref: str, kind: OptionalLetter, *, by: str, at: datetime) -> bool:
    """Write down that a contact wants no more of a kind; gives whether that is news. Nobody unknown is written down."""
    if _party_of(connection, contact_ref) is None:
        return False
    row = {"contact_ref": contact_ref, "kind": kind.value, "since": at, "by": by}
    if not insert_unless_there(connection, _OPT_OUTS, row):
        return False
    _tell(connection, contact_ref, "unsubscribed", kind, by=by, at=at)
    return True


def opt_in(connection: Connection, contact_ref: str, kinds: Iterable[OptionalLetter], *, by: str, at: datetime) -> int:
    """Take opt-outs back; gives how many there were."""
    undone = 0
    for kind in kinds:
        mine = (OptOutRow.contact_ref == contact_ref, OptOutRow.kind == kind.value)
        if connection.execute(delete(_OPT_OUTS).where(*mine)).rowcount:
            _tell(connection, contact_ref, "subscribed", kind, by=by, at=at)
            undone += 1
    return undone


def opt_outs(connection: Connection, contact_refs: Iterable[str]) -> frozenset[tuple[str, OptionalLetter]]:
    """Give what the contacts asked not to be sent."""
    found: set[tuple[str, OptionalLetter]] = set()
    for batch in batches(sorted(set(contact_refs))):
        chosen = select(OptOutRow.contact_ref, OptOutRow.kind).where(OptOutRow.contact_ref.in_(batch))
        found.update((ref, OptionalLetter(kind)) for ref, kind in connection.execute(chosen))
    return frozenset(found)


def _party_of(connection: Connection, contact_ref: str) -> str | None:
    chosen = select(_CONTACTS.c.party_ref).where(_CONTACTS.c.contact_ref == contact_ref)
    return connection.execute(chosen).scalar()


def _tell(connection: Connection, contact_ref: str, what: str, kind: OptionalLetter, *, by: str, at: datetime) -> None:
    """Let the projects that write to the contact decide anew, with an entry in the ledger of each."""
    party = _party_of(connection, contact_ref)
    refs = Concern.of_all(connection).of_party(party) if party else frozenset()
    raise_versions(connection, refs)
    draft = EntryDraft(at=at, stage=REGISTER, kind=what, subject=contact_ref, data={"letters": kind.value, "by": by})
    chain.append(connection, {ref: [draft] for ref in refs})
