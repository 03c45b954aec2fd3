"""A letter as the auditor knows it: what a committed decision wrote, who has it, and how often a server took it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pfflow.domain.notices import Notice

LEASE = 3.0
"""Seconds that a claim lasts here unless it is renewed."""


class Violation(BaseException):
    """Something that must never be."""


@dataclass(slots=True)
class Posted:
    """A letter and what is known of it; `meets_at` is when the meeting begins that it tells of ahead, or calls off.

    It goes `alone` for good once a claim on it alone ran out: whoever had it may have sent it.
    """

    key: str
    rung: str
    obligation_key: str
    contact_ref: str
    due_at: datetime
    chases: bool = False
    urgent: bool = False
    merges_with: str = ""
    meets_at: datetime | None = None
    holder: str = ""
    held_as: str = ""
    until: datetime | None = None
    asked_at: datetime | None = None
    again_at: datetime | None = None
    bundle: str = ""
    alone: bool = False
    in_flight: set[str] = field(default_factory=set)
    message_ids: set[str] = field(default_factory=set)
    accepted: int = 0
    excused: int = 0
    unmarked_by: set[str] = field(default_factory=set)
    status: str = "waiting"

    def held_at(self, now: datetime) -> bool:
        """Whether somebody has it."""
        return self.holder != "" and self.until is not None and self.until > now

    def let_go(self) -> None:
        """Note that nobody has it any more."""
        self.holder, self.held_as, self.until = "", "", None


def posted_as(notice: Notice) -> Posted:
    """Give what a notice says of itself that matters for when, and with what, it may go."""
    told: Any = notice.context["obligation"]
    chasing = ("escalate",) if told["kind"] == "notice" else ("request", "remind", "escalate")
    due_at = datetime.fromisoformat(told["due_at"])
    ahead = notice.invitation is not None or notice.rung.startswith(("announce", "request", "remind"))
    return Posted(
        key=notice.key,
        rung=notice.rung,
        obligation_key=notice.obligation_key,
        contact_ref=notice.contact_ref,
        due_at=due_at,
        chases=notice.rung.startswith(chasing),
        urgent=notice.urgent,
        merges_with=notice.merges_with,
        meets_at=due_at if told["kind"] == "meeting" and ahead and notice.noticed_at < due_at else None,
    )
