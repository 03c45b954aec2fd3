"""The flow of identification: who is who, and who owns the relationship."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.artifacts import published
from flows.sweeping import begun, decided, dispatched, ended
from pfflow.domain.words import Stage


@flow(name="identification", flow_run_name="identification · {as_of}")
async def identification(as_of: datetime | None = None, projects: list[str] | None = None) -> State[dict[str, Any]]:
    """Segment every project's parties with the reason, check RACI, and bring everyone together once.

    Args:
        as_of: The instant to decide at; now if not given. Without a zone it is wall time where the playbook is at home.
        projects: The projects to sweep, by their references in the register; all if not given.
    """
    sweep = await begun(Stage.IDENTIFICATION, as_of, projects)
    lines = await decided(sweep)
    sent = await dispatched()
    await published(sweep, lines)
    return ended(lines, sent)
