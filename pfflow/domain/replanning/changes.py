"""One change a plan would make to one obligation, as people and machines read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pfflow.domain.escalation import location_of
from pfflow.domain.obligations import Obligation
from pfflow.domain.replanning.reasons import Reason
from pfflow.domain.words import Json, Words


class Kind(StrEnum):
    """What becomes of an obligation; an obligation has one of these, or no change at all."""

    ADDED = "added"
    """It was not there, or was cancelled and is wanted again."""
    MOVED = "moved"
    """Something people see of it changes: when it is, how long, where, or what it is called."""
    CONFIRMED = "confirmed"
    """Its date stays and is provisional no more."""
    RESTATED = "restated"
    """Only what nobody's calendar shows changes: its period, its ladder, who owes it."""
    ATTENDEES = "attendees"
    """Only who is invited changes."""
    CANCELLED = "cancelled"
    """It is wanted no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An obligation's place in the calendar: what an invitation shows, and the date of the rule behind it."""

    at: datetime
    on: date
    unadjusted_on: date
    provisional: bool
    timezone: str
    minutes: int
    title: Words
    place: Words
    period_start: date | None
    period_end: date | None

    def as_json(self) -> dict[str, Json]:
        """Give it for machines; instants are UTC."""
        return {
            "at": self.at.isoformat(),
            "on": self.on.isoformat(),
            "unadjusted_on": self.unadjusted_on.isoformat(),
            "provisional": self.provisional,
            "timezone": self.timezone,
            "minutes": self.minutes,
            "title": self.title.as_json(),
            "place": self.place.as_json(),
            "period": [day.isoformat() if day else None for day in (self.period_start, self.period_end)],
        }


def slot_of(obligation: Obligation) -> Slot:
    """Give an obligation's place in the calendar."""
    return Slot(
        at=obligation.due_at,
        on=obligation.due_on,
        unadjusted_on=obligation.unadjusted_on,
        provisional=obligation.provisional,
        timezone=obligation.timezone,
        minutes=obligation.minutes,
        title=obligation.title,
        place=location_of(obligation),
        period_start=obligation.period_start,
        period_end=obligation.period_end,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody a change is mailed to. `how` is update, invitation, cancellation, or notice where no calendar is."""

    contact_ref: str
    name: str
    how: str

    def as_json(self) -> dict[str, Json]:
        """Give it for machines."""
        return {"contact": self.contact_ref, "name": self.name, "how": self.how}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one obligation of one project, why, and who is told.

    `source` is the cadence or undertaking it comes from; `was` is None where it was not there, `now` where it will not
    be. `sequence` is the iTIP SEQUENCE it has afterwards.
    """

    kind: Kind
    source: str
    obligation_key: str
    meeting: bool
    was: Slot | None
    now: Slot | None
    reasons: tuple[Reason, ...]
    told: tuple[Told, ...] = ()
    sequence: int = 0

    @property
    def slot(self) -> Slot:
        """Where it stands in the calendar, or stood."""
        slot = self.now or self.was
        if slot is None:
            raise ValueError(f"{self.obligation_key}: a change is of something that was or will be")
        return slot

    def as_json(self) -> dict[str, Json]:
        """Give it for machines."""
        return {
            "kind": str(self.kind),
            "source": self.source,
            "key": self.obligation_key,
            "was": self.was.as_json() if self.was else None,
            "now": self.now.as_json() if self.now else None,
            "sequence": self.sequence,
            "because": [reason.as_json() for reason in self.reasons],
            "told": [one.as_json() for one in self.told],
        }
