"""The watchdog: ladders that should have moved and did not. It counts for itself and asks nothing of what fires them.

For each rung of a live obligation it reckons the rung's instant anew, from the due instant and the offset, and looks
for a firing of that name. What is held, or waits for a report that is not ready, is not overlooked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pfflow.domain.courses import courses, rungs_of
from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Interaction, Touch
from pfflow.domain.ladder import Action, Rung, bare_name, name_at
from pfflow.domain.obligations import AWAITING, Obligation, ObligationKind
from pfflow.domain.offsets import Offset, offset_instant
from pfflow.domain.project import Phase
from pfflow.domain.words import Stage, Words


@dataclass(frozen=True, slots=True)
class Overlooked:
    """Something that stood still: what kind of thing (rung, project, letters), which, since when, and in words."""

    kind: str
    subject: str
    since: datetime
    text: Words


def overlooked_rungs(dossier: Dossier, as_of: datetime, tolerance: timedelta) -> Iterator[Overlooked]:
    """Give the rungs that were due before `as_of` less `tolerance` and of which nothing is written, in order of key."""
    late_from = as_of - tolerance
    taken: dict[str, set[str]] = {}
    for owed, fired in dossier.held.firings:
        taken.setdefault(owed, set()).add(fired.partition("/")[0])
    for key, obligation in sorted(dossier.held.obligations.items()):
        if not obligation.live or _waits(dossier, obligation, late_from):
            continue
        rungs = rungs_of(dossier.playbook, obligation)
        if not rungs and obligation.ladder:
            yield _of(
                obligation, obligation.ladder, obligation.due_at, "阶梯在规则手册中已不存在", "its ladder is gone"
            )
        for rung in rungs:
            at = _instant(dossier, obligation, rung)
            name = name_at(rung, obligation.sequence)
            if at > late_from or name in taken.get(key, ()) or _needs_content(obligation, rung):
                continue
            yield _of(obligation, name, at, "应执行而未执行", "was due and nothing is written of it")


def silent_stages(
    decided_to: Mapping[Stage, datetime], as_of: datetime, within: timedelta, project_ref: str
) -> Iterator[Overlooked]:
    """Give the stages that decide daily and have not decided for a project for longer than `within`."""
    for stage in (Stage.IDENTIFICATION, Stage.INFORMATION_GATHERING, Stage.SERVICE_DESIGN, Stage.COMMUNICATION):
        last = decided_to.get(stage)
        if last is not None and as_of - last > within:
            hours = int((as_of - last) / timedelta(hours=1))
            yield Overlooked(
                "project",
                f"{project_ref}/{stage}",
                last,
                Words(f"已 {hours} 小时未运行", f"has not been decided for {hours} hours"),
            )


def _waits(dossier: Dossier, obligation: Obligation, late_from: datetime) -> bool:
    """Whether an obligation's ladder rightly stands still: held, or waiting for a customer's confirmation."""
    if obligation.details.get(AWAITING) or (obligation.held_until and obligation.held_until > late_from):
        return True
    if dossier.project.phase is Phase.EXIT and obligation.kind is ObligationKind.MEETING:
        return True
    # Who acknowledged for their own party only is let be as long as a whole ladder would be.
    acknowledged = (t.at for t in dossier.facts.interactions if _acknowledges(t, obligation))
    hold = [course.ladder.hold for course in courses(dossier.playbook, obligation)]
    return any(_moved(dossier, at, offset) > late_from for at in acknowledged for offset in hold)


def _acknowledges(touch: Interaction, obligation: Obligation) -> bool:
    return touch.obligation_key == obligation.key and touch.kind is Touch.ACKNOWLEDGEMENT


def _needs_content(obligation: Obligation, rung: Rung) -> bool:
    return rung.do is Action.SEND and obligation.kind is not ObligationKind.NOTICE


def _instant(dossier: Dossier, obligation: Obligation, rung: Rung) -> datetime:
    grace = int(str(obligation.details.get("grace_days", 0))) if rung.do is Action.ESCALATE else 0
    return _moved(dossier, obligation.due_at, rung.at) + timedelta(days=grace)


def _moved(dossier: Dossier, instant: datetime, offset: Offset) -> datetime:
    playbook = dossier.playbook
    return offset_instant(
        instant,
        offset,
        dossier.calendar,
        zone=playbook.zone,
        at=playbook.hours.letters,
        opens=playbook.hours.opens,
        closes=playbook.hours.closes,
    )


def _of(obligation: Obligation, rung: str, at: datetime, zh: str, en: str) -> Overlooked:
    return Overlooked("rung", f"{obligation.key}/{bare_name(rung)}", at, Words(zh, en))
