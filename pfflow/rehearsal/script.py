"""What a rehearsal's script says: who answers how, who is away, and what happens on which day."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pfflow.domain.ladder import Definition, OffsetText
from pfflow.domain.obligations import ObligationKind
from pfflow.domain.playbook import Count, Day, Name, Text
from pfflow.domain.project import Move


class Answers(StrEnum):
    """How somebody answers what is asked."""

    ON_TIME = "on-time"
    AFTER = "after"
    SPREAD = "spread"
    NEVER = "never"
    AS_IN_HISTORY = "as-in-history"


Share = Annotated[Decimal, Field(gt=0, le=1)]


class Lateness(Definition):
    """A share of the answers, and how many business days late they come; 0 is on time."""

    share: Share = Field(description="Which share of the answers, such as 0.7.")
    late: Count = Field(ge=0, le=2000, description="How many business days after the due date; 0 is on time.")


class AnswerRule(Definition):
    """Who answers how; all that is named must fit. The first rule that fits counts; without one people are on time."""

    role: str = Field(default="", description="A role, such as finance: whoever owes in this role.")
    party: str = Field(default="", description="A party_ref: whoever owes for this party.")
    contact: str = Field(default="", description="A contact_ref: this person.")
    kind: ObligationKind | None = Field(default=None, description="Only what is of this kind.")
    obligation: str = Field(
        default="", description="Only what has such a key; * is anything, as in */fund-use-report/*."
    )
    since: Day | None = Field(default=None, alias="from", description="Only what is due on this day or later.")
    until: Day | None = Field(default=None, description="Only what is due on this day or earlier.")
    answers: Answers = Field(description="on-time, after, spread, never or as-in-history.")
    after: OffsetText | None = Field(default=None, description="With `after`: how long after being asked, such as 2bd.")
    spread: tuple[Lateness, ...] = Field(
        default=(), description="With `spread`: shares with their lateness; what is left of 1 never answers."
    )

    @model_validator(mode="after")
    def _says_how(self) -> Self:
        if (self.answers is Answers.AFTER) != (self.after is not None):
            raise ValueError("`after` goes with answers: after, and only with it; write both or neither")
        if self.after is not None and self.after.count < 0:
            raise ValueError(f"{self.after} is before anybody is asked; write how long after, such as 2bd")
        if (self.answers is Answers.SPREAD) != bool(self.spread):
            raise ValueError("`spread` goes with answers: spread, and only with it; write both or neither")
        if sum(one.share for one in self.spread) > 1:
            raise ValueError(f"the shares come to {sum(one.share for one in self.spread)}; write at most 1 in all")
        if self.since and self.until and self.until < self.since:
            raise ValueError(f"it ends on {self.until}, before it begins on {self.since}; exchange the two")
        return self


class Away(Definition):
    """Somebody who is away, as the register's absences sheet has it: a substitute answers, or nobody until the end."""

    contact: str = Field(min_length=1, description="Who is away: a contact_ref.")
    since: Day = Field(alias="from", description="The first day away.")
    until: Day = Field(description="The last day away.")
    substitute: str = Field(default="", description="Who stands in: a contact_ref; nobody if left out.")

    @model_validator(mode="after")
    def _begins_first(self) -> Self:
        if self.until < self.since:
            raise ValueError(f"it ends on {self.until}, before it begins on {self.since}; exchange the two")
        return self


