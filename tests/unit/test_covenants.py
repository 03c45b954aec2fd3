from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pfflow.domain.covenants import covenant_tests
from pfflow.domain.facts import Financial
from tests.factories import make_financial, make_undertaking

YEAR = date(2025, 12, 31)


def dscr_of(cfads: str, basis: str = "actual", on: date = YEAR) -> tuple[Financial, ...]:
    """Give figures with a debt service of 100."""
    return tuple(
        make_financial(metric, value, basis=basis, period_end=on)
        for metric, value in (("cfads", cfads), ("interest", "60"), ("principal", "40"))
    )


def test_a_ratio_below_its_threshold_is_broken_and_shows_the_numbers_it_is_made_of() -> None:
    (test,) = covenant_tests(make_undertaking(), dscr_of("112"))
    assert (test.value, test.shown, test.kept, test.basis) == (Decimal("1.12"), "1.12", False, "actual")
    assert [(f.metric, f.value) for f in test.figures] == [
        ("cfads", Decimal(112)),
        ("interest", Decimal(60)),
        ("principal", Decimal(40)),
    ]


@pytest.mark.parametrize(
    ("operator", "cfads", "kept"),
    [
        (">=", "115", True),
        (">=", "114.9999", False),
        (">", "115", False),
        (">", "115.0001", True),
        ("<=", "115", True),
        ("<", "115", False),
    ],
)
def test_exactly_at_the_threshold_the_operator_decides(operator: str, cfads: str, kept: bool) -> None:  # noqa: FBT001 - an expected value
    (test,) = covenant_tests(make_undertaking(operator=operator), dscr_of(cfads))
    assert test.kept is kept


@pytest.mark.parametrize(
    ("cfads", "shown"), [("114.4", "1.14"), ("114.96", "1.1496"), ("114.9999", "1.149999"), ("115", "1.15")]
)
def test_a_ratio_is_never_rounded_onto_its_threshold(cfads: str, shown: str) -> None:
    (test,) = covenant_tests(make_undertaking(), dscr_of(cfads))
    assert test.shown == shown


def test_actual_figures_go_before_a_forecast_and_the_base_case_is_never_tested() -> None:
    figures = (*dscr_of("90", "forecast"), *dscr_of("130"), *dscr_of("80", "base-case"))
    (test,) = covenant_tests(make_undertaking(), figures)
    assert (test.basis, test.kept) == ("actual", True)
    assert covenant_tests(make_undertaking(), dscr_of("80", "base-case")) == ()


def test_a_forecast_is_tested_where_no_actual_figure_stands() -> None:
    later = date(2026, 12, 31)
    tests = covenant_tests(make_undertaking(), (*dscr_of("90", "forecast", later), *dscr_of("130")))
    assert [(t.period_end, t.basis, t.kept) for t in tests] == [(YEAR, "actual", True), (later, "forecast", False)]


def test_periods_outside_the_undertakings_first_and_last_date_are_not_its_own() -> None:
    figures = (*dscr_of("90", on=date(2023, 12, 31)), *dscr_of("90"), *dscr_of("90", on=date(2027, 12, 31)))
    within = make_undertaking(first=date(2025, 12, 31), last=date(2026, 12, 31))
    assert [t.period_end for t in covenant_tests(within, figures)] == [YEAR]


def test_a_ratio_that_the_register_states_is_read_as_it_stands() -> None:
    (test,) = covenant_tests(
        make_undertaking(metric="LLCR", threshold=Decimal("1.20")), [make_financial("llcr", "1.19")]
    )
    assert (test.shown, test.kept) == ("1.19", False)


def test_what_cannot_be_computed_is_not_tested() -> None:
    assert covenant_tests(make_undertaking(), dscr_of("112")[:2]) == ()
    no_debt = [f if f.metric == "cfads" else make_financial(f.metric, "0") for f in dscr_of("112")]
    assert covenant_tests(make_undertaking(), no_debt) == ()
    assert covenant_tests(make_undertaking(metric=""), dscr_of("112")) == ()
    assert covenant_tests(make_undertaking(threshold=None), dscr_of("112")) == ()
    assert covenant_tests(make_undertaking(operator="about"), dscr_of("112")) == ()


def test_figures_of_another_project_say_nothing() -> None:
    others = [make_financial("dscr", "0.5", subject_ref="G2")]
    assert covenant_tests(make_undertaking(), others) == ()
