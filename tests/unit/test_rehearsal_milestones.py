"""A milestone that slips in a rehearsal takes along what hangs on it, as plan and apply would."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from pfflow.domain.decision import Decision
from pfflow.domain.project import Milestone
from pfflow.rehearsal.living import Living, Span
from pfflow.rehearsal.running import cycle_over
from pfflow.rehearsal.script import EVERYBODY_ON_TIME, Happening, Slip
from pfflow.rehearsal.world import MemoryStore
from tests.unit.rehearsing import example


def test_a_milestone_that_slips_moves_the_undertaking_that_hangs_on_it() -> None:
    facts, playbook = example("expressway")
    project = facts.projects[0].project_ref
    due = replace(
        facts.obligations[0],
        obligation_ref="handover-file",
        frequency="once",
        first=None,
        last=None,
        milestone="toll",
        offset_days=0,
        convention="following",
        metric="",
        operator="",
        threshold=None,
    )
    milestone = Milestone(project_ref=project, milestone="toll", planned_on=date(2026, 2, 10))
    facts = replace(facts, obligations=(due,), milestones=(*facts.milestones, milestone))
    slip = Happening(on=date(2026, 1, 12), milestone=Slip(milestone="toll", forecast=date(2026, 3, 7)))
    store = MemoryStore(facts)
    decisions: list[Decision] = []
    Living(
        store=store,
        cycle=cycle_over(store, playbook),
        project_ref=project,
        script=EVERYBODY_ON_TIME.model_copy(update={"happenings": (slip,)}),
        span=Span(date(2026, 1, 5), date(2026, 1, 14)),
        see=lambda decision, _: decisions.append(decision),
    ).through()
    key = f"{project}/handover-file/toll"
    assert store.lives[project].index.obligations[key].due_on == date(2026, 3, 9)
    entries = [entry for one in decisions for entry in one.entries if entry.subject == key]
    said = [entry.data["because"] for entry in entries if entry.kind == "moved"]
    assert said == ["date slipped: toll from 2026-02-10 to 2026-03-07"]
