"""The flow that watches the others: it fails where a ladder, a sweep or a letter stood still."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from prefect import flow, get_run_logger
from prefect.artifacts import acreate_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.sweeping import in_zone
from pfflow.bootstrap import engine, now
from pfflow.domain.watch import Overlooked
from pfflow.watchdog import watched

_LISTED = 100
"""How many things the artifact lists; the message counts them all."""


@flow(name="watchdog", flow_run_name="watchdog")
async def watchdog(as_of: datetime | None = None) -> State[Any]:
    """Look for rungs that should have fired, projects not swept and letters nobody sends; fail where there are any.

    Args:
        as_of: The instant to look from; now if not given. Without a zone it is wall time where the playbook is at home.
    """
    found = await asyncio.to_thread(_found, as_of)
    await acreate_table_artifact(
        [_row(one) for one in found[:_LISTED]],
        key="watchdog",
        description=f"滞留事项 {len(found)} 项 / {len(found)} things stood still",
    )
    for one in found[:_LISTED]:
        get_run_logger().warning("%s %s: %s", one.kind, one.subject, one.text.en)
    if found:
        return Failed(message=f"{len(found)} stood still; first {found[0].subject}: {found[0].text.en}")
    return Completed(message="nothing stands still")


def _found(as_of: datetime | None) -> tuple[Overlooked, ...]:
    with engine() as opened:
        return watched(opened, in_zone(as_of, opened.playbook.zone) if as_of else now())


def _row(one: Overlooked) -> dict[str, Any]:
    return {
        "类别 / What": one.kind,
        "事项 / Which": one.subject,
        "自 / Since": one.since.isoformat(),
        "原因 / Why": f"{one.text.zh} / {one.text.en}",
    }
