"""prefect.yaml against a real server: accepted from any folder, scheduled by the server, executed by a worker."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import httpx
import pytest

from tests.flows.cockpit import Cockpit, eventually

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]

SWEEPS = (
    "identification/sweep",
    "information-gathering/sweep",
    "service-design/sweep",
    "communication/sweep",
    "evaluation/sweep",
)
SCHEDULED = (*SWEEPS, "lifecycle/daily")
WATCHDOG = "watchdog/hourly"
FORMS = ("answer/form", "service-design-approval/form")


def test_everything_is_deployed_and_finds_its_flows_in_the_folder_it_was_deployed_from(deployed: Cockpit) -> None:
    deployments = deployed.deployments()

    assert set(deployments) == {*SCHEDULED, WATCHDOG, *FORMS}
    for deployment in deployments.values():
        step = {"directory": str(deployed.clone)}
        assert deployment["pull_steps"] == [{"prefect.deployments.steps.set_working_directory": step}]
        assert deployment["enforce_parameter_schema"]


def test_parameters_have_a_schema_with_what_each_is_for(deployed: Cockpit) -> None:
    schema = deployed.deployments()["lifecycle/daily"]["parameter_openapi_schema"]["properties"]

    assert set(schema) == {"from_on", "until_on", "projects", "at"}
    assert all(field["description"] for field in schema.values())
    communication = deployed.deployments()["communication/sweep"]["id"]
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        deployed.ask(f"/deployments/{communication}/create_flow_run", parameters={"projects": "EXP-01"})


def test_the_server_makes_a_run_of_every_deployment_the_worker_completes_it_and_its_artifacts_are_there(
    cockpit: Cockpit,
) -> None:
    deployments = cockpit.deployments()
    lifecycle = deployments["lifecycle/daily"]
    (evening,) = lifecycle["schedules"]
    assert not evening["active"]
    # The lifecycle's own schedule is off as delivered; a house switches it on like this.
    cockpit.change(f"/deployments/{lifecycle['id']}/schedules/{evening['id']}", active=True)

    # Who is who comes first, since the other stages build on it; the rest may come in any order.
    for wave in (SCHEDULED[:1], SCHEDULED[1:]):
        due_now = {name: _brought_forward(cockpit, name, deployments[name]) for name in wave}
        for name, run_id in due_now.items():
            done = eventually(partial(_final, cockpit, run_id), 240, f"the worker ends the run of {name}")
            assert done["state"]["name"] == "Completed", (name, done["state"])
            assert re.fullmatch(rf"{name.partition('/')[0]} · EXP-01 · \d{{4}}-\d\d-\d\d", done["name"])
    assert cockpit.letters()

    artifacts = {a["key"]: a for a in cockpit.ask("/artifacts/latest/filter")}

    # No month has ended since the relationship began, so evaluation has no table yet.
    assert {"identification", "information-gathering", "service-design", "communication"} <= set(artifacts)
    page = cockpit.look("/artifacts/project-exp-01/latest")["data"]
    assert "# EXP-01 · 岚陵至清河高速公路" in page
    assert "## 欠办事项 / Owed" in page


def _brought_forward(cockpit: Cockpit, name: str, deployment: dict[str, Any]) -> str:
    """Make the next run the scheduler made due now, since nobody waits until six in the morning; gives its id."""
    run = eventually(partial(_next_of, cockpit, deployment), 180, f"the scheduler makes runs of {name}")
    cockpit.ask(f"/flow_runs/{run['id']}/set_state", state={"type": "SCHEDULED"}, force=True)
    return str(run["id"])


def _next_of(cockpit: Cockpit, deployment: dict[str, Any]) -> dict[str, Any] | None:
    waiting = {"deployment_id": {"any_": [deployment["id"]]}, "state": {"type": {"any_": ["SCHEDULED"]}}}
    runs = (run for run in cockpit.runs(flow_runs=waiting) if run["auto_scheduled"])
    return min(runs, key=lambda run: str(run["expected_start_time"]), default=None)


def _final(cockpit: Cockpit, run_id: str) -> dict[str, Any] | None:
    run = cockpit.run(run_id)
    return run if run["state"]["type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"} else None
