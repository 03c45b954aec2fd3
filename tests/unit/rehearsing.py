"""Rehearsing in tests: an example lived in memory, and everything that came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from pfflow.domain.decision import Decision
from pfflow.domain.facts import Facts
from pfflow.domain.playbook import Playbook
from pfflow.playbook import read_playbook
from pfflow.register import read_register
from pfflow.rehearsal.living import Living, Span
from pfflow.rehearsal.running import cycle_over
from pfflow.rehearsal.script import EVERYBODY_ON_TIME, Script
from pfflow.rehearsal.world import Life, MemoryStore

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Lived:
    """A project that was lived in memory: what is held at the end, and every decision that said something."""

    life: Life
    living: Living
    decisions: tuple[Decision, ...]

    @property
    def letters(self) -> dict[str, tuple[object, ...]]:
        """Every notice by its key: to whom, when, with what words and which invitation."""
        notices = (notice for decision in self.decisions for notice in decision.notices)
        return {n.key: (n.contact_ref, n.noticed_at, n.template, n.context, n.invitation, n.report) for n in notices}

    @property
    def entries(self) -> list[tuple[object, ...]]:
        """The ledger's entries in order."""
        return [
            (e.at, e.stage, e.kind, e.subject, e.data)
            for d in sorted(self.decisions, key=lambda d: d.as_of)
            for e in d.entries
        ]


@cache
def example(name: str) -> tuple[Facts, Playbook]:
    """Give an example's facts and playbook."""
    playbook = read_playbook(EXAMPLES / name / "playbook.yaml").playbook
    assert playbook is not None
    return read_register(EXAMPLES / name / "register.xlsx").facts, playbook


def lived(
    name: str,
    first: date,
    last: date,
    script: Script = EVERYBODY_ON_TIME,
    *,
    every_sweep: bool = False,
    written: bool = True,
) -> Lived:
    """Live an example's project from a day to a day."""
    facts, playbook = example(name)
    store = MemoryStore(facts)
    ref = facts.projects[0].project_ref
    decisions: list[Decision] = []
    living = Living(
        store=store,
        cycle=cycle_over(store, playbook, written=written),
        project_ref=ref,
        script=script,
        span=Span(first, last),
        see=lambda decision, _: decisions.append(decision),
        every_sweep=every_sweep,
    )
    living.through()
    return Lived(store.lives[ref], living, tuple(decisions))
