"""Plan and apply: what playbook, register and holiday lists would change in every project, and doing exactly that.

Planning writes nothing. Applying plans again and compares: a plan is applied whole in each project, one transaction
each, or not in that project at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from pfflow import __version__, domain
from pfflow.bootstrap import Engine
from pfflow.cycle import Cycle
from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.decision import Dossier, Holdings
from pfflow.domain.facts import Facts
from pfflow.domain.ledger import canonical_json
from pfflow.domain.parties import Contact
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Project
from pfflow.domain.replanning import (
    Change,
    HousePlan,
    ProjectPlan,
    Replan,
    Settled,
    Sitting,
    conflicts,
    recorded,
    replan,
    sittings,
)
from pfflow.domain.replanning.conflicts import MEETINGS_A_DAY, Terms, guests_by_terms
from pfflow.domain.replanning.plan import digest_of_held
from pfflow.domain.replanning.reconciling import horizon_on
from pfflow.domain.words import Json, Stage, Words
from pfflow.playbook import parse_playbook
from pfflow.ports import NotHeld
from pfflow.store import HeldProject, Standing, StoreBusyError


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
    """Give the plan for some projects at an instant.

    Writes nothing but marks of the projects with nothing to change, which spare the next plan the same work.
    """
    last = until or horizon_on(candidate.playbook, as_of)
    desk = Desk(opened, candidate, as_of, last)
    found = tuple(projects_planned(desk, sorted(project_refs)))
    keep_marks(opened, [one.mark for one in found if one.mark is not None])
    spared = {one.plan.project_ref: one.spared for one in found if one.spared is not None}
    met = [*(sitting for one in found for sitting in one.met), *opened.store.settled_sittings(spared, as_of)]
    return HousePlan(
        as_of=as_of,
        until=last,
        playbook=f"{candidate.playbook.name}/{candidate.playbook.version}",
        sha256=candidate.sha256,
        in_force=in_force(opened).sha256,
        projects=tuple(one.plan for one in found),
        conflicts=conflicts(met, candidate.playbook.hours, meetings_a_day),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A project's plan. `spared` is the mark that spared the work, `mark` the one that now may spare the next."""

    plan: ProjectPlan
    met: tuple[Sitting, ...] = ()
    spared: Settled | None = None
    mark: Settled | None = None


def projects_planned(desk: Desk, project_refs: Sequence[str]) -> Iterator[Planned]:
    """Plan project by project; whoever takes them one by one need not have all their changes in memory."""
    for standing in desk.opened.store.standings(project_refs).values():
        inputs, kept = desk.inputs(standing), standing.settled
        if kept is not None and kept.holds(inputs, desk.as_of):
            yield _spared(standing, desk.calendar(standing), kept)
        else:
            yield _compared(desk, standing, inputs)


def _spared(standing: Standing, calendar: BusinessCalendar, kept: Settled) -> Planned:
    return Planned(plan=_project_plan(standing, calendar, kept.held, ladders_kept=kept.ladders_kept), spared=kept)


def _compared(desk: Desk, standing: Standing, inputs: str) -> Planned:
    dossier = desk.cycle.dossier(desk.opened.store.holdings(standing.project_ref), desk.as_of)
    found = replan(dossier, desk.as_of, before=desk.opened.playbook, until=desk.last)
    guests = guests_by_terms(dossier, found.decision)
    held = digest_of_held(dossier.held.obligations.values())
    return Planned(
        plan=_project_plan(standing, dossier.calendar, held, found.changes, ladders_kept=found.kept),
        met=sittings(dossier, found.decision, guests),
        mark=None if found.changes else _mark(dossier, inputs, found, guests),
    )


def _project_plan(
    standing: Standing,
    calendar: BusinessCalendar,
    held: str,
    changes: tuple[Change, ...] = (),
    *,
    ladders_kept: int,
) -> ProjectPlan:
    return ProjectPlan(
        project_ref=standing.project_ref,
        name=standing.name,
        version=standing.version,
        calendar=calendar.version,
        held=held,
        changes=changes,
        ladders_kept=ladders_kept,
    )


def _mark(dossier: Dossier, inputs: str, found: Replan, guests: Mapping[Terms, tuple[Contact, ...]]) -> Settled:
    return Settled(
        project_ref=dossier.project.project_ref,
        inputs=inputs,
        valid_from=found.decision.as_of,
        valid_until=found.holds_until,
        held=digest_of_held(dossier.held.obligations.values()),
        guests={terms: tuple(contact.contact_ref for contact in some) for terms, some in guests.items()},
        ladders_kept=found.kept,
    )


