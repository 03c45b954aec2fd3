"""The outbox: notices wait here as letters until a worker claims them, sends them and says what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
    update,
)

from pfflow.domain.channels import reader_in_room
from pfflow.domain.ledger import EntryDraft
from pfflow.domain.manners import FREE, Manners, Wait
from pfflow.domain.notices import BUNDLED, EMAIL, Invitation, Notice
from pfflow.domain.opt_outs import optional_kind
from pfflow.domain.parties import Contact
from pfflow.domain.reports import Report
from pfflow.domain.trouble import Trouble, Undelivered
from pfflow.domain.words import Json
from pfflow.ports import Claimed, Receipt, Taken
from pfflow.store import chain, mail_switch, mails, opt_outs
from pfflow.store.column_types import UtcInstant
from pfflow.store.fact_tables import FACT_TABLES, record_of
from pfflow.store.overtaken import overtaken
from pfflow.store.statements import batches, insert_missing, table_of
from pfflow.store.tables import LetterRow

T = TypeVar("T", bound=tuple[Any, ...])

DELIVERY = "delivery"
"""The `stage` of ledger entries about letters."""

WAITING, SENT, HELD, FAILED = "waiting", "sent", "held", "failed"
RETRY, LEFT = "retry", "left"
"""Outcomes after which a letter waits on."""
LetterStatus = Literal["waiting", "sent", "held", "failed"]

_PASSES = 50
"""How often one claim looks for more where manners keep what it found: it must not hold the database for long."""
_TOO_LATE = "what it announces is over"
_UNWANTED = "unsubscribed"
_LETTERS = table_of(LetterRow)
_SETTLED = ("key", "project_ref", "contact_ref", "channel", "template", "attempts", "trouble", "troubled_at", "bundle")
"""What settling reads of a letter: not what the letter says."""
_OUTCOME = (
    "status",
    "attempts",
    "next_try_at",
    "claimed_by",
    "claimed_until",
    "sent_at",
    "digest",
    "last_response",
    "trouble",
    "troubled_at",
)
_SETTLE = update(_LETTERS).where(_LETTERS.c.key == bindparam("of")).values({name: bindparam(name) for name in _OUTCOME})
_CONTACTS = FACT_TABLES["contacts"]
# JSON comes as text, so that one letter that no longer reads spoils no other of the same statement.
_ALL = select(*(cast(c, Text).label(c.name) if isinstance(c.type, JSON) else c for c in _LETTERS.columns))
_CONTEXT: TypeAdapter[dict[str, Json]] = TypeAdapter(dict[str, Any])
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
    trouble: Trouble | None
    bundle: str = ""
    put_off: Wait | None = None

    @property
    def message_id(self) -> str:
        """The notice's key, or its bundle's: what the Message-ID is made of."""
        return self.bundle or self.notice.key


def post(connection: Connection, notices: Sequence[Notice]) -> int:
    """Put notices in the outbox unless one with the key is there; gives how many were not."""
    by_key = {notice.key: notice for notice in notices}
    known: set[str] = set()
    for batch in batches(list(by_key)):
        known.update(connection.execute(select(LetterRow.key).where(LetterRow.key.in_(batch))).scalars())
    new = [notice for key, notice in by_key.items() if key not in known]
    insert_missing(connection, _LETTERS, [_columns(notice) for notice in new])
    return len(new)


def claim(  # noqa: PLR0917 - who claims what, from when on, for how long
    connection: Connection,
    worker: str,
    now: datetime,
    limit: int,
    seconds: float,
    manners: Manners = FREE,
    *,
    chat: bool = False,
) -> Taken:
    """Take up to `limit` mails, or chat texts, that may go now, oldest first; none while mail is stopped.

    What manners keep waits on and does not count; caps are for mail alone.

    A letter that events have overtaken, that came too late or that nobody wants is held, in the ledger too, and does
    not count. One to a contact who is no longer there fails, and so does one of which what was stored no longer reads.
    """
    if mail_switch.is_stopped(connection):
        return Taken()
    if chat:
        manners = replace(manners, recipient_cap=None, domain_cap=None)
    mails.count_alone(connection, manners)
    until = now + timedelta(seconds=seconds)
    taken: list[Claimed] = []
    settled: list[Receipt] = []
    for _ in range(_PASSES):
        if len(taken) >= limit:
            break
        chosen = _ready(_ALL, now).where(_by(chat=chat)).order_by(LetterRow.noticed_at, LetterRow.key)
        rows = connection.execute(chosen.limit(limit - len(taken)).with_for_update(skip_locked=True)).all()
        if not rows:
            break
        rows = _still_meant(connection, rows, now, settled)
        contacts = _contacts(connection, {row.contact_ref for row in rows})
        contacts |= _rooms(rows)
        known = [row for row in rows if row.contact_ref in contacts]
        read = [(row, notice) for row in known if (notice := _notice(row)) is not None]
        readable = {row.key for row, _ in read}
        refused = opt_outs.opt_outs(connection, contacts)
        found = [(row, notice) for row, notice in read if (row.contact_ref, optional_kind(notice)) not in refused]
        unwanted = [row for row, notice in read if (row.contact_ref, optional_kind(notice)) in refused]
        gathered = mails.gathered(connection, found, contacts, now, all_of=_ALL, read=_notice)
        admission = mails.admitted(connection, gathered, manners, now)
        mails.bundle(connection, admission.going)
        mails.put_off(connection, admission.put_off)
        mails.note_domains(connection, admission.going, manners)
        settled += _hold(connection, admission.over, _TOO_LATE, now)
        settled += _hold(connection, unwanted, _UNWANTED, now)
        _take(connection, sorted(key for mail in admission.going for key in mail.keys), worker, until)
        settled += _fail(connection, [row for row in rows if row.contact_ref not in contacts], Trouble.GONE, now)
        settled += _fail(connection, [row for row in known if row.key not in readable], Trouble.UNREADABLE, now)
        taken.extend(_claimed(mail, until) for mail in admission.going)
    return Taken(taken, settled)


def renew(connection: Connection, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
    """Hold mails of this worker, named as they were claimed, until another instant; gives those still its own."""
    kept: set[str] = set()
    for batch in batches(sorted(keys)):
        mine = connection.execute(_mine(select(LetterRow.key, LetterRow.bundle), worker, batch)).all()
        _take(connection, [key for key, _ in mine], worker, until)
        kept.update(bundle or key for key, bundle in mine)
    return frozenset(kept)


def settle(connection: Connection, worker: str, receipts: Sequence[Receipt]) -> None:
    """Write down what became of the letters this worker still holds, in the outbox and in the ledger.

    A receipt for a letter that somebody else has taken since, or that is settled, changes nothing.
    """
    drafts: dict[str, list[EntryDraft]] = {}
    by_key = {receipt.message_id: receipt for receipt in receipts}
    for batch in batches(sorted(by_key)):
        rows = connection.execute(_mine(select(*(_LETTERS.c[name] for name in _SETTLED)), worker, batch)).all()
        receipts_of = [by_key.get(row.bundle) or by_key[row.key] for row in rows]
        outcomes = [_outcome(row, receipt) for row, receipt in zip(rows, receipts_of, strict=True)]
        if outcomes:
            connection.execute(_SETTLE, outcomes)
        for row, receipt, outcome in zip(rows, receipts_of, outcomes, strict=True):
            if receipt.outcome not in (RETRY, LEFT):
                drafts.setdefault(row.project_ref, []).append(_settled(row, receipt, outcome["attempts"]))
    chain.append(connection, drafts)


def _mine(chosen: Select[T], worker: str, keys: Sequence[str]) -> Select[T]:
    """Choose what a worker has claimed, under letters' keys or bundles', and lock it, in the order of the keys."""
    bundles = [key for key in keys if key.startswith(BUNDLED)]
    named = or_(LetterRow.key.in_(keys), LetterRow.bundle.in_(bundles)) if bundles else LetterRow.key.in_(keys)
    mine = and_(named, LetterRow.claimed_by == worker, LetterRow.status == WAITING)
    return chosen.where(mine).order_by(LetterRow.key).with_for_update()


def release(connection: Connection, status: str, by: str, at: datetime) -> int:
    """Let letters that were held or that failed wait again, with an entry each; gives how many that were.

    Their attempts are forgotten, but not that there were any: what may have arrived alone goes alone from now on.
    """
    chosen = _ALL.where(LetterRow.status == status).order_by(LetterRow.key).with_for_update()
    rows = connection.execute(chosen).all()
    drafts: dict[str, list[EntryDraft]] = {}
    for row in rows:
        again = {"status": WAITING, "attempts": 0, "next_try_at": None, "trouble": None, "troubled_at": None}
        alone = {"merges_with": ""} if row.attempts else {}
        connection.execute(update(_LETTERS).where(LetterRow.key == row.key).values(again | alone))
        entry = EntryDraft(at=at, stage=DELIVERY, kind="released", subject=row.key, data={"by": by, "was": status})
        drafts.setdefault(row.project_ref, []).append(entry)
    chain.append(connection, drafts)
    return len(rows)


def waiting(connection: Connection, now: datetime, *, chat: bool = False) -> tuple[int, datetime | None]:
    """Give how many letters (or chat texts) may go now, and the next instant at which one more may, if one waits.

    While mail is stopped none may, and nobody knows when.
    """
    if mail_switch.is_stopped(connection):
        return 0, None
    counted = select(func.count()).select_from(_LETTERS).where(_by(chat=chat))
    ready = connection.execute(_ready(counted, now)).scalar_one()
    free_at = case(
        (LetterRow.claimed_until.is_(None), LetterRow.next_try_at),
        (LetterRow.next_try_at.is_(None), LetterRow.claimed_until),
        (LetterRow.next_try_at > LetterRow.claimed_until, LetterRow.next_try_at),
        else_=LetterRow.claimed_until,
    )
    later = select(func.min(free_at, type_=UtcInstant())).where(
        LetterRow.status == WAITING, free_at > now, _by(chat=chat)
    )
    return ready, connection.execute(later).scalar_one()


def server_instant(connection: Connection) -> datetime | None:
    """Give the instant by PostgreSQL's clock, which all workers share; None on SQLite."""
    if connection.dialect.name != "postgresql":
        return None
    return connection.execute(select(func.clock_timestamp(type_=UtcInstant()))).scalar_one()


