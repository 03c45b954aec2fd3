"""The store on SQLAlchemy: each method is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

from sqlalchemy import Connection, and_, or_, select

from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Holdings
from pfflow.domain.facts import Facts, Interaction
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.kept_letters import KeptLetters
from pfflow.domain.ledger import Break, Entry
from pfflow.domain.manners import FREE, Manners
from pfflow.domain.obligations import Obligation, Status
from pfflow.domain.opt_outs import OptionalLetter
from pfflow.domain.project import Move, Phase
from pfflow.domain.replanning import Settled, Sitting
from pfflow.domain.trouble import Undelivered
from pfflow.domain.words import Stage
from pfflow.ports import Claimed, NotHeld, Receipt, Taken
from pfflow.store import (
    calendars,
    chain,
    decisions,
    fact_reads,
    fact_writes,
    holding,
    kept_letters,
    mail_switch,
    migrate,
    opt_outs,
    outbox,
    overview,
    past,
    playbooks,
    rehearsals,
    settled_plans,
)
from pfflow.store.calendars import ListImport
from pfflow.store.decisions import DecisionRecord
from pfflow.store.engine import Engines, open_engines, transaction
from pfflow.store.errors import KeptRehearsalError, UnknownProjectError
from pfflow.store.holding import HeldProject
from pfflow.store.kept_facts import KeptFacts
from pfflow.store.mail_switch import MailTurn
from pfflow.store.outbox import Letter, LetterStatus
from pfflow.store.overview import Deliveries, ProjectOverview
from pfflow.store.playbooks import StoredPlaybook
from pfflow.store.rehearsals import Keeping, Rehearsal
from pfflow.store.settled_plans import Standing
from pfflow.store.tables import LetterRow, ObligationRow, ProjectHeadRow

_TRIAL = "a dry run"
"""Who claims what nobody is to send."""


class SqlStore:
    """The book of record on SQLite or PostgreSQL, safe to share between threads; a process opens its own."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._kept = KeptFacts()
        self._is_a_house = False

    @classmethod
    def open(cls, url: str) -> SqlStore:
        """Open sqlite:///path, postgresql://… or postgresql+psycopg://…; connections are made when first needed.

        Raises UnsupportedDatabaseError for any other URL.
        """
        return cls(open_engines(url))

    def close(self) -> None:
        """Close the pool's connections."""
        self._engines.reading.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def migrate(self) -> None:
        """Bring the tables to the newest revision; where they are, nobody is waited for."""
        with transaction(self._engines.reading) as connection:
            if migrate.is_current(connection):
                return
        with transaction(self._engines.writing) as connection:
            migrate.upgrade(connection)

    def rehearsal(self) -> Rehearsal | None:
        """Give the rehearsal that is kept here; None in the database of a house."""
        with transaction(self._engines.reading) as connection:
            return rehearsals.rehearsal_in(connection)

    def refuse_rehearsal(self) -> None:
        """Raise KeptRehearsalError where a rehearsal is kept: nothing but `keeping` may write to it."""
        if not self._is_a_house:
            kept = self.rehearsal()
            if kept is not None:
                raise KeptRehearsalError(
                    f"{kept.project_ref}, {kept.playbook}, {kept.first_on.isoformat()} to {kept.last_on.isoformat()}"
                )
            self._is_a_house = True

    @contextmanager
    def keeping(self, kept: Rehearsal, at: datetime) -> Iterator[Keeping]:
        """Mark an empty database as a rehearsal's and give what writes it: all is kept when the block ends, or none."""
        with transaction(self._engines.writing) as connection:
            yield Keeping(connection, kept, at)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        self.refuse_rehearsal()
        with transaction(self._engines.writing) as connection:
            yield connection

    def import_facts(self, facts: Facts, at: datetime, by: str) -> int:
        """Write the records that are new or changed, all or none; gives how many.

        Every project that a change concerns gets one ledger entry and a higher version; the same facts twice change
        nothing. An existing project's phase stays: `move_phase` moves it. Raises OrphanError, DuplicateRecordError.
        """
        with self._writing() as connection:
            return fact_writes.import_facts(connection, facts, at, by)

    def facts(self, project_ref: str | None = None) -> Facts:
        """Give all facts, or those that concern one project. Raises UnknownProjectError."""
        with transaction(self._engines.reading) as connection:
            if project_ref is None:
                return fact_reads.all_facts(connection)
            return fact_reads.facts_of(connection, project_ref)

    def report_touch(self, interaction: Interaction, by: str, at: datetime) -> bool:
        """Write an interaction down once by its ext_id; gives whether it was new. Raises UnknownProjectError."""
        with self._writing() as connection:
            return fact_writes.report_touch(connection, interaction, by, at)

    def move_phase(self, project_ref: str, move: Move, by: str, evidence: str, at: datetime) -> Phase:
        """Move a project to its next phase, with who, when and why in the ledger; gives the phase.

        Whether the gate is open is the caller's to judge. Raises UnknownProjectError, PhaseError.
        """
        with self._writing() as connection:
            return fact_writes.move_phase(connection, project_ref, move, by=by, evidence=evidence, at=at)

    def adopt_playbook(self, text: str, name: str, version: int, at: datetime, by: str) -> StoredPlaybook:
        """Put a playbook in force; adopting the one in force again changes nothing."""
        with self._writing() as connection:
            return playbooks.adopt(connection, text, name, version, at=at, by=by)

    def playbook(self) -> StoredPlaybook | None:
        """Give the playbook in force, or None."""
        with transaction(self._engines.reading) as connection:
            return playbooks.in_force(connection)

    def import_holidays(self, entered: HouseList, at: datetime, by: str, *, everywhere: bool = True) -> ListImport:
        """Put a holiday list's years in place of what was entered for them; the same list again changes nothing.

        The projects concerned decide anew and get a ledger entry: all if `everywhere` (the list is the house's or the
        playbook's), else those whose own calendars name the list's.
        """
        with self._writing() as connection:
            return calendars.import_list(connection, entered, everywhere=everywhere, at=at, by=by)

    def house_lists(self) -> tuple[HouseList, ...]:
        """Give the holiday lists the house entered, as they now stand; read again only when one was imported."""
        with transaction(self._engines.reading) as connection:
            return self._kept.lists.of(connection)

    def calendar_edition(self, version: str) -> BusinessCalendar:
        """Give the calendar dates were planned by, from the version (or its first twelve characters) in the ledger.

        Raises UnknownEditionError, BrokenEditionError.
        """
        with transaction(self._engines.reading) as connection:
            return calendars.edition(connection, version)

    def project_refs(self) -> tuple[str, ...]:
        """Give all project refs in order."""
        with transaction(self._engines.reading) as connection:
            return tuple(sorted(connection.execute(select(ProjectHeadRow.project_ref)).scalars()))

    def projects(self) -> tuple[ProjectOverview, ...]:
        """Give one line for every project, in order of ref."""
        with transaction(self._engines.reading) as connection:
            return overview.overviews(connection)

    def deliveries(self, project_refs: Sequence[str] | None = None) -> tuple[Deliveries, ...]:
        """Give how many letters went by which channel, of all projects or some, in order of ref and channel."""
        with transaction(self._engines.reading) as connection:
            return overview.deliveries(connection, project_refs)

    def decided_after(self, project_refs: Sequence[str], stage: Stage, as_of: datetime) -> dict[str, datetime]:
        """Give to which instant a stage has decided for those projects for which that is later, by their refs."""
        with transaction(self._engines.reading) as connection:
            return overview.decided_after(connection, project_refs, stage, as_of)

    def deciding(
        self, project_ref: str, stage: Stage, as_of: datetime, *, again: bool = False
    ) -> AbstractContextManager[HeldProject | NotHeld]:
        """Hold a project while a stage decides for it, in one transaction with what it records.

        An exception inside the hold rolls everything back. With `again` it is given although the stage has decided at
        this instant: a plan that people approved is more than the stage said. Raises UnknownProjectError on entering.
        """
        self.refuse_rehearsal()
        return holding.deciding(self._engines.writing, self._kept, project_ref, stage, as_of, again=again)

    def holdings(self, project_ref: str) -> Holdings:
        """Give all that is held on a project, to be read and not decided on. Raises UnknownProjectError."""
        with transaction(self._engines.reading) as connection:
            head = select(ProjectHeadRow.version, ProjectHeadRow.engaged_at).where(
                ProjectHeadRow.project_ref == project_ref
            )
            found = connection.execute(head).first()
            if found is None:
                raise UnknownProjectError(project_ref)
            # One instant is seen throughout, so the facts are those of the version read with them.
            facts = self._kept.of(project_ref, found.version, lambda: fact_reads.facts_of(connection, project_ref))
            return holding.holdings_of(connection, facts, found.engaged_at, self._kept.lists.of(connection))

    def standings(self, project_refs: Sequence[str]) -> dict[str, Standing]:
        """Give where projects stand for a plan, by their refs. Raises UnknownProjectError."""
        with transaction(self._engines.reading) as connection:
            found = settled_plans.standings(connection, project_refs)
        for ref in project_refs:
            if ref not in found:
                raise UnknownProjectError(ref)
        return found

    def keep_settled(self, marks: Sequence[Settled]) -> None:
        """Keep the marks of plans that found nothing to change, each in place of its project's last."""
        if marks:
            with self._writing() as connection:
                settled_plans.keep(connection, marks)

    def settled_sittings(self, marks: Mapping[str, Settled], as_of: datetime) -> tuple[Sitting, ...]:
        """Give the meetings ahead of projects whose marks, by their refs, still hold."""
        with transaction(self._engines.reading) as connection:
            return tuple(settled_plans.sittings(connection, marks, as_of))

    def obligations(self, project_ref: str | None = None, status: Status | None = None) -> tuple[Obligation, ...]:
        """Give obligations in order of due instant, all or those of a project or status."""
        chosen = [ObligationRow.project_ref == project_ref] if project_ref is not None else []
        chosen += [ObligationRow.status == status] if status is not None else []
        with transaction(self._engines.reading) as connection:
            return holding.obligations_where(connection, *chosen)

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
        """Take up to `limit` waiting letters for `seconds`, oldest first; nobody else is given them until then.

        None are given while the stop switch is on; what manners keep waits on, with the reason and until when, and what
        is of no use any more is held. With `chat` it takes chat texts instead.
        """
        with self._writing() as connection:
            return outbox.claim(connection, worker, now, limit, seconds, manners, chat=chat)

    def renew(self, worker: str, keys: Sequence[str], until: datetime) -> frozenset[str]:
        """Hold letters this worker has claimed until another instant; gives those it still had."""
        with self._writing() as connection:
            return outbox.renew(connection, worker, keys, until)

    def would_leave(
        self, now: datetime, limit: int, manners: Manners = FREE
    ) -> tuple[tuple[Claimed, ...], tuple[Letter, ...]]:
        """Give what a claim would take now, and what it would leave waiting or finds held; nothing is changed.

        It is a claim that is taken back, so that what is told is what would be.
        """
        with self._writing() as connection:
            going = outbox.claim(connection, _TRIAL, now, limit, 1.0, manners)
            left = or_(LetterRow.claimed_by.is_(None), LetterRow.claimed_by != _TRIAL)
            kept = outbox.letters_where(connection, LetterRow.status.in_(["waiting", "held"]), left)
            connection.rollback()
        return going, kept[:limit]

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Write down what became of the letters this worker still holds, in the outbox and in the ledger."""
        with self._writing() as connection:
            outbox.settle(connection, worker, receipts)

    def release(self, status: Literal["held", "failed"], by: str, at: datetime) -> int:
        """Let letters that were held or that failed wait to be sent again; gives how many that were."""
        with self._writing() as connection:
            return outbox.release(connection, status, by, at)

    def instant(self) -> datetime | None:
        """Give the database server's instant; None on SQLite, whose clock is this machine's."""
        with transaction(self._engines.reading) as connection:
            return outbox.server_instant(connection)

    def waiting(self, now: datetime, *, chat: bool = False) -> tuple[int, datetime | None]:
        """Give how many letters (or chat texts) may go now, and the next instant at which one more may, or None."""
        with transaction(self._engines.reading) as connection:
            return outbox.waiting(connection, now, chat=chat)

    def unclaimed(self, now: datetime, before: datetime) -> tuple[tuple[str, int, datetime], ...]:
        """Give the projects with letters that could have gone before an instant: ref, how many, since when."""
        with transaction(self._engines.reading) as connection:
            return outbox.unclaimed(connection, now, before)

    def turn_mail(self, made: MailTurn) -> bool:
        """Stop or start all mail of the house, for every worker from its next lease on; gives whether that was news."""
        with self._writing() as connection:
            return mail_switch.turn(connection, made)

    def mail_turns(self) -> tuple[MailTurn, ...]:
        """Give every turn of the stop switch, the one in force first."""
        with transaction(self._engines.reading) as connection:
            return mail_switch.turns(connection)

    def opt_out(self, contact_ref: str, kind: OptionalLetter, by: str, at: datetime) -> bool:
        """Write down that a contact wants no more of a kind of letter, in the ledger too; gives whether it is news."""
        with self._writing() as connection:
            return opt_outs.opt_out(connection, contact_ref, kind, by=by, at=at)

    def opt_in(self, contact_ref: str, kinds: Iterable[OptionalLetter], by: str, at: datetime) -> int:
        """Take a contact's opt-outs of some kinds back, in the ledger too; gives how many there were."""
        with self._writing() as connection:
            return opt_outs.opt_in(connection, contact_ref, kinds, by=by, at=at)

    def opt_outs(self, contact_ref: str) -> frozenset[OptionalLetter]:
        """Give the kinds of letters that a contact asked not to be sent."""
        with transaction(self._engines.reading) as connection:
            return frozenset(kind for _, kind in opt_outs.opt_outs(connection, [contact_ref]))

    def kept_letters(self, now: datetime, *, stopped: bool = False) -> tuple[KeptLetters, ...]:
        """Give what has not left, counted by what keeps it; `stopped` where nothing leaves from this environment."""
        with transaction(self._engines.reading) as connection:
            return kept_letters.kept_letters(connection, now, stopped=stopped)

    def letters(self, project_ref: str | None = None, status: LetterStatus | None = None) -> tuple[Letter, ...]:
        """Give letters, oldest first, all or those of a project or status."""
        chosen = [LetterRow.project_ref == project_ref] if project_ref is not None else []
        chosen += [LetterRow.status == status] if status is not None else []
        with transaction(self._engines.reading) as connection:
            return outbox.letters_where(connection, *chosen)

    def undelivered(self, project_ref: str | None = None) -> tuple[Undelivered, ...]:
        """Give the letters, all or a project's, that failed or that our own fault keeps back."""
        with transaction(self._engines.reading) as connection:
            return outbox.undelivered(connection, project_ref)

    def ledger(self, project_ref: str) -> tuple[Entry, ...]:
        """Give a project's ledger entries in order. Raises UnknownProjectError."""
        with transaction(self._engines.reading) as connection:
            fact_writes.require_project(connection, project_ref)
            return chain.entries_of(connection, project_ref)

    def planned_at(self, project_ref: str, obligation_key: str) -> datetime | None:
        """Give when an obligation was first planned, by the ledger; None where it says nothing of that."""
        with transaction(self._engines.reading) as connection:
            return chain.first_at(connection, project_ref, "planned", obligation_key)

    def decisions(self, project_ref: str) -> tuple[DecisionRecord, ...]:
        """Give the decisions recorded for a project that said by what they were made, oldest first."""
        with transaction(self._engines.reading) as connection:
            return decisions.decisions_of(connection, project_ref)

    def holdings_before(self, decision: DecisionRecord) -> Holdings:
        """Give what was held on a project just before a decision: what it was made on. Raises UnknownProjectError."""
        with transaction(self._engines.reading) as connection:
            return past.holdings_before(connection, decision)

    def obligations_after(self, decision: DecisionRecord) -> tuple[Obligation, ...]:
        """Give a project's obligations as a decision left them, in order of due instant and key."""
        with transaction(self._engines.reading) as connection:
            return past.obligations_after(connection, decision)

    def adopted(self, sha256: str) -> StoredPlaybook | None:
        """Give the playbook with this digest of its text, as it was adopted first; None where none was."""
        with transaction(self._engines.reading) as connection:
            return playbooks.with_digest(connection, sha256)

    def letter(self, key: str) -> Letter | None:
        """Give the letter with this key, or the one that leads the mail whose Message-ID is made of it; else None."""
        leading = and_(LetterRow.bundle == key, LetterRow.leads)
        with transaction(self._engines.reading) as connection:
            return next(iter(outbox.letters_where(connection, or_(LetterRow.key == key, leading))), None)

    def verify(self) -> tuple[Break, ...]:
        """Give the first break of every chain that is broken; none means that the ledger stands as it was written."""
        with transaction(self._engines.reading) as connection:
            return chain.breaks(connection)
