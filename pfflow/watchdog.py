"""The watchdog over the house: what should have moved and did not, found without asking what moves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from pfflow.bootstrap import Engine
from pfflow.domain.watch import Overlooked, overlooked_rungs, silent_stages
from pfflow.domain.words import Words

TOLERANCE = timedelta(hours=26)
"""How late a rung or a daily sweep may be: a day, and two hours for a run that was late."""
LETTERS_WAIT = timedelta(hours=4)
"""How long a letter that may go now may wait for somebody to take it."""


def watched(
    opened: Engine, as_of: datetime, *, tolerance: timedelta = TOLERANCE, letters_wait: timedelta = LETTERS_WAIT
) -> tuple[Overlooked, ...]:
    """Give what stood still, project by project: rungs without a firing, stages not run, letters nobody took."""
    return tuple(_watched(opened, as_of, tolerance, letters_wait))


def _watched(opened: Engine, as_of: datetime, tolerance: timedelta, letters_wait: timedelta) -> Iterator[Overlooked]:
    for ref in opened.store.project_refs():
        held = opened.store.holdings(ref)
        yield from silent_stages(held.decided_to, as_of, tolerance, ref)
        if held.engaged_at is not None and held.engaged_at <= as_of:
            yield from overlooked_rungs(opened.cycle.dossier(held, as_of), as_of, tolerance)
    for ref, count, since in opened.store.unclaimed(as_of, as_of - letters_wait):
        yield Overlooked(
            "letters", ref, since, Words(f"{count} 封函件无人发出", f"{count} letters wait and nobody sends them")
        )
