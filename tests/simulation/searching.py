"""Living many seeds on all cores, and the table of planted bugs with the seed that finds each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from pfflow.store import SqlStore
from tests.simulation.planted import BUGS, Bug, found_by
from tests.simulation.run import Result, simulate

CHUNK = 20
REAL = 25
"""One seed in so many is lived on the store on SQLite as well."""
PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"
BEGIN, END = "<!-- planted: begin -->", "<!-- planted: end -->"


@dataclass(slots=True)
class Tally:
    """What many seeds came to: how many were lived, on SQLite too, what they did, and which broke an invariant."""

    seeds: int = 0
    on_sqlite: int = 0
    count: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, str, str]] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what other seeds came to."""
        self.seeds += other.seeds
        self.on_sqlite += other.on_sqlite
        self.count.update(other.count)
        self.broken += other.broken


def on_sqlite(seed: int, folder: Path, template: bytes) -> Result:
    """Live a seed on the store on SQLite, from an empty migrated database."""
    path = folder / f"{seed}.db"
    path.write_bytes(template)
    try:
        with SqlStore.open(f"sqlite:///{path}") as store:
            return simulate(seed, store=store)
    finally:
        for file in folder.glob(f"{seed}.db*"):
            file.unlink()


def empty_database(folder: Path) -> bytes:
    """Give an empty migrated SQLite database, to be copied."""
    path = folder / "template.db"
    with SqlStore.open(f"sqlite:///{path}") as store:
        store.migrate()
    return path.read_bytes()


def lived(first: int, seeds: int, real: int = REAL) -> Tally:
    """Live seeds one after the other; every `real`th on the store on SQLite too, where it must do the same."""
    tally = Tally()
    with TemporaryDirectory(dir=memory_folder()) as name:
        folder = Path(name)
        template = (
            empty_database(folder) if real and any(seed % real == 0 for seed in range(first, first + seeds)) else b""
        )
        for seed in range(first, first + seeds):
            result = simulate(seed)
            tally.seeds += 1
            tally.count.update(result.count)
            if result.violation:
                tally.broken.append((seed, "model", result.violation))
            if real and seed % real == 0:
                tally.on_sqlite += 1
                other = on_sqlite(seed, folder, template)
                if other.violation != result.violation or other.trace != result.trace:
                    tally.broken.append((seed, "sqlite", other.violation or difference(result, other)))
    return tally


def difference(model: Result, other: Result) -> str:
    """Say where two traces of one seed part."""
    for number, (one, two) in enumerate(zip(model.trace, other.trace, strict=False)):
        if one != two:
            return f"the stores part at line {number}: {one} | {two}"
    return f"the stores part after {min(len(model.trace), len(other.trace))} lines"


def memory_folder() -> str | None:
    """Give a folder in memory where the system has one; the disk is flushed with every commit."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a folder of its own is made in it


def searched(first: int, seeds: int, jobs: int, real: int = REAL) -> Iterator[Tally]:
    """Live seeds on several cores; gives what each chunk came to, in order."""
    starts = range(first, first + seeds, CHUNK)
    sizes = [min(CHUNK, first + seeds - start) for start in starts]
    if jobs == 1:
        yield from map(lived, starts, sizes, [real] * len(sizes))
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(lived, starts, sizes, [real] * len(sizes))


def planted_table(seeds: int) -> list[str]:
    """Search for every planted bug; gives the lines of a table with the first seed that finds each."""
    lines = ["| planted bug | found by seed | what the auditor says |", "|---|---|---|"]
    lines.extend(_line(bug, found_by(bug, seeds=seeds), seeds) for bug in BUGS)
    return lines


def _line(bug: Bug, result: Result | None, seeds: int) -> str:
    if result is None:
        return f"| {bug.name} | **none of {seeds}** | |"
    return f"| {bug.name} | {result.seed} | {result.violation.partition(':')[0]} |"


def written(lines: list[str]) -> None:
    """Put the table in its place in the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


def seeds_in_page() -> dict[str, int]:
    """Give the seed that finds each planted bug, as the page says."""
    rows = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip().splitlines()[2:]
    cells = (row.strip("| ").split(" | ") for row in rows)
    return {cell[0]: int(cell[1]) for cell in cells}
