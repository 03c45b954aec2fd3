from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from pfflow.domain.decision import Conclusion
from pfflow.domain.escalation import Missing
from pfflow.domain.facts import BudgetLine
from pfflow.domain.fund_use import fund_use_report, itemised
from pfflow.domain.reports import Report
from pfflow.domain.words import Stage, Words
from tests.factories import make_dossier, make_obligation, make_payment

PERIOD = make_obligation(period_start=date(2026, 1, 1), period_end=date(2026, 1, 15))
PAYMENTS = (
    make_payment("V4", "2026-01-16", "1000"),
    make_payment("V3", "2026-01-15", "30"),
    make_payment("V2", "2026-01-01", "20", entrusted=True),
    make_payment("V1", "2025-12-31", "50"),
    make_payment("V9", "2026-01-10", "7", project_ref="G2"),
)
BUDGET = (
    BudgetLine(project_ref="G1", budget_line="land", amount=Decimal(50)),
    BudgetLine(project_ref="G1", budget_line="civil", name="Civil works", amount=Decimal(350)),
)


def report() -> Report:
    made = fund_use_report(make_dossier(fund_use=PAYMENTS, budget=BUDGET), PERIOD)
    assert isinstance(made, Report)
    return made


def test_a_report_that_goes_out_early_has_nothing_of_the_days_to_come() -> None:
    made = fund_use_report(make_dossier(fund_use=PAYMENTS, budget=BUDGET), PERIOD, date(2026, 1, 14))
    assert isinstance(made, Report)
    figures = {f.label.en: f.value for f in made.figures}
    assert (figures["Paid in the period"], figures["Paid to date"]) == ("20", "70")


def test_the_figures_are_those_of_the_period_both_ends_included_and_to_date() -> None:
    """In the period 20 + 30, of which 20 entrusted; to date 50 more, which is 100 of a budget of 400."""
    figures = {f.label.en: f.value for f in report().figures}
    assert figures == {
        "Paid in the period": "50",
        "Of which entrusted": "20",
        "Paid to date": "100",
        "Budget": "400",
        "Budget used": "25.0",
    }


def test_each_budget_line_shows_budget_period_to_date_remaining_and_share() -> None:
    lines = report().tables[0]
    assert lines.rows == (
        (Words("Civil works", "Civil works"), "350", "50", "100", "250", "28.6"),
        (Words("land", "land"), "50", "0", "0", "50", "0.0"),
    )


def test_each_payment_of_the_period_is_listed_by_date_and_voucher() -> None:
    assert [row[:2] for row in report().tables[1].rows] == [("2026-01-01", "V2"), ("2026-01-15", "V3")]


def test_a_payment_booked_after_its_report_is_itemised_by_the_next_and_only_once() -> None:
    """V1 is older than the first report and is not asked for; V2 was in the first report, V3 was not yet booked."""
    told = Conclusion(
        stage=Stage.COMMUNICATION,
        subject="fund-use/2026-01-15",
        value={"start": "2026-01-01", "vouchers": ["V2"]},
    )
    second = make_obligation(period_start=date(2026, 1, 16), period_end=date(2026, 1, 31))
    dossier = make_dossier(fund_use=PAYMENTS, budget=BUDGET, conclusions=(told,))
    made = fund_use_report(dossier, second)
    assert isinstance(made, Report)
    late = next(table for table in made.tables if table.name == "booked_late")
    assert [row[1] for row in late.rows] == ["V3"]
    assert itemised(made) == ("V3", "V4")

    both = replace(told, value={"start": "2026-01-01", "vouchers": ["V2", "V3"]})
    nothing_late = fund_use_report(make_dossier(fund_use=PAYMENTS, budget=BUDGET, conclusions=(both,)), second)
    assert isinstance(nothing_late, Report)
    assert [table.name for table in nothing_late.tables] == ["by_budget_line", "payments"]


def test_the_order_of_the_register_does_not_matter() -> None:
    turned = fund_use_report(make_dossier(fund_use=PAYMENTS[::-1], budget=BUDGET[::-1]), PERIOD)
    assert turned == report()


def test_a_period_without_a_booking_is_missing_and_no_empty_report() -> None:
    made = fund_use_report(make_dossier(fund_use=PAYMENTS[:1]), PERIOD)
    assert isinstance(made, Missing)
    assert made.what.en == "no use of funds is booked for 2026-01-01 to 2026-01-15"


def test_a_project_without_a_budget_has_no_share_of_it() -> None:
    made = fund_use_report(make_dossier(fund_use=PAYMENTS, budget=()), PERIOD)
    assert isinstance(made, Report)
    assert made.figures[-1].value == ""
