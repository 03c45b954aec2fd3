"""What a rehearsal costs: the expressway for 30 years on one core, and 100 solar parks for 20 years on two.

    python benchmarks/rehearse.py                       both, as a table
    python benchmarks/rehearse.py --rounds 1 --json
    python benchmarks/rehearse.py --projects 10 --years 2 --rounds 1
    python benchmarks/rehearse.py --example expressway  100 expressways: 20 times the letters

Each measurement is a process of its own; medians are shown. Time is that of living and of computing every figure: the
process's start, reading the files and writing the results are left out, the start of the workers is not. Memory is the
largest the process and its workers had together. The projects are copies of an example, with its playbook and parties,
each lived by itself; people answer on time. The digest is of all figures and dates: equal on every run and machine.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from pfflow.domain.facts import Facts
from pfflow.playbook import read_playbook
from pfflow.register import read_register
from pfflow.rehearsal.files import as_json
from pfflow.rehearsal.living import Span
from pfflow.rehearsal.running import Stage, rehearse

EXAMPLES = Path(__file__).parents[1] / "examples"
FIRST = date(2027, 1, 1)
TARGETS = {"expressway, 30 years s": 5.0, "100 x solar, 20 years s": 60.0, "100 x solar, 20 years MiB": 1024.0}


def copied(facts: Facts, projects: int) -> Facts:
    """Give the facts with the one project as many times, each with records of its own."""
    sheets: dict[str, Any] = {}
    for sheet, records in facts.sheets().items():
        own = bool(records) and hasattr(records[0], "project_ref")
        if not own:
            sheets[sheet] = records
            continue
        key = {"interactions": "ext_id", "needs": "need_ref", "surveys": "survey_ref"}.get(sheet)
        sheets[sheet] = tuple(
            replace(one, project_ref=f"P{n:03}", **({key: f"P{n:03}-{getattr(one, key)}"} if key else {}))  # type: ignore[arg-type]  # the sheet's records have these
            for n in range(projects)
            for one in records
        )
    figures = [one for one in facts.financials if one.subject_ref != facts.projects[0].project_ref]
    of_project = [one for one in facts.financials if one.subject_ref == facts.projects[0].project_ref]
    sheets["financials"] = (
        *figures, *(replace(one, subject_ref=f"P{n:03}") for n in range(projects) for one in of_project)
    )  # fmt: skip
    return Facts(**sheets)


def measure(example: str, projects: int, years: int, cores: int) -> dict[str, Any]:
    """Rehearse in this process; gives seconds, memory and a digest of everything that was found."""
    facts = read_register(EXAMPLES / example / "register.xlsx").facts
    playbook = read_playbook(EXAMPLES / example / "playbook.yaml").playbook
    assert playbook is not None
    last = date(FIRST.year + years - 1, 12, 31)
    stage = Stage(copied(facts, projects) if projects > 1 else facts, playbook, Span(FIRST, last))
    began = time.perf_counter()
    found = rehearse(stage, cores=cores)
    seconds = time.perf_counter() - began
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # The largest of the workers, taken for each of them.
    mib += cores * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024 if cores > 1 else 0
    digest = sha256(json.dumps(as_json(found), sort_keys=True).encode()).hexdigest()
    return {
        "s": seconds, "MiB": mib, "dates": len(found.dates), "mails": found.mails, "decisions": found.decisions,
        "digest": digest[:16],
    }  # fmt: skip


def child(example: str, projects: int, years: int, cores: int) -> dict[str, Any]:
    """Run one measurement in a process of its own."""
    asked = ["--measure", "--example", example, "--projects", str(projects), "--years", str(years)]
    asked += ["--cores", str(cores)]
    said = subprocess.run([sys.executable, __file__, *asked], capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(said.stderr)
    figures: dict[str, Any] = json.loads(said.stdout)
    return figures


def median(name: str, rounds: int, example: str, projects: int, *, years: int, cores: int) -> dict[str, Any]:
    """Run a measurement some times; gives the medians, and refuses where two rounds found different things."""
    found = [child(example, projects, years, cores) for _ in range(rounds)]
    digests = {one["digest"] for one in found}
    if len(digests) > 1:
        raise SystemExit(f"{name}: the rounds found different things: {', '.join(sorted(digests))}")
    counted = {f"{name} {key}": found[0][key] for key in ("dates", "mails", "decisions", "digest")}
    return {f"{name} {key}": statistics.median(one[key] for one in found) for key in ("s", "MiB")} | counted


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--example", choices=("solar", "expressway"), default="solar", help="what the many are")
    parser.add_argument("--projects", type=int, default=100)
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="figures as JSON on standard output")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.example, asked.projects, asked.years, asked.cores)))
        return
    figures = median("expressway, 30 years", asked.rounds, "expressway", 1, years=30, cores=1)
    many = f"{asked.projects} x {asked.example}, {asked.years} years"
    figures |= median(many, asked.rounds, asked.example, asked.projects, years=asked.years, cores=asked.cores)
    if asked.json:
        print(json.dumps(vars(asked) | figures))
        return
    for name, value in figures.items():
        target = TARGETS.get(name)
        said = "" if target is None else f"   target {target:g}: {'kept' if value <= target else 'MISSED'}"
        print(f"{name:40}{value if isinstance(value, str) else f'{value:14,.1f}'}{said}")


if __name__ == "__main__":
    main()
