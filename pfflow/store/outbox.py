"""The outbox: notices wait here as letters until a worker claims them, sends them and says what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, or_, select, update

from pfflow.domain.ledger import EntryDraft
from pfflow.domain.notices import Invitation, Notice
from pfflow.domain.parties import Contact
from pfflow.domain.reports import Report
from pfflow.ports import Claimed, Receipt
from pfflow.store import chain
from pfflow.store.column_types import UtcInstant
from pfflow.store.fact_tables import FACT_TABLES, record_of
from pfflow.store.statements import batches, insert_missing, table_of
from pfflow.store.tables import LetterRow

DELIVERY = "delivery"
"""The `stage` of ledger entries about letters."""

WAITING, SENT, HELD, FAILED = "waiting", "sent", "held", "failed"
LetterStatus = Literal["waiting", "sent", "held", "failed"]

_LETTERS = table_of(LetterRow)
_CONTACTS = FACT_TABLES["contacts"]
_INVITATION: TypeAdapter[Invitation | None] = TypeAdapter(Invitation | None)
_REPORT: TypeAdapter[Report | None] = TypeAdapter(Report | None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice in the outbox and what became of it. `digest` is the SHA-256 of the bytes that left."""

    notice: Notice
    status: LetterStatus
    attempts: int
    next_try_at: datetime | None
    claimed_by: str | None
    claimed_until: datetime | None
    sent_at: datetime | None
    digest: str
    last_response: str

    @property
    def message_id(self) -> str:
        """The notice's key, which the Message-ID is made of."""
        return self.notice.key


def post(connection: Connection, notices: Sequence[Notice]) -> int:
    """Put notices in the outbox unless one with the key is there; gives how many were not."""
    by_key = {notice.key: notice for notice in notices}
    known: set[str] = set()
    for batch in batches(list(by_key)):
        known.update(connection.execute(select(LetterRow.key).where(LetterRow.key.in_(batch))).scalars())
    new = [notice for key, notice in by_key.items() if key not in known]
    insert_missing(connection, _LETTERS, [_columns(notice) for notice in new])
    return len(new)


def claim(connection: Connection, worker: str, now: datetime, limit: int, seconds: float) -> tuple[Claimed, ...]:
    """Take up to `limit` letters that may go now, oldest first, for `seconds`.

    A letter to a contact who is no longer there fails, in the ledger too, and does not count.
    """
    until = now + timedelta(seconds=seconds)
    taken: list[Claimed] = []
    while len(taken) < limit:
        chosen = _ready(select(_LETTERS), now).order_by(LetterRow.noticed_at, LetterRow.key)
        rows = connection.execute(chosen.limit(limit - len(taken)).with_for_update(skip_locked=True)).all()
        if not rows:
            break
        contacts = _contacts(connection, {row.contact_ref for row in rows})
        found = [row for row in rows if row.contact_ref in contacts]
        _take(connection, [row.key for row in found], worker, until)
        _fail(connection, [row for row in rows if row.contact_ref not in contacts], now)
        taken.extend(_claimed(row, contacts[row.contact_ref], until) for row in found)
    return tuple(taken)


def settle(connection: Connection, worker: str, receipts: Sequence[Receipt]) -> None:
    """Write down what became of the letters this worker still holds, in the outbox and in the ledger.

    A receipt for a letter that somebody else has taken since, or that is settled, changes nothing.
    """
    drafts: dict[str, list[EntryDraft]] = {}
    by_key = {receipt.message_id: receipt for receipt in receipts}
    for batch in batches(sorted(by_key)):
        mine = and_(LetterRow.key.in_(batch), LetterRow.claimed_by == worker, LetterRow.status == WAITING)
        chosen = select(_LETTERS).where(mine).order_by(LetterRow.key).with_for_update()
        for row in connection.execute(chosen).all():
            receipt = by_key[row.key]
            changes = _outcome(row, receipt)
            connection.execute(update(_LETTERS).where(LetterRow.key == row.key).values(changes))
            if receipt.outcome != "retry":
                drafts.setdefault(row.project_ref, []).append(_settled(row, receipt, changes["attempts"]))
    chain.append(connection, drafts)


def release(connection: Connection, status: str, by: str, at: datetime) -> int:
    """Let letters that were held or that failed wait again, with an entry each; gives how many that were."""
    chosen = select(_LETTERS).where(LetterRow.status == status).order_by(LetterRow.key).with_for_update()
    rows = connection.execute(chosen).all()
    drafts: dict[str, list[EntryDraft]] = {}
    for row in rows:
        again = {"status": WAITING, "attempts": 0, "next_try_at": None}
        connection.execute(update(_LETTERS).where(LetterRow.key == row.key).values(again))
        entry = EntryDraft(at=at, stage=DELIVERY, kind="released", subject=row.key, data={"by": by, "was": status})
        drafts.setdefault(row.project_ref, []).append(entry)
    chain.append(connection, drafts)
    return len(rows)


def waiting(connection: Connection, now: datetime) -> tuple[int, datetime | None]:
    """Give how many letters may go now, and the next instant at which one more may, if any waits for one."""
    ready = connection.execute(_ready(select(func.count()).select_from(_LETTERS), now)).scalar_one()
    free_at = case(
        (LetterRow.claimed_until.is_(None), LetterRow.next_try_at),
        (LetterRow.next_try_at.is_(None), LetterRow.claimed_until),
        (LetterRow.next_try_at > LetterRow.claimed_until, LetterRow.next_try_at),
        else_=LetterRow.claimed_until,
    )
    later = select(func.min(free_at, type_=UtcInstant())).where(LetterRow.status == WAITING, free_at > now)
    return ready, connection.execute(later).scalar_one()


