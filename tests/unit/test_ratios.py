from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest

from pfflow.finance import FinanceError, NegativeAmountError, PeriodCountError, RateError
from pfflow.finance.ratios import (
    Comparator,
    CoverPeriod,
    CoverTest,
    DistributionCondition,
    dscr,
    dscr_table,
    headroom,
    icr,
    llcr,
    lock_up,
    net_present_value,
    plcr,
)

# The annual DSCR table published with a filed loan agreement, in thousands.
PUBLISHED = [
    ("-42685.7", "10229.1", "-4.2"),
    ("-14822.2", "9577.1", "-1.5"),
    ("14461.2", "8925.1", "1.6"),
    ("32235.1", "8273.1", "3.9"),
    ("51136.9", "7731.6", "6.6"),
    ("71143.8", "7052.0", "10.1"),
    ("82290.8", "6372.3", "12.9"),
    ("84759.6", "5692.7", "14.9"),
]


def make_period(end: date, cfads: str, interest: str = "0", principal: str = "0") -> CoverPeriod:
    return CoverPeriod(period_end=end, cfads=Decimal(cfads), interest=Decimal(interest), principal=Decimal(principal))


@pytest.mark.parametrize(("cfads", "debt_service", "published"), PUBLISHED)
def test_dscr_gives_the_published_table(cfads: str, debt_service: str, published: str) -> None:
    ratio = dscr(Decimal(cfads), Decimal(debt_service))
    assert ratio is not None
    assert ratio.quantize(Decimal("0.1"), ROUND_HALF_UP) == Decimal(published)


def test_a_period_without_debt_service_has_no_dscr() -> None:
    assert dscr(Decimal(100), Decimal(0)) is None
    assert icr(Decimal(100), Decimal(0)) is None


def test_a_negative_debt_service_is_refused_by_name() -> None:
    with pytest.raises(NegativeAmountError, match="debt service is -1"):
        dscr(Decimal(100), Decimal(-1))


def test_a_figure_that_is_no_number_is_refused() -> None:
    with pytest.raises(FinanceError, match="debt service is NaN"):
        dscr(Decimal(100), Decimal("NaN"))
    with pytest.raises(FinanceError, match="CFADS is NaN"):
        dscr_table([make_period(date(2026, 12, 31), "NaN", "1")])
    with pytest.raises(FinanceError, match="CFADS is Infinity"):
        llcr([Decimal("Infinity")], Decimal("0.1"), Decimal(1))


def test_the_table_is_by_date_and_names_the_weakest_period() -> None:
    table = dscr_table(
        [
            make_period(date(2027, 12, 31), "112", "40", "60"),
            make_period(date(2026, 12, 31), "130", "50", "50"),
            make_period(date(2025, 12, 31), "10"),
        ]
    )
    assert [(row.period.period_end.year, row.dscr) for row in table.rows] == [
        (2025, None),
        (2026, Decimal("1.3")),
        (2027, Decimal("1.12")),
    ]
    assert (table.minimum, table.minimum_on) == (Decimal("1.12"), date(2027, 12, 31))
    assert table.average == Decimal("1.21")  # (1.30 + 1.12) / 2; the period without debt service does not count


def test_a_table_without_any_debt_service_has_no_minimum() -> None:
    table = dscr_table([make_period(date(2026, 12, 31), "130")])
    assert (table.minimum, table.minimum_on, table.average) == (None, None, None)


def test_two_periods_with_one_end_are_refused() -> None:
    with pytest.raises(FinanceError, match="two periods end on 2026-12-31"):
        dscr_table([make_period(date(2026, 12, 31), "1"), make_period(date(2026, 12, 31), "2")])


def test_a_negative_principal_is_refused_with_its_date() -> None:
    with pytest.raises(NegativeAmountError, match="principal of 2026-12-31 is -5"):
        dscr_table([make_period(date(2026, 12, 31), "1", "10", "-5")])


def test_llcr_discounts_each_flow_from_the_end_of_its_period() -> None:
    # 110/1.10 + 121/1.21 = 200; over 160 of debt
    assert llcr([Decimal(110), Decimal(121)], Decimal("0.1"), Decimal(160)) == Decimal("1.25")


def test_llcr_takes_a_rate_a_period() -> None:
    # 105/1.05 + 126/(1.05 x 1.20) = 100 + 100
    assert net_present_value([Decimal(105), Decimal(126)], [Decimal("0.05"), Decimal("0.20")]) == 200
    assert llcr([Decimal(105), Decimal(126)], [Decimal("0.05"), Decimal("0.20")], Decimal(100)) == 2


