from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pfflow.domain.parties import Party, PartyKind, Realm
from pfflow.domain.playbook import Segment
from pfflow.domain.project import Phase
from pfflow.domain.segmentation import classify
from tests.factories import make_party, make_project, small_playbook


def segment(name: str, when: str) -> Segment:
    return Segment.model_validate({"name": name, "title": {"en": name}, "when": when, "tier": "A", "strategy": "s"})


@pytest.mark.parametrize(
    ("party", "expected"),
    [
        (make_party(kind=PartyKind.INVESTOR, capital_size=Decimal(100000000)), "institutional-investor"),
        (make_party(kind=PartyKind.GOVERNMENT), "policy-bank"),
        (make_party(kind=PartyKind.LENDER), "commercial-lender"),
        (make_party(kind=PartyKind.DEPARTMENT, realm=Realm.INTERNAL), "department"),
        (make_party(kind=PartyKind.CONTRACTOR, realm=Realm.INTERNAL), "department"),
        (make_party(kind=PartyKind.SUPERVISOR), "partner"),
        (make_party(kind=PartyKind.SPONSOR), "partner"),
    ],
)
def test_a_party_is_in_the_first_segment_whose_rule_holds_and_the_rule_is_the_reason(
    party: Party, expected: str
) -> None:
    found = classify(party, make_project(), small_playbook().segments)
    assert found.segment is not None
    assert found.segment.name == expected
    assert found.because == f"{expected}: {found.segment.when}"


def test_a_party_just_below_every_rule_is_in_none() -> None:
    small = make_party(kind=PartyKind.INVESTOR, capital_size=Decimal(99999999))
    found = classify(small, make_project(), small_playbook().segments)
    assert (found.segment, found.because) == (None, "no rule holds")


def test_a_change_of_the_project_changes_the_segment() -> None:
    sponsor = make_party(kind=PartyKind.SPONSOR)
    assert classify(sponsor, make_project(phase=Phase.EXIT), small_playbook().segments).segment is None


def test_a_rule_that_cannot_be_asked_is_named_and_the_next_is_tried() -> None:
    rules: list[Any] = [segment("odd", "party.kind > 1"), segment("rest", "true")]
    found = classify(make_party(), make_project(), rules)
    assert found.segment is not None
    assert found.segment.name == "rest"
    alone = classify(make_party(), make_project(), rules[:1])
    assert alone.segment is None
    assert alone.because.startswith("no rule holds; odd could not be asked: party.kind > 1")


def test_a_rule_may_ask_for_the_roles_a_party_has() -> None:
    rule = segment("two-hats", "'lender' in party.roles")
    assert classify(make_party(), make_project(), [rule], ("investor", "lender")).segment is rule
    assert classify(make_party(), make_project(), [rule], ("investor",)).segment is None


@pytest.mark.parametrize("when", ["party.shoe_size > 1.0", "size(party) > 5.0 && party.shoe_size > 1.0"])
def test_a_rule_that_asks_for_what_there_is_not_says_so(when: str) -> None:
    found = classify(make_party(), make_project(), [segment("odd", when)])
    assert found.because.startswith(f"no rule holds; odd could not be asked: {when}: no fact is called shoe_size")


def test_a_rule_may_ask_for_a_record_as_a_whole() -> None:
    found = classify(make_party(), make_project(), [segment("all", "size(party) > 5")], ("lender",))
    assert found.segment is not None
