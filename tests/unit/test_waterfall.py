from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.finance import FinanceError, NegativeAmountError
from pfflow.finance.ratios import CoverTest, LockUp, lock_up
from pfflow.finance.waterfall import RESERVE_RANKS, Rank, RankError, Reserve, Waterfall, dsra_target, run

OPEN = lock_up([CoverTest(name="DSCR", ratio=Decimal("1.40"), threshold=Decimal("1.15"))])
LOCKED = lock_up([CoverTest(name="DSCR", ratio=Decimal("1.12"), threshold=Decimal("1.15"))])

CLAIMS = {
    Rank.OPERATING_COSTS: Decimal(20),
    Rank.MAINTENANCE: Decimal(5),
    Rank.TAX: Decimal(6),
    Rank.FEES: Decimal(1),
    Rank.SENIOR_INTEREST: Decimal(18),
    Rank.SENIOR_PRINCIPAL: Decimal(22),
    Rank.MANDATORY_PREPAYMENT: Decimal(3),
    Rank.SUBORDINATED: Decimal(4),
}


def make_waterfall(
    inflow: int,
    *,
    opening_cash: int = 0,
    dsra: tuple[int, int] = (40, 40),
    mra: tuple[int, int] = (5, 5),
    test: LockUp = OPEN,
) -> Waterfall:
    return run(
        inflow=Decimal(inflow),
        opening_cash=Decimal(opening_cash),
        claims=CLAIMS,
        reserves={
            Rank.DSRA: Reserve(balance=Decimal(dsra[0]), target=Decimal(dsra[1])),
            Rank.MRA: Reserve(balance=Decimal(mra[0]), target=Decimal(mra[1])),
        },
        lock_up=test,
    )


def test_a_good_period_pays_every_rank_and_distributes_the_rest() -> None:
    result = make_waterfall(95, opening_cash=5)
    # due before distributions: 20 + 5 + 6 + 1 + 18 + 22 + 3 + 4 = 79
    assert result.paid(Rank.DISTRIBUTION) == 21
    assert result.closing_cash == 0
    assert result.shortfalls == ()
    assert [payment.rank for payment in result.payments] == list(Rank)


def test_a_cover_test_not_passed_keeps_the_rest_and_says_why() -> None:
    result = make_waterfall(95, opening_cash=5, test=LOCKED)
    assert result.paid(Rank.DISTRIBUTION) == 0
    assert result.closing_cash == 21
    assert result.withheld_for == ("DSCR 1.1200, must be >= 1.15",)
    assert result.shortfalls == ()


def test_a_lock_up_with_nothing_left_withholds_nothing() -> None:
    assert make_waterfall(79, test=LOCKED).withheld_for == ()


def test_the_debt_service_reserve_pays_what_cash_does_not_reach() -> None:
    # 20 + 5 + 6 + 1 = 32, then 18 interest leaves 5 of 55 for a principal of 22: the reserve gives 17
    result = make_waterfall(55)
    principal = next(payment for payment in result.payments if payment.rank is Rank.SENIOR_PRINCIPAL)
    assert (principal.from_cash, principal.from_reserve, principal.shortfall) == (Decimal(5), Decimal(17), Decimal(0))
    assert result.reserves[Rank.DSRA] == 23
    assert [(payment.rank, payment.shortfall) for payment in result.shortfalls] == [
        (Rank.DSRA, Decimal(17)),
        (Rank.MANDATORY_PREPAYMENT, Decimal(3)),
        (Rank.SUBORDINATED, Decimal(4)),
    ]


def test_the_debt_service_reserve_does_not_pay_operating_costs() -> None:
    result = make_waterfall(12)
    assert result.paid(Rank.OPERATING_COSTS) == 12
    assert result.paid(Rank.MAINTENANCE) == 5  # from the maintenance reserve
    assert result.paid(Rank.TAX) == 0
    assert result.paid(Rank.SENIOR_INTEREST) == 18  # from the debt service reserve
    assert result.reserves == {Rank.DSRA: 0, Rank.MRA: 0}
    assert result.paid(Rank.SENIOR_PRINCIPAL) == 22


def test_a_reserve_below_target_is_filled_before_juniors_are_paid() -> None:
    result = make_waterfall(80, dsra=(34, 40))
    # 72 to the seniors leaves 8: 6 to the reserve, 2 of the 3 to the prepayment
    assert result.reserves[Rank.DSRA] == 40
    assert result.paid(Rank.MANDATORY_PREPAYMENT) == 2
    assert result.paid(Rank.SUBORDINATED) == 0


def test_a_reserve_above_target_gives_the_excess_back() -> None:
    result = make_waterfall(72, dsra=(50, 40))
    assert result.released == 10
    assert result.reserves[Rank.DSRA] == 40
    assert result.paid(Rank.DISTRIBUTION) == 3  # 72 + 10 - 79


