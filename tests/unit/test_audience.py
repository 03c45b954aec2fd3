from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random  # noqa: TID251 - the type of what hypothesis gives

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pfflow.domain.audience import (
    AUDIENCES,
    audience,
    contacts_at,
    names_of,
    owner_of,
    participants,
    parties_in,
    raci_of,
    roles_meant,
)
from pfflow.domain.decision import Conclusion, Dossier
from pfflow.domain.facts import RaciCode, RaciRow
from pfflow.domain.obligations import ObligationKind
from pfflow.domain.parties import Level, Realm
from pfflow.domain.project import Phase
from pfflow.domain.words import Stage, Words
from tests.factories import (
    make_contact,
    make_dossier,
    make_facts,
    make_obligation,
    make_participation,
    make_party,
    with_facts,
)

TODAY = date(2026, 1, 5)


def refs(dossier: Dossier, word: str, level: Level | None = None, **obligation: str) -> list[str]:
    return [c.contact_ref for c in audience(dossier, word, make_obligation(**obligation), level, TODAY)]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("responsible", ["C-FIN"]),
        ("accountable", ["C-OPS"]),
        ("consulted", ["C-ENG"]),
        ("informed", ["C-BANK", "C-CMD", "C-FUND"]),
        ("everyone", ["C-BANK", "C-CMD", "C-ENG", "C-FIN", "C-FUND", "C-OPS"]),
        ("head", ["C-HEAD"]),
        ("debtor", ["C-FIN"]),
        ("creditor", ["C-BANK"]),
        ("joint-command", ["C-CMD"]),
        ("SPV", ["C-SPV"]),
        ("nobody-at-all", []),
    ],
)
def test_a_word_of_a_rung_is_a_part_in_the_activity_a_role_or_a_party(word: str, expected: list[str]) -> None:
    assert refs(make_dossier(), word) == expected


def test_an_obligation_without_debtor_is_owed_by_nobody() -> None:
    assert refs(make_dossier(), "debtor", debtor="") == []


def test_the_owner_is_whom_identification_named_and_else_the_head() -> None:
    named = Conclusion(stage=Stage.IDENTIFICATION, subject="party/BANK", value={"owner": "C-REL"})
    dossier = make_dossier(conclusions=[named])
    assert refs(dossier, "owner", subject="BANK") == ["C-REL"]
    assert refs(dossier, "owner", subject="SPV") == ["C-HEAD"]
    assert refs(make_dossier(conclusions=[named], contacts=(make_contact("C-HEAD"),)), "owner", subject="BANK") == [
        "C-HEAD"
    ]
    assert owner_of(dossier, "SPV") is None


@pytest.mark.parametrize(
    ("level", "expected"),
    [(None, ["C-BANK"]), (Level.WORKING, ["C-BANK"]), (Level.MANAGEMENT, ["C-BANK2"]), (Level.STEERING, ["C-BANK2"])],
)
def test_a_party_is_written_to_at_the_level_asked_for_or_the_nearest_it_has(
    level: Level | None, expected: list[str]
) -> None:
    assert refs(make_dossier(), "lender", level) == expected


def test_the_registers_raci_of_the_phase_goes_before_the_playbooks() -> None:
    rows = (
        RaciRow(phase=Phase.IMPLEMENTATION, activity="fund-use-report", role="legal", code=RaciCode.ACCOUNTABLE),
        RaciRow(phase=Phase.IMPLEMENTATION, activity="fund-use-report", role="finance", code=RaciCode.RESPONSIBLE),
        RaciRow(phase=Phase.EXIT, activity="fund-use-report", role="sponsor", code=RaciCode.INFORMED),
    )
    dossier = make_dossier(raci=rows)
    raci = raci_of(dossier, "fund-use-report")
    assert (raci.accountable, raci.responsible, raci.consulted, raci.informed) == (("legal",), ("finance",), (), ())
    assert raci_of(dossier, "information").accountable == ("relationship",)
    assert raci_of(dossier, "unheard-of").accountable == ()


