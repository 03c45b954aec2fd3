"""What the register says: every record a team keeps, each with its key.

`RECORDS` names the sheets in the order they are read (a sheet refers only to sheets before it) and their record types;
the register reads them, the store keeps them. A record's key fields are in `KEYS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from pfflow.domain.parties import Contact, Direction, Participation, Party
from pfflow.domain.project import ConditionItem, Milestone, Phase, Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Financial:
    """One figure of a party or project for a period. Key: subject_ref, period_end, metric, basis.

    `metric` is a name such as cfads, interest, principal, revenue; `basis` is actual, forecast or base-case.
    """

    subject_ref: str
    period_end: date
    metric: str
    value: Decimal
    currency: str = ""
    basis: str = "actual"
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """An approved budget of a project. Key: project_ref, budget_line."""

    project_ref: str
    budget_line: str
    name: str = ""
    name_zh: str = ""
    amount: Decimal
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FundUse:
    """One payment out of a project account. Key: project_ref, voucher."""

    paid_on: date
    project_ref: str
    account: str = ""
    payee: str = ""
    amount: Decimal
    currency: str = ""
    purpose: str = ""
    budget_line: str
    entrusted: bool = False
    voucher: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The grade of one risk factor with its evidence. Key: project_ref, factor.

    `grade` is 1 (strong) to 4 (weak) and `weight` a percentage, as in Basel CRE33 and EU 2021/598.
    """

    project_ref: str
    factor: str
    grade: int
    weight: Decimal
    evidence: str = ""
    assessed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a customer needs, in the customer's words. Key: need_ref."""

    need_ref: str
    project_ref: str
    party_ref: str
    kind: str
    text: str
    stated_on: date
    status: str = "open"


class RaciCode(StrEnum):
    """How a role takes part in an activity: exactly one Accountable each."""

    RESPONSIBLE = "R"
    ACCOUNTABLE = "A"
    CONSULTED = "C"
    INFORMED = "I"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaciRow:
    """One role's part in one activity in one phase. Key: phase, activity, role, code."""

    phase: Phase
    activity: str
    role: str
    code: RaciCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Undertaking:
    """An information undertaking or covenant from the documents. Key: project_ref, obligation_ref.

    Periods of `frequency` (once, monthly, half-monthly, quarterly, semi-annual, annual) end between `first` and `last`;
    what is owed is due `offset_days` after the period's end, counted by `day_type` (calendar or business days) and
    rolled by `convention`. With `milestone` it is owed once, counted from the day that milestone has now, and moves
    with it. With `metric`, `operator` and `threshold` it is a covenant tested on that metric.
    """

    obligation_ref: str
    project_ref: str
    kind: str
    description: str
    description_zh: str = ""
    clause_ref: str = ""
    debtor_ref: str = ""
    creditor_ref: str = ""
    frequency: str = "once"
    offset_days: int = 0
    day_type: str = "calendar"
    convention: str = ""
    first: date | None = None
    last: date | None = None
    milestone: str = ""
    grace_days: int = 0
    owner_role: str = ""
    metric: str = ""
    operator: str = ""
    threshold: Decimal | None = None


