"""What planning costs: dates, persisting, a plan with nothing to change, and memory; each beside a floor, in one run.

    python benchmarks/plan.py                 10,000 projects, 3 rounds, as a table
    python benchmarks/plan.py --projects 500 --rounds 1 --json

Each measurement is a process of its own and rounds are interleaved, so that a slow minute of the machine is in every
column; medians are shown. The projects follow the expressway's playbook for 2026 without its monthly report, each with
two undertakings: about 90 dates a project. numpy is needed for the floor of dates only; `make install` brings it.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

from pfflow.bootstrap import Engine
from pfflow.calendars import business_calendar
from pfflow.cycle import Cycle
from pfflow.domain.business_days import BusinessCalendar, Convention
from pfflow.domain.decision import Dossier, Holdings
from pfflow.domain.facts import Facts, Undertaking
from pfflow.domain.obligations import Obligation
from pfflow.domain.offsets import Offset, OffsetUnit
from pfflow.domain.planning import Window, wanted
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Phase, Project
from pfflow.domain.recurrence import Occurrence, anchored_each, expand, periods
from pfflow.domain.replanning import Settled
from pfflow.plans import Candidate, Desk, apply_one, keep_marks, projects_planned
from pfflow.playbook import read_playbook
from pfflow.ports import Claimed, Receipt
from pfflow.register import read_register
from pfflow.settings import Settings
from pfflow.store import SqlStore
from pfflow.store.engine import open_engines, transaction
from pfflow.store.holding import write_obligations

try:
    import numpy as np
except ModuleNotFoundError:
    raise SystemExit("the floor of dates is numpy's; make install brings it") from None

ROOT = Path(__file__).parents[1]
YEAR = Window(date(2026, 1, 1), date(2026, 12, 31))
AS_OF = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
CONVENTIONS: Mapping[Convention, Literal["following", "preceding", "modifiedfollowing", "modifiedpreceding"]] = {
    Convention.FOLLOWING: "following",
    Convention.PRECEDING: "preceding",
    Convention.MODIFIED_FOLLOWING: "modifiedfollowing",
    Convention.MODIFIED_PRECEDING: "modifiedpreceding",
}
"""numpy's words for the conventions."""
TARGETS = {
    "dates / numpy": 5.0,
    "persist / executemany": 1.5,
    "again / first plan": 0.1,
    "MiB per 100,000 obligations": 60.0,
}


@dataclass(frozen=True)
class World:
    """What the projects share: playbook, calendar, and the facts of the first."""

    playbook: Playbook
    calendar: BusinessCalendar
    facts: Facts

    def refs(self, projects: int) -> Iterator[str]:
        """Give the projects' refs."""
        return (f"EXP-{number:05}" for number in range(projects))

    def undertakings(self, ref: str) -> tuple[Undertaking, ...]:
        """Give a project's undertakings."""
        return tuple(replace(one, project_ref=ref) for one in self.facts.obligations)

    def project(self, ref: str) -> Project:
        """Give a project in construction."""
        return replace(self.facts.projects[0], project_ref=ref, phase=Phase.IMPLEMENTATION)

    def dossier(self, ref: str) -> Dossier:
        """Give the dossier of a project that nothing was decided for."""
        project = self.project(ref)
        facts = replace(self.facts, projects=(project,), obligations=self.undertakings(ref))
        return self.around(Holdings(project=project, facts=facts))

    def around(self, held: Holdings) -> Dossier:
        """Give the dossier of what is held."""
        return Dossier(held=held, playbook=self.playbook, calendar=self.calendar, engaged_on=YEAR.first)

    def obligations(self, ref: str) -> list[Obligation]:
        """Give all that should be for a project in the year."""
        return [one.obligation for one in wanted(self.dossier(ref), YEAR, _unexpected)]


