"""Which letters leave together, and which of them may leave now: what a claim asks before it takes letters.

Letters that may share a mail become a bundle when the first of them is claimed: all get one key in the claim's own
transaction, so a worker that dies and the one after it send the same letters under the same Message-ID. A letter that
was ever on its way is never put in a bundle: it may have arrived under a Message-ID of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select, text, update
from sqlalchemy.orm import InstrumentedAttribute

from pfflow.domain.manners import (
    DOMAIN_WINDOW,
    RECIPIENT_WINDOW,
    Manners,
    Wait,
    Window,
    beyond_its_point,
    bound_by_recipient_cap,
    domain_of,
    quiet_end,
)
from pfflow.domain.notices import EMAIL, Method, Notice, bundle_key
from pfflow.domain.parties import Contact
from pfflow.store.overtaken import overtaken
from pfflow.store.statements import batches, table_of
from pfflow.store.tables import LetterRow

LETTERS_IN_A_MAIL = 40
"""More than these are told in a second mail."""

_CAPS_LOCK = 7066_1002  # any number, the same in every version: two claims at once would each count without the other
_LETTERS = table_of(LetterRow)
_LEFT_AS_ONE = or_(LetterRow.bundle.is_(None), LetterRow.leads)
_NEVER_ON_ITS_WAY = and_(LetterRow.attempts == 0, LetterRow.claimed_by.is_(None), LetterRow.trouble.is_(None))

Read = Callable[[Row[Any]], Notice | None]


@dataclass(frozen=True, slots=True)
class Mail:
    """Letters that leave as one mail to a contact, in the order in which it tells them; most often it is one."""

    rows: tuple[Row[Any], ...]
    notices: tuple[Notice, ...]
    contact: Contact

    @property
    def key(self) -> str:
        """What its Message-ID is made of: the letter's key, or the bundle's."""
        keys = [row.key for row in self.rows]
        return self.rows[0].bundle or (keys[0] if len(keys) == 1 else bundle_key(keys))

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its letters."""
        return tuple(row.key for row in self.rows)

    def without(self, gone: Collection[str]) -> Mail:
        """Give it without some letters: under its id where it was sent under one, else under that of what is left."""
        left = [(row, said) for row, said in zip(self.rows, self.notices, strict=True) if row.key not in gone]
        return Mail(tuple(row for row, _ in left), tuple(said for _, said in left), self.contact)


@dataclass(slots=True)
class Admission:
    """What may leave now, what waits until when and why, and what announces something that is over."""

    going: list[Mail] = field(default_factory=list)
    put_off: list[tuple[Mail, Wait, datetime]] = field(default_factory=list)
    over: list[Row[Any]] = field(default_factory=list)


def gathered(
    connection: Connection,
    found: Sequence[tuple[Row[Any], Notice]],
    contacts: Mapping[str, Contact],
    now: datetime,
    *,
    all_of: Select[Any],
    read: Read,
) -> list[Mail]:
    """Give the mails that letters leave in, each with what shares it; `all_of` selects letters, `read` reads one."""
    mails: list[Mail] = []
    used: set[str] = set()
    for row, notice in found:
        if row.key in used:
            continue
        rows = [row]
        if row.bundle is not None:
            mine = and_(LetterRow.bundle == row.bundle, LetterRow.status == row.status)
            rows = list(connection.execute(all_of.where(mine).order_by(LetterRow.noticed_at, LetterRow.key)))
        elif _may_share(row, notice):
            siblings = _siblings(connection, row, used, now, all_of)
            gone = overtaken(connection, siblings)  # found by themselves, they are held
            rows += [one for one in siblings if one.key not in gone]
        told = [(one, notice if one.key == row.key else read(one)) for one in rows]
        readable = [(one, said) for one, said in told if said is not None]
        lost = [one.key for one, said in told if said is None]
        if lost:  # found by itself, it fails by itself
            connection.execute(update(_LETTERS).where(LetterRow.key.in_(lost)).values(bundle=None, leads=False))
        used.update(one.key for one, _ in readable)
        reader = _invited(contacts[row.contact_ref], notice)
        mails.append(Mail(tuple(o for o, _ in readable), tuple(n for _, n in readable), reader))
    return mails


def _invited(contact: Contact, notice: Notice) -> Contact:
    """Give a contact; for a cancellation with the address that was invited, whatever address the contact has now."""
    out = notice.invitation
    if out is None or out.method is not Method.CANCEL:
        return contact
    at = next((guest.email for guest in out.attendees if guest.contact_ref == contact.contact_ref), contact.email)
    return replace(contact, email=at)


def _may_share(row: Row[Any], notice: Notice) -> bool:
    fresh = row.attempts == 0 and row.claimed_by is None and row.trouble is None
    return bool(row.merges_with) and row.channel == EMAIL and fresh and notice.invitation is None


def _siblings(
    connection: Connection, row: Row[Any], used: Iterable[str], now: datetime, all_of: Select[Any]
) -> list[Row[Any]]:
    """Give the letters that wait to be merged with one; those another worker is about to take are left to it."""
    like_it = and_(
        LetterRow.contact_ref == row.contact_ref,
        LetterRow.merges_with == row.merges_with,
        LetterRow.status == row.status,
        LetterRow.channel == EMAIL,
        LetterRow.bundle.is_(None),
        LetterRow.invitation.is_(None),
        LetterRow.sent_at.is_(None),
        LetterRow.key.not_in([row.key, *used]),
        or_(LetterRow.next_try_at.is_(None), LetterRow.next_try_at <= now),
        _NEVER_ON_ITS_WAY,
    )
    chosen = all_of.where(like_it).order_by(LetterRow.noticed_at, LetterRow.key).limit(LETTERS_IN_A_MAIL - 1)
    return list(connection.execute(chosen.with_for_update(skip_locked=True)))


