"""Runs one flow and prints how it ended as JSON: a process of its own, since Prefect's clients leave sockets open.

Usage: python -m tests.flows.run_flow flows/communication.py:communication '{"projects": ["EXP-01"]}'
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from prefect.flows import load_flow_from_entrypoint


async def ended(flow: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """Give the state a flow ends in."""
    state = await flow(**parameters, return_state=True)
    return {
        "type": state.type.value,
        "name": state.name,
        "message": state.message,
        "flow_run_id": str(state.state_details.flow_run_id),
        "result": await state.aresult() if state.is_completed() else None,
    }


if __name__ == "__main__":
    end = asyncio.run(ended(load_flow_from_entrypoint(sys.argv[1]), json.loads(sys.argv[2])))
    print(json.dumps(end, default=str))  # noqa: T201 - its only output
