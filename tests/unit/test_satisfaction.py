from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.satisfaction import Definition, Measured, Method, ScoreError, ces, csat, nps

Measure: TypeAlias = Callable[[list[int]], Measured]
PLACES = Decimal("0.01")


def rounded(measured: Measured) -> tuple[Decimal, Decimal, Decimal]:
    assert measured.value is not None
    assert measured.low is not None
    assert measured.high is not None
    return measured.value.quantize(PLACES), measured.low.quantize(PLACES), measured.high.quantize(PLACES)


def test_five_promoters_and_three_detractors_of_ten_give_plus_twenty() -> None:
    result = nps([10, 9, 9, 8, 7, 6, 0, 10, 3, 9])
    assert (result.n, result.value, result.suppressed) == (10, Decimal(20), False)


def test_the_interval_of_the_score_is_that_of_a_difference_of_shares() -> None:
    # variance 0.5 + 0.3 - 0.2^2 = 0.76; 1.959964 x sqrt(0.76 / 10) = 0.54033
    result = nps([10, 9, 9, 8, 7, 6, 0, 10, 3, 9])
    assert rounded(result) == (Decimal("20.00"), Decimal("-34.03"), Decimal("74.03"))
    assert result.method is Method.MULTINOMIAL


def test_a_zero_is_a_detractor() -> None:
    assert nps([0, 0, 0, 0, 0]).value == -100


def test_six_detracts_seven_and_eight_are_passive_nine_promotes() -> None:
    assert nps([6, 6, 6, 6, 6]).value == -100
    assert nps([7, 8, 7, 8, 7]).value == 0
    assert nps([9, 9, 9, 9, 9]).value == 100


def test_satisfaction_is_the_share_of_the_top_two_boxes() -> None:
    # 8 of 10; Wilson: (0.8 + 0.19207) / 1.38415 -+ 1.959964 x sqrt(0.016 + 0.0096036) / 1.38415
    result = csat([5, 5, 4, 4, 4, 5, 4, 4, 3, 1])
    assert rounded(result) == (Decimal("80.00"), Decimal("49.02"), Decimal("94.33"))
    assert result.definition is Definition.CSAT


def test_full_satisfaction_still_has_an_interval() -> None:
    # Wilson at 5 of 5: the lower end is 5 / (5 + 3.841459) = 56.55 %
    assert rounded(csat([5, 5, 5, 5, 5])) == (Decimal("100.00"), Decimal("56.55"), Decimal("100.00"))


def test_effort_is_the_mean_with_students_interval() -> None:
    # mean 5, variance (4 + 1 + 0 + 1 + 4) / 4 = 2.5; 2.776 x sqrt(2.5 / 5) = 1.963
    result = ces([3, 4, 5, 6, 7])
    assert result.value == 5
    assert result.low is not None
    assert abs(result.low - Decimal("3.037")) < Decimal("0.002")
    assert result.high is not None
    assert abs(result.high - Decimal("6.963")) < Decimal("0.002")


def test_more_answers_narrow_the_interval() -> None:
    few, many = ces([4, 5, 6] * 3), ces([4, 5, 6] * 30)
    assert few.low is not None
    assert many.low is not None
    assert few.low < many.low < 5
    # 2.306 x sqrt(0.75 / 9) with 9 answers; 1.987 x sqrt(60 / 89 / 90) with 90
    assert abs(5 - few.low - Decimal("0.6657")) < Decimal("0.001")
    assert abs(5 - many.low - Decimal("0.1720")) < Decimal("0.001")


@pytest.mark.parametrize("measure", [nps, csat, ces])
def test_four_answers_show_nothing_but_their_number(measure: Measure) -> None:
    result = measure([5, 5, 5, 5])
    assert result.suppressed
    assert (result.n, result.value, result.low, result.high) == (4, None, None, None)


@pytest.mark.parametrize("measure", [nps, csat, ces])
def test_five_answers_are_shown(measure: Measure) -> None:
    assert not measure([5, 5, 5, 5, 5]).suppressed


@pytest.mark.parametrize("measure", [nps, csat, ces])
def test_no_answers_show_nothing(measure: Measure) -> None:
    assert measure([]).suppressed


@pytest.mark.parametrize(("measure", "score"), [(nps, 11), (nps, -1), (csat, 0), (csat, 6), (ces, 0), (ces, 8)])
def test_a_score_off_the_scale_is_refused(measure: Measure, score: int) -> None:
    with pytest.raises(ScoreError, match=f"{score} is not a whole score"):
        measure([5, 5, 5, 5, score])


def test_half_a_point_is_refused() -> None:
    with pytest.raises(ScoreError, match=r"4\.5 is not a whole score from 1 to 5"):
        csat([Decimal("4.5")])


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ScoreError, match="NaN is not a whole score"):
        ces([Decimal("NaN")])


@given(st.lists(st.integers(0, 10), min_size=5))
def test_the_score_lies_in_its_interval_and_on_its_scale(scores: list[int]) -> None:
    result = nps(scores)
    assert result.value is not None
    assert result.low is not None
    assert result.high is not None
    assert -100 <= result.low <= result.value <= result.high <= 100
