"""The cash waterfall: what a period's cash pays, in which order, and what is left.

Cash goes to the ranks from senior to junior; a rank is paid in full before the next gets anything. The debt service
reserve (DSRA) pays senior debt service that cash does not reach, the maintenance reserve (MRA) pays maintenance; both
are filled again in their own rank. Reserves above target give the excess back before anything is paid. What is left
is distributed, unless distributions are locked up: then it stays.

Two things always hold, and the tests say so: outflows and closing cash are inflow, opening cash and what reserves
gave; and no payment and no balance is negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from types import MappingProxyType

from pfflow.finance import FinanceError, non_negative
from pfflow.finance.ratios import ZERO, LockUp


class Rank(IntEnum):
    """The order of payment, senior first; the usual one, of which documents may agree another."""

    OPERATING_COSTS = 1
    MAINTENANCE = 2
    TAX = 3
    FEES = 4
    SENIOR_INTEREST = 5
    SENIOR_PRINCIPAL = 6
    DSRA = 7
    MRA = 8
    OTHER_RESERVES = 9
    MANDATORY_PREPAYMENT = 10
    SUBORDINATED = 11
    DISTRIBUTION = 12


RESERVE_RANKS = (Rank.DSRA, Rank.MRA, Rank.OTHER_RESERVES)

DRAWS: Mapping[Rank, Rank] = MappingProxyType(
    {Rank.MAINTENANCE: Rank.MRA, Rank.SENIOR_INTEREST: Rank.DSRA, Rank.SENIOR_PRINCIPAL: Rank.DSRA}
)
"""Which reserve stands behind which rank."""


class RankError(FinanceError):
    """A claim on a reserve or a distribution, or a reserve at a rank that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """A reserve account: what it holds and what it should hold."""

    balance: Decimal
    target: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """What a rank was due and got, from cash and from its reserve.

    For a reserve rank `due` is what was missing to its target; for the distribution it is all cash left.
    """

    rank: Rank
    due: Decimal
    from_cash: Decimal
    from_reserve: Decimal = ZERO

    @property
    def paid(self) -> Decimal:
        """What the rank got."""
        return self.from_cash + self.from_reserve

    @property
    def shortfall(self) -> Decimal:
        """What the rank did not get."""
        return self.due - self.paid


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """A period's payments in order, the closing cash and reserve balances, and why a distribution was withheld."""

    payments: tuple[Payment, ...]
    released: Decimal
    closing_cash: Decimal
    reserves: Mapping[Rank, Decimal]
    withheld_for: tuple[str, ...]

    @property
    def shortfalls(self) -> tuple[Payment, ...]:
        """The ranks not paid in full, the most senior first; a withheld distribution is not a shortfall."""
        return tuple(item for item in self.payments if item.shortfall and item.rank is not Rank.DISTRIBUTION)

    def paid(self, rank: Rank) -> Decimal:
        """Give what a rank was paid."""
        return next(item.paid for item in self.payments if item.rank is rank)


def run(
    *,
    inflow: Decimal,
    opening_cash: Decimal,
    claims: Mapping[Rank, Decimal],
    reserves: Mapping[Rank, Reserve],
    lock_up: LockUp,
) -> Waterfall:
    """Give what a period's inflow and opening cash pay.

    `claims` are amounts due by rank (a rank without one is due nothing), `reserves` the accounts by their rank, all in
    one currency. Raises NegativeAmountError for any negative amount and RankError for a claim at a reserve's or the
    distribution's rank, or a reserve at another rank.
    """
    _check(inflow, opening_cash, claims, reserves)
    balances = {rank: min(reserve.balance, reserve.target) for rank, reserve in reserves.items()}
    released = sum((reserve.balance - balances[rank] for rank, reserve in reserves.items()), ZERO)
    cash = inflow + opening_cash + released
    payments: list[Payment] = []
    for rank in Rank:
        payment = _pay(rank, cash, claims, reserves, balances, locked=lock_up.locked)
        cash -= payment.from_cash
        if rank in reserves:
            balances[rank] += payment.from_cash
        if payment.from_reserve:
            balances[DRAWS[rank]] -= payment.from_reserve
        payments.append(payment)
    return Waterfall(
        payments=tuple(payments),
        released=released,
        closing_cash=cash,
        reserves=MappingProxyType(balances),
        withheld_for=lock_up.reasons if cash else (),
    )


def dsra_target(debt_service_ahead: Sequence[Decimal], *, months_a_period: int, months: int = 6) -> Decimal:
    """Give what the debt service reserve should hold: interest and principal of the next months, six by default.

    The periods ahead count in full while they end within the months, the one that does not in proportion: of yearly
    debt service, half. Fewer periods than months is the end of the loan. Raises NegativeAmountError and FinanceError.

    >>> dsra_target([Decimal(60), Decimal(80)], months_a_period=3)
    Decimal('140')
    """
    if months_a_period < 1 or months < 0:
        raise FinanceError(f"{months} months of periods of {months_a_period} months is no target")
    target, left = ZERO, months
    for index, owed in enumerate(debt_service_ahead, start=1):
        counted = min(left, months_a_period)
        target += non_negative(f"debt service of period {index} ahead", owed) * counted / months_a_period
        left -= counted
    return target


def _pay(
    rank: Rank,
    cash: Decimal,
    claims: Mapping[Rank, Decimal],
    reserves: Mapping[Rank, Reserve],
    balances: Mapping[Rank, Decimal],
    *,
    locked: bool,
) -> Payment:
    if rank is Rank.DISTRIBUTION:
        return Payment(rank=rank, due=cash, from_cash=ZERO if locked else cash)
    due = reserves[rank].target - balances[rank] if rank in reserves else claims.get(rank, ZERO)
    from_cash = min(cash, due)
    behind = balances.get(DRAWS[rank], ZERO) if rank in DRAWS else ZERO
    return Payment(rank=rank, due=due, from_cash=from_cash, from_reserve=min(behind, due - from_cash))


def _check(
    inflow: Decimal, opening_cash: Decimal, claims: Mapping[Rank, Decimal], reserves: Mapping[Rank, Reserve]
) -> None:
    non_negative("inflow", inflow)
    non_negative("opening cash", opening_cash)
    for rank, amount in claims.items():
        if rank in RESERVE_RANKS or rank is Rank.DISTRIBUTION:
            raise RankError(f"{rank.name} takes no claim: a reserve has its target, a distribution is what is left")
        non_negative(f"claim of {rank.name}", amount)
    for rank, reserve in reserves.items():
        if rank not in RESERVE_RANKS:
            raise RankError(f"{rank.name} is no reserve account")
        non_negative(f"balance of {rank.name}", reserve.balance)
        non_negative(f"target of {rank.name}", reserve.target)
