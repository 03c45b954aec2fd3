"""Marks of plans that found nothing to change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "settled_plan",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("guests", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_settled_plan_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", name=op.f("pk_settled_plan")),
    )


def downgrade() -> None:
    raise NotImplementedError("the book of record is not unmade; restore a backup")