class Handover(Definition):
    """A reorganisation: a role passes to another party, or a person's place to another person."""

    role: str = Field(default="", description="The role that passes.")
    contact: str = Field(default="", description="The person who leaves: a contact_ref.")
    to: str = Field(min_length=1, description="The party_ref that takes the role, or the contact_ref that takes over.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.role) == bool(self.contact):
            raise ValueError("write either role, which passes to a party, or contact, who hands over to a contact")
        return self


class Slip(Definition):
    """A milestone whose forecast moves, or that is reached."""

    milestone: str = Field(min_length=1, description="The milestone's name in the register.")
    forecast: Day | None = Field(default=None, description="The day it is now expected.")
    actual: Day | None = Field(default=None, description="The day it was reached.")
    reason: str = Field(default="", description="Why.")

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if not (self.forecast or self.actual):
            raise ValueError("it says no day; write forecast or actual")
        return self


class Missed(Definition):
    """A payment that falls due and is not made, or is made late."""

    ref: Name = Field(description="What the payment is called in keys, such as repayment-2030-06.")
    title: Text = Field(description="What letters call it.")
    due: Day = Field(description="The day it is due.")
    debtor: str = Field(min_length=1, description="Who owes it: a party_ref.")
    creditor: str = Field(default="", description="Who is owed: a party_ref.")
    paid: Day | None = Field(default=None, description="The day it is paid after all; never if left out.")


class NewFigure(Definition):
    """A figure that comes in, such as a forecast that breaks a covenant."""

    subject: str = Field(min_length=1, description="The project_ref or party_ref it is of.")
    metric: str = Field(min_length=1, description="Such as cfads.")
    period_end: Day = Field(description="The last day of its period.")
    value: Decimal = Field(description="In full units, not in millions.")
    basis: Literal["actual", "forecast", "base-case"] = Field(default="actual", description="What it is.")


class NewDay(Definition):
    """One day of an official list."""

    on: Day = Field(description="The day.")
    name: str = Field(min_length=1, description="What it is called.")
    kind: Literal["holiday", "workday"] = Field(
        default="holiday", description="Off, or worked although it would be off."
    )


class NewList(Definition):
    """An official holiday list that arrives; dates ahead move as `pfflow plan` and `pfflow apply` would move them."""

    calendar: str = Field(min_length=1, description="The calendar's code, such as CN.")
    published_until: Day | None = Field(default=None, description="Until when it is official.")
    days: tuple[NewDay, ...] = Field(min_length=1, description="Its days.")


class Happening(Definition):
    """One thing that happens on a day, at eight in the morning."""

    on: Day = Field(description="The day it happens.")
    project: str = Field(default="", description="Only in this project; in all that it fits if left out.")
    hands_over: Handover | None = Field(default=None, description="A role or a person's place passes on.")
    milestone: Slip | None = Field(default=None, description="A milestone slips or is reached.")
    missed_payment: Missed | None = Field(default=None, description="A payment is not made.")
    figure: NewFigure | None = Field(default=None, description="A figure comes in.")
    holidays: NewList | None = Field(default=None, description="An official holiday list arrives.")
    phase: Move | None = Field(default=None, description="The financing moves: advance, return or abandon.")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        said = [self.hands_over, self.milestone, self.missed_payment, self.figure, self.holidays, self.phase]
        if sum(one is not None for one in said) != 1:
            raise ValueError(
                "exactly one thing happens; write one of hands_over, milestone, missed_payment, figure, holidays, phase"
            )
        return self


class Limits(Definition):
    """From when on people are called overloaded, and parties neglected."""

    week: Count = Field(default=10, ge=1, description="More dates than this in a week are too many for a person.")
    meetings_a_day: Count = Field(default=3, ge=1, description="More meetings than this in a day are too many.")
    silent_days: Count = Field(default=90, ge=1, description="A party that hears nothing for longer is neglected.")


class Script(Definition):
    """How people behave and what happens while a playbook is rehearsed."""

    rehearsal: Name = Field(description="The script's name.")
    seed: Count = Field(default=1, description="Another seed draws other lateness; the same draws the same.")
    answers: tuple[AnswerRule, ...] = Field(default=(), description="Who answers how; the first that fits counts.")
    absences: tuple[Away, ...] = Field(default=(), description="Who is away when.")
    happenings: tuple[Happening, ...] = Field(default=(), description="What happens on which day.")
    limits: Limits = Field(default=Limits(), description="When somebody is overloaded or neglected.")


EVERYBODY_ON_TIME = Script(rehearsal="everybody-on-time")
"""What is rehearsed without a script."""
