"""By what each decision was made, and what imports replaced: enough to decide again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("project_ref", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("first_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("plan_before", sa.Text(), nullable=False),
        sa.Column("plan_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["project_ref"], ["project.project_ref"], name=op.f("fk_decision_project_ref")),
        sa.PrimaryKeyConstraint("project_ref", "number", name=op.f("pk_decision")),
    )
    op.create_table(
        "fact_before",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("number", "sheet", "key", name=op.f("pk_fact_before")),
    )


def downgrade() -> None:
    raise NotImplementedError("the book of record is not unmade; restore a backup")
