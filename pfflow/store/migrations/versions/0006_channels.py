"""By which channel a notice goes: what was posted before went by e-mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("letter", sa.Column("channel", sa.Text(), nullable=False, server_default="email"))


def downgrade() -> None:
    raise NotImplementedError("the book of record is not unmade; restore a backup")