def bundle(connection: Connection, mails: Iterable[Mail]) -> None:
    """Write down which letters are one mail."""
    for mail in mails:
        if len(mail.rows) > 1 and mail.rows[0].bundle is None:
            for batch in batches(mail.keys):
                together = {"bundle": mail.key, "leads": LetterRow.key == mail.keys[0]}
                connection.execute(update(_LETTERS).where(LetterRow.key.in_(batch)).values(together))


def leave(connection: Connection, row: Row[Any]) -> None:
    """Take a letter that does not go out of the mail it was to be told in; the others stay one mail, under its id.

    They may have arrived under that id already, so they must not go out under another. Whoever had claimed the mail has
    it no more: what is in hand there tells the letter still.
    """
    if row.bundle is None:
        return
    connection.execute(update(_LETTERS).where(LetterRow.key == row.key).values(bundle=None, leads=False))
    left = and_(LetterRow.bundle == row.bundle, LetterRow.status == row.status)
    connection.execute(update(_LETTERS).where(left).values(claimed_by=None, claimed_until=None))
    others = select(LetterRow.key, LetterRow.leads).where(left).order_by(LetterRow.noticed_at, LetterRow.key)
    found = connection.execute(others).all()
    if found and not any(one.leads for one in found):
        connection.execute(update(_LETTERS).where(LetterRow.key == found[0].key).values(leads=True))


def count_alone(connection: Connection, manners: Manners) -> None:
    """Let no other claim count letters until this transaction ends; SQLite has one writer anyway."""
    if manners.caps and connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CAPS_LOCK})


def admitted(connection: Connection, mails: Sequence[Mail], manners: Manners, now: datetime) -> Admission:
    """Give what may leave now, by the house's manners; nothing is written."""
    answer = Admission()
    to_count: list[Mail] = []
    for whole in mails:
        told = zip(whole.rows, whole.notices, strict=True)
        over = [row for row, notice in told if beyond_its_point(manners, notice, now)]
        answer.over += over
        mail = whole.without({row.key for row in over}) if over else whole
        if not mail.rows:
            continue
        ends = [quiet_end(manners, notice, mail.contact, now) for notice in mail.notices]
        waits = [end for end in ends if end is not None]
        if len(waits) == len(ends):
            answer.put_off.append((mail, Wait.QUIET, max(waits)))
        else:
            to_count.append(mail)
    _within_caps(connection, to_count, manners, now, answer)
    return answer


def _within_caps(
    connection: Connection, mails: Sequence[Mail], manners: Manners, now: datetime, answer: Admission
) -> None:
    if not manners.caps:
        answer.going.extend(mails)
        return
    readers = _windows(connection, LetterRow.contact_ref, {m.contact.contact_ref for m in mails}, manners, now)
    domains = _windows(connection, LetterRow.domain, {domain_of(m.contact.email) for m in mails}, manners, now)
    for mail in mails:
        reader, domain = readers.get(mail.contact.contact_ref), domains.get(domain_of(mail.contact.email))
        bound = all(bound_by_recipient_cap(notice) for notice in mail.notices)
        waits = [
            (until, why, window)
            for window, why in ((reader if bound else None, Wait.RECIPIENT_CAP), (domain, Wait.DOMAIN_CAP))
            if window is not None and (until := window.next_at(now)) is not None
        ]
        if waits:
            until, why, window = max(waits, key=lambda one: one[0])
            window.count([until])
            answer.put_off.append((mail, why, until))
            continue
        for window in filter(None, (reader, domain)):
            window.count([now])
        answer.going.append(mail)


def _windows(
    connection: Connection, column: InstrumentedAttribute[str], values: set[str], manners: Manners, now: datetime
) -> dict[str, Window]:
    """Give for each contact, or domain, what has left in the window, and what is on its way now."""
    of_reader = column is LetterRow.contact_ref
    cap = manners.recipient_cap if of_reader else manners.domain_cap
    span = RECIPIENT_WINDOW if of_reader else DOMAIN_WINDOW
    if cap is None:
        return {}
    windows = {value: Window(cap, span) for value in values}
    on_its_way: ColumnElement[bool] = and_(LetterRow.sent_at.is_(None), LetterRow.claimed_until > now)
    for batch in batches(sorted(values)):
        chosen = select(column, LetterRow.sent_at).where(
            column.in_(batch), LetterRow.channel == EMAIL, _LEFT_AS_ONE, or_(LetterRow.sent_at > now - span, on_its_way)
        )
        for value, sent_at in connection.execute(chosen):
            windows[value].count([sent_at or now])
    return windows


def put_off(connection: Connection, waits: Iterable[tuple[Mail, Wait, datetime]]) -> None:
    """Let letters wait until an instant, with the reason; that is no attempt, and nothing for the ledger."""
    for mail, why, until in waits:
        later = {"next_try_at": until, "put_off": why}
        for batch in batches(mail.keys):
            connection.execute(update(_LETTERS).where(LetterRow.key.in_(batch)).values(later))


def note_domains(connection: Connection, mails: Iterable[Mail], manners: Manners) -> None:
    """Write down which domain letters go to, which is what its cap counts by."""
    if manners.domain_cap is None:
        return
    of_domain: dict[str, list[str]] = {}
    for mail in mails:
        of_domain.setdefault(domain_of(mail.contact.email), []).extend(mail.keys)
    for domain, keys in of_domain.items():
        for batch in batches(keys):
            connection.execute(update(_LETTERS).where(LetterRow.key.in_(batch)).values(domain=domain))
