"""Runs migrations on the connection that `pfflow.store.migrate` hands over; there is no alembic.ini."""

from __future__ import annotations

from alembic import context

from pfflow.store.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
