"""What a stage may see (the dossier) and all it may say (the decision). Both are frozen; deciding is pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from pfflow.domain.business_days import BusinessCalendar
from pfflow.domain.facts import Facts
from pfflow.domain.holiday_lists import HouseList
from pfflow.domain.ladder import Firing
from pfflow.domain.ledger import EntryDraft
from pfflow.domain.notices import Notice
from pfflow.domain.obligations import Obligation
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Project
from pfflow.domain.words import Json, Stage, Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """The last thing a stage concluded on a subject, and why. Unique for project, stage and subject.

    Subjects read like `party/P-01`, `package`, `completeness/P-01`, `scorecard/finance/2026-01`; `value` is what was
    concluded, `because` the rule and facts that led to it.
    """

    stage: Stage
    subject: str
    value: Mapping[str, Json]
    because: str = ""
    concluded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something people should see that is nobody's letter: an unclassified party, an activity without Accountable."""

    stage: Stage
    kind: str
    subject: str
    text: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What the store holds on one project: the facts that concern it, what is owed, what was fired and concluded.

    `engaged_at` is the first instant anything was decided for the project, None before that; `holiday_lists` are the
    house's own, for all its projects.
    """

    project: Project
    facts: Facts
    obligations: Mapping[str, Obligation] = field(default_factory=dict)
    firings: Mapping[tuple[str, str], Firing] = field(default_factory=dict)
    conclusions: Mapping[tuple[Stage, str], Conclusion] = field(default_factory=dict)
    engaged_at: datetime | None = None
    holiday_lists: tuple[HouseList, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """All a stage may see of one project: what the store holds, the playbook, and the project's calendar."""

    held: Holdings
    playbook: Playbook
    calendar: BusinessCalendar
    engaged_on: date

    @property
    def project(self) -> Project:
        """The project."""
        return self.held.project

    @property
    def facts(self) -> Facts:
        """The facts that concern the project."""
        return self.held.facts

    def of_stage(self, stage: Stage) -> tuple[Obligation, ...]:
        """Give the obligations a stage keeps, in order of due instant and key."""
        mine = (o for o in self.held.obligations.values() if o.stage is stage)
        return tuple(sorted(mine, key=lambda o: (o.due_at, o.key)))

    def concluded(self, stage: Stage, subject: str) -> Mapping[str, Json]:
        """Give what a stage last concluded on a subject; empty where it has not."""
        conclusion = self.held.conclusions.get((stage, subject))
        return conclusion.value if conclusion else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All a stage says of one project at one instant: recorded as one transaction, or not at all.

    `calendar` is what its dates were planned by, None where it plans none.
    """

    project_ref: str
    stage: Stage
    as_of: datetime
    entries: tuple[EntryDraft, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    firings: tuple[Firing, ...] = ()
    notices: tuple[Notice, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    findings: tuple[Finding, ...] = ()
    calendar: BusinessCalendar | None = None

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to record."""
        return not (self.entries or self.obligations or self.firings or self.notices or self.conclusions)
