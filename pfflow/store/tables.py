"""The tables of what the house does: obligations, firings, conclusions, ledger, outbox, playbook, calendars.

What the register says has its own tables, in `pfflow.store.fact_tables`. `docs/store.md` has one line for each.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Integer, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pfflow.domain.obligations import ObligationKind, Status
from pfflow.domain.words import Stage
from pfflow.store.column_types import EnumText, ExactDecimal, PlainJson, UtcInstant

COLUMN_TYPES: dict[Any, Any] = {
    str: Text(),
    int: BigInteger(),
    date: Date(),
    datetime: UtcInstant(),
    Decimal: ExactDecimal(),
    Stage: EnumText(Stage),
    Status: EnumText(Status),
    ObligationKind: EnumText(ObligationKind),
    dict[str, Any]: PlainJson,
    list[str]: PlainJson,
    list[int]: PlainJson,
}
"""The column type for each type of value."""


class Base(DeclarativeBase):
    """All tables; constraint names are derived, so that a migration can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = COLUMN_TYPES


def _of_project(*, primary_key: bool = False) -> Mapped[str]:
    return mapped_column(ForeignKey("project.project_ref"), primary_key=primary_key)


class ProjectHeadRow(Base):
    """The row a deciding worker holds; `version` goes up with every change of the facts that concern the project."""

    __tablename__ = "project_head"

    project_ref: Mapped[str] = _of_project(primary_key=True)
    version: Mapped[int]
    engaged_at: Mapped[datetime | None]


class LedgerHeadRow(Base):
    """Where a project's chain ends; held only while entries are appended, so that posting never waits for deciding."""

    __tablename__ = "ledger_head"

    project_ref: Mapped[str] = _of_project(primary_key=True)
    seq: Mapped[int]
    digest: Mapped[str]


class LedgerRow(Base):
    """An entry of the ledger, every column of it as it was hashed."""

    __tablename__ = "ledger_entry"

    project_ref: Mapped[str] = _of_project(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str]
    stage: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    data: Mapped[str]
    previous: Mapped[str]
    digest: Mapped[str]


class StageMarkRow(Base):
    """How far a stage has decided for a project, and what version of the facts it saw."""

    __tablename__ = "stage_mark"

    project_ref: Mapped[str] = _of_project(primary_key=True)
    stage: Mapped[Stage] = mapped_column(primary_key=True)
    decided_to: Mapped[datetime]
    decided_version: Mapped[int]


class ObligationRow(Base):
    """Something a party owes another by a day."""

    __tablename__ = "obligation"
    __table_args__ = (
        Index("ix_obligation_status_due_at", "status", "due_at"),
        Index("ix_obligation_project_ref_stage_due_at", "project_ref", "stage", "due_at"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    project_ref: Mapped[str] = _of_project()
    stage: Mapped[Stage]
    kind: Mapped[ObligationKind]
    title_zh: Mapped[str]
    title_en: Mapped[str]
    due_at: Mapped[datetime]
    due_on: Mapped[date]
    unadjusted_on: Mapped[date]
    timezone: Mapped[str]
    ladder: Mapped[str]
    activity: Mapped[str]
    debtor: Mapped[str]
    creditor: Mapped[str]
    subject: Mapped[str]
    template: Mapped[str]
    content: Mapped[str]
    period_start: Mapped[date | None]
    period_end: Mapped[date | None]
    provisional: Mapped[bool]
    minutes: Mapped[int]
    sequence: Mapped[int]
    status: Mapped[Status]
    held_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str]
    closed_because: Mapped[str]
    details: Mapped[dict[str, Any]]


class FiringRow(Base):
    """A rung that was reached; once for an obligation, whatever happens."""

    __tablename__ = "firing"

    obligation_key: Mapped[str] = mapped_column(ForeignKey("obligation.key"), primary_key=True)
    rung: Mapped[str] = mapped_column(primary_key=True)
    project_ref: Mapped[str] = mapped_column(ForeignKey("project.project_ref"), index=True)
    due_at: Mapped[datetime]
    fired_at: Mapped[datetime]
    outcome: Mapped[str]
    because: Mapped[str]


class ConclusionRow(Base):
    """The last thing a stage concluded on a subject."""

    __tablename__ = "conclusion"

    project_ref: Mapped[str] = _of_project(primary_key=True)
    stage: Mapped[Stage] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]
    because: Mapped[str]
    concluded_at: Mapped[datetime | None]


class LetterRow(Base):
    """The outbox: a notice and what became of it. Status is waiting, sent, held or failed."""

    __tablename__ = "letter"
    __table_args__ = (
        Index("ix_letter_status_noticed_at_key", "status", "noticed_at", "key"),
        Index("ix_letter_claimed_by", "claimed_by"),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    project_ref: Mapped[str] = mapped_column(ForeignKey("project.project_ref"), index=True)
    obligation_key: Mapped[str]
    rung: Mapped[str]
    contact_ref: Mapped[str]
    template: Mapped[str]
    noticed_at: Mapped[datetime]
    in_reply_to: Mapped[str]
    context: Mapped[dict[str, Any]]
    invitation: Mapped[dict[str, Any] | None]
    report: Mapped[dict[str, Any] | None]
    status: Mapped[str]
    attempts: Mapped[int]
    next_try_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    digest: Mapped[str]
    last_response: Mapped[str]


class PlaybookRow(Base):
    """A playbook as it was adopted, word for word; the last row is the one in force."""

    __tablename__ = "playbook"

    adoption: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str]
    version: Mapped[int]
    text: Mapped[str]
    sha256: Mapped[str]
    adopted_at: Mapped[datetime]
    adopted_by: Mapped[str]


class CalendarListRow(Base):
    """One version of the holiday list a house entered for a calendar; the last one is in force."""

    __tablename__ = "calendar_list"

    calendar: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    published_until: Mapped[date | None]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str]
    sha256: Mapped[str]


class OwnHolidayRow(Base):
    """A day of a list in force: off (holiday), or worked although it would be off (workday)."""

    __tablename__ = "own_holiday"

    calendar: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]


class CalendarEditionRow(Base):
    """A calendar by which dates were planned, whole; its version is a digest of it. Years are those of its days."""

    __tablename__ = "calendar_edition"

    version: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    first_year: Mapped[int | None]
    last_year: Mapped[int | None]
    holidays: Mapped[list[str]]
    make_up_workdays: Mapped[list[str]]
    weekend: Mapped[list[int]]
    published_until: Mapped[date]
