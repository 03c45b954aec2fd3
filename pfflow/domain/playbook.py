"""What a playbook says: intent as values. YAML becomes these models, every stage reads them, none of them acts."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from pfflow.domain.business_days import Convention
from pfflow.domain.conditions import EXAMPLE, ConditionError, compiled
from pfflow.domain.identifiers import email_problem
from pfflow.domain.ladder import Channels, Definition, Ladder, OffsetText
from pfflow.domain.obligations import ObligationKind
from pfflow.domain.offsets import Offset, OffsetUnit
from pfflow.domain.parties import Level, Realm, Tier
from pfflow.domain.project import Phase
from pfflow.domain.words import Words


def _compiles(source: str) -> str:
    try:
        compiled(source)
    except ConditionError as error:
        raise ConditionError(f"not a CEL expression: {error}", line=error.line, column=error.column) from error
    return source


def _wall_time(value: object) -> time:
    if isinstance(value, time) and value.tzinfo is None:
        return value
    if isinstance(value, str) and (found := _WALL_TIME.fullmatch(value)):
        return time(int(found[1]), int(found[2]))
    raise ValueError(f'{value!r} is no time of day; write hours and minutes in quotation marks, such as "09:30"')


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"{value!r} is no date: {error}; write a day that exists") from error
    raise ValueError(f"{value!r} is no date; write year, month and day, such as 2026-01-31")


def _address(value: str) -> str:
    if email_problem(value):
        raise ValueError(f"{value!r} is no e-mail address; write one such as relations@example.com")
    return value


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _dated(value: Offset) -> Offset:
    if not value.is_dated:
        raise ValueError(f"{value} counts hours; write days or business days, such as +5bd")
    return value


def _ahead(value: Offset) -> Offset:
    _dated(value)
    if value.count < 0:
        raise ValueError(f"{value} goes back; write how long after, such as +5bd")
    return value


def _forward(value: Offset) -> Offset:
    if value.count <= 0:
        raise ValueError(f"{value} does not go forward; write how long after, such as +4bh or +3bd")
    return value


_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Expression = Annotated[
    str,
    AfterValidator(_compiles),
    Field(description="A condition in CEL, true or false.", examples=[EXAMPLE]),
]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", description="Lower case letters, digits, - and _.")]
Role = Annotated[str, Field(min_length=1, description="A role: of the RACI activities, or that a party has.")]
Roles = Annotated[tuple[Role, ...], BeforeValidator(_one_or_many, json_schema_input_type=str | tuple[str, ...])]
WallTime = Annotated[
    time,
    BeforeValidator(_wall_time),
    WithJsonSchema({"type": "string", "pattern": f"^({_WALL_TIME.pattern})$", "examples": ["09:30"]}),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Address = Annotated[str, AfterValidator(_address), WithJsonSchema({"type": "string", "format": "email"})]
Ahead = Annotated[OffsetText, AfterValidator(_ahead)]
Forward = Annotated[OffsetText, AfterValidator(_forward)]
Count = Annotated[int, Field(strict=True)]
"""A whole number; neither `true` nor "3" is one."""


class Text(Definition):
    """A text in Chinese, English or both."""

    zh: str = Field(default="", description="The text in Chinese.")
    en: str = Field(default="", description="The text in English.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.zh or self.en):
            raise ValueError("it says nothing; write the text under zh, under en, or under both")
        return self

    @cached_property
    def words(self) -> Words:
        """The text as the domain carries it."""
        return Words(self.zh, self.en)


class House(Definition):
    """Who runs the relationship: the name letters are signed with, the calendar's organizer, and who leads."""

    name: Text = Field(description="The name letters are signed with.")
    email: Address = Field(description="The sender and ORGANIZER address of everything the house sends.")
    head: Role = Field(default="head-of-relationship", description="The role that leads the relationship.")
    watch: str = Field(
        default="", description="The role that is told what an outage kept back; the head alone if empty."
    )


class Hours(Definition):
    """Working hours, wall time, and when letters go out."""

    opens: WallTime = Field(default=time(9), description="Business hours begin.")
    closes: WallTime = Field(default=time(18), description="Business hours end.")
    letters: WallTime = Field(default=time(9), description="When rungs counted in days are reached.")

    @model_validator(mode="after")
    def _opens_first(self) -> Self:
        if self.closes <= self.opens:
            raise ValueError(f"it closes at {self.closes:%H:%M}, not after it opens at {self.opens:%H:%M}")
        return self


