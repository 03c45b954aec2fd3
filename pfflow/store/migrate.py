"""Bringing a database to the newest tables, from wherever the package is installed."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

_MIGRATION_LOCK = 7066_1002  # any number, the same in every version: workers that start together migrate one by one


def is_current(connection: Connection) -> bool:
    """Whether the tables are at the newest revision."""
    newest = ScriptDirectory.from_config(_config()).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(newest)


def upgrade(connection: Connection) -> None:
    """Upgrade to the newest revision within the connection's transaction; nothing happens when it is there."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "pfflow.store:migrations")
    return config
