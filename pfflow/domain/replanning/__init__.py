"""Planning is reconciling what should be with what is: the changes, why, who is told, and what clashes."""

from __future__ import annotations

from pfflow.domain.replanning.changes import Change, Kind, Slot, Told
from pfflow.domain.replanning.conflicts import Booking, Conflict, bookings, conflicts
from pfflow.domain.replanning.plan import HousePlan, ProjectPlan
from pfflow.domain.replanning.reasons import Cause, Reason
from pfflow.domain.replanning.reconciling import Replan, replan

__all__ = [
    "Booking",
    "Cause",
    "Change",
    "Conflict",
    "HousePlan",
    "Kind",
    "ProjectPlan",
    "Reason",
    "Replan",
    "Slot",
    "Told",
    "bookings",
    "conflicts",
    "replan",
]