@pytest.mark.parametrize("rank", [Rank.DSRA, Rank.DISTRIBUTION])
def test_a_claim_where_none_can_be_is_refused(rank: Rank) -> None:
    with pytest.raises(RankError, match=f"{rank.name} takes no claim"):
        run(inflow=Decimal(1), opening_cash=Decimal(0), claims={rank: Decimal(1)}, reserves={}, lock_up=OPEN)


def test_a_reserve_at_a_rank_without_one_is_refused() -> None:
    with pytest.raises(RankError, match="TAX is no reserve account"):
        run(
            inflow=Decimal(1),
            opening_cash=Decimal(0),
            claims={},
            reserves={Rank.TAX: Reserve(balance=Decimal(0), target=Decimal(0))},
            lock_up=OPEN,
        )


def test_a_negative_claim_is_refused_by_name() -> None:
    with pytest.raises(NegativeAmountError, match="claim of TAX is -1"):
        run(inflow=Decimal(1), opening_cash=Decimal(0), claims={Rank.TAX: Decimal(-1)}, reserves={}, lock_up=OPEN)


amounts = st.decimals(min_value=0, max_value=10**6, places=2)
claims = st.dictionaries(
    st.sampled_from([rank for rank in Rank if rank not in (*RESERVE_RANKS, Rank.DISTRIBUTION)]), amounts
)
reserves = st.dictionaries(st.sampled_from(RESERVE_RANKS), st.builds(Reserve, balance=amounts, target=amounts))
tests_made = st.sampled_from([OPEN, LOCKED])


@given(amounts, amounts, claims, reserves, tests_made)
def test_cash_is_conserved_and_never_negative(
    inflow: Decimal,
    opening_cash: Decimal,
    claims: Mapping[Rank, Decimal],
    reserves: Mapping[Rank, Reserve],
    test: LockUp,
) -> None:
    result = run(inflow=inflow, opening_cash=opening_cash, claims=claims, reserves=reserves, lock_up=test)
    out_of_cash = sum((payment.from_cash for payment in result.payments), Decimal(0))
    assert out_of_cash + result.closing_cash == inflow + opening_cash + result.released
    paid_away = sum((item.paid for item in result.payments if item.rank not in RESERVE_RANKS), Decimal(0))
    before = inflow + opening_cash + sum((reserve.balance for reserve in reserves.values()), Decimal(0))
    assert paid_away + result.closing_cash + sum(result.reserves.values(), Decimal(0)) == before
    assert result.closing_cash >= 0
    assert all(balance >= 0 for balance in result.reserves.values())
    assert all(min(item.from_cash, item.from_reserve, item.shortfall) >= 0 for item in result.payments)


@given(amounts, amounts, claims, reserves, tests_made)
def test_no_junior_gets_cash_while_a_senior_is_short(
    inflow: Decimal,
    opening_cash: Decimal,
    claims: Mapping[Rank, Decimal],
    reserves: Mapping[Rank, Reserve],
    test: LockUp,
) -> None:
    result = run(inflow=inflow, opening_cash=opening_cash, claims=claims, reserves=reserves, lock_up=test)
    short = False
    for payment in result.payments:
        assert not (short and payment.from_cash)
        short = short or payment.from_cash < payment.due
    assert all(balance <= reserves[rank].target for rank, balance in result.reserves.items())


@given(amounts, amounts, claims, reserves)
def test_nothing_is_distributed_while_a_test_is_not_passed(
    inflow: Decimal, opening_cash: Decimal, claims: Mapping[Rank, Decimal], reserves: Mapping[Rank, Reserve]
) -> None:
    locked = run(inflow=inflow, opening_cash=opening_cash, claims=claims, reserves=reserves, lock_up=LOCKED)
    unlocked = run(inflow=inflow, opening_cash=opening_cash, claims=claims, reserves=reserves, lock_up=OPEN)
    assert locked.paid(Rank.DISTRIBUTION) == 0
    assert locked.closing_cash == unlocked.paid(Rank.DISTRIBUTION)
    assert locked.payments[:-1] == unlocked.payments[:-1]


@pytest.mark.parametrize(
    ("ahead", "months_a_period", "target"),
    [
        ([70, 90], 6, 70),  # the next half-year
        ([30, 40, 50], 3, 70),  # the next two quarters
        ([120, 130], 12, 60),  # half of the next year
        ([10] * 12, 1, 60),  # six months
        ([40], 3, 40),  # one quarter is left of the loan
        ([], 6, 0),  # the loan is repaid
    ],
)
def test_the_reserve_target_is_six_months_of_debt_service(ahead: list[int], months_a_period: int, target: int) -> None:
    assert dsra_target([Decimal(owed) for owed in ahead], months_a_period=months_a_period) == target


def test_the_reserve_target_may_be_agreed_at_twelve_months() -> None:
    assert dsra_target([Decimal(70), Decimal(90), Decimal(1)], months_a_period=6, months=12) == 160


def test_a_period_of_no_months_is_refused() -> None:
    with pytest.raises(FinanceError, match="no target"):
        dsra_target([Decimal(1)], months_a_period=0)
