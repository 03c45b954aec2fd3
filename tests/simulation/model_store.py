"""The store as a model in memory: the same protocol, one dictionary a table, a transaction applied when it ends.

A test holds it equal to the store on SQLite: what a seed does on one it does on the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pfflow.domain.decision import Conclusion, Decision, Holdings
from pfflow.domain.facts import Facts, Interaction, key_of
from pfflow.domain.ladder import Firing
from pfflow.domain.ledger import GENESIS, Entry, EntryDraft, chained
from pfflow.domain.manners import DOMAIN_WINDOW, FREE, RECIPIENT_WINDOW, Manners, Window, bound_by_recipient_cap
from pfflow.domain.notices import EMAIL, Notice
from pfflow.domain.obligations import Obligation
from pfflow.domain.overtaken import Stand, why_overtaken
from pfflow.domain.parties import Contact
from pfflow.domain.trouble import Trouble, Undelivered
from pfflow.domain.words import Stage
from pfflow.ports import Claimed, NotHeld, Receipt, Recorded, Taken
from pfflow.store import MailTurn


@dataclass(slots=True)
class ModelLetter:
    """A letter in the outbox."""

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

    @property
    def key(self) -> str:
        """What its Message-ID is made of."""
        return self.notice.key

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


@dataclass(slots=True)
class _Project:
    facts: Facts
    version: int = 1
    engaged_at: datetime | None = None
    obligations: dict[str, Obligation] = field(default_factory=dict)
    firings: dict[tuple[str, str], Firing] = field(default_factory=dict)
    conclusions: dict[tuple[Stage, str], Conclusion] = field(default_factory=dict)
    marks: dict[Stage, tuple[datetime, int]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


class ModelHeld:
    """A project held for one decision."""

    def __init__(self, holdings: Holdings) -> None:
        self.holdings = holdings
        self.decision: Decision | None = None

    def record(self, decision: Decision) -> Recorded:
        """Keep the decision until the hold ends."""
        self.decision = decision
        return Recorded(entries=len(decision.entries), notices=len(decision.notices))


class ModelStore:
    """The book of record as dictionaries."""

    def __init__(self) -> None:
        self._projects: dict[str, _Project] = {}
        self._letters: dict[str, ModelLetter] = {}
        self._stopped = False

    def turn_mail(self, made: MailTurn) -> bool:
        """Stop or start all mail; gives whether that was news."""
        before, self._stopped = self._stopped, made.stopped
        return before is not made.stopped

    def import_facts(self, facts: Facts, at: datetime, by: str) -> int:
        """Put records in place of those with their keys; every project is touched."""
        for project in facts.projects:
            if project.project_ref not in self._projects:
                self._projects[project.project_ref] = _Project(Facts(), version=0)
        for ref, project_state in self._projects.items():
            project_state.facts = _merged(project_state.facts, _concerning(facts, ref))
            project_state.version += 1
            self._append(ref, [EntryDraft(at=at, stage="register", kind="imported", subject="facts", data={"by": by})])
        return 1

    def report_touch(self, interaction: Interaction, by: str, at: datetime) -> bool:
        """Write an interaction down once."""
        project = self._projects[interaction.project_ref]
        if any(one.ext_id == interaction.ext_id for one in project.facts.interactions):
            return False
        told = tuple(sorted((*project.facts.interactions, interaction), key=lambda one: one.ext_id))
        project.facts = replace(project.facts, interactions=told)
        project.version += 1
        subject = interaction.obligation_key or f"interaction/{interaction.ext_id}"
        data = {"ext_id": interaction.ext_id, "by": by}
        draft = EntryDraft(at=at, stage="register", kind="reported", subject=subject, data=data)
        self._append(interaction.project_ref, [draft])
        return True

    def adopt_playbook(self, _text: str, name: str, version: int, at: datetime, by: str) -> None:
        """Note in every ledger that a playbook is in force."""
        for ref, project in self._projects.items():
            project.version += 1
            draft = EntryDraft(at=at, stage="playbook", kind="adopted", subject=f"{name}/{version}", data={"by": by})
            self._append(ref, [draft])

    def project_refs(self) -> tuple[str, ...]:
        """Give all project refs in order."""
        return tuple(sorted(self._projects))

    @contextmanager
    def deciding(
        self, project_ref: str, stage: Stage, as_of: datetime, *, again: bool = False
    ) -> Iterator[ModelHeld | NotHeld]:
        """Hold a project; what is recorded is applied when the block ends without an exception."""
        project = self._projects[project_ref]
        mark = project.marks.get(stage)
        if mark is not None:
            if as_of < mark[0]:
                yield NotHeld("past")
                return
            if as_of == mark[0] and project.version == mark[1] and not again:
                yield NotHeld("unchanged")
                return
        held = ModelHeld(self.holdings(project_ref))
        yield held
        if held.decision is not None:
            self._apply(project, held.decision)

    def _apply(self, project: _Project, decision: Decision) -> None:
        project.obligations.update((one.key, one) for one in decision.obligations)
        for firing in decision.firings:
            project.firings.setdefault((firing.obligation_key, firing.rung), firing)
        project.conclusions.update(((one.stage, one.subject), one) for one in decision.conclusions)
        for notice in decision.notices:
            self._letters.setdefault(notice.key, ModelLetter(notice))
        self._append(decision.project_ref, decision.entries)
        project.marks[decision.stage] = (decision.as_of, project.version)
        project.engaged_at = project.engaged_at or decision.as_of

    def _append(self, ref: str, drafts: Iterable[EntryDraft]) -> None:
        entries = self._projects[ref].entries
        last = entries[-1].digest if entries else GENESIS
        entries += chained(ref, len(entries), last, [replace(d, at=d.at.astimezone(UTC)) for d in drafts])

    def holdings(self, project_ref: str) -> Holdings:
        """Give all that is held on a project, in the order the store gives it."""
        project = self._projects[project_ref]
        owed = sorted(project.obligations.values(), key=lambda one: (one.due_at, one.key))
        fired = sorted(project.firings.values(), key=lambda one: (one.fired_at, one.obligation_key, one.rung))
        return Holdings(
            project=project.facts.projects[0],
            facts=project.facts,
            obligations={one.key: one for one in owed},
            firings={(one.obligation_key, one.rung): one for one in fired},
            conclusions=dict(sorted(project.conclusions.items())),
            engaged_at=project.engaged_at,
            decided_to={stage: mark[0] for stage, mark in project.marks.items()},
            undelivered=self._undelivered(project_ref),
        )

    def _undelivered(self, project_ref: str) -> tuple[Undelivered, ...]:
        found = []
        for one in self._letters.values():
            if one.notice.project_ref == project_ref and one.trouble and one.troubled_at:
                names = ("key", "project_ref", "obligation_key", "rung", "contact_ref", "template")
                said = {name: getattr(one.notice, name) for name in names}
                found.append(Undelivered(**said, trouble=one.trouble, since=one.troubled_at))
        return tuple(sorted(found, key=lambda one: (one.since, one.key)))

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
        """Take up to `limit` letters, or chat texts, oldest first; what caps keep is put off."""
        if self._stopped:
            return Taken()
        withheld: list[Receipt] = []
        until = now + timedelta(seconds=seconds)
        taken: list[ModelLetter] = []
        while len(taken) < limit:
            ready = sorted((one for one in self._of(chat=chat) if one.may_go(now)), key=_age)[: limit - len(taken)]
            if not ready:
                break
            withheld += self._withhold_overtaken(ready, now)
            going = self._within_caps([one for one in ready if one.status == "waiting"], manners, now)
            for one in going:
                one.claimed_by, one.claimed_until = worker, until
            taken += going
        return Taken((self._claimed(one, until) for one in taken), withheld)

    def _within_caps(self, ready: Sequence[ModelLetter], manners: Manners, now: datetime) -> list[ModelLetter]:
        """Give what may go; each of the others waits until its window has room for it."""
        going = []
        readers: dict[str, Window | None] = {
            one.notice.contact_ref: self._window(manners.recipient_cap, RECIPIENT_WINDOW, now, one.notice.contact_ref)
            for one in ready
        }
        domain = self._window(manners.domain_cap, DOMAIN_WINDOW, now)
        for one in ready:
            reader = readers[one.notice.contact_ref]
            bound = reader if bound_by_recipient_cap(one.notice) else None
            waits = [(at, w) for w in (bound, domain) if w is not None and (at := w.next_at(now)) is not None]
            if waits:
                one.next_try_at, window = max(waits, key=lambda wait: wait[0])
                window.count([one.next_try_at])
                continue
            for window in filter(None, (reader, domain)):
                window.count([now])
            one.domain = "house.example" if manners.domain_cap is not None else one.domain
            going.append(one)
        return going

    def _window(self, cap: int | None, span: timedelta, now: datetime, reader: str = "") -> Window | None:
        if cap is None:
            return None
        window = Window(cap, span)
        for one in self._letters.values():
            counts = one.notice.contact_ref == reader if reader else one.domain != ""
            on_its_way = one.sent_at is None and one.claimed_until is not None and one.claimed_until > now
            if counts and (on_its_way or (one.sent_at is not None and one.sent_at > now - span)):
                window.count([one.sent_at or now])
        return window

    def _withhold_overtaken(self, ready: Sequence[ModelLetter], now: datetime) -> list[Receipt]:
        drafts: dict[str, list[EntryDraft]] = {}
        receipts = []
        for one in ready:
            owed = self._projects[one.notice.project_ref].obligations.get(one.notice.obligation_key)
            if owed and overtaken_by(one.notice, owed):
                one.status, one.claimed_by, one.claimed_until, one.next_try_at = "held", None, None, None
                receipts.append(Receipt(message_id=one.key, outcome="held", at=now))
                drafts.setdefault(one.notice.project_ref, []).append(_settled(one, receipts[-1]))
        for ref, some in sorted(drafts.items()):
            self._append(ref, some)
        return receipts

    def _claimed(self, letter: ModelLetter, until: datetime) -> Claimed:
        return Claimed(
            message_id=letter.key,
            notice=letter.notice,
            contact=self._contact(letter.notice),
            attempts=letter.attempts,
            until=until,
        )

    def _contact(self, notice: Notice) -> Contact:
        contacts = self._projects[notice.project_ref].facts.contacts
        return next(one for one in contacts if one.contact_ref == notice.contact_ref)

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold letters until another instant; gives those that were still the worker's."""
        mine = [one for key in keys if (one := self._letters[key]).claimed_by == worker and one.status == "waiting"]
        for one in mine:
            one.claimed_until = until
        return frozenset(one.key for one in mine)

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Write down what became of the letters the worker still holds."""
        drafts: dict[str, list[EntryDraft]] = {}
        for receipt in sorted({one.message_id: one for one in receipts}.values(), key=lambda one: one.message_id):
            letter = self._letters[receipt.message_id]
            if letter.claimed_by != worker or letter.status != "waiting":
                continue
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

    def _of(self, *, chat: bool) -> list[ModelLetter]:
        return [one for one in self._letters.values() if (one.notice.channel != EMAIL) is chat]

    def waiting(self, now: datetime, *, chat: bool = False) -> tuple[int, datetime | None]:
        """Give how many letters may go, and when the next of the others may; none while mail is stopped."""
        if self._stopped:
            return 0, None
        left = [one for one in self._of(chat=chat) if one.status == "waiting"]
        later = [at for one in left if (at := one.free_at()) is not None and at > now]
        return sum(one.may_go(now) for one in left), min(later, default=None)

    def ledger(self, project_ref: str) -> tuple[Entry, ...]:
        """Give a project's entries in order."""
        return tuple(self._projects[project_ref].entries)

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


def _concerning(facts: Facts, ref: str) -> Facts:
    own: Mapping[str, Any] = {
        sheet: tuple(one for one in some if getattr(one, "project_ref", ref) == ref)
        for sheet, some in facts.sheets().items()
    }
    return Facts(**own)


def _merged(held: Facts, more: Facts) -> Facts:
    sheets: dict[str, Any] = {}
    for sheet, some in held.sheets().items():
        by_key = {key_of(sheet, one): one for one in (*some, *more.sheets()[sheet])}
        sheets[sheet] = tuple(by_key[key] for key in sorted(by_key))
    return Facts(**sheets)
