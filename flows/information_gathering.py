"""The flow of information gathering: what is still unknown, and what is at risk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.artifacts import published
from flows.sweeping import begun, decided, dispatched, ended
from pfflow.domain.words import Stage


@flow(name="information-gathering", flow_run_name="information-gathering · {as_of}")
async def information_gathering(
    as_of: datetime | None = None, projects: list[str] | None = None
) -> State[dict[str, Any]]:
    """Ask parties for what is missing, remind them, and warn once of covenants and milestones at risk.

    Args:
        as_of: The instant to decide at; now if not given. Without a zone it is wall time where the playbook is at home.
        projects: The projects to sweep, by their references in the register; all if not given.
    """
    sweep = await begun(Stage.INFORMATION_GATHERING, as_of, projects)
    lines = await decided(sweep)
    sent = await dispatched()
    await published(sweep, lines)
    return ended(lines, sent)
