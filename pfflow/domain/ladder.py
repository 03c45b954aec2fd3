"""The one mechanism: a ladder is the list of rungs around an obligation, each at an offset from its due instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

from pfflow.domain.offsets import Offset
from pfflow.domain.parties import Level
from pfflow.domain.words import Json, Words


def _offset(value: object) -> object:
    return value if isinstance(value, Offset) else Offset.parse(str(value))


OffsetText = Annotated[
    InstanceOf[Offset],
    BeforeValidator(_offset),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^[+-]?\d+(bd|d|bh|h)$", "examples": ["-5bd", "+4bh", "0bd"]}),
]


class Definition(BaseModel):
    """What a playbook defines: frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def _each_once(value: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in value if value.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} stands here twice; write it once")
    return value


Channels = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1), AfterValidator(_each_once)]
"""Channels by name: email, chat, or a room of the playbook."""


class Action(StrEnum):
    """What a rung does."""

    ANNOUNCE = "announce"
    INVITE = "invite"
    REQUEST = "request"
    REMIND = "remind"
    SEND = "send"
    ESCALATE = "escalate"


ACTION_WORDS: Mapping[Action, Words] = MappingProxyType(
    {
        Action.ANNOUNCE: Words("通知", "announcement"),
        Action.INVITE: Words("会议邀请", "invitation"),
        Action.REQUEST: Words("书面请求", "request"),
        Action.REMIND: Words("提醒", "reminder"),
        Action.SEND: Words("发送", "report"),
        Action.ESCALATE: Words("提请协调", "escalation"),
    }
)
"""What a letter is called that a rung sends."""


class Late(StrEnum):
    """What becomes of a rung that is reached late: sent all the same, skipped, or merged into the next of its kind."""

    SEND = "send"
    SKIP = "skip"
    MERGE = "merge"


class Rung(Definition):
    """One step: at an offset from the due instant, do one thing, to one audience."""

    at: OffsetText = Field(description="Offset from the due date: -5bd, +1bd, 0bd, +3d, +4bh, -24h.")
    do: Action = Field(description="What happens.")
    to: str = Field(
        description="responsible, accountable, consulted, informed, everyone, owner, head, debtor, creditor, or a role."
    )
    repeat: OffsetText | None = Field(default=None, description="Repeat after this interval while it is still owed.")
    limit: int = Field(default=5, ge=1, le=100, description="How often a repeated rung fires at most.")
    late: Late = Field(default=Late.SEND, description="What to do when the rung is reached late.")
    level: Level | None = Field(default=None, description="Which level of a party is written to; working if not said.")
    urgent: bool = Field(
        default=False,
        strict=True,
        description="Sent in the reader's quiet hours too, and beyond the cap of one reader.",
    )
    merge: bool = Field(
        default=False, strict=True, description="Told in one mail with others that wait for the same person."
    )
    channels: Channels | None = Field(
        default=None,
        description="How it goes: email, chat (each reader's own), or rooms; as the level says if left out.",
    )

    def __hash__(self) -> int:
        return hash(self.name)  # equal rungs have one name, and it is made once

    @cached_property
    def name(self) -> str:
        """The rung's name within its ladder: what it does, when, to whom."""
        return f"{self.do}{self.at}-{self.to}"

    @property
    def merges_with(self) -> str:
        """What its letters may be merged with: those whose rungs say the same; nothing if empty.

        Escalations are merged only with escalations to the same level: what reached the steering level is not to be
        read as one more reminder.
        """
        if not self.merge:
            return ""
        return f"{Action.ESCALATE} {self.level or Level.WORKING}" if self.do is Action.ESCALATE else "notices"

    @model_validator(mode="after")
    def _invites_alone(self) -> Self:
        if self.merge and self.do is Action.INVITE:
            raise ValueError("an invitation is a mail of its own, so that calendars take it; leave merge out")
        return self

    @model_validator(mode="after")
    def _repeats_forward(self) -> Self:
        if self.repeat is not None and self.repeat.count <= 0:
            raise ValueError(f"repeat {self.repeat} does not go forward; write an interval such as +2bd")
        return self


class Ladder(Definition):
    """The rungs in the order of their offsets; no two share a name. An acknowledgement holds the ladder for `hold`."""

    rungs: tuple[Rung, ...] = Field(min_length=1, description="What happens, in the order of the offsets.")
    hold: OffsetText = Field(
        default_factory=lambda: Offset.parse("2bd"), description="How long an acknowledgement holds."
    )

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.rungs)

    @cached_property
    def dumped(self) -> Json:
        """The ladder as it is kept with an obligation."""
        plain: Json = self.model_dump(mode="json", exclude_defaults=True)
        return plain

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, value: object) -> object:
        return {"rungs": value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [rung.name for rung in self.rungs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two rungs do the same at the same time to the same audience: {', '.join(twice)}")
        return self


@dataclass(frozen=True, slots=True)
class Step:
    """One firing of a rung to be, at a UTC instant.

    `name` is the rung's name, with #1, #2 … once its obligation was moved and /2, /3 … where it repeats.
    """

    rung: Rung
    name: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """A rung that was reached: what became of it (fired, skipped, merged) and when. Unique for obligation and rung."""

    obligation_key: str
    rung: str
    due_at: datetime
    fired_at: datetime
    outcome: str
    because: str = ""


def name_at(rung: Rung, sequence: int) -> str:
    """Give what a rung is called once its obligation was moved: each move arms the ladder anew, under new names.

    >>> name_at(Rung(at="-1bd", do="remind", to="responsible"), 2)
    'remind-1bd-responsible#2'
    """
    return f"{rung.name}#{sequence}" if sequence else rung.name


def steps_of(rung: Rung, first_at: datetime, following: Iterator[datetime], sequence: int = 0) -> Iterator[Step]:
    """Give the firings of a rung in order: one, or up to `limit` at the instants that follow."""
    name = name_at(rung, sequence)
    yield Step(rung, name, first_at)
    if rung.repeat is None:
        return
    for number, at in zip(range(2, rung.limit + 1), following, strict=False):
        yield Step(rung, f"{name}/{number}", at)


@lru_cache(maxsize=4096)
def action_in(step_name: str) -> str:
    """Give what a step does, read from its name.

    >>> action_in("escalate+3bd-joint-command/2")
    'escalate'
    """
    return next((str(action) for action in Action if step_name.startswith(action)), "")


def bare_name(step_name: str) -> str:
    """Give the name of the rung a step is a firing of: without its repetition and its meeting's sequence.

    >>> bare_name("escalate+3bd-joint-command/2"), bare_name("remind-1bd-responsible#1")
    ('escalate+3bd-joint-command', 'remind-1bd-responsible')
    """
    return step_name.partition("/")[0].partition("#")[0]


def round_in(step_name: str) -> int:
    """Give the sequence its obligation had when a step was named: each move arms the ladder anew.

    >>> round_in("remind-1bd-responsible#2/3"), round_in("remind-1bd-responsible/3")
    (2, 0)
    """
    number = step_name.partition("#")[2].partition("/")[0]
    return int(number) if number.isdecimal() else 0
