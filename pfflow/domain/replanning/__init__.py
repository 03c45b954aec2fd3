"""Planning is reconciling what should be with what is: the changes, why, who is told, and what clashes."""

from __future__ import annotations

from pfflow.domain.replanning.changes import Change, Kind, Slot, Told
from pfflow.domain.replanning.conflicts import Conflict, Sitting, conflicts, sittings
from pfflow.domain.replanning.plan import HousePlan, ProjectPlan
from pfflow.domain.replanning.reasons import Cause, Reason
from pfflow.domain.replanning.reconciling import Replan, recorded, replan
from pfflow.domain.replanning.settled import Settled

__all__ = [
    "Cause",
    "Change",
    "Conflict",
    "HousePlan",
    "Kind",
    "ProjectPlan",
    "Reason",
    "Replan",
    "Settled",
    "Sitting",
    "Slot",
    "Told",
    "conflicts",
    "recorded",
    "replan",
    "sittings",
]