def unclaimed(connection: Connection, now: datetime, before: datetime) -> tuple[tuple[str, int, datetime], ...]:
    """Give the projects with letters that could go since before an instant: how many, and since when, by ref."""
    since = func.min(LetterRow.noticed_at, type_=UtcInstant())
    found = (
        select(LetterRow.project_ref, func.count(), since)
        .where(
            LetterRow.status == WAITING,
            LetterRow.noticed_at < before,
            LetterRow.next_try_at.is_(None) | (LetterRow.next_try_at < before),
            LetterRow.claimed_until.is_(None) | (LetterRow.claimed_until < now),
        )
        .group_by(LetterRow.project_ref)
    )
    return tuple(sorted((ref, count, at) for ref, count, at in connection.execute(found)))


def letters_where(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Letter, ...]:
    """Give the letters that meet the conditions, oldest first."""
    chosen = _ALL.where(*conditions)
    letters = (
        Letter(
            notice=_notice(row) or _bare(row),
            status=row.status,
            attempts=row.attempts,
            next_try_at=row.next_try_at,
            claimed_by=row.claimed_by,
            claimed_until=row.claimed_until,
            sent_at=row.sent_at,
            digest=row.digest,
            last_response=row.last_response,
            trouble=row.trouble,
            bundle=row.bundle or "",
            put_off=row.put_off,
        )
        for row in connection.execute(chosen)
    )
    return tuple(sorted(letters, key=lambda one: (one.notice.noticed_at, one.notice.key)))


