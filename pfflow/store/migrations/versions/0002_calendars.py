"""Holiday lists a house enters, and the calendars that dates were planned by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_list",
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("published_until", sa.Date(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("calendar", "version", name=op.f("pk_calendar_list")),
    )
    op.create_table(
        "own_holiday",
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("calendar", "day", name=op.f("pk_own_holiday")),
    )
    op.create_table(
        "calendar_edition",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("first_year", sa.BigInteger(), nullable=True),
        sa.Column("last_year", sa.BigInteger(), nullable=True),
        sa.Column("holidays", sa.JSON(), nullable=False),
        sa.Column("make_up_workdays", sa.JSON(), nullable=False),
        sa.Column("weekend", sa.JSON(), nullable=False),
        sa.Column("published_until", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_calendar_edition")),
    )


def downgrade() -> None:
    raise NotImplementedError("the book of record is not unmade; restore a backup")
