"""The book of record: SQLAlchemy 2.0 and Alembic, nobody else. Nothing is opened at import."""

from pfflow.store.calendars import ListImport
from pfflow.store.decisions import DecisionRecord
from pfflow.store.errors import (
    BrokenEditionError,
    DecisionMismatchError,
    DuplicateRecordError,
    KeptRehearsalError,
    OrphanError,
    StoreBusyError,
    StoreError,
    StoreInterruptedError,
    StoreUnreachableError,
    UnknownEditionError,
    UnknownProjectError,
    UnsupportedDatabaseError,
)
from pfflow.store.holding import HeldProject
from pfflow.store.mail_switch import MailTurn
from pfflow.store.outbox import Letter, LetterStatus
from pfflow.store.overview import Deliveries, ProjectOverview
from pfflow.store.playbooks import StoredPlaybook
from pfflow.store.rehearsals import Keeping, Rehearsal
from pfflow.store.settled_plans import Standing
from pfflow.store.sql_store import SqlStore

__all__ = [
    "BrokenEditionError",
    "DecisionMismatchError",
    "DecisionRecord",
    "Deliveries",
    "DuplicateRecordError",
    "HeldProject",
    "Keeping",
    "KeptRehearsalError",
    "Letter",
    "LetterStatus",
    "ListImport",
    "MailTurn",
    "OrphanError",
    "ProjectOverview",
    "Rehearsal",
    "SqlStore",
    "Standing",
    "StoreBusyError",
    "StoreError",
    "StoreInterruptedError",
    "StoreUnreachableError",
    "StoredPlaybook",
    "UnknownEditionError",
    "UnknownProjectError",
    "UnsupportedDatabaseError",
]
