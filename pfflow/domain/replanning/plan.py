"""The plan of a house: what would change in every project, whom it would mail, and the digest that names the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

from pfflow.domain.ledger import canonical_json
from pfflow.domain.obligations import Obligation
from pfflow.domain.replanning.changes import Change, Kind
from pfflow.domain.replanning.conflicts import Conflict
from pfflow.domain.words import Json, Words

FORMAT = "pfflow plan 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPlan:
    """What would change in one project, and the state it was planned on.

    `version` is that of the facts, `calendar` names the edition of the holiday lists, `held` is a digest of what is
    owed. They say whether the world is still the one that was planned on. `ladders_kept` counts the obligations that go
    on climbing the ladders they began with, where the playbook that is to be has others for them.
    """

    project_ref: str
    name: Words
    version: int
    calendar: str
    held: str
    changes: tuple[Change, ...] = ()
    ladders_kept: int = 0

    def state(self) -> dict[str, Json]:
        """Give the state it was planned on."""
        return {"version": self.version, "calendar": self.calendar, "held": self.held}

    def as_json(self) -> dict[str, Json]:
        """Give it for machines."""
        changes = [change.as_json() for change in self.changes]
        return {"project": self.project_ref, "name": self.name.as_json(), **self.state(), "changes": changes}


@dataclass(frozen=True, slots=True, kw_only=True)
class HousePlan:
    """What would change in the projects asked about, from an instant on; dates are added up to `until`.

    `sha256` is of the text of the playbook that is to be, `in_force` of the one in force; the same where no other is
    proposed.
    """

    as_of: datetime
    until: date
    playbook: str
    sha256: str
    in_force: str
    projects: tuple[ProjectPlan, ...]
    conflicts: tuple[Conflict, ...] = ()

    @property
    def digest(self) -> str:
        """What names this plan: SHA-256 over its changes and over the state they were planned on, not over the hour."""
        said: dict[str, Json] = {
            "sha256": self.sha256,
            "in_force": self.in_force,
            "until": self.until.isoformat(),
            "projects": [project.as_json() for project in self.projects],
        }
        return sha256(canonical_json(said).encode()).hexdigest()

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change of every project."""
        return tuple(change for project in self.projects for change in project.changes)

    @property
    def ladders_kept(self) -> int:
        """How many obligations, of all projects, go on climbing the ladders they began with."""
        return sum(project.ladders_kept for project in self.projects)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to apply: no change, and no other playbook."""
        return not self.changes and self.sha256 == self.in_force

    def counts(self) -> dict[Kind, int]:
        """Give how many changes of each kind there are."""
        counted = Counter(change.kind for change in self.changes)
        return {kind: counted[kind] for kind in Kind}

    def letters(self) -> dict[str, int]:
        """Give how many letters each person would get, by the person's name, in order of name."""
        counted = Counter((one.name, one.contact_ref) for change in self.changes for one in change.told)
        return {f"{name} ({ref})": number for (name, ref), number in sorted(counted.items())}

    def as_json(self) -> dict[str, Json]:
        """Give it for machines; `digest` is what `pfflow apply` takes."""
        counts: dict[str, Json] = {str(kind): number for kind, number in self.counts().items()}
        return {
            "format": FORMAT,
            "digest": self.digest,
            "as_of": self.as_of.isoformat(),
            "until": self.until.isoformat(),
            "playbook": {"name": self.playbook, "sha256": self.sha256, "in_force": self.in_force},
            "summary": {
                **counts,
                "letters": sum(self.letters().values()),
                "people": len(self.letters()),
                "ladders_kept": self.ladders_kept,
            },
            "projects": [project.as_json() for project in self.projects],
            "conflicts": [conflict.as_json() for conflict in self.conflicts],
        }


def digest_of_held(obligations: Iterable[Obligation]) -> str:
    """Give a digest of what is owed: where each live obligation stands, in an order of its own."""
    lines: list[Json] = [
        [o.key, str(o.status), o.sequence, o.due_at.isoformat(), *o.told("invited"), "", *o.told("asked")]
        for o in sorted(obligations, key=lambda o: o.key)
        if o.live
    ]
    return sha256(canonical_json(lines).encode()).hexdigest()
