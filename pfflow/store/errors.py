"""What the store refuses, each as its own type."""

from __future__ import annotations


class StoreError(Exception):
    """What the store cannot or will not do."""


class UnknownProjectError(StoreError, LookupError):
    """A project that the store does not hold."""

    def __init__(self, project_ref: str) -> None:
        super().__init__(f"no project {project_ref!r} is registered")
        self.project_ref = project_ref


class OrphanError(StoreError, ValueError):
    """A record that refers to a project or party nobody registered."""


class DuplicateRecordError(StoreError, ValueError):
    """Two records with one key that say different things."""


class DecisionMismatchError(StoreError, ValueError):
    """A decision recorded under a hold that was taken for something else, or a second one under the same hold."""


class KeptRehearsalError(StoreError, RuntimeError):
    """A database that keeps a rehearsal and was to be written to: it is read, and nothing of it is ever sent."""

    def __init__(self, rehearsed: str) -> None:
        super().__init__(
            f"this database keeps a rehearsal ({rehearsed}); it is there to be read, nothing in it is decided or "
            "changed, and none of its letters is ever sent; PFFLOW_DB or PFFLOW_HOME names another database"
        )


class UnknownEditionError(StoreError, LookupError):
    """A version under which no calendar is kept."""

    def __init__(self, version: str) -> None:
        super().__init__(f"no calendar is kept under version {version!r}; a ledger entry that plans a date names one")
        self.version = version


class BrokenEditionError(StoreError, ValueError):
    """A calendar that no longer has the digest it is kept under: somebody changed it."""

    def __init__(self, version: str) -> None:
        super().__init__(f"the calendar kept under version {version} was changed: its digest is another")
        self.version = version


class UnsupportedDatabaseError(StoreError, ValueError):
    """A database URL that is neither SQLite nor PostgreSQL."""


class StoreUnreachableError(StoreError, ConnectionError):
    """A database that cannot be opened: no server answers, no such database, or a file that is none."""


class StoreInterruptedError(StoreError, ConnectionError):
    """A database that gave up in the middle of a step: its disk is full, its server ended the connection."""


class StoreBusyError(StoreError, TimeoutError):
    """The database stayed locked by others for longer than the busy timeout."""
