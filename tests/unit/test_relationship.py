from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from pfflow.domain.facts import Facts, Touch
from pfflow.domain.parties import Party
from pfflow.domain.relationship import relationship
from tests.factories import HELD_BY, at, make_answer, make_dossier, make_facts, make_participation, make_touch, saying

FIRST, LAST = date(2025, 2, 1), date(2026, 1, 31)


def facts_with(ref: str, **changes: Any) -> tuple[Party, ...]:
    facts: Facts = make_facts()
    return tuple(replace(p, **changes) if p.party_ref == ref else p for p in facts.parties)


def test_who_has_a_mandate_stays_and_departments_are_no_customers() -> None:
    measured = relationship(make_dossier(), FIRST, LAST)
    assert measured.retention.retained == ("BANK", "CON", "FUND", "SPON", "SPV")
    assert measured.retention.percent == Decimal(100)


def test_a_customer_who_left_is_lost() -> None:
    """The fund was touched just before the period, so it was a customer then; its mandate ended within it."""
    held = tuple(
        make_participation(role, ref, since=date(2024, 1, 1), until=date(2025, 6, 30) if ref == "FUND" else None)
        for role, ref in HELD_BY.items()
    )
    dossier = saying(make_dossier(participations=held), make_touch(Touch.CALL, party_ref="FUND", at=at("2025-01-20")))
    measured = relationship(dossier, FIRST, LAST)
    assert measured.retention.lost == ("FUND",)
    assert measured.retention.percent == Decimal(80)  # 4 of 5


def test_a_new_customer_names_who_referred_it() -> None:
    held = tuple(
        make_participation(role, ref, since=date(2025, 3, 1) if ref in {"FUND", "CON"} else date(2024, 1, 1))
        for role, ref in HELD_BY.items()
    )
    dossier = make_dossier(participations=held, parties=facts_with("FUND", source="referral:BANK"))
    referral = relationship(dossier, FIRST, LAST).referral
    assert (referral.new, referral.referred, referral.referrers) == (("CON", "FUND"), ("FUND",), ("BANK",))
    assert referral.percent == Decimal(50)


def test_a_register_in_which_a_party_refers_itself_stops_nothing() -> None:
    dossier = make_dossier(parties=facts_with("FUND", source="referral: FUND"))
    assert relationship(dossier, FIRST, LAST).referral.referrers == ()


def test_satisfaction_is_of_external_customers_with_the_house_in_the_period() -> None:
    """Scores 10, 9, 9, 8, 6 give 60 % - 20 % = +40; a department's, an answer about another and an old one are out."""
    answers = (
        *(make_answer(n, "nps", score) for n, score in enumerate((10, 9, 9, 8, 6))),
        make_answer(11, "nps", 0, respondent_ref="FIN"),
        make_answer(12, "nps", 0, about_ref="FIN"),
        make_answer(13, "nps", 0, answered_on=date(2025, 1, 31)),
        make_answer(14, "nps", 0, answered_on=date(2026, 2, 1)),
        *(make_answer(20 + n, "csat", score) for n, score in enumerate((5, 4, 4, 3, 1))),
    )
    measured = relationship(make_dossier(surveys=answers), FIRST, LAST)
    assert (measured.nps.n, measured.nps.value) == (5, Decimal(40))
    assert (measured.csat.n, measured.csat.value) == (5, Decimal(60))
    assert measured.detractors == ("BANK",)


def test_so_few_answers_say_nothing_but_a_detractor_is_called_all_the_same() -> None:
    measured = relationship(make_dossier(surveys=(make_answer(1, "nps", 2, respondent_ref="SPON"),)), FIRST, LAST)
    assert measured.nps.value is None
    assert measured.detractors == ("SPON",)
