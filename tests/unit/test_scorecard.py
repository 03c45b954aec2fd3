from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pfflow.domain.decision import Dossier
from pfflow.domain.facts import BudgetLine, SurveyAnswer
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.scorecard import Card, card_of
from tests.factories import (
    at,
    fired,
    make_answer,
    make_dossier,
    make_firing,
    make_milestone,
    make_obligation,
    make_payment,
)

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)


def owed(number: int, *, closed: str = "", **changes: Any) -> Obligation:
    done: dict[str, Any] = {"status": Status.FULFILLED, "closed_at": at(closed, 20)} if closed else {}
    return make_obligation(key=f"G1/report/{number}", **{**done, **changes})


def about_finance(*scores: int, question: str = "csat") -> tuple[SurveyAnswer, ...]:
    return tuple(
        make_answer(n, question, score, about_ref="FIN", respondent_ref="ENG") for n, score in enumerate(scores)
    )


def finance(dossier: Dossier) -> Card:
    return card_of(dossier, "finance", FIRST, LAST)


def scores(card: Card) -> dict[str, Decimal | None]:
    return {scored.row.name: scored.score for scored in card.rows}


def test_a_month_in_which_nothing_was_owed_or_asked_is_scored_by_what_has_data_alone() -> None:
    """Escalations 100 at weight 15 and budget 100 at weight 10 are all there is."""
    card = finance(make_dossier())
    assert scores(card) == {
        "on-time": None,
        "escalations": Decimal(100),
        "satisfaction": None,
        "milestones": None,
        "budget": Decimal(100),
    }
    assert card.total == Decimal("100.0")


def test_the_score_is_the_weighted_mean_of_all_measures() -> None:
    """40 × 50 + 15 × 80 + 20 × 60 + 15 × 50 + 10 × 50 = 2000 + 1200 + 1200 + 750 + 500 = 5650, over 100: 56.5."""
    dossier = make_dossier(
        obligations=[owed(1, closed="2026-01-15"), owed(2)],
        surveys=about_finance(5, 4, 4, 3, 2),
        milestones=(
            make_milestone(owner_role="finance"),
            make_milestone(milestone="close", owner_role="finance", forecast_on=date(2026, 7, 1)),
        ),
        budget=(
            BudgetLine(project_ref="G1", budget_line="civil", amount=Decimal(5)),
            BudgetLine(project_ref="G1", budget_line="land", amount=Decimal(5)),
        ),
        fund_use=(make_payment("V1", "2026-01-10", "5.01"),),
    )
    climbed = fired(dossier, make_firing(obligation_key="G1/report/2"))
    card = finance(climbed)
    assert scores(card) == {
        "on-time": Decimal(50),
        "escalations": Decimal(80),
        "satisfaction": Decimal(60),
        "milestones": Decimal(50),
        "budget": Decimal(50),
    }
    assert card.total == Decimal("56.5")
    assert [scored.refs for scored in card.rows] == [
        ("G1/report/2",),
        ("G1/report/2",),
        ("S0", "S1", "S2", "S3", "S4"),
        ("close",),
        ("civil",),
    ]


def test_removing_the_survey_changes_the_departments_score() -> None:
    """With it 15 × 100 + 20 × 20 + 10 × 100 over 45 is 64.4; without it 100."""
    with_survey = make_dossier(surveys=about_finance(5, 3, 2, 3, 2))
    assert finance(with_survey).total == Decimal("64.4")
    assert finance(make_dossier()).total == Decimal("100.0")


def test_a_survey_of_fewer_than_five_answers_is_not_scored_and_says_so() -> None:
    card = finance(make_dossier(surveys=about_finance(1, 1, 1, 1)))
    row = next(r for r in card.rows if r.row.name == "satisfaction")
    assert (row.score, row.evidence.en) == (None, "4 answers; below 5 none is shown")


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"about_ref": "OPS"},
        {"question": "nps"},
        {"answered_on": date(2026, 2, 1)},
        {"about_ref": ""},
        {"respondent_ref": "BANK"},
        {"respondent_ref": "FIN"},
    ],
)
def test_answers_about_others_of_another_month_or_question_or_by_no_internal_customer_do_not_count(
    elsewhere: dict[str, Any],
) -> None:
    answers = tuple(
        replace(make_answer(n, "csat", 1, about_ref="FIN", respondent_ref="ENG"), **elsewhere) for n in range(6)
    )
    assert scores(finance(make_dossier(surveys=answers)))["satisfaction"] is None


def test_a_measure_without_data_shares_its_weight_among_the_others() -> None:
    """On time 0 at weight 40 beside escalations 100 at 15 and budget 100 at 10: 2500 over 65 is 38.5."""
    assert finance(make_dossier(obligations=[owed(1)])).total == Decimal("38.5")


@pytest.mark.parametrize(
    ("obligation", "expected"),
    [
        (owed(1, closed="2026-01-15"), 100),
        (owed(1, closed="2026-01-16"), 0),
        (owed(1), 0),
        (owed(1, status=Status.WAIVED, closed_at=at("2026-02-20")), 100),
        (owed(1, status=Status.CANCELLED), None),
        (owed(1, debtor="operations"), None),
        (owed(1, due_on=date(2026, 2, 1)), None),
        (owed(1, due_on=date(2026, 1, 31), closed="2026-01-31"), 100),
        (owed(1, kind=ObligationKind.NOTICE), 100),
    ],
    ids=["in time", "late", "open", "waived", "cancelled", "another's", "next month's", "last day", "a warning"],
)
def test_what_counts_as_on_time(obligation: Obligation, expected: int | None) -> None:
    assert scores(finance(make_dossier(obligations=[obligation])))["on-time"] == expected


def test_a_warning_is_answered_in_time_before_it_climbs() -> None:
    warning = owed(1, kind=ObligationKind.NOTICE, closed="2026-01-20")
    climbed = make_firing(obligation_key=warning.key)
    card = finance(fired(make_dossier(obligations=[warning]), climbed))
    assert (scores(card)["on-time"], scores(card)["escalations"]) == (Decimal(0), Decimal(80))


def test_a_share_is_rounded_to_the_nearest_tenth() -> None:
    """Two of three on time are 66.67, and shown as 66.7."""
    kept = [owed(1, closed="2026-01-15"), owed(2, closed="2026-01-15"), owed(3)]
    assert scores(finance(make_dossier(obligations=kept)))["on-time"] == Decimal("66.7")


def test_a_card_is_of_its_month_and_computes_to_the_same_again() -> None:
    dossier = make_dossier(obligations=[owed(1)], surveys=about_finance(5, 5, 5, 5, 5))
    assert finance(dossier) == finance(dossier)
    assert finance(dossier).month == "2026-01"
