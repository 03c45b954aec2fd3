"""The flows of service design: packages proposed by rule, and the form by which a person approves one.

The wait for an approval is an obligation in pfflow's own tables. The suspended run is its face: losing it loses
nothing, since the next sweep makes another, and resuming it twice repeats nothing, since an answer counts once.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.flow_runs import asuspend_flow_run
from prefect.states import Completed, Failed

from flows.approvals import FACE_LASTS, Approval, asked_for, faces_shown, heard
from flows.artifacts import published
from flows.sweeping import begun, decided, dispatched, ended, name_run
from pfflow.domain.words import Stage

ROUNDS = 20
"""How many answers that do not count one form takes before it gives up."""


@flow(name="service-design", flow_run_name="service-design · {as_of}")
async def service_design(as_of: datetime | None = None, projects: list[str] | None = None) -> State[dict[str, Any]]:
    """Propose service packages where the facts allow one, and show a form for each approval that is waited for.

    Args:
        as_of: The instant to decide at; now if not given. Without a zone it is wall time where the playbook is at home.
        projects: The projects to sweep, by their references in the register; all if not given.
    """
    sweep = await begun(Stage.SERVICE_DESIGN, as_of, projects)
    lines = await decided(sweep)
    sent = await dispatched()
    forms = await faces_shown(sweep.refs, sweep.as_of if sweep.given else None)
    await published(sweep, lines)
    return ended(lines, sent, forms=forms)


@flow(name="service-design-approval", flow_run_name="approval · {obligation_key}")
async def service_design_approval(obligation_key: str, as_of: datetime | None = None) -> State[Any]:
    """Wait for a person to approve, reject or send back a service package; only the Accountable's answer counts.

    Args:
        obligation_key: The approval's reference, such as EXP-01/package-approval/1a2b3c4d.
        as_of: The instant the answer counts from; when it is given if not said.
    """
    logger = get_run_logger()
    objection = ""
    for number in range(1, ROUNDS + 1):
        asked = await asyncio.to_thread(asked_for, obligation_key, as_of, objection)
        await name_run(asked.name)
        if not asked.live:
            # Whoever answered may have died before the offer left.
            await dispatched()
            return Completed(message=f"answered already: {asked.standing}")
        answer = await asuspend_flow_run(
            wait_for_input=Approval.with_initial_data(description=asked.description),
            timeout=int(FACE_LASTS.total_seconds()),
            key=f"approval-{number}",
        )
        verdict = await heard(obligation_key, answer.decision, answer.approver, answer.comment, as_of)
        if verdict.counted:
            await dispatched()
            return Completed(message=verdict.text)
        objection = verdict.text
        logger.warning("%s", objection)
    return Failed(message=f"{ROUNDS} answers did not count; the next sweep shows a new form")