def undelivered(connection: Connection, project_ref: str | None = None) -> tuple[Undelivered, ...]:
    """Give the letters, all or a project's, that failed or that our own fault keeps back, longest first."""
    names = ("key", "project_ref", "obligation_key", "rung", "contact_ref", "template", "trouble")
    chosen = select(_LETTERS).where(LetterRow.trouble.is_not(None))
    if project_ref is not None:
        chosen = chosen.where(LetterRow.project_ref == project_ref)
    rows = connection.execute(
        chosen.with_only_columns(*(_LETTERS.c[name] for name in names), _LETTERS.c.troubled_at.label("since"))
    )
    return tuple(sorted((Undelivered(**row._mapping) for row in rows), key=lambda one: (one.since, one.key)))  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def _ready(chosen: Select[Any], now: datetime) -> Select[Any]:
    return chosen.where(
        LetterRow.status == WAITING,
        or_(LetterRow.bundle.is_(None), LetterRow.leads),
        or_(LetterRow.next_try_at.is_(None), LetterRow.next_try_at <= now),
        or_(LetterRow.claimed_until.is_(None), LetterRow.claimed_until <= now),
    )


def _still_meant(
    connection: Connection, rows: Sequence[Row[Any]], now: datetime, settled: list[Receipt]
) -> Sequence[Row[Any]]:
    """Give the letters that events have not overtaken; the others are held, and so are those that share their mails."""
    told = [*rows]
    for batch in batches(sorted({row.bundle for row in rows if row.bundle})):
        with_them = and_(LetterRow.bundle.in_(batch), LetterRow.status == WAITING, ~LetterRow.leads)
        told += connection.execute(_ALL.where(with_them).order_by(LetterRow.key)).all()
    why = overtaken(connection, told)
    for reason in sorted(set(why.values())):
        settled += _hold(connection, [row for row in told if why.get(row.key) == reason], reason, now)
    return [row for row in rows if row.key not in why]