def letters_where(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Letter, ...]:
    """Give the letters that meet the conditions, oldest first."""
    chosen = select(_LETTERS).where(*conditions)
    letters = (
        Letter(
            notice=_notice(row),
            status=row.status,
            attempts=row.attempts,
            next_try_at=row.next_try_at,
            claimed_by=row.claimed_by,
            claimed_until=row.claimed_until,
            sent_at=row.sent_at,
            digest=row.digest,
            last_response=row.last_response,
        )
        for row in connection.execute(chosen)
    )
    return tuple(sorted(letters, key=lambda one: (one.notice.noticed_at, one.notice.key)))


def _ready(chosen: Select[Any], now: datetime) -> Select[Any]:
    return chosen.where(
        LetterRow.status == WAITING,
        or_(LetterRow.next_try_at.is_(None), LetterRow.next_try_at <= now),
        or_(LetterRow.claimed_until.is_(None), LetterRow.claimed_until <= now),
    )


def _contacts(connection: Connection, refs: set[str]) -> dict[str, Contact]:
    found: dict[str, Contact] = {}
    for batch in batches(sorted(refs)):
        for row in connection.execute(select(_CONTACTS).where(_CONTACTS.c.contact_ref.in_(batch))):
            found[row.contact_ref] = record_of("contacts", row)  # type: ignore[assignment]  # the sheet's record type
    return found


def _take(connection: Connection, keys: Sequence[str], worker: str, until: datetime) -> None:
    for batch in batches(keys):
        claimed = {"claimed_by": worker, "claimed_until": until}
        connection.execute(update(_LETTERS).where(LetterRow.key.in_(batch)).values(claimed))


def _fail(connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
    drafts: dict[str, list[EntryDraft]] = {}
    for row in rows:
        reason = f"contact {row.contact_ref} is not registered any more"
        receipt = Receipt(message_id=row.key, outcome=FAILED, at=now, response=reason)
        connection.execute(update(_LETTERS).where(LetterRow.key == row.key).values(_ended(FAILED, receipt)))
        drafts.setdefault(row.project_ref, []).append(_settled(row, receipt, row.attempts, reason))
    chain.append(connection, drafts)


def _claimed(row: Row[Any], contact: Contact, until: datetime) -> Claimed:
    return Claimed(message_id=row.key, notice=_notice(row), contact=contact, attempts=row.attempts, until=until)


def _outcome(row: Row[Any], receipt: Receipt) -> dict[str, Any]:
    attempts = row.attempts + (receipt.outcome != HELD)
    if receipt.outcome == "retry":
        again = {"next_try_at": receipt.retry_at, "last_response": receipt.response}
        return again | {"attempts": attempts, "claimed_by": None, "claimed_until": None}
    if receipt.outcome not in (SENT, HELD, FAILED):
        raise ValueError(f"{receipt.message_id}: {receipt.outcome!r} is no outcome of a letter")
    return _ended(receipt.outcome, receipt) | {"attempts": attempts}


def _ended(status: str, receipt: Receipt) -> dict[str, Any]:
    return {
        "status": status,
        "next_try_at": None,
        "claimed_by": None,
        "claimed_until": None,
        "sent_at": receipt.at if status == SENT else None,
        "digest": receipt.digest,
        "last_response": receipt.response,
    }


def _settled(row: Row[Any], receipt: Receipt, attempts: int, reason: str = "") -> EntryDraft:
    # The server's answer may repeat an address, and a ledger entry stays: the outbox keeps it, the chain its digest.
    data = {"contact_ref": row.contact_ref, "template": row.template, "attempts": attempts, "sha256": receipt.digest}
    because = {"because": reason} if reason else {}
    kind = "withheld" if receipt.outcome == HELD else receipt.outcome  # a ladder is held, a letter is withheld
    return EntryDraft(at=receipt.at, stage=DELIVERY, kind=kind, subject=row.key, data=data | because)


def _columns(notice: Notice) -> dict[str, Any]:
    return {
        "key": notice.key,
        "project_ref": notice.project_ref,
        "obligation_key": notice.obligation_key,
        "rung": notice.rung,
        "contact_ref": notice.contact_ref,
        "template": notice.template,
        "noticed_at": notice.noticed_at,
        "in_reply_to": notice.in_reply_to,
        "context": notice.context,
        "invitation": _INVITATION.dump_python(notice.invitation, mode="json"),
        "report": _REPORT.dump_python(notice.report, mode="json"),
        "status": WAITING,
        "attempts": 0,
        "digest": "",
        "last_response": "",
    }


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        key=row.key,
        project_ref=row.project_ref,
        obligation_key=row.obligation_key,
        rung=row.rung,
        contact_ref=row.contact_ref,
        template=row.template,
        noticed_at=row.noticed_at,
        in_reply_to=row.in_reply_to,
        context=row.context,
        invitation=_INVITATION.validate_python(row.invitation, strict=False),
        report=_REPORT.validate_python(row.report, strict=False),
    )
