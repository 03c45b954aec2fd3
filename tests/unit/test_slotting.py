from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.finance import NegativeAmountError
from pfflow.finance.slotting import (
    DEFAULT_WEIGHTS,
    Category,
    FactorGrade,
    MissingFactorError,
    UnknownFactorError,
    WeightError,
    charge,
    grade,
)

FACTORS = tuple(DEFAULT_WEIGHTS)


def make_factors(*grades: int) -> dict[str, FactorGrade]:
    return {factor: FactorGrade(number) for factor, number in zip(FACTORS, grades, strict=True)}


def make_weights(*percents: int) -> dict[str, Decimal]:
    return {factor: Decimal(percent) for factor, percent in zip(FACTORS, percents, strict=True)}


def test_an_average_of_205_is_good() -> None:
    result = grade(make_factors(2, 1, 2, 3, 2), make_weights(30, 10, 30, 15, 15))
    assert result.score == Decimal("2.05")
    assert result.category is Category.GOOD


def test_a_tie_goes_to_the_worse_category() -> None:
    result = grade(make_factors(1, 1, 2, 2, 2), make_weights(25, 25, 20, 15, 15))
    assert result.score == Decimal("1.50")
    assert result.category is Category.GOOD


def test_a_tie_at_two_and_a_half_is_not_rounded_to_even() -> None:
    result = grade(make_factors(2, 2, 3, 3, 3), make_weights(25, 25, 20, 15, 15))
    assert result.score == Decimal("2.50")
    assert result.category is Category.SATISFACTORY


def test_the_evidence_shows_each_factor_with_its_part() -> None:
    result = grade(make_factors(2, 1, 2, 3, 2), make_weights(30, 10, 30, 15, 15))
    assert [(part.factor, part.grade, part.weight, part.contribution) for part in result.evidence] == [
        ("financial_strength", FactorGrade.GOOD, Decimal(30), Decimal("0.6")),
        ("political_and_legal", FactorGrade.STRONG, Decimal(10), Decimal("0.1")),
        ("transaction", FactorGrade.GOOD, Decimal(30), Decimal("0.6")),
        ("sponsor", FactorGrade.SATISFACTORY, Decimal(15), Decimal("0.45")),
        ("security", FactorGrade.GOOD, Decimal(15), Decimal("0.3")),
    ]


def test_a_missing_factor_is_named() -> None:
    factors = make_factors(2, 1, 2, 3, 2)
    del factors["sponsor"]
    with pytest.raises(MissingFactorError, match="no grade for sponsor") as caught:
        grade(factors)
    assert caught.value.factors == ("sponsor",)


def test_a_graded_factor_without_a_weight_is_named() -> None:
    with pytest.raises(UnknownFactorError, match="no weight for weather"):
        grade({**make_factors(2, 1, 2, 3, 2), "weather": FactorGrade.WEAK})


@pytest.mark.parametrize("percents", [(4, 26, 30, 20, 20), (61, 9, 10, 10, 10)])
def test_a_weight_outside_5_to_60_percent_is_refused(percents: tuple[int, ...]) -> None:
    with pytest.raises(WeightError, match="from 5 % to 60 %"):
        grade(make_factors(1, 1, 1, 1, 1), make_weights(*percents))


def test_weights_at_both_limits_are_allowed() -> None:
    result = grade(make_factors(4, 1, 1, 1, 1), make_weights(60, 5, 15, 15, 5))
    assert result.score == Decimal("2.8")  # 4 x 60 % + 1 x 40 %
    assert result.category is Category.SATISFACTORY


def test_weights_that_do_not_come_to_100_percent_are_refused() -> None:
    with pytest.raises(WeightError, match="come to 95 %"):
        grade(make_factors(1, 1, 1, 1, 1), make_weights(30, 10, 30, 15, 10))


def test_an_exposure_in_default_is_in_default_whatever_its_factors() -> None:
    result = grade(make_factors(1, 1, 1, 1, 1), in_default=True)
    assert (result.category, result.score) == (Category.DEFAULT, Decimal(1))


@given(st.lists(st.integers(1, 4), min_size=5, max_size=5), st.integers(0, 4))
def test_a_worse_factor_never_gives_a_better_category(numbers: list[int], at: int) -> None:
    worse = list(numbers)
    worse[at] = min(4, worse[at] + 1)
    assert grade(make_factors(*worse)).category >= grade(make_factors(*numbers)).category


def test_a_good_exposure_of_100_over_ten_years_weighs_90_and_loses_08() -> None:
    result = charge(Category.GOOD, Decimal(100), Decimal(10))
    assert (result.risk_weighted, result.expected_loss) == (Decimal(90), Decimal("0.8"))


@pytest.mark.parametrize(
    ("category", "risk_weight", "loss_rate"),
    [
        (Category.STRONG, "70", "0.4"),
        (Category.GOOD, "90", "0.8"),
        (Category.SATISFACTORY, "115", "2.8"),
        (Category.WEAK, "250", "8"),
        (Category.DEFAULT, "0", "50"),
    ],
)
def test_each_category_has_its_risk_weight_and_loss_rate(category: Category, risk_weight: str, loss_rate: str) -> None:
    result = charge(category, Decimal(200), Decimal("2.5"), preferential=True)
    assert (result.risk_weight, result.loss_rate) == (Decimal(risk_weight), Decimal(loss_rate))
    assert result.risk_weighted == 2 * Decimal(risk_weight)
    assert result.expected_loss == 2 * Decimal(loss_rate)


@pytest.mark.parametrize(
    ("category", "risk_weight", "loss_rate"),
    [
        (Category.STRONG, "50", "0"),
        (Category.GOOD, "70", "0.4"),
        (Category.SATISFACTORY, "115", "2.8"),
        (Category.WEAK, "250", "8"),
        (Category.DEFAULT, "0", "50"),
    ],
)
def test_below_two_and_a_half_years_the_preferential_figures_apply(
    category: Category, risk_weight: str, loss_rate: str
) -> None:
    result = charge(category, Decimal(100), Decimal("2.4"), preferential=True)
    assert (result.risk_weight, result.loss_rate) == (Decimal(risk_weight), Decimal(loss_rate))


def test_a_loss_rate_is_eight_percent_of_its_basel_weight() -> None:
    weights = {1: "5", 2: "10", 3: "35", 4: "100", 5: "625"}
    for number, weight in weights.items():
        result = charge(Category(number), Decimal(100), Decimal(10))
        assert result.loss_rate == Decimal(weight) * 8 / 100


def test_preferential_figures_need_the_supervisors_leave() -> None:
    assert charge(Category.STRONG, Decimal(100), Decimal(1)).risk_weight == 70


def test_a_substantially_stronger_exposure_may_be_preferential_at_any_maturity() -> None:
    result = charge(Category.STRONG, Decimal(100), Decimal(20), preferential=True, substantially_stronger=True)
    assert result.risk_weight == 50


def test_a_negative_exposure_is_refused() -> None:
    with pytest.raises(NegativeAmountError, match="exposure is -1"):
        charge(Category.GOOD, Decimal(-1), Decimal(10))