def the_world() -> World:
    """Read the expressway, and leave out what makes more than about 90 dates a project-year."""
    example = ROOT / "examples" / "expressway"
    read = read_playbook(example / "playbook.yaml").playbook
    assert read is not None
    cadences = {name: one for name, one in read.cadences.items() if name != "monthly-progress"}
    facts = read_register(example / "register.xlsx").facts
    roles = {role for one in read.activities.values() for role in (one.accountable, *one.responsible, *one.informed)}
    participations = tuple(p for p in facts.participations if p.role in roles)
    parties = {p.party_ref for p in participations} | {"P-03", "P-07"}
    kept = Facts(
        parties=tuple(replace(p, parent_ref="", owner_ref="") for p in facts.parties if p.party_ref in parties),
        contacts=tuple(c for c in facts.contacts if c.party_ref in parties),
        projects=(replace(facts.projects[0], borrower_ref="P-03", sponsor_ref=""),),
        participations=participations,
        obligations=tuple(
            u for u in facts.obligations if u.obligation_ref in ("construction-report", "compliance-certificate")
        ),
    )
    return World(
        playbook=read.model_copy(update={"cadences": cadences}),
        calendar=business_calendar(["CN"], 2025, 2027),
        facts=kept,
    )


def _unexpected(kind: str, subject: str, _zh: str, en: str) -> None:
    raise AssertionError(f"{kind} {subject}: {en}")


# Dates


def dates(world: World, projects: int) -> tuple[float, int]:
    """Expand and roll every cadence and undertaking of every project, as planning asks for them."""
    began = time.perf_counter()
    count = 0
    for _ in range(projects):
        for occurrences in _occurrences(world):
            count += len(occurrences)
    return time.perf_counter() - began, count


def _occurrences(world: World) -> Iterator[tuple[Occurrence, ...]]:
    for cadence in world.playbook.cadences.values():
        start = max(YEAR.first, cadence.start) if cadence.start else YEAR.first
        yield expand(cadence.rule, start, YEAR.last, cadence.roll, world.calendar)
    for one in world.facts.obligations:
        assert one.first is not None
        offset, convention = Offset(one.offset_days, OffsetUnit.CALENDAR_DAYS), Convention.parse(one.convention)
        yield anchored_each(one.frequency, (one.first, YEAR.last), offset, convention, world.calendar)  # type: ignore[arg-type]  # the register allows only these words


def floor_of_dates(world: World, projects: int) -> tuple[float, int]:
    """Roll the same unadjusted dates by numpy: one array for each convention, with the same days off.

    numpy knows no make-up workday, so its week has seven working days and the days off are listed one by one.
    """
    by_convention: dict[Convention, list[date]] = {}
    for cadence in world.playbook.cadences.values():
        start = max(YEAR.first, cadence.start) if cadence.start else YEAR.first
        found = expand(cadence.rule, start, YEAR.last, Convention.UNADJUSTED, world.calendar)
        by_convention.setdefault(cadence.roll, []).extend(one.unadjusted_on for one in found)
    for one in world.facts.obligations:
        assert one.first is not None
        ends = periods(one.frequency, one.first, YEAR.last)  # type: ignore[arg-type]  # as above
        shifted = [end + timedelta(days=one.offset_days) for _, end in ends]
        by_convention.setdefault(Convention.parse(one.convention), []).extend(shifted)
    days = [date(2024, 12, 1) + timedelta(days=number) for number in range(365 * 3)]
    off = np.array([day for day in days if not world.calendar.is_business_day(day)], dtype="datetime64[D]")
    calendar = np.busdaycalendar(weekmask="1111111", holidays=off)
    patterns = {one: np.array(some, dtype="datetime64[D]") for one, some in by_convention.items()}
    began = time.perf_counter()
    count = 0
    for convention, pattern in patterns.items():
        rolled = np.busday_offset(np.tile(pattern, projects), 0, CONVENTIONS[convention], busdaycal=calendar)
        count += len(rolled)
    return time.perf_counter() - began, count


# Persisting


