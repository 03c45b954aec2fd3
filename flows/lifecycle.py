"""The flow of a whole life: all five stages of every project, day by day, and the letters of each day.

A task takes the days of one month. Running days again sends nothing: what was decided stands, and each letter has one
key.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from prefect import flow, get_run_logger, task
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State

from flows.approvals import faces_shown
from flows.artifacts import FEW, publish
from flows.sweeping import Line, ended, line_of, name_run, who
from pfflow.bootstrap import Engine, engine, now, opened_store, playbook_in_force
from pfflow.cycle import STAGES, Dispatched
from pfflow.domain.words import Stage
from pfflow.settings import Settings

_QUIET = frozenset({"concluded"})
"""What alone is not worth a line in the log of a day."""


@dataclass(frozen=True, slots=True)
class Life:
    """What is to be lived: days, at a wall time, in a zone, for some projects; `began_at` is when living began.

    A `live` one ends now; any other is a span of days that somebody named.
    """

    days: tuple[date, ...]
    at: time
    zone: ZoneInfo
    refs: tuple[str, ...]
    began_at: datetime
    live: bool

    def instant(self, day: date) -> datetime:
        """Give the instant of a day: its wall time; for today not later than now, and now where it is live."""
        at = datetime.combine(day, self.at, self.zone)
        if day != self.began_at.astimezone(self.zone).date():
            return at
        return self.began_at if self.live else min(at, self.began_at)


@dataclass(slots=True)
class Tally:
    """What became of the projects over many days: a line each, and the letters."""

    lines: dict[str, Line] = field(default_factory=dict)
    letters: Counter[str] = field(default_factory=Counter)

    def add(self, line: Line) -> None:
        """Add a line to its project's: what was done adds up, the first error stays, and decided outweighs quiet."""
        before = self.lines.get(line.project_ref)
        if before is None:
            self.lines[line.project_ref] = line
            return
        statuses = (before.status, line.status)
        self.lines[line.project_ref] = Line(
            project_ref=line.project_ref,
            status=next((s for s in ("failed", "decided", "busy", "past") if s in statuses), line.status),
            did=dict(Counter(before.did) + Counter(line.did)),
            findings=tuple(dict.fromkeys((*before.findings, *line.findings))),
            error=before.error or line.error,
        )

    def send(self, sent: Dispatched) -> None:
        """Add what was sent."""
        self.letters.update(sent=sent.sent, held=sent.held, retry=sent.retry, failed=sent.failed)

    def join(self, other: Tally) -> None:
        """Add another tally's lines and letters."""
        for line in other.lines.values():
            self.add(line)
        self.letters.update(other.letters)


@flow(name="lifecycle", flow_run_name="lifecycle · {from_on} – {until_on}")
async def lifecycle(
    from_on: date | None = None,
    until_on: date | None = None,
    projects: list[str] | None = None,
    at: time = time(18),
) -> State[dict[str, Any]]:
    """Live through days: all five stages of each in their order, then the day's letters.

    Args:
        from_on: The first day; the last day if not given.
        until_on: The last day, included; today if not given.
        projects: The projects to live, by their references in the register; all if not given.
        at: The wall time of each day's decisions where the playbook is at home; today's are not later than now.
    """
    life = await asyncio.to_thread(_life, from_on, until_on, projects, at)
    span = " – ".join(dict.fromkeys(day.isoformat() for day in (life.days[0], life.days[-1])))
    await name_run(f"lifecycle · {who(life.refs)} · {span}")
    progress = await acreate_progress_artifact(0.0, key="lifecycle-progress", description=span)
    whole, lived = Tally(), 0
    for month, days in _months(life.days):
        whole.join(await live_month(month, days, life))
        lived += len(days)
        await aupdate_progress_artifact(progress, 100.0 * lived / len(life.days))
    lines = tuple(whole.lines.values())
    last = life.instant(life.days[-1])
    forms = await faces_shown(life.refs, None if life.live else last)
    shown = tuple(line.project_ref for line in lines if not line.error)[:FEW]
    for stage in STAGES:
        await publish(stage, last, shown, shown if stage is Stage.EVALUATION else ())
    for line in lines:
        get_run_logger().info("%s", line)
        for finding in line.findings:
            get_run_logger().warning("%s: %s", line.project_ref, finding)
    return ended(lines, Dispatched(**whole.letters), days=len(life.days), forms=forms)


def _life(from_on: date | None, until_on: date | None, projects: Sequence[str] | None, at: time) -> Life:
    with opened_store(Settings()) as store:
        zone = playbook_in_force(store).zone
        refs = tuple(dict.fromkeys(projects)) if projects else store.project_refs()
    began_at = now()
    last = until_on or began_at.astimezone(zone).date()
    first = from_on or last
    if first > last:
        raise ValueError(f"from_on {first} is after until_on {last}")
    days = tuple(first + timedelta(days=number) for number in range((last - first).days + 1))
    return Life(days, at, zone, refs, began_at, live=until_on is None)


def _months(days: Sequence[date]) -> Iterator[tuple[str, tuple[date, ...]]]:
    for month, found in groupby(days, key=lambda day: f"{day:%Y-%m}"):
        yield month, tuple(found)


@task(name="month", task_run_name="{month}", cache_policy=NO_CACHE)
async def live_month(month: str, days: Sequence[date], life: Life) -> Tally:  # noqa: ARG001 - `month` names the task run
    """Live the days of one month."""
    logger = get_run_logger()
    tally = Tally()
    with engine() as opened:
        for day in days:
            for stage, line in await asyncio.to_thread(_decide_day, opened, life, day):
                tally.add(line)
                if line.error:
                    logger.error("%s %s %s", day, stage, line)
                elif line.did.keys() - _QUIET:
                    logger.info("%s %s %s", day, stage, line)
            tally.send(await opened.cycle.dispatch())
        tally.send(await opened.cycle.dispatch(patience=opened.settings.mail_lease + 1))
    return tally


def _decide_day(opened: Engine, life: Life, day: date) -> list[tuple[Stage, Line]]:
    as_of = life.instant(day)
    return [(stage, line_of(o)) for stage in STAGES for o in opened.cycle.sweep(stage, as_of, life.refs)]