def test_a_role_is_held_only_while_it_is_held() -> None:
    gone = make_participation("lender", "BANK", until=date(2026, 1, 4))
    new = make_participation("lender", "FUND", since=date(2026, 1, 5))
    dossier = make_dossier(participations=(gone, new))
    assert [p.party_ref for p in parties_in(dossier, "lender", TODAY)] == ["FUND"]
    assert [p.party_ref for p in parties_in(dossier, "lender", date(2026, 1, 4))] == ["BANK"]
    assert [p.party_ref for p in participants(dossier, TODAY)] == ["FUND"]


def test_no_address_is_written_to_twice_whatever_its_case() -> None:
    contacts = [
        make_contact("C-1", "BANK", email="Wang@bank.example"),
        make_contact("C-2", "BANK", email="wang@BANK.example"),
        make_contact("C-3", "FUND", email="wang@bank.example"),
    ]
    found = contacts_at(contacts, [make_party("BANK"), make_party("FUND")], Level.WORKING)
    assert [c.contact_ref for c in found] == ["C-1"]


def test_a_contact_without_an_address_is_nobody_to_write_to() -> None:
    silent = make_contact("C-1", "BANK", email="")
    manager = make_contact("C-2", "BANK", level=Level.STEERING)
    assert [c.contact_ref for c in contacts_at([silent, manager], [make_party()], Level.WORKING)] == ["C-2"]
    assert contacts_at([silent], [make_party()], Level.WORKING) == ()


def test_who_unsubscribed_is_asked_no_survey_but_gets_what_the_documents_oblige_to() -> None:
    contacts = (make_contact("C-1", "BANK", unsubscribed=True), make_contact("C-2", "BANK"))
    dossier = make_dossier(contacts=contacts)
    survey, report = make_obligation(kind=ObligationKind.SURVEY), make_obligation()
    assert [c.contact_ref for c in audience(dossier, "lender", survey, None, TODAY)] == ["C-2"]
    assert [c.contact_ref for c in audience(dossier, "lender", report, None, TODAY)] == ["C-1", "C-2"]


def test_who_does_not_consent_is_written_nothing_and_another_of_the_party_is() -> None:
    silent, other = make_contact("C-1", "BANK", consent=False), make_contact("C-2", "BANK", level=Level.STEERING)
    assert refs(make_dossier(contacts=(silent, other)), "lender") == ["C-2"]
    assert refs(make_dossier(contacts=(silent,)), "lender") == []
    owner = Conclusion(stage=Stage.IDENTIFICATION, subject="party/BANK", value={"owner": "C-1"})
    dossier = make_dossier(conclusions=[owner], contacts=(silent, make_contact("C-HEAD", "HEAD")))
    assert refs(dossier, "owner", subject="BANK") == refs(dossier, "head") == ["C-HEAD"]


def test_a_playbook_of_one_realm_runs_the_relationships_of_that_realm_only() -> None:
    dossier = make_dossier()
    both = participants(dossier, TODAY)
    assert {p.realm for p in both} == set(Realm)
    for realm in Realm:
        only = replace(dossier, playbook=dossier.playbook.model_copy(update={"realms": (realm,)}))
        assert participants(only, TODAY) == tuple(p for p in both if p.realm is realm)


def test_every_audience_but_the_owner_stands_for_roles_and_is_none_itself() -> None:
    dossier, obligation = make_dossier(), make_obligation()
    assert {word for word in AUDIENCES if roles_meant(dossier, word, obligation) == (word,)} == {"owner"}


def test_names_are_those_of_the_parties_and_a_role_nobody_holds_is_called_by_its_words() -> None:
    dossier = make_dossier()
    assert names_of(dossier, ("lender", "sponsor"), TODAY) == Words("BANK公司、SPON公司", "BANK Ltd, SPON Ltd")
    assert names_of(dossier, ("supervisor",), TODAY) == Words("监理单位", "the supervisor")
    assert names_of(dossier, (), TODAY) == Words("", "")


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(["informed", "everyone", "owner", "lender"]))
def test_the_order_of_the_register_does_not_matter(chance: Random, word: str) -> None:
    facts = make_facts()
    shuffled = {}
    for sheet in ("parties", "contacts", "participations"):
        rows = list(getattr(facts, sheet))
        chance.shuffle(rows)
        shuffled[sheet] = tuple(rows)
    assert refs(with_facts(make_dossier(), **shuffled), word) == refs(make_dossier(), word)
