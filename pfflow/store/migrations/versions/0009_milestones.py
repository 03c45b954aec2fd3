"""The milestones that undertakings and conditions hang on, and how many ladders a plan keeps as they were begun."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("undertaking", sa.Column("milestone", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("condition_item", sa.Column("milestone", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column(
        "condition_item", sa.Column("offset_days", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column(
        "settled_plan", sa.Column("ladders_kept", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )


def downgrade() -> None:
    raise NotImplementedError("the book of record is not unmade; restore a backup")