def _by(*, chat: bool) -> ColumnElement[bool]:
    """Give the condition that a row is a chat text, or that it is a letter: each kind is drained by itself."""
    return LetterRow.channel != EMAIL if chat else LetterRow.channel == EMAIL


def _rooms(rows: Sequence[Row[Any]]) -> dict[str, Contact]:
    """Give the rooms among the readers; a row that does not read any more is found out with the others."""
    notices = (_notice(row) for row in rows if row.channel != EMAIL)
    return {one.contact_ref: reader_in_room(one) for one in notices if one is not None and one.to_room}


def _contacts(connection: Connection, refs: set[str]) -> dict[str, Contact]:
    found: dict[str, Contact] = {}
    for batch in batches(sorted(refs)):
        for row in connection.execute(select(_CONTACTS).where(_CONTACTS.c.contact_ref.in_(batch))):
            found[row.contact_ref] = record_of("contacts", row)  # type: ignore[assignment]  # the sheet's record type
    return found


def _take(connection: Connection, keys: Sequence[str], worker: str, until: datetime) -> None:
    # Whoever had a letter and died may have sent it alone, so alone it goes from now on, whatever comes of this claim.
    had_alone = and_(LetterRow.claimed_by.is_not(None), LetterRow.bundle.is_(None))
    merges_with = case((had_alone, ""), else_=LetterRow.merges_with)
    for batch in batches(keys):
        claimed = {"claimed_by": worker, "claimed_until": until, "put_off": None, "merges_with": merges_with}
        connection.execute(update(_LETTERS).where(LetterRow.key.in_(batch)).values(claimed))


def _fail(connection: Connection, rows: Sequence[Row[Any]], trouble: Trouble, now: datetime) -> list[Receipt]:
    drafts: dict[str, list[EntryDraft]] = {}
    receipts = []
    for row in rows:
        mails.leave(connection, row)
        gone = f"contact {row.contact_ref} is not registered any more"
        reason = gone if trouble is Trouble.GONE else "what was stored of the letter does not read any more"
        receipt = Receipt(message_id=row.key, outcome=FAILED, at=now, response=reason, trouble=trouble)
        connection.execute(_SETTLE, _outcome(row, receipt) | {"attempts": row.attempts})
        drafts.setdefault(row.project_ref, []).append(_settled(row, receipt, row.attempts, reason))
        receipts.append(receipt)
    chain.append(connection, drafts)
    return receipts


def _hold(connection: Connection, rows: Sequence[Row[Any]], because: str, now: datetime) -> list[Receipt]:
    """Hold letters that are of no use any more: it is said, and a person may still let them go."""
    drafts: dict[str, list[EntryDraft]] = {}
    receipts = []
    for row in rows:
        mails.leave(connection, row)
        receipt = Receipt(message_id=row.key, outcome=HELD, at=now, response=because)
        connection.execute(_SETTLE, _outcome(row, receipt))
        drafts.setdefault(row.project_ref, []).append(_settled(row, receipt, row.attempts, because))
        receipts.append(receipt)
    chain.append(connection, drafts)
    return receipts


