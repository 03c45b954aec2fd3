"""The flow of communication: meetings, reports, notices and escalations on their days."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.artifacts import published
from flows.sweeping import begun, decided, dispatched, ended
from pfflow.domain.words import Stage


@flow(name="communication", flow_run_name="communication · {as_of}")
async def communication(as_of: datetime | None = None, projects: list[str] | None = None) -> State[dict[str, Any]]:
    """Plan what the cadences and documents ask for, and take every step of a ladder that is reached.

    Args:
        as_of: The instant to decide at; now if not given. Without a zone it is wall time where the playbook is at home.
        projects: The projects to sweep, by their references in the register; all if not given.
    """
    sweep = await begun(Stage.COMMUNICATION, as_of, projects)
    lines = await decided(sweep)
    sent = await dispatched()
    await published(sweep, lines)
    return ended(lines, sent)
