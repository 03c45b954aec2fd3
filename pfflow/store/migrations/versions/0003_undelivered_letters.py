"""Why a letter failed, or that our own fault keeps it back, and since when."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("letter", sa.Column("trouble", sa.Text(), nullable=True))
    op.add_column("letter", sa.Column("troubled_at", sa.DateTime(timezone=True), nullable=True))
    # What failed before reasons were kept is told like the rest, once.
    op.execute("UPDATE letter SET trouble = 'unknown', troubled_at = noticed_at WHERE status = 'failed'")
    op.create_index(
        "ix_letter_undelivered",
        "letter",
        ["project_ref"],
        sqlite_where=sa.text("trouble IS NOT NULL"),
        postgresql_where=sa.text("trouble IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("the book of record is not unmade; restore a backup")
