"""Keeping a rehearsal: the mark that a database is of one, and writing what was lived, all of it in one transaction.

Nothing of a rehearsal may ever be sent. So its letters are held from the moment they are written, its mail is stopped,
and a database with the mark is refused to whoever would write to it: each alone would do.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime

from sqlalchemy import Connection, insert, select

from pfflow.domain.decision import Decision, Holdings
from pfflow.domain.facts import Facts, Interaction
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.kept_letters import REHEARSED
from pfflow.domain.project import Move
from pfflow.ports import Recorded
from pfflow.store import calendars, fact_writes, mail_switch, outbox, playbooks
from pfflow.store.holding import HeldProject
from pfflow.store.mail_switch import MailTurn
from pfflow.store.statements import table_of
from pfflow.store.tables import ProjectHeadRow, RehearsalRow

BY = "rehearsal"
"""Who imports, says and moves in a rehearsal, as the ledger has it."""

_STOPPED = "仅为预演，永不发出 · only rehearsed, never sent"
"""Why mail is stopped where a rehearsal is kept, as `pfflow mail status` says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What was rehearsed: a project, by which playbook (name/version) and script, from which day to which."""

    project_ref: str
    playbook: str
    script: str
    first_on: date
    last_on: date


_NAMES = tuple(field.name for field in fields(Rehearsal))


def rehearsal_in(connection: Connection) -> Rehearsal | None:
    """Give the rehearsal that a database keeps; None for the database of a house."""
    row = connection.execute(select(table_of(RehearsalRow)).limit(1)).first()
    return Rehearsal(**{name: row._mapping[name] for name in _NAMES}) if row else None  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


class Keeping:
    """One rehearsed project being written down, in the order it is lived. Raises ValueError where others are held."""

    def __init__(self, connection: Connection, kept: Rehearsal, at: datetime) -> None:
        if connection.execute(select(ProjectHeadRow.project_ref).limit(1)).first() is not None:
            raise ValueError("a rehearsal is kept in a database of its own, and this one has projects")
        connection.execute(insert(table_of(RehearsalRow)), {name: getattr(kept, name) for name in _NAMES})
        stopped = MailTurn(stopped=True, turned_at=at, turned_by=BY, because=_STOPPED)
        mail_switch.turn(connection, stopped)
        self._connection = connection
        self._project_ref = kept.project_ref

    def learn(self, facts: Facts, at: datetime) -> None:
        """Write records down as an import does; a project's phase is left as it is."""
        fact_writes.import_facts(self._connection, facts, at, BY)

    def adopt(self, text: str, name: str, version: int, at: datetime) -> None:
        """Put the playbook in force."""
        playbooks.adopt(self._connection, text, name, version, at=at, by=BY)

    def hear(self, touch: Interaction) -> None:
        """Write down what somebody said, when it was said."""
        fact_writes.report_touch(self._connection, touch, BY, touch.at)

    def move(self, move: Move, at: datetime) -> None:
        """Move the project to its next phase."""
        fact_writes.move_phase(self._connection, self._project_ref, move, by=BY, evidence=BY, at=at)

    def enter(self, arrived: HouseList, at: datetime) -> None:
        """Write a holiday list down."""
        calendars.import_list(self._connection, arrived, everywhere=True, at=at, by=BY)

    def record(self, decision: Decision, holdings: Holdings) -> Recorded:
        """Write a decision down that was made on these holdings, by the code that records any; its letters are held."""
        this = ProjectHeadRow.project_ref == self._project_ref
        version = self._connection.execute(select(ProjectHeadRow.version).where(this)).scalar_one()
        written = HeldProject(self._connection, decision.stage, decision.as_of, version, holdings).record(decision)
        if written.notices:
            outbox.hold_waiting(self._connection, REHEARSED, decision.as_of)
        return written
