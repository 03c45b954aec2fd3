"""How every sweep goes: who is swept, in chunks of projects, what came of it, and how the run ends.

A sweep is one flow run however many projects there are. Its tasks take `CHUNK` projects each; a project that fails is
in its chunk's lines and stops nobody. The next sweep is the retry, since what is decided already stays as it is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from prefect import get_client, get_run_logger, runtime, task
from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.mail import show_kept_letters
from pfflow.bootstrap import engine, now, opened_store, playbook_in_force
from pfflow.cycle import Dispatched, Outcome
from pfflow.domain.trouble import summary
from pfflow.domain.words import Stage
from pfflow.settings import Settings

CHUNK = 250
"""Projects a task takes: a flow run or task for each would cost more than deciding."""

_NAMED = 5
"""How many projects a message names before it counts the rest."""

_NOUNS = {
    "planned": ("planned", "planned"),
    "letters": ("letter", "letters"),
    "remind": ("reminder", "reminders"),
    "escalate": ("escalation", "escalations"),
    "fulfilled": ("fulfilled", "fulfilled"),
    "waived": ("waived", "waived"),
    "cancelled": ("cancelled", "cancelled"),
    "held": ("held", "held"),
    "concluded": ("conclusion", "conclusions"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One stage for some projects at an instant. `on` is the day of `as_of` where the playbook is at home."""

    stage: Stage
    as_of: datetime
    on: str
    refs: tuple[str, ...]
    given: bool
    """Whether the caller named the instant; a live sweep takes the clock's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one project in a sweep: its outcome's status, and how much of each thing was done."""

    project_ref: str
    status: str
    did: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    error: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"{self.project_ref}: failed: {self.error}"
        said = [f"{count} {nouns[count != 1]}" for kind, nouns in _NOUNS.items() if (count := self.did.get(kind, 0))]
        return f"{self.project_ref}: {', '.join(said) or self.status}"


async def begun(stage: Stage, as_of: datetime | None, projects: Sequence[str] | None) -> Sweep:
    """Give the sweep a run is asked for, and name the run after stage, project and day.

    An instant without a zone is wall time where the playbook is at home. Raises NotReadyError without a playbook.
    """
    zone, refs = await asyncio.to_thread(_house, projects)
    instant = now() if as_of is None else in_zone(as_of, zone)
    sweep = Sweep(
        stage=stage,
        as_of=instant,
        on=instant.astimezone(zone).date().isoformat(),
        refs=refs,
        given=as_of is not None,
    )
    await name_run(f"{slug(stage)} · {who(refs)} · {sweep.on}")
    return sweep


def _house(projects: Sequence[str] | None) -> tuple[ZoneInfo, tuple[str, ...]]:
    with opened_store(Settings()) as store:
        return playbook_in_force(store).zone, tuple(dict.fromkeys(projects)) if projects else store.project_refs()


def in_zone(instant: datetime, zone: ZoneInfo) -> datetime:
    """Give an instant with its zone; one without is wall time in `zone`."""
    return instant if instant.tzinfo else instant.replace(tzinfo=zone)


def who(refs: Sequence[str]) -> str:
    """Say whom a run is about: the project, or how many.

    >>> who(["EXP-01"]), who(["EXP-01", "SOL-01"])
    ('EXP-01', '2 projects')
    """
    return refs[0] if len(refs) == 1 else f"{len(refs)} projects"


async def name_run(name: str) -> None:
    """Rename the run this is called in; outside a run there is nothing to name."""
    run_id = runtime.flow_run.id
    if run_id:
        async with get_client() as client:
            await client.set_flow_run_name(run_id, name)


async def decided(sweep: Sweep) -> tuple[Line, ...]:
    """Decide the sweep's stage for its projects, a task a chunk, and log a line for each project that did something."""
    logger = get_run_logger()
    chunks = chunked(sweep.refs)
    progress = (
        await acreate_progress_artifact(0.0, key=f"{slug(sweep.stage)}-progress", description=f"{sweep.on}")
        if len(chunks) > 1
        else None
    )
    futures = [decide_chunk.submit(sweep.stage, sweep.as_of, refs, number) for number, refs in enumerate(chunks, 1)]
    lines: list[Line] = []
    for number, (refs, future) in enumerate(zip(chunks, futures, strict=True), 1):
        await asyncio.to_thread(future.wait)
        lines += _lines_of(refs, future.state, await future.state.aresult(raise_on_failure=False))
        if progress is not None:
            await aupdate_progress_artifact(progress, 100.0 * number / len(chunks))
    for line in lines:
        if line.error:
            logger.error("%s", line)
        elif line.did:
            logger.info("%s", line)
        for finding in line.findings:
            logger.warning("%s: %s", line.project_ref, finding)
    return tuple(lines)


