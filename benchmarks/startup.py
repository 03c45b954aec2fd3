"""How long `pfflow --help` takes, beside a Python that does nothing and one that imports Typer alone.

    python benchmarks/startup.py [--rounds 25] [--json]

The three are run in turn, round by round, so that whatever else the machine does falls on all of them alike.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

SUBJECTS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import typer'": [sys.executable, "-c", "import typer"],
    "pfflow --help": [str(Path(sys.executable).with_name("pfflow")), "--help"],
}
LIMIT = 0.3
"""Seconds within which `pfflow --help` is to answer."""


def measured(rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Give each subject's seconds by the clock and of the processor, a pair a round, after one unmeasured."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in SUBJECTS}
    for number in range(rounds + 1):
        for name, command in SUBJECTS.items():
            begun, worked = time.perf_counter(), _processor()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            if number:
                seconds[name].append((time.perf_counter() - begun, _processor() - worked))
    return seconds


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, print, and exit 1 where the limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    chosen = parser.parse_args()
    seconds = measured(chosen.rounds)
    figures = {
        name: {
            "median": statistics.median(clock for clock, _ in some),
            "fastest": min(clock for clock, _ in some),
            "slowest": max(clock for clock, _ in some),
            "processor": statistics.median(processor for _, processor in some),
        }
        for name, some in seconds.items()
    }
    kept = figures["pfflow --help"]["median"] < LIMIT
    if chosen.json:
        machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}
        print(
            json.dumps({"rounds": chosen.rounds, "limit": LIMIT, "kept": kept, "machine": machine, "seconds": figures})
        )
    else:
        print(f"{f'seconds, {chosen.rounds} rounds':28}{'median':>9}{'fastest':>9}{'slowest':>9}{'processor':>11}")
        for name, figure in figures.items():
            print(
                f"{name:28}{figure['median']:9.3f}{figure['fastest']:9.3f}{figure['slowest']:9.3f}{figure['processor']:11.3f}"
            )
        print(f"pfflow --help is to take less than {LIMIT} s: {'kept' if kept else 'not kept'}")
    sys.exit(not kept)


if __name__ == "__main__":
    main()