def keep_marks(opened: Engine, marks: Sequence[Settled]) -> None:
    """Keep the marks of projects with nothing to change."""
    # A mark that cannot be kept costs the next plan its time, and no more.
    with suppress(StoreBusyError):
        opened.store.keep_settled(marks)


class Desk:
    """What a plan of the house is made by, the same for all its projects; and what it reads of each, as a digest."""

    def __init__(self, opened: Engine, candidate: Candidate, as_of: datetime, last: date) -> None:
        self.opened = opened
        self.cycle = _cycle(opened, candidate)
        self.as_of = as_of
        self.last = last
        self._lists = opened.store.house_lists()
        self._calendars: dict[tuple[str, int | None], BusinessCalendar] = {}
        zone = candidate.playbook.zone
        today = as_of.astimezone(zone).date()
        # Whoever abolishes summer time moves meetings too.
        noons = (datetime.combine(today + timedelta(days=n), time(12), zone) for n in range((last - today).days + 1))
        offsets = [str(noon.utcoffset()) for noon in noons]
        self._said: list[Json] = [_code(), candidate.sha256, today.isoformat(), last.isoformat(), offsets]
        self._digest = sha256(canonical_json(self._said).encode()).hexdigest()

    def inputs(self, standing: Standing) -> str:
        """Give the digest of all a plan of the project is made by and reads, but for the hour."""
        engaged_at = min(self.as_of, standing.engaged_at or self.as_of)
        engaged_on = engaged_at.astimezone(self.cycle.playbook.zone).date()
        return self._with(standing.version, standing.ledger, self.calendar(standing), engaged_on)

    def inputs_after(self, dossier: Dossier, held: HeldProject) -> str:
        """Give the same of a project that is held, once a decision is recorded."""
        return self._with(held.version, held.ledger(), dossier.calendar, dossier.engaged_on)

    def _with(self, facts: int, ledger: str, calendar: BusinessCalendar, engaged_on: date) -> str:
        return sha256(f"{self._digest}\n{facts}\n{ledger}\n{calendar.version}\n{engaged_on}".encode()).hexdigest()

    def calendar(self, standing: Standing) -> BusinessCalendar:
        """Give a project's calendar, as its dossier has it."""
        named = (standing.calendars, standing.engaged_at.year if standing.engaged_at else None)
        if named not in self._calendars:
            project = Project(project_ref=standing.project_ref, name="", calendars=standing.calendars)
            bare = Holdings(project=project, facts=Facts(), engaged_at=standing.engaged_at, holiday_lists=self._lists)
            self._calendars[named] = self.cycle.calendar_of(self.cycle.playbook, bare, self.as_of)
        return self._calendars[named]


