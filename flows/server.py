"""Prefect's own server and a worker as child processes, on loopback, with no telemetry."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

import httpx

from pfflow.settings import child_environment

POOL = "pfflow-local"
"""The work pool of prefect.yaml."""

_LOOPBACK = "127.0.0.1"
_PATIENCE = 120.0
_GRACE = 10.0
_SILENT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # The second UI asks a telemetry host for its configuration even when analytics are off; the first asks nobody.
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
}


class ServerError(RuntimeError):
    """Prefect's server did not start, or a Prefect command failed; the message says where its output is."""


@dataclass(frozen=True, slots=True)
class PrefectServer:
    """A running server: its address for people, its API for programs, and the environment of its clients."""

    url: str
    api: str
    environment: Mapping[str, str]

    def with_settings(self, **changes: str) -> PrefectServer:
        """Give the same server with more in its clients' environment."""
        return replace(self, environment={**self.environment, **changes})

    def command(self, *words: str) -> str:
        """Run a prefect command against the server and give what it prints; raises ServerError."""
        done = subprocess.run(  # noqa: S603 - this interpreter's own Prefect
            _prefect(*words), env=dict(self.environment), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerError(f"prefect {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def end_on_sigterm() -> None:
    """Let SIGTERM end this program as an interrupt does, so that what it started is ended too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def free_port(wanted: int) -> int:
    """Give the wanted port if nothing listens on it, another free one if something does."""
    for port in (wanted, 0):
        try:
            with socket.create_server((_LOOPBACK, port)) as listening:
                return int(listening.getsockname()[1])
        except OSError:
            continue
    raise ServerError("no port is free on this machine")


@contextmanager
def prefect_server(home: Path, port: int) -> Iterator[PrefectServer]:
    """Run Prefect's server over a folder for as long as the block lasts; raises ServerError if it does not come up."""
    home.mkdir(parents=True, exist_ok=True)
    url = f"http://{_LOOPBACK}:{port}"
    environment = child_environment(
        **_SILENT,
        PREFECT_HOME=str(home.resolve()),
        PREFECT_API_URL=f"{url}/api",
        PREFECT_SERVER_API_HOST=_LOOPBACK,
        PREFECT_SERVER_API_PORT=str(port),
        PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="false",
        PREFECT_LOGGING_EXTRA_LOGGERS="pfflow",
    )
    log = home / "server.log"
    with _started(_prefect("server", "start", "--host", _LOOPBACK, "--port", str(port)), environment, log) as server:
        _wait_until_healthy(f"{url}/api/health", server, log)
        yield PrefectServer(url, f"{url}/api", environment)


@contextmanager
def worker(server: PrefectServer, log: Path) -> Iterator[None]:
    """Run a process worker of the pool for as long as the block lasts."""
    command = _prefect("worker", "start", "--pool", POOL, "--type", "process")
    with _started(command, server.environment, log):
        yield


def make_pool(server: PrefectServer, limit: int = 2) -> None:
    """Make the work pool if it is not there; so many of its runs execute at once.

    The limit is the pool's, not the worker's: a worker with --limit dies when a suspended run is resumed before the
    process that suspended it has ended.
    """
    server.command("work-pool", "create", POOL, "--type", "process", "--overwrite")
    httpx.patch(f"{server.api}/work_pools/{POOL}", json={"concurrency_limit": limit}, timeout=30).raise_for_status()


def deploy(server: PrefectServer) -> None:
    """Make the work pool if it is not there, and deploy all that prefect.yaml in this folder names."""
    make_pool(server)
    server.command("--no-prompt", "deploy", "--all")


def _prefect(*words: str) -> list[str]:
    return [sys.executable, "-m", "prefect", *words]


@contextmanager
def _started(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - this interpreter's own Prefect
            command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            # A worker is known to live on after SIGTERM; its runs are idempotent, so it may be ended.
            process.kill()
            process.wait()


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = monotonic() + _PATIENCE
    while monotonic() < give_up_at:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, timeout=2).is_success:
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.2)
            raise ServerError(f"Prefect's server ended at once; its output is in {log}")
    raise ServerError(f"Prefect's server did not answer within {_PATIENCE:.0f} s; its output is in {log}")
