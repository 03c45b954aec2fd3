"""What a playbook says: intent as values. YAML becomes these models, every stage reads them, none of them acts."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, field_validator, model_validator

from pfflow.domain.business_days import Convention
from pfflow.domain.conditions import ConditionError, compiled
from pfflow.domain.ladder import Definition, Ladder, OffsetText
from pfflow.domain.obligations import ObligationKind
from pfflow.domain.parties import Realm, Tier
from pfflow.domain.project import Phase
from pfflow.domain.words import Words


def _compiles(source: str) -> str:
    try:
        compiled(source)
    except ConditionError as error:
        raise ValueError(f"not a CEL expression: {error}") from error
    return source


Expression = Annotated[str, AfterValidator(_compiles), Field(description="A CEL expression, true or false.")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="Lower case letters, digits, - and _.")]


class Text(Definition):
    """A text in Chinese, English or both."""

    zh: str = ""
    en: str = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.zh or self.en):
            raise ValueError("write the text in zh, in en, or in both")
        return self

    @property
    def words(self) -> Words:
        """The text as the domain carries it."""
        return Words(self.zh, self.en)


class House(Definition):
    """Who runs the relationship: the name letters are signed with, the calendar's organizer, and who leads."""

    name: Text
    email: str = Field(description="The sender and ORGANIZER address of everything the house sends.")
    head: str = Field(default="head-of-relationship", description="The role that leads the relationship.")


class Hours(Definition):
    """Working hours, wall time, and when letters go out."""

    opens: time = time(9)
    closes: time = time(18)
    letters: time = Field(default=time(9), description="When rungs counted in days are reached.")


