"""prefect.yaml as Prefect's own model reads it, held against the five stages and the flows' code. No server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time
from typing import Any

import pytest
from prefect.cli.deploy._models import DeploymentConfig, PrefectYamlModel, RawScheduleConfig
from ruamel.yaml import YAML

from pfflow.domain.words import Stage
from pfflow.playbook import read_playbook
from tests.flows.cockpit import EXPRESSWAY, ROOT

ON_DEMAND = {"service_design_approval", "answer"}
"""The forms of one approval and of one answer: they need a key, so nothing can schedule them."""


@pytest.fixture(scope="module")
def declared() -> PrefectYamlModel:
    """Give what prefect.yaml declares."""
    content: Any = YAML(typ="safe").load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    return PrefectYamlModel.model_validate(content)


def _schedules(deployment: DeploymentConfig) -> Iterator[RawScheduleConfig]:
    for schedule in deployment.schedules or ():
        assert isinstance(schedule, RawScheduleConfig)
        yield schedule


def _function(deployment: DeploymentConfig) -> str:
    return str(deployment.entrypoint).rpartition(":")[2]


def test_each_stage_and_the_lifecycle_have_a_deployment_with_a_schedule(declared: PrefectYamlModel) -> None:
    scheduled = {_function(d) for d in declared.deployments if list(_schedules(d))}

    assert scheduled == {*Stage, "lifecycle", "watchdog"}
    assert {_function(d) for d in declared.deployments} - scheduled == ON_DEMAND


def test_every_entrypoint_is_a_flow_that_is_there(declared: PrefectYamlModel) -> None:
    for deployment in declared.deployments:
        path, _, function = str(deployment.entrypoint).partition(":")
        assert re.search(rf"^async def {function}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_stages_have_one_flow_file_each_under_their_own_name() -> None:
    for stage in Stage:
        assert f"\nasync def {stage}(" in (ROOT / "flows" / f"{stage}.py").read_text(encoding="utf-8")


def test_schedules_are_wall_time_in_shanghai_and_run_at_weekends_too(declared: PrefectYamlModel) -> None:
    # 2026-01-04, a Sunday, is a working day in China; so no cron may name days of the week.
    for deployment in declared.deployments:
        for schedule in _schedules(deployment):
            assert schedule.timezone == "Asia/Shanghai"
            assert schedule.cron is not None
            assert schedule.cron.endswith(" * * *")


def test_no_deployment_runs_twice_at_a_time_but_forms_do(declared: PrefectYamlModel) -> None:
    alone = {_function(d): d.concurrency_limit for d in declared.deployments}

    assert [alone.pop(form) for form in sorted(ON_DEMAND)] == [None, None]
    for limit in alone.values():
        assert limit is not None
        assert not isinstance(limit, int)
        assert (limit.limit, limit.collision_strategy) == (1, "CANCEL_NEW")


def test_parameters_are_checked_and_runs_do_not_report_home(declared: PrefectYamlModel) -> None:
    for deployment in declared.deployments:
        assert deployment.enforce_parameter_schema
        assert deployment.description
        assert deployment.work_pool is not None
        assert deployment.work_pool.job_variables["env"]["DO_NOT_TRACK"] == "1"


def test_the_zone_of_the_schedules_is_the_example_playbooks() -> None:
    assert "timezone: Asia/Shanghai" in (EXPRESSWAY / "playbook.yaml").read_text(encoding="utf-8")


def test_no_daily_sweep_comes_before_the_hour_at_which_a_days_steps_are_reached(declared: PrefectYamlModel) -> None:
    """Before it, what is due that day would be said a day late, and on a day nobody works."""
    playbook = read_playbook(EXPRESSWAY / "playbook.yaml").playbook
    assert playbook is not None
    daily = [s.cron for d in declared.deployments for s in _schedules(d) if s.slug == "daily" and s.cron]
    assert len(daily) == 3
    for cron in daily:
        minute, hour = map(int, cron.split()[:2])
        assert time(hour, minute) > playbook.hours.letters
