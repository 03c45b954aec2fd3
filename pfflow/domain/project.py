"""A financing, its phases and the gates between them.

Two rules. A project moves only along `TRANSITIONS`; a key that is not there is the error. A move is recorded with who,
when and on what evidence; what a gate asks for is the playbook's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType


class Phase(StrEnum):
    """Where the financing stands (a stage, by contrast, is what the house does with a party)."""

    IDENTIFICATION = "identification"
    ASSESSMENT = "assessment"
    FUNDRAISING = "fundraising"
    IMPLEMENTATION = "implementation"
    EXIT = "exit"


class Move(StrEnum):
    """What can happen to a phase."""

    ADVANCE = "advance"
    RETURN = "return"
    ABANDON = "abandon"


TRANSITIONS: Mapping[tuple[Phase, Move], Phase] = MappingProxyType(
    {
        (Phase.IDENTIFICATION, Move.ADVANCE): Phase.ASSESSMENT,
        (Phase.ASSESSMENT, Move.ADVANCE): Phase.FUNDRAISING,
        (Phase.ASSESSMENT, Move.RETURN): Phase.IDENTIFICATION,
        (Phase.FUNDRAISING, Move.ADVANCE): Phase.IMPLEMENTATION,
        (Phase.FUNDRAISING, Move.RETURN): Phase.ASSESSMENT,
        (Phase.IMPLEMENTATION, Move.ADVANCE): Phase.EXIT,
        (Phase.IDENTIFICATION, Move.ABANDON): Phase.EXIT,
        (Phase.ASSESSMENT, Move.ABANDON): Phase.EXIT,
        (Phase.FUNDRAISING, Move.ABANDON): Phase.EXIT,
    }
)


class PhaseError(ValueError):
    """A move that the phase does not allow, or whose gate is not passed."""


def next_phase(phase: Phase, move: Move) -> Phase:
    """Give the phase a move leads to.

    Raises PhaseError where the table has no such move.

    >>> next_phase(Phase.ASSESSMENT, Move.ADVANCE)
    <Phase.FUNDRAISING: 'fundraising'>
    """
    try:
        return TRANSITIONS[phase, move]
    except KeyError:
        allowed = ", ".join(sorted(m for p, m in TRANSITIONS if p is phase)) or "none: it is the last"
        raise PhaseError(f"phase {phase} has no move {move}; its moves are: {allowed}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A financing. Key: project_ref. Amounts are in `currency`; `loan_rate` is a yearly rate as a fraction (0.045)."""

    project_ref: str
    name: str
    name_zh: str = ""
    sector: str = ""
    country: str = ""
    phase: Phase = Phase.IDENTIFICATION
    sponsor_ref: str = ""
    borrower_ref: str = ""
    capex: Decimal | None = None
    currency: str = ""
    debt: Decimal | None = None
    equity: Decimal | None = None
    loan_rate: Decimal | None = None
    ep_category: str = ""
    fc_date: date | None = None
    cod_date: date | None = None
    maturity_date: date | None = None
    calendars: str = ""
    convention: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A dated fact of a project. Key: project_ref, milestone. It slips when the forecast passes the plan."""

    project_ref: str
    milestone: str
    name: str = ""
    name_zh: str = ""
    planned_on: date
    forecast_on: date | None = None
    actual_on: date | None = None
    owner_role: str = ""
    reason: str = ""

    @property
    def stands_on(self) -> date:
        """The date it has now: when it was reached, else as it is forecast, else as planned."""
        return self.actual_on or self.forecast_on or self.planned_on

    def slip_days(self) -> int:
        """Give how many calendar days the milestone is behind its plan (0 when on time or early)."""
        return max(0, (self.stands_on - self.planned_on).days)


class ConditionStatus(StrEnum):
    """The life of a condition precedent or subsequent; only the agent sets satisfied or waived."""

    OUTSTANDING = "outstanding"
    AGREED_FORM = "agreed-form"
    RECEIVED = "received"
    SATISFIED = "satisfied"
    WAIVED = "waived"
    SUBSEQUENT = "subsequent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionItem:
    """A condition precedent or subsequent, or an item of a phase gate. Key: project_ref, cp_ref.

    With `milestone` it is due `offset_days` calendar days from the day that milestone has now, and owed as an
    undertaking is; with `due` alone it is a date on a list.
    """

    project_ref: str
    cp_ref: str
    text: str
    text_zh: str = ""
    responsible: str = ""
    status: ConditionStatus = ConditionStatus.OUTSTANDING
    due: date | None = None
    milestone: str = ""
    offset_days: int = 0
    evidence: str = ""
    waiver_ref: str = ""

    @property
    def settled(self) -> bool:
        """Whether nothing more is owed under it."""
        return self.status in (ConditionStatus.SATISFIED, ConditionStatus.WAIVED)


def gate_of(move: Move, target: Phase, gates: Mapping[Phase, tuple[str, ...]]) -> tuple[str, ...]:
    """Give what a move must have settled: only advancing passes a gate; going back or giving up does not."""
    return gates.get(target, ()) if move is Move.ADVANCE else ()


def unsettled(gate: Iterable[str], conditions: Iterable[ConditionItem]) -> tuple[str, ...]:
    """Give which of a gate's conditions are not settled, in the gate's order; one the register lacks is not settled."""
    settled = {c.cp_ref for c in conditions if c.settled}
    return tuple(ref for ref in gate if ref not in settled)