class Touch(StrEnum):
    """What an interaction was; those from the acknowledgement on say something about the obligation they name."""

    MEETING = "meeting"
    CALL = "call"
    MAIL = "mail"
    FEEDBACK = "feedback"
    ISSUE = "issue"
    ACKNOWLEDGEMENT = "acknowledgement"
    FULFILMENT = "fulfilment"
    WAIVER = "waiver"
    APPROVAL = "approval"
    REJECTION = "rejection"
    REWORK = "rework"
    HANDOVER = "handover"
    RESOLUTION = "resolution"
    CONFIRMATION = "confirmation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interaction:
    """One touch with a party. Key: ext_id. `obligation_key` names what it answers, where it answers something.

    `to_ref` is the contact something is handed over to; `severity` how bad a reported problem is, in the playbook's
    words.
    """

    ext_id: str
    project_ref: str
    party_ref: str = ""
    contact_ref: str = ""
    at: datetime
    kind: Touch
    direction: Direction = Direction.INBOUND
    subject: str = ""
    outcome: str = ""
    next_step: str = ""
    obligation_key: str = ""
    to_ref: str = ""
    severity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Days a contact is away, both ends included, and who stands in. Key: contact_ref, since.

    Without a substitute nobody does: what would go to the contact goes to others of the party, or to the head.
    """

    contact_ref: str
    since: date
    until: date
    substitute_ref: str = ""
    reason: str = ""

    def covers(self, day: date) -> bool:
        """Whether the contact is away on the day."""
        return self.since <= day <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAnswer:
    """One answer to one question. Key: survey_ref, respondent_ref, about_ref, question.

    `respondent_ref` is the party that answers, `about_ref` the party or department it answers about (empty: the house).
    `question` is nps (0 to 10), csat (1 to 5) or ces (1 to 7).
    """

    survey_ref: str
    project_ref: str
    respondent_ref: str
    about_ref: str = ""
    answered_on: date
    question: str
    score: Decimal
    comment: str = ""


Record: TypeAlias = (
    Party
    | Contact
    | Project
    | Participation
    | Milestone
    | ConditionItem
    | Financial
    | BudgetLine
    | FundUse
    | Assessment
    | Need
    | RaciRow
    | Undertaking
    | Interaction
    | SurveyAnswer
    | Absence
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything a register holds; each field is a sheet."""

    parties: tuple[Party, ...] = ()
    contacts: tuple[Contact, ...] = ()
    projects: tuple[Project, ...] = ()
    participations: tuple[Participation, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    conditions: tuple[ConditionItem, ...] = ()
    financials: tuple[Financial, ...] = ()
    budget: tuple[BudgetLine, ...] = ()
    fund_use: tuple[FundUse, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    needs: tuple[Need, ...] = ()
    raci: tuple[RaciRow, ...] = ()
    obligations: tuple[Undertaking, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    surveys: tuple[SurveyAnswer, ...] = ()
    absences: tuple[Absence, ...] = ()

    def sheets(self) -> dict[str, tuple[Record, ...]]:
        """Give the records by sheet name, in reading order."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


RECORDS: Mapping[str, type[Record]] = MappingProxyType(
    {
        "parties": Party,
        "contacts": Contact,
        "projects": Project,
        "participations": Participation,
        "milestones": Milestone,
        "conditions": ConditionItem,
        "financials": Financial,
        "budget": BudgetLine,
        "fund_use": FundUse,
        "assessments": Assessment,
        "needs": Need,
        "raci": RaciRow,
        "obligations": Undertaking,
        "interactions": Interaction,
        "surveys": SurveyAnswer,
        "absences": Absence,
    }
)

KEYS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "parties": ("party_ref",),
        "contacts": ("contact_ref",),
        "projects": ("project_ref",),
        "participations": ("project_ref", "party_ref", "role"),
        "milestones": ("project_ref", "milestone"),
        "conditions": ("project_ref", "cp_ref"),
        "financials": ("subject_ref", "period_end", "metric", "basis"),
        "budget": ("project_ref", "budget_line"),
        "fund_use": ("project_ref", "voucher"),
        "assessments": ("project_ref", "factor"),
        "needs": ("need_ref",),
        "raci": ("phase", "activity", "role", "code"),
        "obligations": ("project_ref", "obligation_ref"),
        "interactions": ("ext_id",),
        "surveys": ("survey_ref", "respondent_ref", "about_ref", "question"),
        "absences": ("contact_ref", "since"),
    }
)


def key_of(sheet: str, record: Record) -> tuple[str, ...]:
    """Give a record's key as text, in the order of KEYS."""
    return tuple(str(getattr(record, name)) for name in KEYS[sheet])
