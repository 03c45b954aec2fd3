from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pfflow.domain.decision import Dossier
from pfflow.domain.facts import Touch
from pfflow.domain.service_package import Package, Shortfall, cover_periods, package_of, proposal, waiver_key
from tests.factories import (
    assessments,
    at,
    base_case,
    make_dossier,
    make_financial,
    make_need,
    make_project,
    make_touch,
    saying,
)

NOW = at("2026-01-05")
CFADS = base_case("130", "130", "130", "130", "130")


def project(number: int = 2, **changes: Any) -> Dossier:
    """Give a motorway whose factors are all graded `number`."""
    given: dict[str, Any] = {"assessments": assessments(number), "financials": CFADS, **changes}
    return make_dossier(**given)


def package(dossier: Dossier) -> Package:
    made = package_of(dossier, NOW)
    assert isinstance(made, Package), made
    return made


def problems(dossier: Dossier) -> list[str]:
    made = package_of(dossier, NOW)
    assert isinstance(made, Shortfall), made
    return [problem.en for problem in made.problems]


def names(made: Package) -> list[str]:
    return [measure.item.name for measure in made.measures]


def test_the_debt_is_sculpted_to_the_target_and_equity_is_what_remains_of_capex() -> None:
    """CFADS of 130 at a DSCR of 1.30 leave 100 a year: an annuity of 5 years at 6 % is worth 421.236."""
    made = package(project())
    annuity = sum((Decimal(100) / Decimal("1.06") ** n for n in range(1, 6)), Decimal(0))
    assert abs(made.capacity.debt - annuity) < Decimal("1e-20")
    assert made.capacity.debt + made.capacity.equity == Decimal(1000)
    assert made.llcr is not None
    assert made.llcr.quantize(Decimal("0.000001")) == Decimal("1.300000")


def test_gearing_caps_the_debt() -> None:
    made = package(project(project=make_project(capex=Decimal(500))))
    assert made.capacity.debt == Decimal(375)  # 75 % of 500
    assert "gearing" in made.because


def test_every_measure_says_by_which_rule_it_is_there() -> None:
    made = package(project())
    assert [(m.item.name, m.because.en) for m in made.measures] == [("syndicated-loan", "by rule: project.capex > 0")]


def test_a_high_risk_without_a_guarantee_or_insurance_gets_no_package_and_the_reason() -> None:
    (problem,) = problems(project(3))
    assert problem == (
        "at grade satisfactory the package must carry a guarantee or insurance measure, or a signed waiver of "
        "G1/risk-mitigation"
    )


@pytest.mark.parametrize(("number", "expected"), [(4, "revenue-insurance")])
def test_a_high_risk_with_an_insurance_measure_gets_a_package(number: int, expected: str) -> None:
    assert names(package(project(number))) == ["syndicated-loan", expected]


def test_a_signed_waiver_stands_for_the_missing_measure_and_is_named_in_the_package() -> None:
    signed = make_touch(Touch.WAIVER, waiver_key("G1"), ext_id="W1", at=at("2026-01-02"), outcome="sponsor support")
    made = package(saying(project(3), signed))
    assert made.waiver == "W1"


@pytest.mark.parametrize(
    "lacking",
    [{"contact_ref": ""}, {"outcome": ""}, {"at": at("2026-01-06")}, {"kind": Touch.ACKNOWLEDGEMENT}],
    ids=["unsigned", "without why", "not yet said", "no waiver"],
)
def test_a_waiver_that_nobody_signed_for_a_reason_is_none(lacking: dict[str, Any]) -> None:
    signed = make_touch(Touch.WAIVER, waiver_key("G1"), ext_id="W1", at=at("2026-01-02"), outcome="sponsor support")
    assert len(problems(saying(project(3), replace(signed, **lacking)))) == 1


def test_growth_gets_debt_and_equity() -> None:
    made = package(project(needs=(make_need("N1", "growth"),)))
    assert names(made) == ["syndicated-loan", "growth-equity"]


def test_growth_without_equity_gets_no_package_and_the_reason() -> None:
    dossier = project(needs=(make_need("N1", "growth"),))
    design = dossier.playbook.service_design
    without = tuple(item for item in design.catalogue if item.kind != "equity")
    poorer = dossier.playbook.model_copy(update={"service_design": design.model_copy(update={"catalogue": without})})
    assert problems(replace(dossier, playbook=poorer)) == ["a need for growth must be met by both debt and equity"]


def test_a_need_that_is_met_asks_for_nothing() -> None:
    assert names(package(project(needs=(make_need("N1", "growth", status="met"),)))) == ["syndicated-loan"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"assessments": ()}, ["no risk factors are assessed (sheet assessments)"]),
        ({"financials": ()}, ["debt capacity cannot be computed without cfads"]),
        (
            {"project": make_project(capex=None, loan_rate=None)},
            ["debt capacity cannot be computed without capex, loan_rate"],
        ),
    ],
)
def test_what_is_missing_for_a_package_is_named(changes: dict[str, Any], expected: list[str]) -> None:
    assert problems(project(**changes)) == expected


def test_factors_that_do_not_weigh_100_percent_are_no_grade() -> None:
    (problem,) = problems(project(assessments=assessments(2)[:-1]))
    assert "the weights come to 85 %" in problem


def test_a_forecast_goes_before_the_base_case_and_what_flows_after_maturity_repays_nothing() -> None:
    updated = make_financial("cfads", "140", period_end=date(2026, 12, 31), basis="forecast")
    dossier = project(financials=(*CFADS, updated), project=make_project(maturity_date=date(2028, 12, 31)))
    assert [p.cfads for p in cover_periods(dossier)] == [Decimal(140), Decimal(130), Decimal(130)]


def test_a_package_is_the_same_offer_whatever_the_order_of_the_register() -> None:
    dossier = project(needs=(make_need("N2", "growth"), make_need("N1", "debt")))
    facts = dossier.facts
    turned = project(needs=facts.needs[::-1], financials=facts.financials[::-1], assessments=facts.assessments[::-1])
    assert package(turned) == package(dossier)


def test_the_customers_document_does_not_show_the_risk_grade_or_the_rules() -> None:
    made = package(project())
    shown, inner = proposal(made, for_customer=True), proposal(made, for_customer=False)
    assert inner.figures[0].label.en == "Risk grade"
    assert "Risk grade" not in [f.label.en for f in shown.figures]
    assert [t.name for t in shown.tables] == ["measures"]
    assert [t.name for t in inner.tables] == ["measures", "evidence"]
    for report in (shown, inner):
        assert all(len(row) == len(table.columns) for table in report.tables for row in table.rows)


def test_the_debt_and_the_equity_of_the_document_make_up_the_capital_cost() -> None:
    figures = {f.label.en: f.value for f in proposal(package(project()), for_customer=True).figures}
    # A capacity of 421.236 and a gap of 578.764 against a cost of 1,000: neither is to lose what is behind the point.
    assert (figures["Debt capacity"], figures["Equity to be brought"]) == ("421", "579")


def test_the_evidence_adds_up_to_the_grade() -> None:
    inner = proposal(package(project()), for_customer=False)
    evidence = next(t for t in inner.tables if t.name == "evidence")
    assert sum(Decimal(str(row[1])) * Decimal(str(row[2])) / 100 for row in evidence.rows) == Decimal(2)
    assert evidence.rows[0][3] == "why financial_strength"