class QuietHours(Definition):
    """When no letter goes to a reader: every night, or a span of every day, by the wall clock where the reader is."""

    begins: WallTime = Field(alias="from", description="Quiet begins, wall time of the reader, such as 21:00.")
    until: WallTime = Field(description="Quiet ends; before `from` where it ends the next day, such as 08:00.")
    weekends: bool = Field(default=False, strict=True, description="Saturdays and Sundays are quiet all day.")

    @model_validator(mode="after")
    def _is_a_span(self) -> Self:
        if self.begins == self.until:
            raise ValueError(f"quiet hours from {self.begins:%H:%M} until {self.until:%H:%M} never end or never begin")
        return self


class Activity(Definition):
    """RACI: exactly one role Accountable, at least one Responsible; who is Accountable may be Responsible too."""

    accountable: Role = Field(alias="A", description="Accountable: the one role that answers for it.")
    responsible: Roles = Field(alias="R", min_length=1, description="Responsible: the roles that do it.")
    consulted: Roles = Field(default=(), alias="C", description="Consulted: the roles that are asked.")
    informed: Roles = Field(default=(), alias="I", description="Informed: the roles that are told.")

    @field_validator("accountable", mode="before")
    @classmethod
    def _exactly_one(cls, value: object) -> object:
        if isinstance(value, list | tuple):
            # pydantic makes a finding of a ValueError and lets a TypeError through.
            raise ValueError(  # noqa: TRY004 - see above
                f"exactly one role is Accountable for an activity, here are {len(value)}; write one name"
            )
        return value


class Segment(Definition):
    """Parties are put into the first segment whose condition holds; `party` and `project` are what it may ask about."""

    name: Name = Field(description="The segment's name in keys and findings.")
    title: Text = Field(description="The segment as people read it.")
    when: Expression = Field(description="A CEL condition on party and project; the first segment that holds is it.")
    tier: Tier = Field(description="How much attention its parties get: A most.")
    strategy: str = Field(description="How the house serves the segment, in a word the reports can show.")
    strategy_title: Text | None = Field(default=None, description="The strategy as people read it.")
    owner: str = Field(default="", description="The role that owns the relationship; the party's own owner goes first.")
    checklist: str = Field(default="", description="The checklist its parties answer; none if empty.")


