"""What must hold of letters and of the mails they leave in, whatever happens: claimed, sent, taken, marked.

The auditor's own books: who has which mail, which letters it tells, what left, and who is not to be written to now.
It tells the time by the clock on the reader's wall, half hour by half hour, and not as the product does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NoReturn
from zoneinfo import ZoneInfo

from pfflow.domain.ledger import Entry
from pfflow.domain.manners import FREE, Manners
from pfflow.domain.notices import Notice, bundle_key, notice_key
from pfflow.domain.obligations import Status
from pfflow.ports import Claimed, Receipt
from tests.simulation.posted import LEASE, Posted, Violation, posted_as

MOST_IN_A_MAIL = 40
ASKED = timedelta(minutes=10)
"""How long before it is sent it was asked, at the most, whether a letter may go."""
HALF_HOUR = timedelta(minutes=30)
_ENDED_AS = {"sent": "sent", "failed": "failed", "held": "withheld"}


class MailAuditor:
    """Sees what becomes of letters, and raises Violation for what must not be."""

    def __init__(self, say: Callable[[str], None], zones: Mapping[str, str]) -> None:
        self._say = say
        self._zones = zones
        self._closed: dict[str, str] = {}
        self._due: dict[str, datetime] = {}
        self._letters: dict[str, Posted] = {}
        self._bundles: dict[str, frozenset[str]] = {}
        self._left: list[tuple[str, datetime]] = []
        self._latest: datetime | None = None
        self._capped = False
        self._manners = FREE
        self.stopped = False
        self.violation = ""
        self.count: Counter[str] = Counter()

    def _read_ledgers(self) -> list[Entry]:
        raise NotImplementedError

    def broken(self, rule: str, what: str) -> NoReturn:
        """Say which invariant does not hold, and raise."""
        found = f"{rule}: {what}"
        self._say(f"VIOLATION {found}")
        self.violation = self.violation or found
        raise Violation(found)

    def died(self, worker: str, where: str) -> None:
        """Note a death: what the worker had sent and not marked may be sent again."""
        self._say(f"{worker} dies {where}")
        self.count["deaths"] += 1
        for letter in self._letters.values():
            letter.in_flight.discard(worker)
            if worker in letter.unmarked_by:
                letter.unmarked_by.discard(worker)
                letter.excused += 1

    def posted(self, notice: Notice) -> None:
        """Note a letter that a committed decision wrote."""
        if notice.key != notice_key(notice.obligation_key, notice.rung, notice.contact_ref):
            self.broken("one Message-ID", f"{notice.key} is not the key of its rung and contact")
        if notice.key in self._letters:
            self.broken("no repeat", f"{notice.key} was posted a second time")
        self._letters[notice.key] = posted_as(notice)

    # Claiming.

    def claimed(
        self, worker: str, claimed: Sequence[Claimed], now: datetime, limit: int, manners: Manners = FREE
    ) -> None:
        """Look at who has which mails now, at what was withheld, and at what was left."""
        self._look_at_withheld(now, manners)
        if claimed and self.stopped:
            self.broken("the stop switch holds", f"{worker} takes {claimed[0].message_id} while mail is stopped")
        made_before = frozenset(self._bundles)
        for mail in claimed:
            letters = self._told_in(mail)
            self._is_one_mail(mail, letters)
            self._readers_are_left_alone(letters, now, manners)
        self._caps_are_kept(claimed, now, manners)
        self._what_may_share_a_mail_does([mail for mail in claimed if mail.message_id not in made_before])
        for mail in claimed:
            for letter in self._told_in(mail):
                self._is_still_meant(letter, now, manners)
                letter.alone = letter.alone or bool(letter.holder and not letter.bundle)
                if letter.holder != worker:
                    self._taken_over(letter, mail)
                letter.holder, letter.held_as, letter.until = worker, mail.message_id, mail.until
                letter.asked_at = now
            self.count["bundles"] += bool(mail.merged)
        if len(claimed) < limit and not self.stopped:
            self._nothing_is_left_behind(now, manners)
        self._manners = manners
        self._latest = max(now, self._latest or now)
        if claimed:
            self._say(f"{worker} claims {', '.join(_named(one) for one in claimed)}")

    def _look_at_withheld(self, now: datetime, manners: Manners) -> None:
        for entry in self._read_ledgers():
            letter = self._letters[entry.subject]
            over = self._over(letter, now, manners)
            if entry.kind != "withheld" or not (over or self._overtaken(letter)):
                self.broken("every letter goes", f"{entry.subject} was {entry.kind} while it was claimed")
            self.count["too late" if over else "overtaken"] += 1
            letter.status = "withheld"
            letter.let_go()
            letter.excused += len(letter.unmarked_by)
            letter.unmarked_by.clear()
            for other in self._of_mail(letter.bundle) if letter.bundle else ():  # whoever had it has it no more
                other.let_go()
                other.excused += len(other.unmarked_by | other.in_flight)
                other.unmarked_by.clear()
                other.in_flight.clear()

    def _told_in(self, mail: Claimed) -> list[Posted]:
        keys = [notice.key for notice in (mail.notice, *mail.merged)]
        if unknown := [key for key in keys if key not in self._letters]:
            self.broken("nothing before it is recorded", f"{unknown[0]} was claimed and is in no decision")
        return [self._letters[key] for key in keys]

    def _is_one_mail(self, mail: Claimed, letters: Sequence[Posted]) -> None:
        """A mail is as it was when it was made, less what was withheld since; no letter of it is in another."""
        name, keys = mail.message_id, [letter.key for letter in letters]
        if len(set(keys)) < len(keys):
            self.broken("once in one mail", f"{name} tells a letter twice")
        if name not in self._bundles and (len(keys) > 1 or name not in keys):
            self._may_be_made(name, letters)
            self._bundles[name] = frozenset(keys)
            for letter in letters:
                letter.bundle = name
        for letter in letters:
            if letter.bundle and letter.bundle != name:
                self.broken("once in one mail", f"{letter.key} is told in {letter.bundle} and in {name}")
        still = {key for key in self._bundles.get(name, frozenset(keys)) if self._letters[key].status == "waiting"}
        if still != set(keys):
            self.broken("a bundle stays whole", f"{name} tells {sorted(keys)} and waits with {sorted(still)}")

    def _may_be_made(self, name: str, letters: Sequence[Posted]) -> None:
        """A new mail of several letters is for one reader, of one kind, and of letters that never were on their way."""
        what = f"{name} of {', '.join(letter.key for letter in letters)}"
        if name != bundle_key(letter.key for letter in letters):
            self.broken("one Message-ID", f"{what} is not named by its letters")
        if len({letter.contact_ref for letter in letters}) > 1:
            self.broken("one reader", f"{what} is for several readers")
        alike = {(letter.merges_with, letter.rung.startswith("escalate")) for letter in letters}
        if len(alike) > 1 or not letters[0].merges_with or any(o.rung.startswith("invite") for o in letters):
            self.broken("what shares a mail may", f"{what} has letters that share none")
        if any(letter.message_ids or letter.holder or letter.alone for letter in letters):
            self.broken("once in one mail", f"{what} has a letter that may have arrived by itself")
        if len(letters) > MOST_IN_A_MAIL:
            self.broken("what shares a mail may", f"{name} tells {len(letters)} letters")

    def _what_may_share_a_mail_does(self, made: Sequence[Claimed]) -> None:
        """Letters to one reader that may be merged, were never on their way and are claimed together are one mail."""
        alike: dict[tuple[str, str], str] = {}
        for mail in made:
            letters = self._told_in(mail)
            kind = letters[0].contact_ref, letters[0].merges_with
            on_its_way = any(letter.message_ids or letter.holder or letter.alone for letter in letters)
            if not letters[0].merges_with or on_its_way or len(letters) == MOST_IN_A_MAIL:
                continue
            if kind in alike:
                self.broken("what may share a mail does", f"{alike[kind]} and {mail.message_id} are two")
            alike[kind] = mail.message_id

    def _readers_are_left_alone(self, letters: Sequence[Posted], now: datetime, manners: Manners) -> None:
        """A mail goes in its reader's quiet hours where a letter of it is urgent, or of a meeting before they end."""
        ref = letters[0].contact_ref
        if not self._asleep(ref, now, manners):
            return
        wakes = now.replace(minute=0, second=0, microsecond=0)
        while wakes <= now or self._asleep(ref, wakes, manners):
            wakes += HALF_HOUR
        if not any(one.urgent or (one.meets_at is not None and now < one.meets_at < wakes) for one in letters):
            self.broken(
                "quiet hours are kept", f"{letters[0].key} is taken at {now}; {ref} is left alone until {wakes}"
            )
        self.count["urgent at night"] += 1

    def _asleep(self, ref: str, at: datetime, manners: Manners) -> bool:
        quiet = manners.quiet
        if quiet is None:
            return False
        wall = at.astimezone(ZoneInfo(self._zones.get(ref) or manners.timezone))
        if quiet.weekends and wall.weekday() >= 5:
            return True
        if quiet.begins < quiet.until:
            return quiet.begins <= wall.time() < quiet.until
        return wall.time() >= quiet.begins or wall.time() < quiet.until

    def _caps_are_kept(self, claimed: Sequence[Claimed], now: datetime, manners: Manners) -> None:
        """Count what left in the windows, by the marks, and what is in hand; the readers here share one domain."""
        self._capped = self._capped or manners.caps
        taking = {one.message_id for one in claimed}
        held = {one.held_as: one.contact_ref for one in self._letters.values() if one.held_at(now)}
        in_hand = [ref for name, ref in held.items() if name not in taking]
        for one in claimed:
            ref = one.contact.contact_ref
            of_day = [who for who, at in self._left if at > now - timedelta(days=1)] + in_hand
            of_hour = [who for who, at in self._left if at > now - timedelta(hours=1)] + in_hand
            letters = self._told_in(one)
            heard = any(letter.urgent or letter.rung.startswith("escalate") for letter in letters)
            bound = manners.recipient_cap is not None and not heard
            if bound and of_day.count(ref) >= (manners.recipient_cap or 0):
                self.broken("caps are kept", f"{one.message_id} is one more for {ref} than a day allows")
            if manners.domain_cap is not None and len(of_hour) >= manners.domain_cap:
                self.broken("caps are kept", f"{one.message_id} is one more for the domain than an hour allows")
            in_hand.append(ref)

    def _is_still_meant(self, letter: Posted, now: datetime, manners: Manners) -> None:
        ended = self._closed.get(letter.obligation_key)
        if ended == Status.CANCELLED.value and not letter.rung.startswith(("cancel", "update")):
            self.broken("nothing after cancellation", f"{letter.key} is taken to be sent; it is cancelled")
        if (why := self._overtaken(letter)) and letter.chases:
            self.broken("nothing overtaken goes", f"{letter.key} is taken to be sent; {why}")
        if self._over(letter, now, manners):
            self.broken("nothing goes too late", f"{letter.key} is taken to be sent; it began {letter.meets_at}")

    def _overtaken(self, letter: Posted) -> str:
        """Give what has overtaken a letter: the end of what it is about, or, where it chases, another date for it."""
        ended = self._closed.get(letter.obligation_key, "")
        if ended == Status.CANCELLED.value or not letter.chases:
            return ended if ended == Status.CANCELLED.value else ""
        now = self._due.get(letter.obligation_key, letter.due_at)
        return ended or ("" if now == letter.due_at else f"it is due {now} now")

    def _over(self, letter: Posted, now: datetime, manners: Manners) -> bool:
        """Whether a letter tells of a meeting ahead that began while it waited."""
        ahead = letter.meets_at is not None and letter.meets_at <= now
        return manners.punctual and ahead and not letter.rung.startswith("cancel")

    def _taken_over(self, letter: Posted, claimed: Claimed) -> None:
        """A claim ran out: what its worker had sent and not marked, or is sending, may arrive beside the next."""
        if letter.holder and letter.until is not None and letter.until > claimed.until - timedelta(seconds=LEASE):
            self.broken("one holder", f"{letter.key} was taken from {letter.holder}, who has it still")
        letter.excused += len(letter.unmarked_by | letter.in_flight)
        letter.unmarked_by.clear()
        letter.in_flight.clear()

    def _nothing_is_left_behind(self, now: datetime, manners: Manners) -> None:
        """Who could take more leaves nothing that may go. Caps may keep it, and so may a clock that went back since."""
        if self._capped or (self._latest is not None and now < self._latest):
            return
        for letter in self._letters.values():
            later = letter.again_at is not None and letter.again_at > now
            if letter.status != "waiting" or letter.held_at(now) or later:
                continue
            if not self._asleep(letter.contact_ref, now, manners):
                self.broken("nothing waits without a reason", f"{letter.key} may go at {now} and nobody takes it")

    def renewed(self, worker: str, kept: frozenset[str], until: datetime) -> None:
        """Note that claims last longer."""
        for name in kept:
            for letter in self._of_mail(name):
                if letter.holder != worker:
                    self.broken("one holder", f"{worker} renewed {letter.key}, which {letter.holder} has")
                letter.until = until

    def _of_mail(self, name: str) -> list[Posted]:
        """Give the letters that wait in a mail."""
        keys = self._bundles.get(name, (name,))
        return [letter for key in keys if (letter := self._letters[key]).status == "waiting"]

    # Sending.

    def transmitting(self, worker: str, claimed: Claimed, message_id: str, now: datetime) -> None:
        """Look at a mail whose sending begins."""
        for notice in (claimed.notice, *claimed.merged):
            key = notice_key(notice.obligation_key, notice.rung, notice.contact_ref)
            if key not in self._letters:
                self.broken("nothing before it is recorded", f"{key} is sent and in no committed decision")
            letter = self._letters[key]
            letter.message_ids.add(message_id)
            if letter.message_ids != {letter.bundle or key}:
                self.broken("one Message-ID", f"{key} goes out as {sorted(letter.message_ids)}")
            if letter.status != "waiting":
                self.broken("no repeat", f"{key} is {letter.status} and is sent again")
            if letter.holder != worker or letter.until is None or letter.until < now:
                self.broken("one holder", f"{worker} sends {key}, which {letter.holder} has until {letter.until}")
            letter.in_flight.add(worker)
        self._was_asked_lately(self._told_in(claimed), now)
        self._say(f"{worker} sends {_named(claimed)}")

    def _was_asked_lately(self, letters: Sequence[Posted], now: datetime) -> None:
        """Who claimed a mail, and was shut for hours, asks again before it is sent."""
        if all(letter.asked_at is not None and letter.asked_at + ASKED > now for letter in letters):
            return
        self._readers_are_left_alone(letters, now, self._manners)
        for letter in letters:
            self._is_still_meant(letter, now, self._manners)

    def accepted(self, worker: str, claimed: Claimed, reply_lost: bool) -> None:  # noqa: FBT001 - said by position by a timer
        """Note that the server took a mail."""
        self.count["accepted"] += 1
        self._say(f"the server takes {claimed.message_id}{' (nobody hears of it)' if reply_lost else ''}")
        for notice in (claimed.notice, *claimed.merged):
            letter = self._letters[notice.key]
            letter.accepted += 1
            if letter.accepted > 1 + letter.excused:
                what = f"{letter.key} was taken {letter.accepted} times, {letter.excused} of them excused"
                self.broken("no repeat", what)
            if not reply_lost and worker in letter.in_flight:
                letter.unmarked_by.add(worker)

    def given_up(self, claimed: Claimed) -> None:
        """Note that nobody waits any more for the reply to a mail that the server took, or takes in a while."""
        for notice in (claimed.notice, *claimed.merged):
            self._letters[notice.key].excused += 1

    # Marking.

    def settled(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Look at what was marked: by who had the mail, each letter of it, and only what happened."""
        left: dict[str, tuple[str, datetime]] = {}
        for entry in self._read_ledgers():
            letter = self._letters[entry.subject]
            if letter.holder != worker:
                self.broken("a lost lease marks nothing", f"{worker} marked {entry.subject} of {letter.holder}")
            if letter.status != "waiting":
                self.broken("no repeat", f"{entry.subject} was {letter.status} and is marked {entry.kind}")
            if entry.kind == "sent" and not letter.accepted:
                self.broken("nothing recorded is lost", f"{entry.subject} is marked sent and no server took it")
            letter.status = entry.kind
            if entry.kind == "sent":
                left[letter.held_as] = letter.contact_ref, datetime.fromisoformat(entry.at)
        self._left += left.values()
        for receipt in receipts:
            for key in self._bundles.get(receipt.message_id, (receipt.message_id,)):
                self._is_marked_with_its_mail(worker, self._letters[key], receipt)
        if receipts:
            self._say(f"{worker} marks " + ", ".join(f"{one.message_id} {one.outcome}" for one in receipts))

    def _is_marked_with_its_mail(self, worker: str, letter: Posted, receipt: Receipt) -> None:
        letter.unmarked_by.discard(worker)
        letter.in_flight.discard(worker)
        if letter.holder != worker or letter.held_as != receipt.message_id:
            return
        if letter.status != _ENDED_AS.get(receipt.outcome, "waiting"):
            self.broken("a bundle is settled whole", f"{letter.key} is {letter.status}, its mail {receipt.outcome}")
        letter.let_go()
        letter.again_at = receipt.retry_at

    def released(self) -> None:
        """Note that letters that failed wait again."""
        for entry in self._read_ledgers():
            letter = self._letters[entry.subject]
            if (entry.kind, letter.status) != ("released", "failed"):
                self.broken("nothing recorded is lost", f"{entry.subject} was {letter.status} and is {entry.kind}")
            letter.status, letter.again_at = "waiting", None


def _named(mail: Claimed) -> str:
    """Name a mail, and its letters where there are several."""
    return f"{mail.message_id}{_list(notice.key for notice in (mail.notice, *mail.merged)) if mail.merged else ''}"


def _list(keys: Iterable[str]) -> str:
    return f" ({', '.join(keys)})"