def test_plcr_counts_the_tail_after_maturity() -> None:
    to_maturity = [Decimal(110), Decimal(121)]
    life = [*to_maturity, Decimal("133.1")]
    assert llcr(to_maturity, Decimal("0.1"), Decimal(100)) == 2
    assert plcr(life, Decimal("0.1"), Decimal(100)) == 3


def test_a_repaid_loan_has_no_llcr() -> None:
    assert llcr([Decimal(110)], Decimal("0.1"), Decimal(0)) is None


def test_rates_of_another_length_are_refused() -> None:
    with pytest.raises(PeriodCountError, match="rates has 1 figures for 2 periods"):
        llcr([Decimal(1), Decimal(1)], [Decimal("0.1")], Decimal(1))


def test_a_rate_of_minus_one_is_refused() -> None:
    with pytest.raises(RateError, match="-1 is not a rate"):
        llcr([Decimal(1)], Decimal(-1), Decimal(1))


def test_icr_is_cfads_over_interest() -> None:
    assert icr(Decimal(150), Decimal(60)) == Decimal("2.5")


def test_headroom_is_the_fall_of_cash_flow_that_meets_the_threshold() -> None:
    # at 1.50x CFADS may fall by a fifth: 1.50 x 0.80 = 1.20
    assert headroom(Decimal("1.50"), Decimal("1.20")) == Decimal("0.2")
    assert headroom(Decimal("1.00"), Decimal("1.25")) == Decimal("-0.25")


def test_headroom_of_no_cash_flow_is_refused() -> None:
    with pytest.raises(FinanceError, match="no headroom"):
        headroom(Decimal("-0.5"), Decimal("1.2"))


def make_hurdles(dscr_: str, llcr_: str, plcr_: str) -> list[CoverTest]:
    # a filed agreement: distributions only if DSCR > 1.25, LLCR > 1.50, PLCR > 2.00
    return [
        CoverTest(name="DSCR", ratio=Decimal(dscr_), threshold=Decimal("1.25"), comparator=Comparator.ABOVE),
        CoverTest(name="LLCR", ratio=Decimal(llcr_), threshold=Decimal("1.50"), comparator=Comparator.ABOVE),
        CoverTest(name="PLCR", ratio=Decimal(plcr_), threshold=Decimal("2.00"), comparator=Comparator.ABOVE),
    ]


def test_distributions_are_open_when_every_hurdle_is_cleared() -> None:
    assert not lock_up(make_hurdles("1.26", "1.51", "2.01")).locked


def test_a_ratio_at_a_strict_hurdle_locks_and_is_named() -> None:
    result = lock_up(make_hurdles("1.25", "1.51", "2.01"))
    assert result.locked
    assert [test.name for test in result.failed] == ["DSCR"]
    assert result.reasons == ("DSCR 1.2500, must be > 1.25",)


def test_a_ratio_at_an_inclusive_hurdle_passes() -> None:
    # another filed agreement: LLCR >= 1.05, ADSCR >= 1.10
    tests = [
        CoverTest(name="LLCR", ratio=Decimal("1.05"), threshold=Decimal("1.05")),
        CoverTest(name="ADSCR", ratio=Decimal("1.10"), threshold=Decimal("1.10")),
    ]
    assert not lock_up(tests).locked


def test_a_ratio_not_measured_is_not_passed() -> None:
    result = lock_up([CoverTest(name="DSCR", ratio=None, threshold=Decimal("1.10"))])
    assert result.reasons == ("DSCR not measured, must be >= 1.10",)


def test_a_ratio_just_below_its_hurdle_does_not_read_as_if_it_met_it() -> None:
    result = lock_up([CoverTest(name="DSCR", ratio=Decimal("1.249999"), threshold=Decimal("1.25"))])
    assert result.reasons == ("DSCR 1.2499, must be >= 1.25",)


def test_an_unmet_condition_locks_though_the_ratios_pass() -> None:
    result = lock_up(
        make_hurdles("1.40", "1.60", "2.10"),
        [
            DistributionCondition(name="completion", met=True),
            DistributionCondition(name="first repayment made", met=False),
        ],
    )
    assert result.locked
    assert result.reasons == ("first repayment made: not met",)
