"""`python -m tests.simulation`: live seeds, replay one, or search for the planted bugs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.simulation.run import simulate
from tests.simulation.searching import REAL, Tally, empty_database, on_sqlite, planted_table, searched, written

SHOWN = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked; gives the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=_from(1), default=300, help="how many seeds")
    parser.add_argument("--first", type=_from(0), default=0, help="the first seed")
    parser.add_argument("--jobs", type=_from(1), default=2, help="how many processes")
    parser.add_argument("--real", type=int, default=REAL, help="every so many seeds on SQLite too; 0 for none")
    parser.add_argument("--replay", type=_from(0), metavar="SEED", help="print everything that happens in one seed")
    parser.add_argument("--sqlite", action="store_true", help="replay on the store on SQLite")
    parser.add_argument("--planted", action="store_true", help="search for each planted bug, and write the page")
    asked = parser.parse_args(arguments)
    if asked.replay is not None:
        return _replay(asked.replay, real=asked.sqlite)
    if asked.planted:
        lines = planted_table(asked.seeds)
        written(lines)
        say("\n".join(lines))
        return int(any("**none" in line for line in lines))
    return _live(asked.first, asked.seeds, asked.jobs, asked.real)


def _from(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
        return int(text)

    return number


def _live(first: int, seeds: int, jobs: int, real: int) -> int:
    began = time.perf_counter()
    total = Tally()
    for tally in searched(first, seeds, jobs, real):
        total.add(tally)
        for seed, store, violation in tally.broken[:SHOWN]:
            flag = " --sqlite" if store == "sqlite" else ""
            say(f"seed {seed} ({store}): {violation}\n  replay: python -m tests.simulation --replay {seed}{flag}")
    seconds = time.perf_counter() - began
    did = ", ".join(f"{number:,} {what}" for what, number in sorted(total.count.items()))
    say(
        f"{total.seeds:,} seeds, {total.on_sqlite:,} of them on SQLite too, in {seconds:,.0f} s on {jobs} processes: "
        f"{did}"
    )
    say(f"{len(total.broken)} broke an invariant" if total.broken else "every invariant held")
    return int(bool(total.broken))


def _replay(seed: int, *, real: bool) -> int:
    if real:
        with TemporaryDirectory() as name:
            result = on_sqlite(seed, Path(name), empty_database(Path(name)))
    else:
        result = simulate(seed)
    say(result.world)
    for line in result.trace:
        say(line)
    say(result.violation or "every invariant held")
    return int(bool(result.violation))


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
