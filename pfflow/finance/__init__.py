"""Figures: cover ratios, debt sizing, risk slotting and the cash waterfall, as pure functions on Decimal.

Amounts are Decimal in one currency that the caller knows; nothing here rounds, save where a standard says so.
"""

from __future__ import annotations

from decimal import Decimal


class FinanceError(ValueError):
    """A figure that finance refuses to compute with; its text says which and why."""


class NegativeAmountError(FinanceError):
    """An amount below zero where only zero or more has a meaning."""

    def __init__(self, name: str, amount: Decimal) -> None:
        super().__init__(f"{name} is {amount}; it cannot be negative")
        self.name = name
        self.amount = amount


class PeriodCountError(FinanceError):
    """Two series that should have one figure a period and do not."""

    def __init__(self, name: str, count: int, expected: int) -> None:
        super().__init__(f"{name} has {count} figures for {expected} periods")
        self.name = name
        self.count = count
        self.expected = expected


class RateError(FinanceError):
    """A rate a period that is not a number above -1 (-100 %)."""

    def __init__(self, rate: Decimal) -> None:
        super().__init__(f"{rate} is not a rate: a rate is a fraction a period, above -1 (6 % is 0.06)")
        self.rate = rate


def finite(name: str, amount: Decimal) -> Decimal:
    """Give the amount back. Raises FinanceError for what is not a number."""
    if not amount.is_finite():
        raise FinanceError(f"{name} is {amount}, which is not an amount")
    return amount


def non_negative(name: str, amount: Decimal) -> Decimal:
    """Give the amount back. Raises NegativeAmountError below zero and FinanceError for what is not a number."""
    if finite(name, amount) < 0:
        raise NegativeAmountError(name, amount)
    return amount
