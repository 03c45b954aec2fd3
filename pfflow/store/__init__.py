"""The book of record: SQLAlchemy 2.0 and Alembic, nobody else. Nothing is opened at import."""

from pfflow.store.calendars import ListImport
from pfflow.store.errors import (
    BrokenEditionError,
    DecisionMismatchError,
    DuplicateRecordError,
    OrphanError,
    StoreBusyError,
    StoreError,
    StoreUnreachableError,
    UnknownEditionError,
    UnknownProjectError,
    UnsupportedDatabaseError,
)
from pfflow.store.outbox import Letter, LetterStatus
from pfflow.store.overview import ProjectOverview
from pfflow.store.playbooks import StoredPlaybook
from pfflow.store.sql_store import SqlStore

__all__ = [
    "BrokenEditionError",
    "DecisionMismatchError",
    "DuplicateRecordError",
    "Letter",
    "LetterStatus",
    "ListImport",
    "OrphanError",
    "ProjectOverview",
    "SqlStore",
    "StoreBusyError",
    "StoreError",
    "StoreUnreachableError",
    "StoredPlaybook",
    "UnknownEditionError",
    "UnknownProjectError",
    "UnsupportedDatabaseError",
]
