"""Cover ratios: DSCR, LLCR, PLCR and ICR, their headroom, and the distribution lock-up.

A ratio is a Decimal (1.30 is 1.30x). A period without debt service has no DSCR, and a loan repaid has no LLCR: the
answer is then None, never a large number. Mandatory prepayments are not debt service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum
from itertools import pairwise
from typing import TypeAlias

from pfflow.finance import FinanceError, PeriodCountError, RateError, finite, non_negative

Rates: TypeAlias = Decimal | Sequence[Decimal]
"""One rate for every period, or one a period; a fraction a period (0.06), not a year's unless the period is a year."""

ZERO = Decimal(0)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverPeriod:
    """What a calculation period brings and owes: CFADS may be negative, interest and scheduled principal may not."""

    period_end: date
    cfads: Decimal
    interest: Decimal
    principal: Decimal

    @property
    def debt_service(self) -> Decimal:
        """Interest and scheduled principal of the period."""
        return self.interest + self.principal


@dataclass(frozen=True, slots=True, kw_only=True)
class DscrRow:
    """A period with its DSCR; None where nothing is owed in it."""

    period: CoverPeriod
    dscr: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DscrTable:
    """The DSCR of each period in date order, with the minimum (and when) and the average over periods that have one."""

    rows: tuple[DscrRow, ...]
    minimum: Decimal | None
    minimum_on: date | None
    average: Decimal | None


def rates_of(rates: Rates, periods: int) -> tuple[Decimal, ...]:
    """Give one rate for each of so many periods.

    Raises PeriodCountError where a series has another length and RateError for a rate at or below -1.
    """
    series = (rates,) * periods if isinstance(rates, Decimal) else tuple(rates)
    if len(series) != periods:
        raise PeriodCountError("rates", len(series), periods)
    for rate in series:
        if not rate.is_finite() or rate <= -1:
            raise RateError(rate)
    return series


def net_present_value(flows: Sequence[Decimal], rates: Rates) -> Decimal:
    """Give the value today of flows at the end of each period ahead.

    >>> net_present_value([Decimal(106), Decimal("56.18")], Decimal("0.06")) == 150
    True
    """
    value = ZERO
    for flow, rate in zip(reversed(flows), reversed(rates_of(rates, len(flows))), strict=True):
        value = (value + finite("CFADS", flow)) / (ONE + rate)
    return value


def dscr(cfads: Decimal, debt_service: Decimal) -> Decimal | None:
    """Give CFADS over debt service (interest and scheduled principal); None where no debt service is owed.

    Raises NegativeAmountError for a negative debt service.

    >>> dscr(Decimal(112), Decimal(100))
    Decimal('1.12')
    """
    finite("CFADS", cfads)
    return None if non_negative("debt service", debt_service) == 0 else cfads / debt_service


def dscr_table(periods: Iterable[CoverPeriod]) -> DscrTable:
    """Give the DSCR of every period, by period end.

    Raises FinanceError for two periods with one end, and NegativeAmountError for a negative interest or principal.
    """
    ordered = sorted(periods, key=lambda period: period.period_end)
    for before, after in pairwise(ordered):
        if before.period_end == after.period_end:
            raise FinanceError(f"two periods end on {after.period_end}")
    for period in ordered:
        non_negative(f"interest of {period.period_end}", period.interest)
        non_negative(f"principal of {period.period_end}", period.principal)
    rows = tuple(DscrRow(period=period, dscr=dscr(period.cfads, period.debt_service)) for period in ordered)
    measured = [(row.dscr, row.period.period_end) for row in rows if row.dscr is not None]
    if not measured:
        return DscrTable(rows=rows, minimum=None, minimum_on=None, average=None)
    minimum, minimum_on = min(measured)
    average = sum((ratio for ratio, _ in measured), ZERO) / len(measured)
    return DscrTable(rows=rows, minimum=minimum, minimum_on=minimum_on, average=average)


