"""Letters that events have overtaken: what they are about was cancelled, done, waived or moved while they waited.

What chases (a request, a reminder, an escalation) is of no use once there is nothing left to do, or another day to do
it by. What states a fact goes all the same: a report, an invitation and every change of it, an announcement, a
hand-over. So does a warning, since its letters are the warning itself, and only its escalations chase; and a survey,
which asks each of its readers, whoever has answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from pfflow.domain.ladder import Action, action_in, round_in
from pfflow.domain.obligations import ObligationKind, Status
from pfflow.domain.replanning.telling import CANCELLATION
from pfflow.domain.words import Words

CANCELLED = "what it is about was cancelled before it left"
MOVED = "what it asks for was moved to another date before it left"
ENDED: Mapping[Status, str] = MappingProxyType(
    {
        Status.FULFILLED: "what it asks for was done before it left",
        Status.WAIVED: "what it asks for was waived before it left",
    }
)
WHY: Mapping[str, Words] = MappingProxyType(
    {
        CANCELLED: Words("所涉事项在发出前已取消", CANCELLED),
        MOVED: Words("所涉事项在发出前已改期", MOVED),
        ENDED[Status.FULFILLED]: Words("所请事项在发出前已完成", ENDED[Status.FULFILLED]),
        ENDED[Status.WAIVED]: Words("所请事项在发出前已豁免", ENDED[Status.WAIVED]),
    }
)
"""The reasons as people read them."""

_CHASING = frozenset({Action.REQUEST, Action.REMIND, Action.ESCALATE})
_CHASING_OF: Mapping[ObligationKind, frozenset[Action]] = MappingProxyType(
    {
        ObligationKind.NOTICE: frozenset({Action.ESCALATE}),
        ObligationKind.SURVEY: frozenset({Action.REMIND, Action.ESCALATE}),
    }
)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where what a letter is about stands now."""

    status: Status
    kind: ObligationKind
    sequence: int
    due_at: datetime


def why_overtaken(rung: str, template: str, due_then: Callable[[], datetime | None], now: Stand) -> str:
    """Give why a letter of a rung is overtaken by where its obligation stands now; empty where it is not.

    `due_then` gives the due instant that the letter names; it is asked only where the date may have changed.
    """
    if template == CANCELLATION:
        return ""
    if now.status is Status.CANCELLED:
        return CANCELLED
    if action_in(rung) not in _CHASING_OF.get(now.kind, _CHASING):
        return ""
    if now.status in ENDED:
        return ENDED[now.status]
    moved = round_in(rung) < now.sequence and due_then() not in (None, now.due_at)
    return MOVED if moved else ""