def persist(world: World, projects: int, file: Path) -> tuple[float, int]:
    """Write every project's obligations by the store, a transaction a project, as recording a decision does."""
    engines = open_engines(f"sqlite:///{file}")
    (first,) = world.refs(1)
    pattern = world.obligations(first)
    took, count = 0.0, 0
    for ref in world.refs(projects):
        # Made one project at a time, as recording decisions has them, from those of the first.
        batch = [replace(one, key=one.key.replace(first, ref), project_ref=ref) for one in pattern]
        began = time.perf_counter()
        with transaction(engines.writing) as connection:
            write_obligations(connection, batch)
        took += time.perf_counter() - began
        count += len(batch)
    engines.reading.dispose()
    return took, count


def floor_of_persisting(world: World, projects: int, file: Path) -> tuple[float, int]:
    """Write the same rows by sqlite3's executemany from tuples that are ready, with the same settings and commits."""
    made = file.with_suffix(".made")
    shutil.copy(file, made)
    persist(world, 1, made)
    with sqlite3.connect(made) as source:
        columns = [row[1] for row in source.execute("PRAGMA table_info(obligation)")]
        pattern = source.execute("SELECT * FROM obligation").fetchall()
    source.close()
    (first,) = world.refs(1)
    statement = f"INSERT INTO obligation ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - the table's own names
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    took = 0.0
    for ref in world.refs(projects):
        batch = [tuple(v.replace(first, ref) if isinstance(v, str) else v for v in row) for row in pattern]
        began = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, batch)
        connection.execute("COMMIT")
        took += time.perf_counter() - began
    connection.close()
    return took, projects * len(pattern)


# Planning


def _engine(world: World, store: SqlStore) -> Engine:
    """Give the engine that plans: the store, and the world's playbook and calendar for every project."""
    settings = Settings()
    cycle = Cycle(
        store=store,
        playbook=world.playbook,
        calendar_of=lambda *_: world.calendar,
        mailer=_NoMail(),
        clock=lambda: AS_OF,
        worker="benchmark",
    )
    return Engine(store, cycle, world.playbook, settings)


