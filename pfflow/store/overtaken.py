"""Which of the letters a claim finds events have overtaken, by where their obligations stand in the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from pfflow.domain.obligations import Status
from pfflow.domain.overtaken import Stand, why_overtaken
from pfflow.store.statements import batches
from pfflow.store.tables import ObligationRow

_ENDED = (Status.FULFILLED, Status.WAIVED, Status.CANCELLED)


def overtaken(connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, str]:
    """Give why letters are overtaken, by their keys; those that are not are left out."""
    stands: dict[str, Stand] = {}
    for batch in batches(sorted({row.obligation_key for row in rows})):
        chosen = select(
            ObligationRow.key, ObligationRow.status, ObligationRow.kind, ObligationRow.sequence, ObligationRow.due_at
        )
        # What stands as it was planned overtakes nothing, and that is nearly all.
        changed = or_(ObligationRow.status.in_(_ENDED), ObligationRow.sequence > 0)
        found = connection.execute(chosen.where(ObligationRow.key.in_(batch), changed))
        stands.update((key, Stand(*stand)) for key, *stand in found)
    why = {
        row.key: why_overtaken(row.rung, row.template, partial(_due_in, row), stands[row.obligation_key])
        for row in rows
        if row.obligation_key in stands
    }
    return {key: reason for key, reason in why.items() if reason}


def _due_in(row: Row[Any]) -> datetime | None:
    """Give the due instant that a letter names; None where what was stored of it does not say."""
    try:
        return datetime.fromisoformat(json.loads(row.context)["obligation"]["due_at"])
    except (KeyError, TypeError, ValueError):
        return None
