"""The outbox of the model in memory: letters, the mails they share, and what a claim asks before it gives them out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pfflow.domain.ledger import EntryDraft
from pfflow.domain.manners import (
    DOMAIN_WINDOW,
    FREE,
    RECIPIENT_WINDOW,
    Manners,
    Window,
    beyond_its_point,
    bound_by_recipient_cap,
    quiet_end,
)
from pfflow.domain.notices import EMAIL, Notice, bundle_key
from pfflow.domain.obligations import Obligation
from pfflow.domain.overtaken import Stand, why_overtaken
from pfflow.domain.parties import Contact
from pfflow.domain.trouble import Trouble
from pfflow.ports import Claimed, Receipt, Taken
from pfflow.store import MailTurn

PASSES = 50
"""How often a claim looks for more, as in the store."""
LETTERS_IN_A_MAIL = 40


@dataclass(slots=True)
class ModelLetter:
    """A letter in the outbox; the one that leads a bundle is claimed for all of it."""

    notice: Notice
    status: str = "waiting"
    attempts: int = 0
    next_try_at: datetime | None = None
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    digest: str = ""
    domain: str = ""
    sent_at: datetime | None = None
    trouble: Trouble | None = None
    troubled_at: datetime | None = None
    bundle: str = ""
    leads: bool = False

    @property
    def key(self) -> str:
        """The notice's key."""
        return self.notice.key

    @property
    def message_id(self) -> str:
        """What its Message-ID is made of: its key, or its bundle's."""
        return self.bundle or self.key

    @property
    def for_itself(self) -> bool:
        """Whether it is what workers claim: alone, or for its bundle."""
        return self.leads or not self.bundle

    @property
    def fresh(self) -> bool:
        """Whether it was never on its way."""
        return not self.attempts and self.claimed_by is None and self.trouble is None

    def may_go(self, now: datetime) -> bool:
        """Whether it may be claimed."""
        free_at = self.free_at()
        return self.status == "waiting" and (free_at is None or free_at <= now)

    def troubled(self, receipt: Receipt) -> None:
        """Note what is wrong with it now, and since when."""
        if receipt.outcome == "failed":
            self.trouble, self.troubled_at = receipt.trouble or Trouble.UNKNOWN, receipt.at
        elif receipt.outcome != "left":
            self.troubled_at = (self.troubled_at or receipt.at) if receipt.trouble else None
            self.trouble = receipt.trouble

    def free_at(self) -> datetime | None:
        """Give when it may be claimed; None for at once."""
        return max(filter(None, (self.next_try_at, self.claimed_until)), default=None)


Mail = list[ModelLetter]
"""Letters that leave together, in the order in which they are told."""


