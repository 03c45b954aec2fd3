"""Running a rehearsal: each project lived over memory, on as many cores as are given, joined in their order."""

from __future__ import annotations

import gc
import pickle
import re
from collections.abc import AsyncIterator, Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from multiprocessing import get_context
from typing import cast

from pfflow.bootstrap import calendar_of, calendar_years
from pfflow.calendars import codes_in, holiday_names
from pfflow.cycle import Cycle
from pfflow.domain.business_days import BusinessCalendar, wall_instant
from pfflow.domain.decision import Holdings
from pfflow.domain.facts import Facts
from pfflow.domain.playbook import Playbook
from pfflow.domain.words import Words
from pfflow.ports import Claimed, Receipt
from pfflow.rehearsal.figures import HolidaysOf, Rehearsed, rehearsed
from pfflow.rehearsal.keeping import Keeper
from pfflow.rehearsal.living import Living, Span
from pfflow.rehearsal.scope import facts_of
from pfflow.rehearsal.script import EVERYBODY_ON_TIME, Script
from pfflow.rehearsal.tally import Part, Tally
from pfflow.rehearsal.world import MemoryStore

_ADDED = re.compile(r"\s*[(（][^()（）]*[)）]\s*$")
"""What a list says behind a holiday's name, such as (observed)."""
_BRIDGING = re.compile(r"day off", re.IGNORECASE)
_WEEKEND_BETWEEN = 3

_NO_TIME = datetime(1, 1, 1, tzinfo=UTC)


class NoMailer:
    """Sends nothing; there is nothing to send."""

    connections = 1

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        """Keep nothing open."""
        yield

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        """Give no receipt."""
        del claimed
        return ()


@dataclass(slots=True)
class _KeptCalendars:
    """Gives calendars as the live engine does, one a year of the clock and state of the lists."""

    kept: dict[Hashable, BusinessCalendar] = field(default_factory=dict)
    last: tuple[Holdings, date, BusinessCalendar] | None = None

    def __call__(self, playbook: Playbook, holdings: Holdings, as_of: datetime) -> BusinessCalendar:
        on = as_of.date()
        if self.last is not None and self.last[0] is holdings and self.last[1] == on:
            return self.last[2]
        # What a calendar is made of beside the playbook: the years it spans, the project's codes and the lists.
        years = calendar_years(playbook, holdings, as_of)
        asked = (years, holdings.project.calendars, holdings.holiday_lists)
        if asked not in self.kept:
            self.kept[asked] = calendar_of(playbook, holdings, as_of)
        self.last = (holdings, on, self.kept[asked])
        return self.kept[asked]