@lru_cache(maxsize=1)
def _code() -> str:
    """Give a digest of what planning is made of: all of the domain, on which alone it stands, and whose rules it reads.

    So nobody has to remember to say that a plan would now come out otherwise.
    """
    root = Path(domain.__file__).parent
    digest = sha256(f"{__version__} {version('python-dateutil')}".encode())
    for path in sorted(root.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def apply(opened: Engine, candidate: Candidate, plan: HousePlan, *, by: str, at: datetime) -> tuple[Applied, ...]:
    """Put the playbook in force if it is another one, then make each project's changes; letters wait in the outbox.

    `plan` is of this moment: whoever calls has compared it with the one that was approved. Where a project cannot be
    decided for at its instant, nothing at all is done; one that changes in between is left as it is. Both say so. `at`
    is the instant the adoption is written down with.
    """
    refused = tuple(filter(None, (_refused(opened, plan, one) for one in plan.projects if one.changes)))
    if refused:
        return refused
    if plan.sha256 != plan.in_force:
        playbook = candidate.playbook
        opened.store.adopt_playbook(candidate.text, playbook.name, playbook.version, at, by)
    desk = Desk(opened, candidate, plan.as_of, plan.until)
    marks: list[Settled] = []
    found = tuple(apply_one(desk, one, marks, plan.in_force) for one in plan.projects if one.changes)
    keep_marks(opened, marks)
    return found


def _refused(opened: Engine, plan: HousePlan, one: ProjectPlan) -> Applied | None:
    with opened.store.deciding(one.project_ref, Stage.COMMUNICATION, plan.as_of, again=True) as held:
        return _not_held(opened, one, held) if isinstance(held, NotHeld) else None


def apply_one(desk: Desk, one: ProjectPlan, marks: list[Settled], in_force_then: str) -> Applied:
    """Make a project's changes in one transaction, and add its mark to `marks` if another plan finds nothing then.

    `in_force_then` is the digest of the playbook that was in force when it was planned.
    """
    ref, before = one.project_ref, desk.opened.playbook
    with desk.opened.store.deciding(ref, Stage.COMMUNICATION, desk.as_of, again=True) as held:
        if isinstance(held, NotHeld):
            return _not_held(desk.opened, one, held)
        dossier = desk.cycle.dossier(held.holdings, desk.as_of)
        now = replan(dossier, desk.as_of, before=before, until=desk.last)
        if now.changes != one.changes:
            return Applied(ref, refused="it changed while the plan was being applied")
        basis = desk.cycle.basis(dossier)
        made_by = replace(basis, before=in_force_then, until=desk.last) if basis else None
        written = held.record(replace(now.decision, basis=made_by))
        mark = _mark_after(desk, dossier, now, held)
    marks += [mark] if mark else []
    return Applied(ref, len(now.changes), written.notices)


def _mark_after(desk: Desk, dossier: Dossier, applied: Replan, held: HeldProject) -> Settled | None:
    """Give the mark of a project whose plan was just recorded: another plan is made, and finds nothing."""
    after = recorded(dossier, applied.decision)
    again = replan(after, desk.as_of, until=desk.last)
    if again.changes:
        return None
    return _mark(after, desk.inputs_after(dossier, held), again, guests_by_terms(after, again.decision))


def stands_later(opened: Engine, as_of: datetime, project_refs: Sequence[str]) -> Words | None:
    """Say that later decisions stand than a plan's instant, so that it cannot be applied; None where none does."""
    later = opened.store.decided_after(project_refs, Stage.COMMUNICATION, as_of)
    if not later:
        return None
    ref, last = max(later.items(), key=lambda one: (one[1], one[0]))
    stands = last.astimezone(opened.playbook.zone)
    more = len(later) - 1
    zh, en = (f"{ref} 等 {more + 1} 个项目", f"{ref} and {more} more") if more else (ref, ref)
    return Words(
        f"{zh}：已有 {stands:%Y-%m-%d %H:%M:%S}（{opened.playbook.timezone}）的决定，时间不能倒退；"
        f"本计划仅供查看，无法执行；请以该时间或之后为准：--as-of {_as_asked(stands)}",
        f"{en}: a decision for {stands:%Y-%m-%d %H:%M:%S} ({opened.playbook.timezone}) stands, and time does not go "
        f"back; this plan is only to look at, it cannot be applied; plan for then or later: "
        f"--as-of {_as_asked(stands)}",
    )


def _not_held(opened: Engine, one: ProjectPlan, held: NotHeld) -> Applied:
    if held.stands_at is None:
        return Applied(one.project_ref, refused="another worker is deciding for it; try again")
    stands = held.stands_at.astimezone(opened.playbook.zone)
    return Applied(
        one.project_ref,
        refused=f"a decision for {stands:%Y-%m-%d %H:%M:%S} ({opened.playbook.timezone}) stands, and time does not go "
        f"back; plan for then or later: --as-of {_as_asked(stands)}",
    )


def _as_asked(instant: datetime) -> str:
    """Give an instant as --as-of takes it: to the minute, or exactly where it is not one."""
    return instant.isoformat(timespec="minutes" if instant == instant.replace(second=0, microsecond=0) else "auto")


def _cycle(opened: Engine, candidate: Candidate) -> Cycle:
    """Give a cycle under another playbook; calendars reach as far as the longer horizon of the two planned."""
    playbook = candidate.playbook
    days = max(playbook.horizon_days, opened.playbook.horizon_days)
    calendar_of = opened.cycle.calendar_of
    return replace(
        opened.cycle,
        playbook=playbook,
        edition=candidate.sha256,
        calendar_of=lambda one, held, at: calendar_of(one.model_copy(update={"horizon_days": days}), held, at),
    )


def read_candidate(text: str, name: str) -> Candidate | None:
    """Give a playbook's text as a candidate; None where it does not read."""
    playbook = parse_playbook(text, name).playbook
    return Candidate(playbook, text) if playbook else None