class _NoMail:
    connections = 1

    def kept_open(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        raise AssertionError(f"{len(claimed)} letters, and nobody is to be mailed")


def plan(world: World, store: SqlStore, projects: int, as_of: datetime) -> tuple[float, int]:
    """Plan every project by the function `pfflow plan` uses, which reads, reconciles, or recognises.

    Who is in two meetings at once is looked for across all projects, by `pfflow plan` and not here.
    """
    began = time.perf_counter()
    opened = _engine(world, store)
    count, marks = 0, []
    for one in projects_planned(_desk(opened, as_of), list(world.refs(projects))):
        count += len(one.plan.changes)
        marks += [one.mark] if one.mark else []
    keep_marks(opened, marks)
    return time.perf_counter() - began, count


def apply(world: World, store: SqlStore, refs: Sequence[str], as_of: datetime) -> tuple[float, int]:
    """Do what is planned by the function `pfflow apply` uses: hold each project, reconcile, record, and plan again.

    The plan it is compared with is made here too, as `pfflow apply` makes it, but not counted.
    """
    opened = _engine(world, store)
    desk = _desk(opened, as_of)
    took, count = 0.0, 0
    marks: list[Settled] = []
    for one in projects_planned(desk, refs):
        began = time.perf_counter()
        done = apply_one(desk, one.plan, marks, "")
        took += time.perf_counter() - began
        assert not done.refused, done
        count += done.changes
    began = time.perf_counter()
    keep_marks(opened, marks)
    return took + time.perf_counter() - began, count


def _desk(opened: Engine, as_of: datetime) -> Desk:
    return Desk(opened, Candidate(opened.playbook, "benchmark"), as_of, YEAR.last)


def prepared(world: World, projects: int, file: Path) -> None:
    """Make a database that holds the projects and nothing that is owed."""
    refs = list(world.refs(projects))
    with SqlStore.open(f"sqlite:///{file}") as store:
        store.migrate()
        participations = tuple(replace(p, project_ref=ref) for ref in refs for p in world.facts.participations)
        facts = replace(
            world.facts,
            projects=tuple(map(world.project, refs)),
            participations=participations,
            obligations=tuple(one for ref in refs for one in world.undertakings(ref)),
        )
        store.import_facts(facts, AS_OF, "benchmark")
    _settle(file)


def _settle(file: Path) -> None:
    """Put everything that was written into the file itself, so that it can be copied alone."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


# Running


def measure(name: str, projects: int, file: Path) -> dict[str, float]:
    """Run one measurement in this process; gives its figures."""
    world = the_world()
    began = time.process_time()
    match name:
        case "dates":
            seconds, count = dates(world, projects)
        case "numpy":
            seconds, count = floor_of_dates(world, projects)
        case "persist":
            seconds, count = persist(world, projects, file)
        case "executemany":
            seconds, count = floor_of_persisting(world, projects, file)
        case "first plan":
            with SqlStore.open(f"sqlite:///{file}") as store:
                seconds, count = plan(world, store, projects, AS_OF)
        case "again":
            with SqlStore.open(f"sqlite:///{file}") as store:
                seconds, count = plan(world, store, projects, AS_OF + timedelta(hours=1))
            assert count == 0, f"{count} changes after everything was applied"
        case _:
            return _applied(world, projects, file)
    return {f"{name} s": seconds, f"{name} n": count, f"{name} processor s": time.process_time() - began}


def _applied(world: World, projects: int, file: Path) -> dict[str, float]:
    """Apply everything; the first half is applied before memory is looked at."""
    refs = list(world.refs(projects))
    with SqlStore.open(f"sqlite:///{file}") as store:
        early, half = apply(world, store, refs[: projects // 2], AS_OF)
        before = _peak_mib()
        late, rest = apply(world, store, refs[projects // 2 :], AS_OF)
        grown = _peak_mib() - before
    return {"apply s": early + late, "apply n": half + rest, "grown": grown / rest * 100_000}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(name: str, projects: int, file: Path) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    command = [sys.executable, __file__, "--measure", name, "--projects", str(projects), "--file", str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(f"{name} failed:\n{said.stderr}")
    figures: dict[str, float] = json.loads(said.stdout)
    return figures


def run(projects: int, rounds: int, report: Callable[[str], None]) -> dict[str, float]:
    """Run every measurement in every round; gives the medians and the ratios that have a target.

    Everything is applied once. The plans that find nothing begin from copies of the file it was applied to, which is
    what each of them would have come to.
    """
    gathered: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        empty, full, copy = (Path(folder) / name for name in ("empty.db", "full.db", "copy.db"))
        report("a database of projects")
        prepared(the_world(), projects, empty)
        shutil.copy(empty, full)
        report("applying everything")
        gathered |= {figure: [value] for figure, value in child("apply", projects, full).items()}
        _settle(full)
        for number in range(rounds):
            for name in ("numpy", "dates", "executemany", "persist", "first plan", "again"):
                report(f"round {number + 1} of {rounds}: {name}")
                if name not in ("numpy", "dates"):
                    shutil.copy(full if name == "again" else empty, copy)
                for figure, value in child(name, projects, copy).items():
                    gathered.setdefault(figure, []).append(value)
                for left in Path(folder).glob("copy.*"):
                    left.unlink()
    median = {figure: statistics.median(values) for figure, values in gathered.items()}
    return median | {
        "dates / numpy": median["dates s"] / median["numpy s"],
        "persist / executemany": median["persist s"] / median["executemany s"],
        "again / first plan": median["again s"] / median["first plan s"],
        "again / first plan and apply": median["again s"] / (median["first plan s"] + median["apply s"]),
        "again / first plan, processor": median["again processor s"] / median["first plan processor s"],
        "MiB per 100,000 obligations": median["grown"],
    }


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, default=Path(), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure, asked.projects, asked.file)))
        return
    figures = run(asked.projects, asked.rounds, lambda line: print(line, file=sys.stderr))
    if asked.json:
        print(json.dumps({"projects": asked.projects, "rounds": asked.rounds, "numpy": np.__version__} | figures))
        return
    for name, value in figures.items():
        target = TARGETS.get(name)
        said = "" if target is None else f"   target {target:g}: {'kept' if value <= target else 'MISSED'}"
        print(f"{name:32}{value:14,.3f}{said}")


if __name__ == "__main__":
    main()
