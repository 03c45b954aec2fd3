from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pfflow.domain.answering import Span, answerers, refusal, untimely
from pfflow.domain.decision import Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.facts import Absence, Touch
from pfflow.domain.obligations import HANDED, Obligation, ObligationKind
from tests.factories import SHANGHAI, at, make_contact, make_dossier, make_facts, make_obligation, make_touch

SPAN = Span(at("2026-01-05"), at("2026-01-31"))


def draft(dossier: Dossier | None = None) -> Draft:
    return Draft(dossier or make_dossier(), make_obligation().stage, at("2026-01-12"))


def may(said: Touch, dossier: Dossier | None = None, **changes: Any) -> set[str]:
    return {c.contact_ref for c in answerers(draft(dossier), make_obligation(**changes), said)}


def refused(kind: Touch, obligation: Obligation | None = None, dossier: Dossier | None = None, **said: Any) -> str:
    owed = obligation or make_obligation()
    touch = make_touch(kind, owed.key, **said)
    why = untimely(touch, SPAN, SHANGHAI) or refusal(draft(dossier), owed, touch)
    assert why is None or why.zh
    return "" if why is None else why.en


ANSWER_FOR_IT = {"C-FIN", "C-OPS", "C-HEAD", "C-CMD"}
"""Finance is Responsible for the report, operations Accountable; and whoever it climbs to."""


def test_a_report_is_fulfilled_by_who_owes_it_and_who_answers_for_it_and_not_by_one_of_those_informed() -> None:
    assert may(Touch.FULFILMENT) == ANSWER_FOR_IT


def test_whoever_is_written_to_acknowledges() -> None:
    assert may(Touch.ACKNOWLEDGEMENT) >= ANSWER_FOR_IT | {"C-BANK", "C-FUND"}
    assert "C-SPV" not in may(Touch.ACKNOWLEDGEMENT)


def test_what_is_owed_to_others_is_not_waived_by_who_owes_it() -> None:
    assert may(Touch.WAIVER) == ANSWER_FOR_IT - {"C-FIN"}
    assert "C-FIN" in may(Touch.WAIVER, kind=ObligationKind.MEETING)
    assert "who do not waive it themselves; ask C-CMD" in refused(Touch.WAIVER, contact_ref="C-FIN")


def test_whom_it_is_owed_to_by_name_says_that_it_came_and_waives_it() -> None:
    named: dict[str, Any] = {"debtor": "SPV", "creditor": "FUND", "activity": ""}
    assert {"C-SPV", "C-FUND"} <= may(Touch.FULFILMENT, **named)
    assert "C-FUND" in may(Touch.WAIVER, **named)
    assert "C-SPV" not in may(Touch.WAIVER, **named)


def test_whoever_took_it_over_or_stands_in_answers() -> None:
    assert "C-LAW" in may(Touch.FULFILMENT, details={HANDED: {"C-FIN": "C-LAW"}})
    away = Absence(
        contact_ref="C-OPS", since=at("2026-01-10").date(), until=at("2026-01-16").date(), substitute_ref="C-LAW"
    )
    assert "C-LAW" in may(Touch.FULFILMENT, make_dossier(absences=(away,)))


def test_who_is_warned_may_answer_a_warning_for_all() -> None:
    assert "C-FUND" in may(Touch.FULFILMENT, kind=ObligationKind.NOTICE)


def test_the_customer_does_not_answer_its_own_problem() -> None:
    part: dict[str, Any] = {"kind": ObligationKind.ACTION, "creditor": "SPV", "details": {"part": "response"}}
    assert "C-SPV" not in may(Touch.ACKNOWLEDGEMENT, **part)
    assert "C-FIN" in may(Touch.ACKNOWLEDGEMENT, **part)


@pytest.mark.parametrize("kind", [Touch.APPROVAL, Touch.REJECTION, Touch.REWORK])
def test_a_verdict_is_the_accountables(kind: Touch) -> None:
    approval = make_obligation(kind=ObligationKind.APPROVAL)
    assert refused(kind, approval, contact_ref="C-OPS") == ""
    assert "is not Accountable for fund-use-report" in refused(kind, approval, contact_ref="C-HEAD")


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("2026-01-05", ""),
        ("2026-01-31", ""),
        ("2026-01-04", "2026-01-04 09:30 is before G1/report/2026-01-15 existed, which is since 2026-01-05 09:30"),
        ("2026-02-01", "2026-02-01 09:30 lies in the future, now is 2026-01-31 09:30"),
    ],
)
def test_nothing_is_said_ahead_of_time_or_of_what_does_not_exist(when: str, why: str) -> None:
    assert refused(Touch.FULFILMENT, contact_ref="C-FIN", at=at(when)).startswith(why)
    assert bool(refused(Touch.FULFILMENT, contact_ref="C-FIN", at=at(when))) == bool(why)


def test_nothing_is_handed_over_to_another_company() -> None:
    known = make_facts().contacts
    dossier = make_dossier(contacts=(*known, make_contact("C-BANK3", "BANK")))
    hand = replace(make_obligation(), debtor="BANK", activity="")
    for to in ("C-BANK2", "C-BANK3"):
        assert refused(Touch.HANDOVER, hand, dossier, contact_ref="C-BANK", to_ref=to).startswith(
            "C-BANK is written nothing"
        )
    for to in ("C-LAW", "C-CMD"):
        assert refused(Touch.HANDOVER, contact_ref="C-FIN", to_ref=to) == ""  # departments of one house
    assert "C-CON is of CON and C-FIN of FIN: nothing is handed over" in refused(
        Touch.HANDOVER, contact_ref="C-FIN", to_ref="C-CON"
    )
    informed = refused(Touch.HANDOVER, dossier=dossier, contact_ref="C-BANK", to_ref="C-FUND")
    assert informed.endswith("another company; it may go to C-BANK2 Person C-BANK2, C-BANK3 Person C-BANK3")