def cycle_over(store: MemoryStore, playbook: Playbook, edition: str = "", *, written: bool = True) -> Cycle:
    """Give the engine's hands over a store in memory: no mail, and no clock but the instants it is asked about.

    With the playbook's `edition` every decision says by what it was made, which it must to be kept. Where letters are
    not `written`, their templates' context is left out.
    """
    return Cycle(
        store=store,
        playbook=playbook,
        calendar_of=_KeptCalendars(),
        mailer=NoMailer(),
        clock=lambda: _NO_TIME,
        worker="rehearsal",
        written=written,
        edition=edition,
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a rehearsal is made of: facts, playbook, script and days."""

    facts: Facts
    playbook: Playbook
    span: Span
    script: Script = EVERYBODY_ON_TIME


def rehearse(
    stage: Stage,
    *,
    cores: int = 1,
    report: Callable[[int, int], None] = lambda *_: None,
    keeper: Keeper | None = None,
) -> Rehearsed:
    """Live every project and compute the figures; `report` is told how many of how many are done.

    Equal stages give equal findings, whatever the number of cores, kept or not. A `keeper` keeps one project: each is
    lived by itself, and two would not share what they learn of a party. Raises RehearsalError; ValueError for a keeper
    and several projects.
    """
    refs = sorted(project.project_ref for project in stage.facts.projects)
    parts: list[Part] = []
    if keeper is not None:
        (ref,) = refs
        parts.append(lived(replace(stage, facts=_facts_of(stage, ref)), keeper))
    elif min(cores, len(refs)) > 1:
        playbook = pickle.dumps(stage.playbook)
        # A project's facts alone go to its process: what the others have does not concern it.
        scenes = [_Scene(_facts_of(stage, ref), playbook, stage.span, stage.script) for ref in refs]
        # Started afresh, not forked: a forked process would share locks of threads that it does not have.
        with ProcessPoolExecutor(min(cores, len(refs)), mp_context=get_context("spawn")) as pool:
            for part in pool.map(_lived_there, scenes):
                parts.append(part)
                report(len(parts), len(refs))
    else:
        for ref in refs:
            parts.append(lived(replace(stage, facts=_facts_of(stage, ref))))
            report(len(parts), len(refs))
    return rehearsed(
        parts,
        playbook=f"{stage.playbook.name}/{stage.playbook.version}",
        script=stage.script,
        span=(stage.span.first, stage.span.last),
        holidays_of=named_holidays(stage),
    )


def _facts_of(stage: Stage, project_ref: str) -> Facts:
    """Give the facts that concern a project, or that will when what the script says has happened."""
    passed = [one.hands_over for one in stage.script.happenings if one.hands_over is not None]
    people = {one.to for one in passed if not one.role} | {one.substitute for one in stage.script.absences}
    coming = {one.party_ref for one in stage.facts.contacts if one.contact_ref in people}
    return facts_of(stage.facts, project_ref, coming | {one.to for one in passed if one.role})


@dataclass(frozen=True, slots=True)
class _Scene:
    """A project's stage on its way to another process: `playbook` is read there once, for all projects."""

    facts: Facts
    playbook: bytes
    span: Span
    script: Script


def _lived_there(scene: _Scene) -> Part:
    return lived(Stage(scene.facts, _playbook(scene.playbook), scene.span, scene.script))


@lru_cache(maxsize=4)
def _playbook(pickled: bytes) -> Playbook:
    return cast("Playbook", pickle.loads(pickled))  # noqa: S301 - the process that started this one wrote it


def lived(stage: Stage, keeper: Keeper | None = None) -> Part:
    """Live the one project of a stage, and let a keeper keep it; gives what was noted."""
    store = MemoryStore(stage.facts)
    (ref,) = store.project_refs()
    tally = Tally(stage.span.first)
    # Letters are written only to be kept.
    cycle = cycle_over(store, stage.playbook, keeper.edition if keeper else "", written=keeper is not None)
    living = Living(store, cycle, ref, stage.script, stage.span, tally.see)
    kept = keeper.keeping(store, stage.playbook, stage.script, stage.span) if keeper else nullcontext()
    with kept, _without_collecting():
        living.through()
    life = store.lives[ref]
    ends = wall_instant(stage.span.last, stage.playbook.hours.closes, stage.playbook.zone)
    found = tuple((one.kind, one.subject, one.text) for _, one in sorted(living.findings.items()))
    return tally.part(life, cycle.dossier(life.holdings, ends), found, len(living.looked))


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for no cycles while everything that is made is kept: each look would go through all of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():
                # What was made is old by now: the next look need not go through all of it at once.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def named_holidays(stage: Stage) -> HolidaysOf:
    """Give the names of the holidays of each project's calendars."""
    codes = {
        one.project_ref: tuple(dict.fromkeys((*stage.playbook.calendars, *codes_in(one.calendars))))
        for one in stage.facts.projects
    }

    def of(project_ref: str, year: int) -> Mapping[date, Words]:
        return _named(codes[project_ref], year)

    return of


@lru_cache(maxsize=4096)
def _named(codes: tuple[str, ...], year: int) -> Mapping[date, Words]:
    """Give the names of a year's holidays; a bridging day off has the name of the nearest day of its feast."""
    found: dict[date, Words] = {}
    for code in codes:
        for day, names in holiday_names(code, year).items():
            zh, en = (_ADDED.sub("", name).strip() for name in names)
            found.setdefault(day, Words(zh or en, en or zh))
    runs: list[list[date]] = []
    for day in sorted(found):
        # A weekend does not part what is one feast.
        near = runs and (day - runs[-1][-1]).days <= _WEEKEND_BETWEEN
        (runs[-1].append if near else lambda one: runs.append([one]))(day)
    for run in runs:
        proper = [day for day in run if not _BRIDGING.match(found[day].en)]
        for day in run:
            if proper and _BRIDGING.match(found[day].en):
                found[day] = found[min(proper, key=lambda one: abs(one - day))]
    return found
