"""How much debt a project carries: sculpted to its cash flow, capped by gearing, and the equity that remains.

Sculpting sets each period's debt service to CFADS / target DSCR; the debt is what that service is worth today. Then the
LLCR equals the target at every date. Working backwards from a closing balance of zero makes that balance zero exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from pfflow.finance import FinanceError, NegativeAmountError, non_negative
from pfflow.finance.ratios import ONE, ZERO, Rates, rates_of


class TargetError(FinanceError):
    """A target DSCR at or below zero, or a gearing outside 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sculpted:
    """A sculpted loan. Every series has one figure a period; `balance` is what is owed after the period's repayment.

    `dscr` is None for a loan of nothing. Where debt service does not cover the interest, principal is negative: the
    balance grows, and the period (from 0) is in `growing`, for most documents forbid it.
    """

    debt: Decimal
    dscr: Decimal | None
    debt_service: tuple[Decimal, ...]
    interest: tuple[Decimal, ...]
    principal: tuple[Decimal, ...]
    balance: tuple[Decimal, ...]

    @property
    def growing(self) -> tuple[int, ...]:
        """The periods in which the balance grows."""
        return tuple(index for index, repaid in enumerate(self.principal) if repaid < 0)


class Binding(StrEnum):
    """What limits the debt."""

    COVER = "cover"
    GEARING = "gearing"


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtCapacity:
    """The most debt a project carries, which limit binds, and both limits; `loan` is sculpted at that debt."""

    debt: Decimal
    binding: Binding
    by_cover: Decimal
    by_gearing: Decimal
    equity: Decimal
    loan: Sculpted


def sculpt(cfads: Sequence[Decimal], rates: Rates, target_dscr: Decimal) -> Sculpted:
    """Give the loan whose DSCR is the target in every period.

    CFADS are at the end of each period; `rates` one a period or one for all.
    Raises NegativeAmountError for a period with negative CFADS (no debt service has the target there),
    TargetError, PeriodCountError, RateError.

    >>> sculpt([Decimal(130), Decimal(130)], Decimal(0), Decimal("1.30")).debt
    Decimal('200')
    """
    if not target_dscr.is_finite() or target_dscr <= 0:
        raise TargetError(f"a target DSCR of {target_dscr} sizes no debt; it must be above 0")
    for index, flow in enumerate(cfads, start=1):
        non_negative(f"CFADS of period {index}", flow)
    by_period = rates_of(rates, len(cfads))
    service = [flow / target_dscr for flow in cfads]
    opening = [ZERO]  # filled from the last date to the first
    for owed, rate in zip(reversed(service), reversed(by_period), strict=True):
        opening.append((opening[-1] + owed) / (ONE + rate))
    balances = opening[::-1]
    interest = tuple(before * rate for before, rate in zip(balances, by_period, strict=False))
    principal = tuple(before - after for before, after in pairwise(balances))
    return Sculpted(
        debt=balances[0],
        dscr=target_dscr if balances[0] else None,
        debt_service=tuple(paid + repaid for paid, repaid in zip(interest, principal, strict=True)),
        interest=interest,
        principal=principal,
        balance=tuple(balances[1:]),
    )


def debt_capacity(
    cfads: Sequence[Decimal], rates: Rates, target_dscr: Decimal, *, capex: Decimal, max_gearing: Decimal
) -> DebtCapacity:
    """Give the smaller of what cover and what gearing (debt over capex, 0 to 1) allow, and the loan of that size.

    Where gearing binds the loan keeps its sculpted shape and its DSCR lies above the target.
    Raises as `sculpt` does, TargetError for a gearing outside 0 to 1, NegativeAmountError for a negative capex.
    """
    if not ZERO <= max_gearing <= ONE:
        raise TargetError(f"a gearing of {max_gearing} is not a share of capex between 0 and 1")
    at_target = sculpt(cfads, rates, target_dscr)
    by_gearing = non_negative("capex", capex) * max_gearing
    if at_target.debt <= by_gearing:
        debt, binding, loan = at_target.debt, Binding.COVER, at_target
    else:
        debt, binding = by_gearing, Binding.GEARING
        loan = _scaled(at_target, debt)
    return DebtCapacity(
        debt=debt,
        binding=binding,
        by_cover=at_target.debt,
        by_gearing=by_gearing,
        equity=equity_gap(capex, debt),
        loan=loan,
    )


def equity_gap(capex: Decimal, debt: Decimal) -> Decimal:
    """Give what equity must bring: capex less debt.

    Raises NegativeAmountError for a negative capex or debt, or where the debt exceeds capex.

    >>> equity_gap(Decimal(500), Decimal(350))
    Decimal('150')
    """
    gap = non_negative("capex", capex) - non_negative("debt", debt)
    if gap < 0:
        raise NegativeAmountError("capex less debt", gap)
    return gap


def _scaled(loan: Sculpted, debt: Decimal) -> Sculpted:
    # Sculpting is linear: a smaller loan of the same shape has every figure smaller and its DSCR larger by one factor.
    by = debt / loan.debt
    return Sculpted(
        debt=debt,
        dscr=loan.dscr / by if loan.dscr is not None and by else None,
        debt_service=tuple(amount * by for amount in loan.debt_service),
        interest=tuple(amount * by for amount in loan.interest),
        principal=tuple(amount * by for amount in loan.principal),
        balance=tuple(amount * by for amount in loan.balance),
    )