def llcr(cfads_to_maturity: Sequence[Decimal], rates: Rates, debt_outstanding: Decimal) -> Decimal | None:
    """Give the value of CFADS to final maturity over the debt outstanding; None where no debt is outstanding.

    CFADS are at the end of each period ahead, discounted at the weighted rate of the loans.
    Raises NegativeAmountError, PeriodCountError, RateError.
    """
    value = net_present_value(cfads_to_maturity, rates)
    return None if non_negative("debt outstanding", debt_outstanding) == 0 else value / debt_outstanding


def plcr(cfads_of_project_life: Sequence[Decimal], rates: Rates, debt_outstanding: Decimal) -> Decimal | None:
    """Give the value of CFADS over the project's life over the debt outstanding: LLCR with the tail counted."""
    return llcr(cfads_of_project_life, rates, debt_outstanding)


def icr(cfads: Decimal, interest: Decimal) -> Decimal | None:
    """Give CFADS over interest; None where no interest is owed. Raises NegativeAmountError."""
    finite("CFADS", cfads)
    return None if non_negative("interest", interest) == 0 else cfads / interest


def headroom(ratio: Decimal, threshold: Decimal) -> Decimal:
    """Give by which share CFADS may fall before the ratio meets its threshold; negative where it is already below.

    Raises FinanceError for a ratio of zero or less, whose CFADS have nothing left to fall by.

    >>> headroom(Decimal("1.50"), Decimal("1.20"))
    Decimal('0.2')
    """
    if finite("ratio", ratio) <= 0:
        raise FinanceError(f"a ratio of {ratio} has no headroom to measure: there is no cash flow")
    return ONE - threshold / ratio


class Comparator(StrEnum):
    """How a ratio must stand to its threshold; documents differ, and at the threshold itself it matters."""

    ABOVE = ">"
    AT_LEAST = ">="


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverTest:
    """A cover ratio against its distribution threshold on a calculation date.

    A ratio of None was not measured: a test that was not made was not passed.
    """

    name: str
    ratio: Decimal | None
    threshold: Decimal
    comparator: Comparator = Comparator.AT_LEAST

    @property
    def passed(self) -> bool:
        """Whether the ratio stands as it must."""
        if self.ratio is None:
            return False
        return self.ratio > self.threshold if self.comparator is Comparator.ABOVE else self.ratio >= self.threshold

    def __str__(self) -> str:
        return f"{self.name} {_shown(self.ratio)}, must be {self.comparator} {self.threshold}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionCondition:
    """A condition of distributions that is no ratio: no event of default, full reserves, completion."""

    name: str
    met: bool

    def __str__(self) -> str:
        return f"{self.name}: {'met' if self.met else 'not met'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockUp:
    """Whether distributions are locked up, with every test made and the ones that lock."""

    tests: tuple[CoverTest, ...]
    failed: tuple[CoverTest, ...]
    unmet: tuple[DistributionCondition, ...]

    @property
    def locked(self) -> bool:
        """Whether nothing may be distributed."""
        return bool(self.failed or self.unmet)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, one sentence a test or condition."""
        return tuple(str(item) for item in (*self.failed, *self.unmet))


def lock_up(tests: Iterable[CoverTest], conditions: Iterable[DistributionCondition] = ()) -> LockUp:
    """Give whether distributions are locked up: one test not passed or one condition not met suffices."""
    made = tuple(tests)
    return LockUp(
        tests=made,
        failed=tuple(test for test in made if not test.passed),
        unmet=tuple(condition for condition in conditions if not condition.met),
    )


def _shown(ratio: Decimal | None) -> str:
    # Cut, not rounded: 1.24999 is below 1.25 and must not read as 1.2500.
    return "not measured" if ratio is None else f"{(ratio * 10_000).to_integral_value(ROUND_FLOOR) / 10_000:.4f}"
