"""The flow of evaluation: monthly scorecards, and proposals for change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.artifacts import published
from flows.sweeping import begun, decided, dispatched, ended
from pfflow.domain.words import Stage


@flow(name="evaluation", flow_run_name="evaluation · {as_of}")
async def evaluation(as_of: datetime | None = None, projects: list[str] | None = None) -> State[dict[str, Any]]:
    """Score the departments for every month that has ended, measure the relationship, and propose changes.

    Args:
        as_of: The instant to decide at; now if not given. Without a zone it is wall time where the playbook is at home.
        projects: The projects to sweep, by their references in the register; all if not given.
    """
    sweep = await begun(Stage.EVALUATION, as_of, projects)
    lines = await decided(sweep)
    sent = await dispatched()
    await published(sweep, lines)
    return ended(lines, sent)
