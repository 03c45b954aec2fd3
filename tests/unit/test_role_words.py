from __future__ import annotations

import pytest

from pfflow.domain.audience import creditors, names_of
from pfflow.domain.playbook import Room, Text
from pfflow.domain.role_words import ROLE_WORDS, role_words
from pfflow.domain.words import Words
from pfflow.register.aliases import ROLES
from tests.factories import (
    at,
    lived,
    make_dossier,
    make_obligation,
    make_participation,
    make_playbook,
    small_playbook,
    with_facts,
)

TODAY = at("2026-01-05").date()


def test_the_roles_the_register_knows_go_by_its_own_words() -> None:
    assert {role: words.zh for role, words in ROLE_WORDS.items()} == {role: said[0] for role, said in ROLES.items()}
    assert not [words for role, words in ROLE_WORDS.items() if "-" in words.en]


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("joint-command", Words("联合指挥部", "the joint command group")),
        ("tax_adviser", Words("tax adviser", "tax adviser")),
        ("P-001", Words("P-001", "P-001")),
        ("税务顾问", Words("税务顾问", "税务顾问")),
    ],
)
def test_a_role_is_called_by_words_and_a_ref_as_it_is(role: str, words: Words) -> None:
    assert role_words(small_playbook().model_copy(update={"rooms": {}}), role) == words


def test_a_room_of_the_roles_name_says_what_the_house_calls_it() -> None:
    room = Room(title=Text(zh="指挥组", en="Command"), language="zh-CN")
    playbook = make_playbook().model_copy(update={"rooms": {"joint-command": room}})
    assert role_words(playbook, "joint-command") == Words("指挥组", "Command")


def test_no_letter_names_a_role_nobody_holds_by_its_key() -> None:
    dossier = make_dossier()
    left = tuple(p for p in dossier.facts.participations if p.role != "joint-command")
    assert names_of(with_facts(dossier, participations=left), ["joint-command"], TODAY).zh == "联合指挥组"


def test_everyone_who_is_informed_is_owed_a_report_and_of_many_the_rest_is_counted() -> None:
    dossier = make_dossier()
    report = make_obligation()
    assert creditors(dossier, report, TODAY).en == "BANK Ltd, FUND Ltd, CMD Ltd"
    more = tuple(make_participation("investor", ref) for ref in ("SPON", "CON"))
    many = with_facts(dossier, participations=(*dossier.facts.participations, *more))
    assert creditors(many, report, TODAY).en == "BANK Ltd, CON Ltd, FUND Ltd and 2 others"
    assert creditors(many, report, TODAY).zh.endswith("等5方")


def test_a_creditor_of_its_own_and_nobody_stay_as_they_are() -> None:
    dossier = make_dossier()
    assert creditors(dossier, make_obligation(creditor="SPV"), TODAY).en == "SPV Ltd"
    assert creditors(dossier, make_obligation(creditor=""), TODAY).en == ""


def test_a_request_says_to_whom_the_report_is_owed() -> None:
    _, decisions = lived(make_dossier(obligations=[make_obligation()]), [at("2026-01-14")])
    said = [n.context["creditor"] for d in decisions for n in d.notices if n.obligation_key == "G1/report/2026-01-15"]
    assert said
    assert all("FUND" in str(one) for one in said)
