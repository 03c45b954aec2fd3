"""Absences and their substitutes, hand-overs, the severity of problems, and the ladders that obligations began with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "absence",
        sa.Column("contact_ref", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("substitute_ref", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["contact_ref"], ["contact.contact_ref"], name=op.f("fk_absence_contact_ref")),
        sa.PrimaryKeyConstraint("contact_ref", "since", name=op.f("pk_absence")),
    )
    op.add_column("interaction", sa.Column("to_ref", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("interaction", sa.Column("severity", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("obligation", sa.Column("climbing", sa.JSON(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the book of record is not unmade; restore a backup")