class ModelOutbox:
    """Letters as a dictionary; the projects they are of are the store's."""

    def __init__(self) -> None:
        self._letters: dict[str, ModelLetter] = {}
        self._stopped = False

    def _append(self, ref: str, drafts: Iterable[EntryDraft]) -> None:
        raise NotImplementedError

    def _owed(self, notice: Notice) -> Obligation | None:
        raise NotImplementedError

    def _contact(self, notice: Notice) -> Contact:
        raise NotImplementedError

    def turn_mail(self, made: MailTurn) -> bool:
        """Stop or start all mail; gives whether that was news."""
        before, self._stopped = self._stopped, made.stopped
        return before is not made.stopped

    def claim(
        self,
        worker: str,
        now: datetime,
        limit: int,
        seconds: float,
        manners: Manners = FREE,
        *,
        chat: bool = False,
    ) -> Taken:
        """Take up to `limit` mails, or chat texts, oldest first; what manners keep is put off."""
        if self._stopped:
            return Taken()
        withheld: list[Receipt] = []
        until = now + timedelta(seconds=seconds)
        taken: list[Claimed] = []
        for _ in range(PASSES):
            ready = sorted((one for one in self._of(chat=chat) if one.for_itself and one.may_go(now)), key=_age)
            ready = ready[: limit - len(taken)]
            if not ready:
                break
            meant = self._still_meant(ready, now, withheld)
            going = self._within_caps(self._awake(self._gathered(meant, now), manners, now, withheld), manners, now)
            for mail in going:
                self._bundle(mail)
                taken.append(self._claimed(mail, until))
                for one in mail:
                    if one.claimed_by is not None and not one.bundle:  # whoever died with it may have sent it alone
                        one.notice = replace(one.notice, merges_with="")
                    one.claimed_by, one.claimed_until = worker, until
        return Taken(taken, withheld)

    def _still_meant(self, ready: Sequence[ModelLetter], now: datetime, withheld: list[Receipt]) -> Mail:
        """Give the letters that events have not overtaken; they and those of their mails are withheld."""
        bundles = {one.bundle for one in ready if one.bundle}
        followers = [one for one in self._waiting() if one.bundle in bundles and not one.leads]
        gone = [one for one in (*ready, *followers) if self._is_overtaken(one)]
        withheld += self._withhold(gone, now)
        return [one for one in ready if one.status == "waiting"]

    def _is_overtaken(self, one: ModelLetter) -> bool:
        owed = self._owed(one.notice)
        return owed is not None and overtaken_by(one.notice, owed) != ""

    def _gathered(self, ready: Sequence[ModelLetter], now: datetime) -> list[Mail]:
        """Give the mails that letters leave in, each with what shares it."""
        mails: list[Mail] = []
        used: set[str] = set()
        for one in ready:
            if one.key in used:
                continue
            mail = [one]
            if one.bundle:
                mail = sorted((other for other in self._waiting() if other.bundle == one.bundle), key=_age)
            elif one.notice.merges_with and one.notice.channel == EMAIL and one.fresh and not one.notice.invitation:
                mail += self._siblings(one, used, now)
            used.update(letter.key for letter in mail)
            mails.append(mail)
        return mails

    def _siblings(self, one: ModelLetter, used: Collection[str], now: datetime) -> Mail:
        """Give the letters that wait to be merged with one."""
        found = [
            other
            for other in self._waiting()
            if other is not one
            and other.key not in used
            and other.fresh
            and not other.bundle
            and self._may_share(one.notice, other.notice)
            and (other.next_try_at is None or other.next_try_at <= now)
        ]
        return [other for other in sorted(found, key=_age)[: LETTERS_IN_A_MAIL - 1] if not self._is_overtaken(other)]

    def _may_share(self, one: Notice, other: Notice) -> bool:
        alike = (one.contact_ref, one.merges_with) == (other.contact_ref, other.merges_with)
        return alike and other.channel == EMAIL and other.invitation is None

    def _awake(self, mails: Sequence[Mail], manners: Manners, now: datetime, withheld: list[Receipt]) -> list[Mail]:
        """Give the mails whose readers may be written to; letters that come too late are withheld, others put off."""
        awake = []
        for gathered in mails:
            over = [one for one in gathered if beyond_its_point(manners, one.notice, now)]
            withheld += self._withhold(over, now)
            mail = [one for one in gathered if one not in over]
            ends = [quiet_end(manners, one.notice, self._contact(one.notice), now) for one in mail]
            waits = [end for end in ends if end is not None]
            if not waits or len(waits) < len(ends):
                awake += [mail] if mail else []
                continue
            for one in mail:
                one.next_try_at = max(waits)
        return awake

    def _within_caps(self, mails: Sequence[Mail], manners: Manners, now: datetime) -> list[Mail]:
        """Give what may go; each of the others waits until its window has room for it."""
        going = []
        refs = {mail[0].notice.contact_ref for mail in mails}
        readers = {ref: self._window(manners.recipient_cap, RECIPIENT_WINDOW, now, ref) for ref in sorted(refs)}
        domain = self._window(manners.domain_cap, DOMAIN_WINDOW, now)
        for mail in mails:
            reader = readers[mail[0].notice.contact_ref]
            bound = reader if all(bound_by_recipient_cap(one.notice) for one in mail) else None
            waits = [(at, w) for w in (bound, domain) if w is not None and (at := w.next_at(now)) is not None]
            if waits:
                until, window = max(waits, key=lambda wait: wait[0])
                window.count([until])
                for one in mail:
                    one.next_try_at = until
                continue
            for window in filter(None, (reader, domain)):
                window.count([now])
            for one in mail:
                one.domain = "house.example" if manners.domain_cap is not None else one.domain
            going.append(mail)
        return going

    def _window(self, cap: int | None, span: timedelta, now: datetime, reader: str = "") -> Window | None:
        if cap is None:
            return None
        window = Window(cap, span)
        for one in self._letters.values():
            counts = one.for_itself and (one.notice.contact_ref == reader if reader else one.domain != "")
            on_its_way = one.sent_at is None and one.claimed_until is not None and one.claimed_until > now
            if counts and (on_its_way or (one.sent_at is not None and one.sent_at > now - span)):
                window.count([one.sent_at or now])
        return window

    def _bundle(self, mail: Mail) -> None:
        """Write down that letters are one mail."""
        if len(mail) > 1 and not mail[0].bundle:
            key = bundle_key(one.key for one in mail)
            for one in mail:
                one.bundle, one.leads = key, one is mail[0]

    def _leave(self, one: ModelLetter) -> None:
        """Take a letter out of its mail; the others stay one, under its id, and whoever had it has it no more."""
        bundle, one.bundle, one.leads = one.bundle, "", False
        left = sorted((other for other in self._waiting() if bundle and other.bundle == bundle), key=_age)
        for other in left:
            other.claimed_by = other.claimed_until = None
        if left and not any(other.leads for other in left):
            left[0].leads = True

    def _withhold(self, letters: Sequence[ModelLetter], now: datetime) -> list[Receipt]:
        drafts: dict[str, list[EntryDraft]] = {}
        receipts = []
        for one in letters:
            self._leave(one)
            one.status, one.claimed_by, one.claimed_until, one.next_try_at = "held", None, None, None
            one.trouble = one.troubled_at = None
            receipts.append(Receipt(message_id=one.key, outcome="held", at=now))
            drafts.setdefault(one.notice.project_ref, []).append(_settled(one, receipts[-1]))
        for ref, some in sorted(drafts.items()):
            self._append(ref, some)
        return receipts

    def _claimed(self, mail: Mail, until: datetime) -> Claimed:
        first, *others = (one.notice for one in mail)
        return Claimed(
            message_id=mail[0].message_id,
            notice=first,
            contact=self._contact(first),
            attempts=max(one.attempts for one in mail),
            until=until,
            merged=tuple(others),
        )

    def told_in(self, message_id: str) -> Mail:
        """Give the letters of a mail, by the key its Message-ID is made of, in the order of their keys."""
        named = (one for one in self._letters.values() if message_id in (one.key, one.bundle))
        return sorted(named, key=lambda one: one.key)

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold mails until another instant; gives those that were still the worker's."""
        named = [one for key in keys for one in self.told_in(key)]
        mine = [one for one in named if one.claimed_by == worker and one.status == "waiting"]
        for one in mine:
            one.claimed_until = until
        return frozenset(one.message_id for one in mine)

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Write down what became of the mails the worker still holds, for each of their letters."""
        drafts: dict[str, list[EntryDraft]] = {}
        by_key = {one.message_id: one for one in receipts}
        named = {letter.key: letter for key in by_key for letter in self.told_in(key)}
        for letter in sorted(named.values(), key=lambda one: one.key):
            if letter.claimed_by != worker or letter.status != "waiting":
                continue
            receipt = by_key.get(letter.bundle) or by_key[letter.key]
            letter.claimed_by = letter.claimed_until = None
            letter.next_try_at = receipt.retry_at
            letter.sent_at = receipt.at if receipt.outcome == "sent" else None
            letter.digest = receipt.digest
            letter.troubled(receipt)
            tried = receipt.outcome not in ("held", "left") and receipt.trouble is not Trouble.OURS
            letter.attempts += tried
            if receipt.outcome in ("retry", "left"):
                continue
            letter.status = receipt.outcome
            drafts.setdefault(letter.notice.project_ref, []).append(_settled(letter, receipt))
        for ref, some in sorted(drafts.items()):
            self._append(ref, some)

    def release(self, status: str, by: str, at: datetime) -> int:
        """Let letters that were held or that failed wait again; gives how many that were."""
        found = sorted((one for one in self._letters.values() if one.status == status), key=lambda one: one.key)
        for one in found:
            if one.attempts:
                one.notice = replace(one.notice, merges_with="")
            one.status, one.attempts, one.next_try_at = "waiting", 0, None
            one.trouble = one.troubled_at = None
            draft = EntryDraft(at=at, stage="delivery", kind="released", subject=one.key, data={"by": by})
            self._append(one.notice.project_ref, [draft])
        return len(found)

    def _of(self, *, chat: bool) -> list[ModelLetter]:
        return [one for one in self._letters.values() if (one.notice.channel != EMAIL) is chat]

    def _waiting(self) -> list[ModelLetter]:
        return [one for one in self._letters.values() if one.status == "waiting"]

    def waiting(self, now: datetime, *, chat: bool = False) -> tuple[int, datetime | None]:
        """Give how many mails may go, and when the next of the others may; none while mail is stopped."""
        if self._stopped:
            return 0, None
        left = [one for one in self._of(chat=chat) if one.status == "waiting"]
        later = [at for one in left if (at := one.free_at()) is not None and at > now]
        return sum(one.for_itself and one.may_go(now) for one in left), min(later, default=None)

    def letters(self) -> tuple[ModelLetter, ...]:
        """Give every letter, oldest first."""
        return tuple(sorted(self._letters.values(), key=_age))


def overtaken_by(notice: Notice, owed: Obligation) -> str:
    """Give what has overtaken a letter; empty where nothing has."""
    stand = Stand(owed.status, owed.kind, owed.sequence, owed.due_at)
    return why_overtaken(notice.rung, notice.template, lambda: due_in(notice), stand)


def due_in(notice: Notice) -> datetime:
    """Give the due instant that a notice names."""
    told: Any = notice.context["obligation"]
    return datetime.fromisoformat(told["due_at"])


def _age(letter: ModelLetter) -> tuple[datetime, str]:
    return letter.notice.noticed_at, letter.key


def _settled(letter: ModelLetter, receipt: Receipt) -> EntryDraft:
    data: dict[str, Any] = {"contact_ref": letter.notice.contact_ref, "attempts": letter.attempts}
    kind = "withheld" if receipt.outcome == "held" else receipt.outcome
    return EntryDraft(at=receipt.at, stage="delivery", kind=kind, subject=letter.key, data=data)
