"""Bringing a database to the newest tables, from wherever the package is installed."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

_MIGRATION_LOCK = 7066_1002  # any number, the same in every version: workers that start together migrate one by one


def upgrade(connection: Connection) -> None:
    """Upgrade to the newest revision within the connection's transaction; nothing happens when it is there."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", "pfflow.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