class ChecklistItem(Definition):
    """One thing to know about a party: a field of its record, or a figure of its accounts."""

    field: str = Field(default="", description="A column of the parties sheet, such as registered_capital.")
    metric: str = Field(default="", description="A metric of the financials sheet, such as net_assets.")
    title: Text = Field(description="What is asked for, as the party reads it.")
    max_age_days: Count | None = Field(default=None, ge=1, description="Older than this, in calendar days, is stale.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.field) == bool(self.metric):
            raise ValueError("write either field, a column of the party, or metric, a figure of its accounts")
        return self

    @property
    def name(self) -> str:
        """What the item is called in keys and findings."""
        return self.field or self.metric


class Gathering(Definition):
    """How missing information is asked for and how warnings are given."""

    ladder: str = Field(description="The ladder of a request for information.")
    activity: str = Field(description="The RACI activity of asking for information.")
    due: Ahead = Field(description="How long a party has to answer, such as +10bd.")
    warning_ladder: str = Field(description="The ladder of risk warnings.")
    warning_activity: str = Field(description="The RACI activity of warnings; its Informed roles are warned.")
    milestone_slip_days: Count = Field(
        default=30, ge=1, description="A milestone later than this, in calendar days, is a warning too."
    )


class Kickoff(Definition):
    """The first meeting with everyone."""

    title: Text = Field(description="The meeting's name in the calendar.")
    after: Ahead = Field(description="How long after the project is first seen, such as +5bd.")
    at: WallTime = Field(default=time(10), description="When it begins, wall time.")
    minutes: Count = Field(default=60, ge=5, le=1440, description="How long it takes.")
    ladder: str = Field(description="The ladder of its invitations.")
    activity: str = Field(description="The RACI activity; its roles are invited.")


class CatalogueItem(Definition):
    """A service the house can offer; its condition may ask about project, grade, needs, ratios and capacity."""

    name: Name = Field(description="The service's name in keys and findings.")
    title: Text = Field(description="The service as people read it.")
    family: Literal["traditional", "value-added"] = Field(description="Financing itself, or what goes with it.")
    kind: Literal["debt", "equity", "guarantee", "insurance", "advice", "service"] = Field(
        description="What it is; a high risk needs a guarantee or an insurance, growth needs debt and equity."
    )
    when: Expression = Field(description="A CEL condition on project, grade, needs, ratios and capacity.")
    because: Text | None = Field(default=None, description="Why, for approvers; the condition if left out.")
    steps: tuple[Text, ...] = Field(default=(), description="What is done, in order.")
    documents: tuple[Text, ...] = Field(default=(), description="What is needed for it.")


class ServiceDesign(Definition):
    """How a package is made and who approves it."""

    target_dscr: Decimal = Field(gt=1, lt=100, description="The cover debt is sculpted to, such as 1.30.")
    max_gearing: Decimal = Field(
        default=Decimal("0.8"), gt=0, le=1, description="Debt over capital cost at most, a fraction."
    )
    high_risk_from: Literal["satisfactory", "weak"] = Field(
        default="weak", description="From this slotting grade a guarantee or insurance measure is a must."
    )
    catalogue: tuple[CatalogueItem, ...] = Field(min_length=1, description="The services the house can offer.")
    activity: str = Field(description="The RACI activity; its Accountable approves.")
    due: Ahead = Field(description="How long the approval may take, such as +3bd.")
    approval_ladder: str = Field(description="The ladder of the approval.")
    offer_ladder: str = Field(description="The ladder of the approved offer.")
    offer_to: Role = Field(default="borrower", description="The role that receives the approved offer.")


class Cadence(Definition):
    """Something owed again and again by a rule (RFC 5545), or once around a milestone; rolled to business days."""

    kind: Literal[ObligationKind.MEETING, ObligationKind.REPORT, ObligationKind.SURVEY] = Field(
        description="What is owed."
    )
    title: Text = Field(description="What letters and calendars call it.")
    rule: str = Field(
        default="",
        description="An RFC 5545 RRULE by days. Half-monthly is the 15th and the month's last day, 24 a year.",
        examples=["FREQ=WEEKLY;BYDAY=MO", "FREQ=MONTHLY;BYMONTHDAY=15,-1"],
    )
    milestone: str = Field(
        default="",
        description="Instead of a rule: the milestone of the register it is owed for, once; it moves with it.",
        examples=["COD"],
    )
    offset: Annotated[OffsetText, AfterValidator(_dated)] = Field(
        default=Offset(0, OffsetUnit.CALENDAR_DAYS),
        description="How far from the date of the rule or milestone it is owed, such as -5bd or +45d.",
    )
    at: WallTime = Field(default=time(17), description="When it is due or begins, wall time.")
    minutes: Count = Field(default=60, ge=5, le=1440, description="How long a meeting takes.")
    roll: Convention = Field(
        default=Convention.FOLLOWING,
        description="Where a date goes that is no business day; always from the rule's date.",
    )
    ladder: str = Field(description="The ladder around each date.")
    beside: tuple[Name, ...] = Field(default=(), description="Further ladders around it, each held by itself.")
    activity: str = Field(description="The RACI activity; its roles are the ladder's audiences.")
    content: Literal["", "fund-use", "progress"] = Field(default="", description="The report that fulfils it.")
    phases: tuple[Phase, ...] = Field(default=(), description="Only in these phases; in all if empty.")
    start: Day | None = Field(default=None, description="Not before this day.")
    until: Day | None = Field(default=None, description="Not after this day.")
    location: Text | None = Field(default=None, description="Where a meeting is held.")

    @field_validator("roll", mode="before")
    @classmethod
    def _convention(cls, value: object) -> object:
        return Convention.parse(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_anchor(self) -> Self:
        if bool(self.rule) == bool(self.milestone):
            raise ValueError("write either rule, such as FREQ=MONTHLY;BYMONTHDAY=15,-1, or milestone, such as COD")
        return self

    @model_validator(mode="after")
    def _starts_first(self) -> Self:
        if self.start and self.until and self.until < self.start:
            raise ValueError(f"it ends on {self.until}, before it starts on {self.start}; exchange the two")
        return self


class Undertakings(Definition):
    """How the undertakings of the register's obligations sheet are kept."""

    ladder: str = Field(description="The ladder around each undertaking.")
    beside: tuple[Name, ...] = Field(default=(), description="Further ladders around it, each held by itself.")
    at: WallTime = Field(default=time(17), description="When one is due on its day, wall time.")


class Severity(Definition):
    """How soon a problem of one severity is answered and solved, and whom its ladders climb to."""

    title: Text = Field(description="The severity as people read it.")
    respond: Forward = Field(description="How long until an answer is owed, such as +4bh.")
    solve: Forward = Field(description="How long until a solution is owed, such as +3bd.")
    ladder: str = Field(description="The ladder of the answer.")
    solving: str = Field(description="The ladder of the solution.")

    @model_validator(mode="after")
    def _answers_first(self) -> Self:
        if self.respond.unit is self.solve.unit and self.solve.count < self.respond.count:
            raise ValueError(f"it is solved within {self.solve}, before it is answered within {self.respond}")
        return self


class Issues(Definition):
    """How problems that people report are handled."""

    activity: str = Field(description="The RACI activity; its Responsible owes the answer and the solution.")
    severities: dict[Name, Severity] = Field(min_length=1, description="The clocks by severity.")
    default: Name = Field(description="The severity of a problem whose report names none, or one unknown here.")
    confirm: Forward = Field(description="How long the customer has to confirm a solution, such as +3bd.")
    confirming: str = Field(description="The ladder of that confirmation.")

    @model_validator(mode="after")
    def _default_is_one(self) -> Self:
        if self.default not in self.severities:
            raise ValueError(f"no severity is called {self.default!r}; write one of {', '.join(self.severities)}")
        return self


class ScorecardRow(Definition):
    """One weighted measure of a department, 0 to 100."""

    name: Name = Field(description="The row's name in keys and findings.")
    title: Text = Field(description="The row as people read it.")
    weight: Decimal = Field(gt=0, le=100, description="Its part of the score, in percent.")
    measure: Literal["on-time", "escalations", "internal-satisfaction", "milestones", "budget"] = Field(
        description="What is measured."
    )


class Scorecard(Definition):
    """The monthly assessment of departments; weights sum to 100."""

    rows: tuple[ScorecardRow, ...] = Field(min_length=1, description="The measures; their weights sum to 100.")
    departments: tuple[Role, ...] = Field(min_length=1, description="The roles that are assessed.")
    target: Decimal = Field(default=Decimal(80), gt=0, le=100, description="A score below this leads to a proposal.")
    due: Ahead = Field(description="How long after the month's end the scorecard is owed, such as +3bd.")
    ladder: str = Field(description="The ladder that sends it.")
    activity: str = Field(description="The RACI activity of the assessment.")

    @model_validator(mode="after")
    def _weights_sum_to_100(self) -> Self:
        total = sum(row.weight for row in self.rows)
        if total != 100:
            raise ValueError(f"the weights of the rows sum to {total}; they must sum to 100")
        return self


class Room(Definition):
    """A chat room that several people read; where it is stands in the setting PFFLOW_CHAT_ and its name."""

    title: Text = Field(description="What the room is called.")
    language: Literal["zh-CN", "en"] = Field(description="The language its readers are written to in.")


class Playbook(Definition):
    """What each stage must do for the projects that follow it."""

    name: Name = Field(alias="playbook", description="The playbook's name.")
    version: Count = Field(ge=1, description="Counts up with every change that is applied.")
    effective: Day = Field(description="The day it begins to hold.")
    house: House = Field(description="Who runs the relationship.")
    calendars: tuple[str, ...] = Field(
        min_length=1, description="Business calendars by country, such as CN; several are joined: all must be open."
    )
    timezone: str = Field(description="The IANA time zone of every wall time here, such as Asia/Shanghai.")
    hours: Hours = Field(default=Hours(), description="Working hours and when letters go out.")
    quiet: QuietHours | None = Field(default=None, description="When readers are left alone; never if left out.")
    horizon_days: Count = Field(
        default=60, ge=7, le=12000, description="How far ahead dates are planned, calendar days."
    )
    activities: dict[Name, Activity] = Field(min_length=1, description="RACI: who does what.")
    segments: tuple[Segment, ...] = Field(min_length=1, description="Kinds of parties; the first that holds counts.")
    kickoff: Kickoff = Field(description="The first meeting with everyone.")
    checklists: dict[Name, tuple[ChecklistItem, ...]] = Field(description="What is to be known about a party.")
    gathering: Gathering = Field(description="How missing information is asked for and how warnings are given.")
    service_design: ServiceDesign = Field(description="How a package is made and who approves it.")
    cadences: dict[Name, Cadence] = Field(description="What is owed again and again.")
    undertakings: Undertakings = Field(description="How the register's undertakings are kept.")
    issues: Issues | None = Field(default=None, description="How problems that people report are handled.")
    scorecard: Scorecard = Field(description="The monthly assessment of departments.")
    ladders: dict[Name, Ladder] = Field(min_length=1, description="What happens around a due date.")
    rooms: dict[Name, Room] = Field(default_factory=dict, description="Chat rooms that rungs can name as channels.")
    channels: dict[Level, Channels] = Field(
        default_factory=dict,
        description="How the rungs of a level go that name no channels themselves; email if left out.",
    )
    gates: dict[Phase, tuple[str, ...]] = Field(
        default_factory=dict, description="For each phase the cp_refs of the conditions to be settled before it."
    )
    realms: tuple[Realm, ...] = Field(
        default=(Realm.EXTERNAL, Realm.INTERNAL), description="Whose relationships are run: customers, departments."
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is no IANA time zone; write a name such as Asia/Shanghai")
        return value

    @cached_property
    def zone(self) -> ZoneInfo:
        """The playbook's time zone."""
        return ZoneInfo(self.timezone)
