"""The store on SQLAlchemy: each method is one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

from sqlalchemy import select

from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Holdings
from pfflow.domain.facts import Facts, Interaction
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.ledger import Break, Entry
from pfflow.domain.obligations import Obligation, Status
from pfflow.domain.project import Move, Phase
from pfflow.domain.words import Stage
from pfflow.ports import Claimed, Deciding, NotHeld, Receipt
from pfflow.store import calendars, chain, fact_reads, fact_writes, holding, migrate, outbox, overview, playbooks
from pfflow.store.calendars import ListImport
from pfflow.store.engine import Engines, open_engines, transaction
from pfflow.store.errors import UnknownProjectError
from pfflow.store.kept_facts import KeptFacts
from pfflow.store.outbox import Letter, LetterStatus
from pfflow.store.overview import ProjectOverview
from pfflow.store.playbooks import StoredPlaybook
from pfflow.store.tables import LetterRow, ObligationRow, ProjectHeadRow


class SqlStore:
    """The book of record on SQLite or PostgreSQL, safe to share between threads; a process opens its own."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._kept = KeptFacts()

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

    def import_facts(self, facts: Facts, at: datetime, by: str) -> int:
        """Write the records that are new or changed, all or none; gives how many.

        Every project that a change concerns gets one ledger entry and a higher version; the same facts twice change
        nothing. An existing project's phase stays: `move_phase` moves it. Raises OrphanError, DuplicateRecordError.
        """
        with transaction(self._engines.writing) as connection:
            return fact_writes.import_facts(connection, facts, at, by)

    def facts(self, project_ref: str | None = None) -> Facts:
        """Give all facts, or those that concern one project. Raises UnknownProjectError."""
        with transaction(self._engines.reading) as connection:
            if project_ref is None:
                return fact_reads.all_facts(connection)
            return fact_reads.facts_of(connection, project_ref)

    def report_touch(self, interaction: Interaction, by: str, at: datetime) -> bool:
        """Write an interaction down once by its ext_id; gives whether it was new. Raises UnknownProjectError."""
        with transaction(self._engines.writing) as connection:
            return fact_writes.report_touch(connection, interaction, by, at)

    def move_phase(self, project_ref: str, move: Move, by: str, evidence: str, at: datetime) -> Phase:
        """Move a project to its next phase, with who, when and why in the ledger; gives the phase.

        Whether the gate is open is the caller's to judge. Raises UnknownProjectError, PhaseError.
        """
        with transaction(self._engines.writing) as connection:
            return fact_writes.move_phase(connection, project_ref, move, by=by, evidence=evidence, at=at)

    def adopt_playbook(self, text: str, name: str, version: int, at: datetime, by: str) -> StoredPlaybook:
        """Put a playbook in force; adopting the one in force again changes nothing."""
        with transaction(self._engines.writing) as connection:
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
        with transaction(self._engines.writing) as connection:
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

    def deciding(
        self, project_ref: str, stage: Stage, as_of: datetime, *, again: bool = False
    ) -> AbstractContextManager[Deciding | NotHeld]:
        """Hold a project while a stage decides for it, in one transaction with what it records.

        An exception inside the hold rolls everything back. With `again` it is given although the stage has decided at
        this instant: a plan that people approved is more than the stage said. Raises UnknownProjectError on entering.
        """
        return holding.deciding(self._engines.writing, self._kept, project_ref, stage, as_of, again=again)

    def holdings(self, project_ref: str) -> Holdings:
        """Give all that is held on a project, to be read and not decided on. Raises UnknownProjectError."""
        with transaction(self._engines.reading) as connection:
            head = select(ProjectHeadRow.engaged_at).where(ProjectHeadRow.project_ref == project_ref)
            found = connection.execute(head).first()
            if found is None:
                raise UnknownProjectError(project_ref)
            facts, lists = fact_reads.facts_of(connection, project_ref), self._kept.lists.of(connection)
            return holding.holdings_of(connection, facts, found.engaged_at, lists)

    def obligations(self, project_ref: str | None = None, status: Status | None = None) -> tuple[Obligation, ...]:
        """Give obligations in order of due instant, all or those of a project or status."""
        chosen = [ObligationRow.project_ref == project_ref] if project_ref is not None else []
        chosen += [ObligationRow.status == status] if status is not None else []
        with transaction(self._engines.reading) as connection:
            return holding.obligations_where(connection, *chosen)

    def claim(self, worker: str, now: datetime, limit: int, seconds: float) -> tuple[Claimed, ...]:
        """Take up to `limit` waiting letters for `seconds`, oldest first; nobody else is given them until then."""
        with transaction(self._engines.writing) as connection:
            return outbox.claim(connection, worker, now, limit, seconds)

    def settle(self, worker: str, receipts: Sequence[Receipt]) -> None:
        """Write down what became of the letters this worker still holds, in the outbox and in the ledger."""
        with transaction(self._engines.writing) as connection:
            outbox.settle(connection, worker, receipts)

    def release(self, status: Literal["held", "failed"], by: str, at: datetime) -> int:
        """Let letters that were held or that failed wait to be sent again; gives how many that were."""
        with transaction(self._engines.writing) as connection:
            return outbox.release(connection, status, by, at)

    def waiting(self, now: datetime) -> tuple[int, datetime | None]:
        """Give how many letters may go now, and the next instant at which one more may, or None."""
        with transaction(self._engines.reading) as connection:
            return outbox.waiting(connection, now)

    def letters(self, project_ref: str | None = None, status: LetterStatus | None = None) -> tuple[Letter, ...]:
        """Give letters, oldest first, all or those of a project or status."""
        chosen = [LetterRow.project_ref == project_ref] if project_ref is not None else []
        chosen += [LetterRow.status == status] if status is not None else []
        with transaction(self._engines.reading) as connection:
            return outbox.letters_where(connection, *chosen)

    def ledger(self, project_ref: str) -> tuple[Entry, ...]:
        """Give a project's ledger entries in order. Raises UnknownProjectError."""
        with transaction(self._engines.reading) as connection:
            fact_writes.require_project(connection, project_ref)
            return chain.entries_of(connection, project_ref)

    def verify(self) -> tuple[Break, ...]:
        """Give the first break of every chain that is broken; none means that the ledger stands as it was written."""
        with transaction(self._engines.reading) as connection:
            return chain.breaks(connection)