def hold_waiting(connection: Connection, because: str, now: datetime) -> None:
    """Hold every letter that waits and shares no mail yet, in the ledger too."""
    waits = and_(LetterRow.status == WAITING, LetterRow.bundle.is_(None))
    rows = connection.execute(select(*(_LETTERS.c[name] for name in _SETTLED)).where(waits).order_by(LetterRow.key))
    drafts: dict[str, list[EntryDraft]] = {}
    outcomes = []
    for row in rows:
        receipt = Receipt(message_id=row.key, outcome=HELD, at=now, response=because)
        outcomes.append(_outcome(row, receipt))
        drafts.setdefault(row.project_ref, []).append(_settled(row, receipt, row.attempts, because))
    if outcomes:
        connection.execute(_SETTLE, outcomes)
    chain.append(connection, drafts)


def _claimed(mail: mails.Mail, until: datetime) -> Claimed:
    first, *others = mail.notices
    attempts = max(row.attempts for row in mail.rows)
    return Claimed(
        message_id=mail.key, notice=first, contact=mail.contact, attempts=attempts, until=until, merged=tuple(others)
    )


def _outcome(row: Row[Any], receipt: Receipt) -> dict[str, Any]:
    if receipt.outcome not in (SENT, HELD, FAILED, RETRY, LEFT):
        raise ValueError(f"{receipt.message_id}: {receipt.outcome!r} is no outcome of a letter")
    tried = receipt.outcome not in (HELD, LEFT) and receipt.trouble is not Trouble.OURS
    trouble, since = _troubled(row, receipt)
    return {
        "of": row.key,
        "status": WAITING if receipt.outcome in (RETRY, LEFT) else receipt.outcome,
        "attempts": row.attempts + tried,
        "next_try_at": receipt.retry_at,
        "claimed_by": None,
        "claimed_until": None,
        "sent_at": receipt.at if receipt.outcome == SENT else None,
        "digest": receipt.digest,
        "last_response": receipt.response,
        "trouble": trouble,
        "troubled_at": since,
    }


def _troubled(row: Row[Any], receipt: Receipt) -> tuple[Trouble | None, datetime | None]:
    """Give what is wrong with a letter now and since when; one that was not tried is as it was."""
    match receipt.outcome:
        case "left":
            return row.trouble, row.troubled_at
        case "retry":
            return receipt.trouble, (row.troubled_at or receipt.at) if receipt.trouble else None
        case "failed":
            return receipt.trouble or Trouble.UNKNOWN, receipt.at
        case _:
            return None, None


def _settled(row: Row[Any], receipt: Receipt, attempts: int, reason: str = "") -> EntryDraft:
    # The server's answer may repeat an address, and a ledger entry stays: the outbox keeps it, the chain its digest.
    data = {"contact_ref": row.contact_ref, "template": row.template, "attempts": attempts, "sha256": receipt.digest}
    by_chat = {} if row.channel == EMAIL else {"channel": row.channel}
    because = {"because": reason or receipt.trouble} if reason or receipt.trouble else {}
    because |= {"trouble": receipt.trouble or Trouble.UNKNOWN} if receipt.outcome == FAILED else {}
    together = {"bundle": row.bundle} if row.bundle else {}
    kind = "withheld" if receipt.outcome == HELD else receipt.outcome  # a ladder is held, a letter is withheld
    said = data | by_chat | because | together
    return EntryDraft(at=receipt.at, stage=DELIVERY, kind=kind, subject=row.key, data=said)


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
        "channel": notice.channel,
        "context": notice.context,
        "invitation": _INVITATION.dump_python(notice.invitation, mode="json"),
        "report": _REPORT.dump_python(notice.report, mode="json"),
        "status": WAITING,
        "attempts": 0,
        "digest": "",
        "last_response": "",
        "urgent": notice.urgent,
        "merges_with": notice.merges_with,
    }


def _notice(row: Row[Any]) -> Notice | None:
    """Give the notice as it was posted, or None where it does not read any more."""
    try:
        return replace(
            _bare(row),
            context=_CONTEXT.validate_json(row.context),
            invitation=_INVITATION.validate_json(row.invitation, strict=False) if row.invitation else None,
            report=_REPORT.validate_json(row.report, strict=False) if row.report else None,
        )
    except ValueError:
        return None


def _bare(row: Row[Any]) -> Notice:
    """Give a notice without what it says."""
    return Notice(
        key=row.key,
        project_ref=row.project_ref,
        obligation_key=row.obligation_key,
        rung=row.rung,
        contact_ref=row.contact_ref,
        template=row.template,
        noticed_at=row.noticed_at,
        in_reply_to=row.in_reply_to,
        channel=row.channel,
        urgent=row.urgent,
        merges_with=row.merges_with,
    )
