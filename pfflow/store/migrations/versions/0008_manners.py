"""The stop switch, who asked to be left alone, and what letters say of quiet hours, caps and sharing a mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_switch",
        sa.Column("turn", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("turned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("turned_by", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("turn", name=op.f("pk_mail_switch")),
    )
    op.create_table(
        "opt_out",
        sa.Column("contact_ref", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("contact_ref", "kind", name=op.f("pk_opt_out")),
    )
    op.add_column("letter", sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("letter", sa.Column("merges_with", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("letter", sa.Column("bundle", sa.Text(), nullable=True))
    op.add_column("letter", sa.Column("leads", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("letter", sa.Column("domain", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.add_column("letter", sa.Column("put_off", sa.Text(), nullable=True))
    op.create_index("ix_letter_contact_ref_sent_at", "letter", ["contact_ref", "sent_at"], unique=False)
    op.create_index("ix_letter_domain_sent_at", "letter", ["domain", "sent_at"], unique=False)
    op.create_index(
        "ix_letter_bundle",
        "letter",
        ["bundle"],
        sqlite_where=sa.text("bundle IS NOT NULL"),
        postgresql_where=sa.text("bundle IS NOT NULL"),
    )


def downgrade() -> None:
    raise NotImplementedError("the book of record is not unmade; restore a backup")
