"""Closing what is owed for a condition once the register says that it is satisfied or waived."""

from __future__ import annotations

from pfflow.domain.drafting import Draft
from pfflow.domain.obligations import Status, derived_key
from pfflow.domain.planning import CONDITION
from pfflow.domain.project import ConditionStatus

REGISTER = "register"
"""Who closes it: whoever keeps the register, where the agent's word is written down."""


def settle(draft: Draft) -> None:
    """Fulfil or waive what is still owed for conditions that are settled; their dates hang on a milestone."""
    for condition in draft.dossier.facts.conditions:
        if not (condition.milestone and condition.settled):
            continue
        source = f"{CONDITION}{condition.cp_ref}"
        owed = draft.obligation(derived_key(draft.dossier.project.project_ref, source, condition.milestone))
        if owed is None or not owed.live:
            continue
        waived = condition.status is ConditionStatus.WAIVED
        because = f"{condition.status} in the register {condition.waiver_ref if waived else ''}".rstrip()
        draft.move(owed, Status.WAIVED if waived else Status.FULFILLED, by=REGISTER, because=because)
