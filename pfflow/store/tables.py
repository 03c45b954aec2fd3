"""The tables of what the house does: obligations, firings, conclusions, ledger, outbox, playbook, calendars.

What the register says has its own tables, in `pfflow.store.fact_tables`. `docs/store.md` has one line for each.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Date, ForeignKey, Index, Integer, MetaData, Text, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from pfflow.domain.manners import Wait
from pfflow.domain.notices import EMAIL
from pfflow.domain.obligations import ObligationKind, Status
from pfflow.domain.trouble import Trouble
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
    Trouble: EnumText(Trouble),
    Wait: EnumText(Wait),
    dict[str, Any]: PlainJson,
    list[str]: PlainJson,
    list[int]: PlainJson,
    list[Any]: PlainJson,
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
    climbing: Mapped[dict[str, Any] | None]


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
    """The outbox: a notice and what became of it. Status is waiting, sent, held or failed.

    `trouble` is set while it is failed, or waits through our own fault, since `troubled_at`. Letters of one `bundle`
    are one mail; the one that `leads` is claimed for all. `put_off` is why it waits though nothing is wrong; `domain`
    is its reader's, written down where a cap counts by it.
    """

    __tablename__ = "letter"
    __table_args__ = (
        Index("ix_letter_status_noticed_at_key", "status", "noticed_at", "key"),
        Index("ix_letter_claimed_by", "claimed_by"),
        Index(
            "ix_letter_undelivered",
            "project_ref",
            sqlite_where=text("trouble IS NOT NULL"),
            postgresql_where=text("trouble IS NOT NULL"),
        ),
        Index("ix_letter_contact_ref_sent_at", "contact_ref", "sent_at"),
        Index("ix_letter_domain_sent_at", "domain", "sent_at"),
        Index(
            "ix_letter_bundle",
            "bundle",
            sqlite_where=text("bundle IS NOT NULL"),
            postgresql_where=text("bundle IS NOT NULL"),
        ),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    project_ref: Mapped[str] = mapped_column(ForeignKey("project.project_ref"), index=True)
    obligation_key: Mapped[str]
    rung: Mapped[str]
    contact_ref: Mapped[str]
    template: Mapped[str]
    noticed_at: Mapped[datetime]
    in_reply_to: Mapped[str]
    channel: Mapped[str] = mapped_column(server_default=EMAIL)
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
    trouble: Mapped[Trouble | None]
    troubled_at: Mapped[datetime | None]
    urgent: Mapped[bool] = mapped_column(server_default=false())
    merges_with: Mapped[str] = mapped_column(server_default=text("''"))
    bundle: Mapped[str | None]
    leads: Mapped[bool] = mapped_column(server_default=false())
    domain: Mapped[str] = mapped_column(server_default=text("''"))
    put_off: Mapped[Wait | None]


class MailSwitchRow(Base):
    """A turn of the stop switch; the last one is in force. Without any, mail goes."""

    __tablename__ = "mail_switch"

    turn: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    stopped: Mapped[bool]
    turned_at: Mapped[datetime]
    turned_by: Mapped[str]
    because: Mapped[str]


class OptOutRow(Base):
    """A kind of letter that a contact asked not to be sent; kept apart from the register, so an import keeps it."""

    __tablename__ = "opt_out"

    contact_ref: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    by: Mapped[str]


class DecisionRow(Base):
    """A decision that was recorded: by what it was made, which entries are its own, and what it changed."""

    __tablename__ = "decision"

    project_ref: Mapped[str] = _of_project(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    stage: Mapped[Stage]
    as_of: Mapped[datetime]
    version: Mapped[int]
    playbook: Mapped[str]
    calendar: Mapped[str]
    first_seq: Mapped[int]
    last_seq: Mapped[int]
    before: Mapped[dict[str, Any]]
    plan_before: Mapped[str]
    plan_until: Mapped[date | None]


class FactBeforeRow(Base):
    """A record that an import replaced, as it was; none where the import added it."""

    __tablename__ = "fact_before"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sheet: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    record: Mapped[dict[str, Any] | None]


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


class SettledPlanRow(Base):
    """That a plan of these inputs found nothing to change in a project, for instants from and before two."""

    __tablename__ = "settled_plan"

    project_ref: Mapped[str] = _of_project(primary_key=True)
    inputs: Mapped[str]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    held: Mapped[str]
    guests: Mapped[list[Any]]
    ladders_kept: Mapped[int] = mapped_column(server_default=text("0"))


class RehearsalRow(Base):
    """That the database keeps a rehearsal, and of what; the database of a house has no such row."""

    __tablename__ = "rehearsal"

    project_ref: Mapped[str] = mapped_column(primary_key=True)
    playbook: Mapped[str]
    script: Mapped[str]
    first_on: Mapped[date]
    last_on: Mapped[date]


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
