"""The book of record: SQLAlchemy 2.0 and Alembic, nobody else. Nothing is opened at import."""

from pfflow.store.errors import (
    DecisionMismatchError,
    DuplicateRecordError,
    OrphanError,
    StoreBusyError,
    StoreError,
    StoreUnreachableError,
    UnknownProjectError,
    UnsupportedDatabaseError,
)
from pfflow.store.outbox import Letter, LetterStatus
from pfflow.store.overview import ProjectOverview
from pfflow.store.playbooks import StoredPlaybook
from pfflow.store.sql_store import SqlStore

__all__ = [
    "DecisionMismatchError",
    "DuplicateRecordError",
    "Letter",
    "LetterStatus",
    "OrphanError",
    "ProjectOverview",
    "SqlStore",
    "StoreBusyError",
    "StoreError",
    "StoreUnreachableError",
    "StoredPlaybook",
    "UnknownProjectError",
    "UnsupportedDatabaseError",
]