class Activity(Definition):
    """RACI: exactly one role Accountable, at least one Responsible."""

    accountable: str = Field(alias="A")
    responsible: tuple[str, ...] = Field(alias="R", min_length=1)
    consulted: tuple[str, ...] = Field(default=(), alias="C")
    informed: tuple[str, ...] = Field(default=(), alias="I")

    @field_validator("accountable", mode="before")
    @classmethod
    def _exactly_one(cls, value: object) -> object:
        if isinstance(value, list):
            raise ValueError(f"exactly one role is Accountable for an activity, here {len(value)}: write one name")  # noqa: TRY004 - pydantic turns only ValueError into a finding
        return value

    @field_validator("responsible", "consulted", "informed", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class Segment(Definition):
    """Parties are put into the first segment whose condition holds; `party` and `project` are what it may ask about."""

    name: Name
    title: Text
    when: Expression
    tier: Tier
    strategy: str = Field(description="How the house serves the segment, in a word the reports can show.")
    strategy_title: Text | None = None
    owner: str = Field(default="", description="The role that owns the relationship; the party's own owner goes first.")
    checklist: str = Field(default="", description="The checklist its parties answer; none if empty.")


class ChecklistItem(Definition):
    """One thing to know about a party: a field of its record, or a figure of its accounts."""

    field: str = Field(default="", description="A column of the parties sheet, such as registered_capital.")
    metric: str = Field(default="", description="A metric of the financials sheet, such as net_assets.")
    title: Text
    max_age_days: int | None = Field(default=None, ge=1, description="Older than this is stale.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.field) == bool(self.metric):
            raise ValueError("name either a field of the party or a metric of its accounts")
        return self

    @property
    def name(self) -> str:
        """What the item is called in keys and findings."""
        return self.field or self.metric


class Gathering(Definition):
    """How missing information is asked for and how warnings are given."""

    ladder: str
    activity: str = Field(description="The RACI activity of asking for information.")
    due: OffsetText = Field(description="How long a party has to answer, such as +10bd.")
    warning_ladder: str = Field(description="The ladder of risk warnings.")
    warning_activity: str = Field(description="The RACI activity of warnings; its Informed roles are warned.")
    milestone_slip_days: int = Field(default=30, ge=1, description="A milestone later than this is a warning too.")


class Kickoff(Definition):
    """The first meeting with everyone."""

    title: Text
    after: OffsetText
    at: time = time(10)
    minutes: int = Field(default=60, ge=5, le=1440)
    ladder: str
    activity: str


class CatalogueItem(Definition):
    """A service the house can offer; its condition may ask about project, grade, needs, ratios and capacity."""

    name: Name
    title: Text
    family: Literal["traditional", "value-added"]
    kind: Literal["debt", "equity", "guarantee", "insurance", "advice", "service"]
    when: Expression
    steps: tuple[Text, ...] = ()
    documents: tuple[Text, ...] = ()


class ServiceDesign(Definition):
    """How a package is made and who approves it."""

    target_dscr: Decimal = Field(gt=1, description="The cover debt is sculpted to.")
    max_gearing: Decimal = Field(default=Decimal("0.8"), gt=0, le=1, description="Debt over capital cost at most.")
    high_risk_from: Literal["satisfactory", "weak"] = Field(
        default="weak", description="From this slotting grade a guarantee or insurance measure is a must."
    )
    catalogue: tuple[CatalogueItem, ...] = Field(min_length=1)
    activity: str = Field(description="The RACI activity; its Accountable approves.")
    due: OffsetText
    approval_ladder: str
    offer_ladder: str
    offer_to: str = Field(default="borrower", description="The role that receives the approved offer.")


class Cadence(Definition):
    """Something owed again and again: a rule (RFC 5545), rolled to business days."""

    kind: Literal[ObligationKind.MEETING, ObligationKind.REPORT, ObligationKind.SURVEY]
    title: Text
    rule: str = Field(description="An RFC 5545 RRULE by days, such as FREQ=MONTHLY;BYMONTHDAY=15,-1.")
    at: time = time(17)
    minutes: int = Field(default=60, ge=5, le=1440)
    roll: Convention = Convention.FOLLOWING
    ladder: str
    activity: str
    content: Literal["", "fund-use", "progress"] = Field(default="", description="The report that fulfils it.")
    phases: tuple[Phase, ...] = Field(default=(), description="Only in these phases; in all if empty.")
    start: date | None = None
    until: date | None = None
    location: Text | None = None

    @field_validator("roll", mode="before")
    @classmethod
    def _convention(cls, value: object) -> object:
        return Convention.parse(value) if isinstance(value, str) else value


class Undertakings(Definition):
    """How the undertakings of the register's obligations sheet are kept."""

    ladder: str
    at: time = time(17)


class ScorecardRow(Definition):
    """One weighted measure of a department, 0 to 100."""

    name: Name
    title: Text
    weight: Decimal = Field(gt=0, le=100)
    measure: Literal["on-time", "escalations", "internal-satisfaction", "milestones", "budget"]


class Scorecard(Definition):
    """The monthly assessment of departments; weights sum to 100."""

    rows: tuple[ScorecardRow, ...] = Field(min_length=1)
    departments: tuple[str, ...] = Field(min_length=1, description="The roles that are assessed.")
    target: Decimal = Field(default=Decimal(80), gt=0, le=100)
    due: OffsetText
    ladder: str
    activity: str

    @model_validator(mode="after")
    def _weights_sum_to_100(self) -> Self:
        total = sum(row.weight for row in self.rows)
        if total != 100:
            raise ValueError(f"the weights sum to {total}, not to 100")
        return self


class Playbook(Definition):
    """What each stage must do for the projects that follow it."""

    name: Name = Field(alias="playbook")
    version: int = Field(ge=1)
    effective: date
    house: House
    calendars: tuple[str, ...] = Field(min_length=1)
    timezone: str
    hours: Hours = Hours()
    horizon_days: int = Field(default=60, ge=7, le=12000, description="How far ahead dates are planned.")
    activities: dict[Name, Activity] = Field(min_length=1)
    segments: tuple[Segment, ...] = Field(min_length=1)
    kickoff: Kickoff
    checklists: dict[Name, tuple[ChecklistItem, ...]]
    gathering: Gathering
    service_design: ServiceDesign
    cadences: dict[Name, Cadence]
    undertakings: Undertakings
    scorecard: Scorecard
    ladders: dict[Name, Ladder] = Field(min_length=1)
    gates: dict[Phase, tuple[str, ...]] = Field(
        default_factory=dict, description="For each phase the cp_refs of the conditions that must be settled to enter it."
    )
    realms: tuple[Realm, ...] = (Realm.EXTERNAL, Realm.INTERNAL)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not an IANA time zone; write a name such as Asia/Shanghai")
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The playbook's time zone."""
        return ZoneInfo(self.timezone)
