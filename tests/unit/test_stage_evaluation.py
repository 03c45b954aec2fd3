from __future__ import annotations

from datetime import date
from typing import Any

from pfflow.domain.decision import Dossier
from pfflow.domain.facts import SurveyAnswer
from pfflow.domain.obligations import Obligation, Status
from pfflow.domain.words import Stage
from pfflow.stages.evaluation import decide
from tests.factories import applied, at, days, lived, make_answer, make_dossier, told, with_facts

CARD = "G1/scorecard/finance/2026-01"


def rated(*scores: int, about: str = "FIN", question: str = "csat") -> tuple[SurveyAnswer, ...]:
    return tuple(
        make_answer(n, question, score, about_ref=about, respondent_ref="LAW" if about else "BANK")
        for n, score in enumerate(scores)
    )


def on(dossier: Dossier, *instants: str) -> tuple[Dossier, list[tuple[str, str, str]]]:
    dossier, decisions = lived(dossier, [at(i) for i in instants], Stage.EVALUATION)
    return dossier, told(decisions)


def card(dossier: Dossier, key: str = CARD) -> Obligation:
    return dossier.held.obligations[key]


def concluded(dossier: Dossier, subject: str) -> dict[str, Any]:
    return dict(dossier.concluded(Stage.EVALUATION, subject))


def test_a_month_is_scored_when_it_has_ended_and_not_before() -> None:
    assert decide(make_dossier(), at("2026-01-31")).quiet
    dossier, _ = on(make_dossier(), "2026-02-01")
    assert sorted(dossier.held.obligations) == [
        f"G1/scorecard/{role}/2026-01" for role in ("engineering", "finance", "legal", "operations")
    ]


def test_each_head_gets_the_card_three_business_days_after_the_month_once() -> None:
    dossier, decisions = lived(make_dossier(), days("2026-01-05", "2026-02-27"), Stage.EVALUATION)
    assert told(decisions) == [
        ("2026-02-04", "send0bd-creditor", "C-ENG"),
        ("2026-02-04", "send0bd-creditor", "C-FIN"),
        ("2026-02-04", "send0bd-creditor", "C-LAW"),
        ("2026-02-04", "send0bd-creditor", "C-OPS"),
    ]
    assert (card(dossier).status, card(dossier).due_on) == (Status.FULFILLED, date(2026, 2, 4))
    report = [n for d in decisions for n in d.notices][1].report
    assert report is not None
    assert [row[1] for row in report.tables[0].rows] == ["40", "15", "20", "15", "10"]


def test_a_card_due_in_a_year_without_published_holidays_is_provisional() -> None:
    dossier = make_dossier(engaged_on=date(2026, 12, 1))
    planned = {o.key: o.provisional for o in decide(dossier, at("2027-01-01")).obligations}
    assert planned["G1/scorecard/finance/2026-12"]


def test_internal_satisfaction_is_a_weighted_row_that_changes_the_score() -> None:
    """15 × 100 + 20 × 20 + 10 × 100 over 45 is 64.4; without the survey 100."""
    with_survey, _ = on(make_dossier(surveys=rated(5, 3, 2, 3, 2)), "2026-02-02")
    without, _ = on(make_dossier(), "2026-02-02")
    assert concluded(with_survey, "scorecard/finance/2026-01")["score"] == "64.4"
    assert concluded(without, "scorecard/finance/2026-01")["score"] == "100.0"
    rows = {row["name"]: row for row in concluded(with_survey, "scorecard/finance/2026-01")["rows"]}
    assert (rows["satisfaction"]["weight"], rows["satisfaction"]["score"]) == ("20", "20.0")
    assert rows["satisfaction"]["refs"] == ["S0", "S1", "S2", "S3", "S4"]


def test_a_card_follows_the_facts_until_it_is_sent_and_is_locked_from_then_on() -> None:
    dossier, _ = on(make_dossier(), "2026-02-02")
    dossier, _ = on(with_facts(dossier, surveys=rated(5, 3, 2, 3, 2)), "2026-02-03")
    assert card(dossier).details["score"] == "64.4"
    dossier, said = on(dossier, "2026-02-04")
    assert len(said) == 4
    locked = card(dossier)
    dossier, said = on(with_facts(dossier, surveys=rated(5, 5, 5, 5, 5)), "2026-02-05", "2026-03-02")
    assert card(dossier) == locked
    assert concluded(dossier, "scorecard/finance/2026-01")["score"] == "64.4"
    assert said == []


def test_a_card_that_could_not_be_sent_in_time_is_sent_when_deciding_resumes() -> None:
    dossier, _ = on(make_dossier(), "2026-02-02")
    dossier, said = on(dossier, "2026-02-27")
    assert {rung for _, rung, _ in said} == {"send0bd-creditor"}
    assert len(said) == 4


def test_months_that_ended_unseen_are_scored_all_the_same() -> None:
    dossier, _ = on(make_dossier(), "2026-04-02")
    months = {key.rpartition("/")[2] for key in dossier.held.obligations}
    assert months == {"2026-01", "2026-02", "2026-03"}


def test_a_measure_below_target_is_a_proposal_with_its_number_and_evidence() -> None:
    dossier, _ = on(make_dossier(surveys=rated(5, 3, 2, 3, 2)), "2026-02-02")
    proposals = concluded(dossier, "proposals/2026-01")["proposals"]
    assert [(p["subject"], p["text"]["en"]) for p in proposals] == [
        (
            "finance",
            "Internal satisfaction is 20.0 against 80: agree an improvement (share choosing 4 or 5 of 5, 5 answers)",
        )
    ]
    assert card(dossier).details["proposals"] == [proposals[0]["text"]]


def test_nps_csat_retention_and_referral_are_concluded_with_what_is_behind_them() -> None:
    """Scores 10, 9, 9, 8, 6 give 60 - 20 = +40; 5, 4, 4, 3, 1 give 3 of 5."""
    answers = (
        *(make_answer(n, "nps", score) for n, score in enumerate((10, 9, 9, 8, 6))),
        *(make_answer(n, "csat", score) for n, score in enumerate((5, 4, 4, 3, 1))),
    )
    dossier, _ = on(make_dossier(surveys=answers), "2026-02-02")
    measured = concluded(dossier, "relationship/2026-01")
    assert (measured["nps"]["value"], measured["nps"]["n"]) == ("40.0", 5)
    assert (measured["csat"]["value"], measured["csat"]["n"]) == ("60.0", 5)
    assert measured["retention"]["percent"] == "100.0"
    proposals = concluded(dossier, "proposals/2026-01")["proposals"]
    assert [p["subject"] for p in proposals] == ["BANK"]
    assert "within 2 business days" in proposals[0]["text"]["en"]


def test_a_negative_nps_proposes_to_meet_more_often() -> None:
    answers = tuple(make_answer(n, "nps", 3) for n in range(5))
    dossier, _ = on(make_dossier(surveys=answers), "2026-02-02")
    proposals = concluded(dossier, "proposals/2026-01")["proposals"]
    assert ("cadence", "NPS is -100.0: meet more often") in {(p["subject"], p["text"]["en"]) for p in proposals}


def test_scoring_again_on_the_same_facts_says_nothing() -> None:
    dossier, _ = on(make_dossier(surveys=rated(5, 3, 2, 3, 2)), "2026-02-02")
    assert decide(dossier, at("2026-02-03")).quiet
    assert not decide(applied(dossier, decide(dossier, at("2026-02-04"))), at("2026-02-05")).notices
