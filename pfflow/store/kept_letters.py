"""Counting what has not left by what keeps it, in one statement however many letters wait."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Text, and_, case, cast, func, literal, select

from pfflow.domain.kept_letters import ON_ITS_WAY, PUT_OFF, READY, STOPPED, KeptLetters
from pfflow.store.column_types import UtcInstant
from pfflow.store.mail_switch import is_stopped
from pfflow.store.tables import LetterRow


def kept_letters(connection: Connection, now: datetime, *, stopped: bool = False) -> tuple[KeptLetters, ...]:
    """Give the letters that wait, are held or failed, by status and reason; the most first within a status.

    What waits for nothing else waits for the stop switch where that is on, or where this environment is `stopped`.
    """
    waits = STOPPED if stopped or is_stopped(connection) else READY
    later = LetterRow.next_try_at > now
    because = case(
        # What a server said of a failed letter may repeat an address, and this is shown to many.
        (LetterRow.status == "failed", cast(LetterRow.trouble, Text)),
        (LetterRow.status != "waiting", LetterRow.last_response),
        (LetterRow.claimed_until > now, literal(ON_ITS_WAY)),
        (and_(later, LetterRow.put_off.is_not(None)), cast(LetterRow.put_off, Text)),
        (later, literal(PUT_OFF)),
        else_=literal(waits),
    )
    until = func.min(case((later, LetterRow.next_try_at)), type_=UtcInstant())
    chosen = select(LetterRow.status, because.label("because"), func.count(), until).where(LetterRow.status != "sent")
    rows = connection.execute(chosen.group_by(LetterRow.status, because)).all()
    found = [KeptLetters(status=status, because=why, letters=n, until=at) for status, why, n, at in rows]
    order = {"waiting": 0, "held": 1, "failed": 2}
    return tuple(sorted(found, key=lambda one: (order[one.status], -one.letters, one.because)))
