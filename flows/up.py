"""`make up`: Prefect's server and a worker with the example's deployments, until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import signal
from pathlib import Path

from flows.demo import EXPRESSWAY, HOME, begun_home, paused, say
from flows.server import deploy, end_on_sigterm, free_port, prefect_server, worker


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=4200)
    parser.add_argument("--home", type=Path, default=HOME, help="where the demo has left its state")
    chosen = parser.parse_args()
    home: Path = chosen.home
    end_on_sigterm()
    settings = begun_home(home, EXPRESSWAY)
    port = free_port(chosen.port)
    with prefect_server(home / "prefect", port) as started:
        server = started.with_settings(PFFLOW_HOME=str(settings.home))
        deploy(server)
        paused(server)
        with worker(server, home / "prefect" / "worker.log"):
            say(f"Prefect: {server.url}   Ctrl-C ends it.")
            say(f"Letters: {settings.mailbox_folder}")
            say("Schedules are paused, for the example lies in early 2026; start runs by hand, or switch them on.")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()


if __name__ == "__main__":
    main()