def _lines_of(refs: Sequence[str], state: State, result: Any) -> list[Line]:  # noqa: ANN401 - a task's result or its exception
    if state.is_completed():
        return list(result)
    return [Line(project_ref=ref, status="failed", error=f"its chunk did not end: {result}") for ref in refs]


def chunked(refs: Sequence[str], size: int = CHUNK) -> list[tuple[str, ...]]:
    """Give the refs in chunks, in order.

    >>> chunked(["A", "B", "C"], 2)
    [('A', 'B'), ('C',)]
    """
    return [tuple(refs[start : start + size]) for start in range(0, len(refs), size)]


@task(name="decide", task_run_name="{stage} · chunk {number} · from {refs[0]}", cache_policy=NO_CACHE)
def decide_chunk(stage: Stage, as_of: datetime, refs: Sequence[str], number: int) -> tuple[Line, ...]:  # noqa: ARG001 - `number` names the task run
    """Decide a stage for a chunk of projects, one after the other."""
    with engine() as opened:
        return tuple(line_of(outcome) for outcome in opened.cycle.sweep(stage, as_of, refs))


def line_of(outcome: Outcome) -> Line:
    """Give an outcome's line."""
    did = {kind: count for kind, count in outcome.did.items() if kind in _NOUNS}
    if outcome.recorded.notices:
        did["letters"] = outcome.recorded.notices
    return Line(
        project_ref=outcome.project_ref,
        status=outcome.status,
        did=did,
        findings=tuple(f"{f.kind}: {f.text.zh} / {f.text.en}" for f in outcome.findings),
        error=outcome.error,
    )


@task(name="dispatch", task_run_name="dispatch", cache_policy=NO_CACHE)
async def dispatched() -> Dispatched:
    """Send what waits in the outbox until nothing can be claimed."""
    with engine() as opened:
        # What a worker that died had taken may go once its lease has run out.
        sent = await opened.cycle.dispatch(patience=opened.settings.mail_lease + 1)
        undelivered = opened.store.undelivered()
    get_run_logger().info(
        "letters: %d sent, %d held back, %d put off, %d failed", sent.sent, sent.held, sent.retry, sent.failed
    )
    if undelivered:
        get_run_logger().warning("%s (pfflow outbox says more)", summary(undelivered).en)
    await show_kept_letters()
    return sent


def totals(lines: Iterable[Line]) -> dict[str, int]:
    """Add up what was done, with how many projects had each status."""
    counted: Counter[str] = Counter()
    for line in lines:
        counted.update(line.did)
        counted[line.status] += 1
    return dict(counted)


def ended(lines: Sequence[Line], sent: Dispatched, **more: object) -> State[dict[str, Any]]:
    """Give the state a run ends in: Failed only if all its projects failed; the message names those that did.

    The result holds totals, letters, the failed with their errors, and whatever else is given.
    """
    failed = {line.project_ref: line.error for line in lines if line.error}
    result = {"projects": len(lines), "totals": totals(lines), "letters": asdict(sent), "failed": failed, **more}
    summary = _summary(lines, sent)
    if not failed:
        return Completed(message=summary, data=result)
    message = f"{len(failed)} of {len(lines)} failed: {_named(list(failed))}; {summary}"
    if len(failed) == len(lines):
        return Failed(message=message, data=result)
    return Completed(name="PartlyFailed", message=message, data=result)


def _named(refs: Sequence[str]) -> str:
    rest = len(refs) - _NAMED
    return ", ".join(refs[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _summary(lines: Sequence[Line], sent: Dispatched) -> str:
    if not lines:
        return "there are no projects; import a register"
    status = Counter(line.status for line in lines)
    parts = [f"{status['decided']} of {len(lines)} had something to do"]
    parts += [f"{status['busy']} were held by another worker"] if status["busy"] else []
    parts += [f"{status['past']} refused: a later decision stands"] if status["past"] else []
    parts += [f"{sent.sent} letters sent"]
    parts += [f"{sent.held} held back"] if sent.held else []
    parts += [f"{sent.retry} to be tried again"] if sent.retry else []
    parts += [f"{sent.failed} letters failed"] if sent.failed else []
    return "; ".join(parts)


def slug(text: str) -> str:
    """Give a stage's name as artifact keys write it.

    >>> slug("service_design")
    'service-design'
    """
    return text.replace("_", "-")
