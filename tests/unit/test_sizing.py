from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.finance import NegativeAmountError, PeriodCountError
from pfflow.finance.ratios import llcr
from pfflow.finance.sizing import Binding, TargetError, debt_capacity, equity_gap, sculpt

CFADS = [Decimal(100), Decimal(110), Decimal(120), Decimal(115), Decimal(105)]
RATE = Decimal("0.06")
TARGET = Decimal("1.30")
TINY = Decimal("1e-15")


def test_the_sculpted_debt_of_five_years_at_six_percent_and_130() -> None:
    loan = sculpt(CFADS, RATE, TARGET)
    assert loan.debt.quantize(Decimal("0.000001")) == Decimal("355.804942")
    assert [repaid.quantize(Decimal("0.0001")) for repaid in loan.principal] == [
        Decimal("55.5748"),
        Decimal("66.6016"),
        Decimal("78.2900"),
        Decimal("79.1412"),
        Decimal("76.1974"),
    ]
    assert loan.balance[-1] == 0
    assert loan.growing == ()


def test_llcr_is_the_target_at_every_date() -> None:
    loan = sculpt(CFADS, RATE, TARGET)
    owed = [loan.debt, *loan.balance]
    for done in range(len(CFADS)):
        ratio = llcr(CFADS[done:], RATE, owed[done])
        assert ratio is not None
        assert abs(ratio - TARGET) < TINY


def test_the_closed_form_gives_the_same_dscr() -> None:
    # DSCR = sum of CFADS_i x product of R_j (j > i), over debt x product of R, with R = 1 + r
    debt = sculpt(CFADS, RATE, TARGET).debt
    growth = 1 + RATE
    grown = sum((flow * growth ** (len(CFADS) - i) for i, flow in enumerate(CFADS, start=1)), Decimal(0))
    assert abs(grown / (debt * growth ** len(CFADS)) - TARGET) < TINY


def test_rates_may_differ_by_period() -> None:
    # debt service 100 and 121: 100/1.05 + 121/(1.05 x 1.10) = 95.238095... + 104.761904... = 200
    loan = sculpt([Decimal(100), Decimal(121)], [Decimal("0.05"), Decimal("0.10")], Decimal(1))
    assert abs(loan.debt - 200) < TINY
    assert abs(loan.interest[0] - 10) < TINY
    assert abs(loan.principal[0] - 90) < TINY
    assert abs(loan.interest[1] - 11) < TINY


amounts = st.decimals(min_value=0, max_value=10**9, places=2)
rates = st.decimals(min_value=0, max_value=Decimal("0.3"), places=4)
targets = st.decimals(min_value=Decimal("0.5"), max_value=5, places=2)


@given(st.lists(st.tuples(amounts, rates), min_size=1, max_size=60), targets)
def test_any_sculpted_loan_repays_itself_and_keeps_its_cover(
    periods: list[tuple[Decimal, Decimal]], target: Decimal
) -> None:
    cfads = [flow for flow, _ in periods]
    by_period = [rate for _, rate in periods]
    loan = sculpt(cfads, by_period, target)
    close = Decimal("1e-12") * sum(cfads, Decimal(1))
    assert loan.balance[-1] == 0
    assert abs(sum(loan.principal, -loan.debt)) <= close
    opening = loan.debt
    for index, flow in enumerate(cfads):
        assert abs(loan.debt_service[index] - flow / target) <= close
        assert abs(opening + loan.interest[index] - loan.debt_service[index] - loan.balance[index]) <= close
        opening = loan.balance[index]


def test_a_first_year_too_thin_for_its_interest_is_named() -> None:
    # service 1 and 121 at 10 %: debt 1/1.1 + 121/1.21 = 100.909; its interest, 10.09, exceeds 1
    assert sculpt([Decimal(1), Decimal(121)], Decimal("0.1"), Decimal(1)).growing == (0,)


def test_a_negative_cash_flow_is_refused_with_its_period() -> None:
    with pytest.raises(NegativeAmountError, match="CFADS of period 2 is -5"):
        sculpt([Decimal(10), Decimal(-5)], RATE, TARGET)


def test_a_target_of_nothing_is_refused() -> None:
    with pytest.raises(TargetError, match="target DSCR of 0"):
        sculpt(CFADS, RATE, Decimal(0))


def test_rates_of_another_length_are_refused() -> None:
    with pytest.raises(PeriodCountError):
        sculpt(CFADS, [RATE], TARGET)


def test_cover_binds_where_it_allows_less_than_gearing() -> None:
    capacity = debt_capacity(CFADS, RATE, TARGET, capex=Decimal(500), max_gearing=Decimal("0.80"))
    assert capacity.binding is Binding.COVER
    assert capacity.by_gearing == 400
    assert capacity.debt == capacity.by_cover == capacity.loan.debt
    assert capacity.equity.quantize(Decimal("0.000001")) == Decimal("144.195058")  # 500 - 355.804942


def test_gearing_binds_and_lifts_the_cover() -> None:
    capacity = debt_capacity(CFADS, RATE, TARGET, capex=Decimal(400), max_gearing=Decimal("0.70"))
    assert (capacity.binding, capacity.debt, capacity.equity) == (Binding.GEARING, Decimal(280), Decimal(120))
    assert capacity.loan.debt == 280
    assert capacity.loan.dscr is not None
    # 1.30 x 355.804942 / 280 = 1.651951...
    assert capacity.loan.dscr.quantize(Decimal("0.000001")) == Decimal("1.651952")
    assert abs(CFADS[0] / capacity.loan.debt_service[0] - capacity.loan.dscr) < TINY
    assert abs(sum(capacity.loan.principal, Decimal(-280))) < TINY
    assert capacity.loan.balance[-1] == 0


def test_no_gearing_leaves_all_to_equity() -> None:
    capacity = debt_capacity(CFADS, RATE, TARGET, capex=Decimal(400), max_gearing=Decimal(0))
    assert (capacity.debt, capacity.equity, capacity.loan.dscr) == (Decimal(0), Decimal(400), None)


def test_a_gearing_above_one_is_refused() -> None:
    with pytest.raises(TargetError, match="gearing of 70"):
        debt_capacity(CFADS, RATE, TARGET, capex=Decimal(400), max_gearing=Decimal(70))


def test_the_equity_gap_is_capex_less_debt() -> None:
    assert equity_gap(Decimal("1200.50"), Decimal(900)) == Decimal("300.50")


def test_debt_beyond_capex_is_refused() -> None:
    with pytest.raises(NegativeAmountError, match="capex less debt is -1"):
        equity_gap(Decimal(100), Decimal(101))
