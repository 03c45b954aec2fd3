"""What is kept of a plan that found nothing to change in a project, so that it need not be made again.

`inputs` is a digest of all the plan read and was made by. Whoever has the same inputs at an instant from `valid_from`
to before `valid_until` would find nothing either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pfflow.domain.replanning.conflicts import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """That nothing was to change in a project. `guests` are the contact refs its meetings invite, by their terms.

    `held` is the digest of what was owed, as plans have it, and `ladders_kept` their count of ladders kept as begun.
    """

    project_ref: str
    inputs: str
    valid_from: datetime
    valid_until: datetime
    held: str
    guests: Mapping[Terms, tuple[str, ...]] = field(default_factory=dict)
    ladders_kept: int = 0

    def holds(self, inputs: str, as_of: datetime) -> bool:
        """Whether a plan of these inputs at an instant would find nothing to change."""
        return self.inputs == inputs and self.valid_from <= as_of < self.valid_until
