"""Plan and apply: what playbook, register and holiday lists would change in every project, and doing exactly that.

Planning writes nothing. Applying plans again and compares: a plan is applied whole in each project, one transaction
each, or not in that project at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256

from pfflow.bootstrap import Engine
from pfflow.cycle import Cycle
from pfflow.domain.playbook import Playbook
from pfflow.domain.replanning import Booking, HousePlan, ProjectPlan, Replan, bookings, conflicts, replan
from pfflow.domain.replanning.conflicts import MEETINGS_A_DAY
from pfflow.domain.replanning.plan import digest_of_held
from pfflow.domain.replanning.reconciling import horizon_on
from pfflow.domain.words import Stage, Words
from pfflow.playbook import parse_playbook
from pfflow.ports import NotHeld


@dataclass(frozen=True, slots=True)
class Candidate:
    """A playbook that is to be: read, and word for word."""

    playbook: Playbook
    text: str

    @property
    def sha256(self) -> str:
        """The digest of its text in UTF-8, in hexadecimal."""
        return sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a project when a plan was applied: `refused` says why it was left as it is, empty where done."""

    project_ref: str
    changes: int = 0
    letters: int = 0
    refused: str = ""


def in_force(opened: Engine) -> Candidate:
    """Give the playbook in force as the one that is to be."""
    stored = opened.store.playbook()
    return Candidate(opened.playbook, stored.text if stored else "")


def planned(
    opened: Engine,
    candidate: Candidate,
    as_of: datetime,
    project_refs: Sequence[str],
    *,
    until: date | None = None,
    meetings_a_day: int = MEETINGS_A_DAY,
) -> HousePlan:
    """Give the plan for some projects at an instant; writes nothing."""
    last = until or horizon_on(candidate.playbook, as_of)
    cycle = _cycle(opened, candidate.playbook)
    overviews = {line.project_ref: line for line in opened.store.projects()}
    projects: list[ProjectPlan] = []
    booked: list[Booking] = []
    for ref in sorted(project_refs):
        holdings = opened.store.holdings(ref)
        dossier = cycle.dossier(holdings, as_of)
        found = replan(dossier, as_of, before=opened.playbook, until=last)
        booked += bookings(dossier, found.decision)
        projects.append(
            ProjectPlan(
                project_ref=ref,
                name=Words(holdings.project.name_zh, holdings.project.name),
                version=overviews[ref].version,
                calendar=dossier.calendar.version,
                held=digest_of_held(holdings.obligations.values()),
                changes=found.changes,
            )
        )
    return HousePlan(
        as_of=as_of,
        until=last,
        playbook=f"{candidate.playbook.name}/{candidate.playbook.version}",
        sha256=candidate.sha256,
        in_force=in_force(opened).sha256,
        projects=tuple(projects),
        conflicts=conflicts(booked, meetings_a_day),
    )


def apply(opened: Engine, candidate: Candidate, plan: HousePlan, *, by: str, at: datetime) -> tuple[Applied, ...]:
    """Put the playbook in force if it is another one, then make each project's changes; letters wait in the outbox.

    `plan` is of this moment: whoever calls has compared it with the one that was approved. Where a project cannot be
    decided for at its instant, nothing at all is done; one that changes in between is left as it is. Both say so. `at`
    is the instant the adoption is written down with.
    """
    before = opened.playbook
    refused = tuple(filter(None, (_refused(opened, plan, one) for one in plan.projects if one.changes)))
    if refused:
        return refused
    if plan.sha256 != plan.in_force:
        playbook = candidate.playbook
        opened.store.adopt_playbook(candidate.text, playbook.name, playbook.version, at, by)
    cycle = _cycle(opened, candidate.playbook)
    return tuple(_applied(opened, cycle, before, plan, one) for one in plan.projects if one.changes)


def _refused(opened: Engine, plan: HousePlan, one: ProjectPlan) -> Applied | None:
    with opened.store.deciding(one.project_ref, Stage.COMMUNICATION, plan.as_of, again=True) as held:
        return Applied(one.project_ref, refused=_WHY[held.reason]) if isinstance(held, NotHeld) else None


def _applied(opened: Engine, cycle: Cycle, before: Playbook, plan: HousePlan, one: ProjectPlan) -> Applied:
    ref = one.project_ref
    with opened.store.deciding(ref, Stage.COMMUNICATION, plan.as_of, again=True) as held:
        if isinstance(held, NotHeld):
            return Applied(ref, refused=_WHY[held.reason])
        dossier = cycle.dossier(held.holdings, plan.as_of)
        now: Replan = replan(dossier, plan.as_of, before=before, until=plan.until)
        if now.changes != one.changes:
            return Applied(ref, refused="it changed while the plan was being applied")
        recorded = held.record(now.decision)
    return Applied(ref, len(now.changes), recorded.notices)


_WHY = {
    "busy": "another worker is deciding for it; try again",
    "past": "a decision for a later time stands, and time does not go back",
}


def _cycle(opened: Engine, playbook: Playbook) -> Cycle:
    """Give a cycle under another playbook; calendars reach as far as the longer horizon of the two planned."""
    days = max(playbook.horizon_days, opened.playbook.horizon_days)
    calendar_of = opened.cycle.calendar_of
    return replace(
        opened.cycle,
        playbook=playbook,
        calendar_of=lambda one, held, at: calendar_of(one.model_copy(update={"horizon_days": days}), held, at),
    )


def read_candidate(text: str, name: str) -> Candidate | None:
    """Give a playbook's text as a candidate; None where it does not read."""
    playbook = parse_playbook(text, name).playbook
    return Candidate(playbook, text) if playbook else None
