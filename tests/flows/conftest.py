"""A real Prefect server on loopback, over its own folder; deployed from a copy of the checkout elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from flows.server import PrefectServer, free_port, make_pool, prefect_server, worker
from tests.flows.cockpit import ROOT, Cockpit, expressway_in


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """Give a Prefect server of this test run's own, on a free port; it schedules sooner, and not far ahead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS", "10")
        patch.setenv("PREFECT_SERVER_SERVICES_SCHEDULER_MIN_RUNS", "1")
        patch.setenv("PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS", "2")
        patch.setenv("PREFECT_WORKER_QUERY_SECONDS", "2")
        with prefect_server(tmp_path_factory.mktemp("prefect"), free_port(0)) as started:
            yield started


@pytest.fixture(scope="session")
def deployed(server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cockpit]:
    """Give the server with all of prefect.yaml deployed from a copy of the checkout in another folder."""
    clone = tmp_path_factory.mktemp("another") / "checkout"
    for folder in ("flows", "pfflow", "templates"):
        shutil.copytree(ROOT / folder, clone / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "prefect.yaml", clone)
    settings = expressway_in(tmp_path_factory.mktemp("home"))
    configured = server.with_settings(PFFLOW_HOME=str(settings.home), PYTHONPATH=str(clone))
    make_pool(configured)
    subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"],
        cwd=clone,
        env=dict(configured.environment),
        check=True,
        capture_output=True,
    )
    with httpx.Client(base_url=server.api, timeout=30) as api:
        yield Cockpit(configured, api, settings, clone)


@pytest.fixture(scope="session")
def cockpit(deployed: Cockpit, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cockpit]:
    """Give the deployed server with a process worker at work, started outside the copy."""
    with worker(deployed.server, tmp_path_factory.mktemp("worker") / "worker.log"):
        yield deployed
