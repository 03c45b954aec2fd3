from __future__ import annotations

from pathlib import Path

import pytest

from pfflow.domain.facts import Facts
from pfflow.domain.parties import Participation
from pfflow.domain.role_names import roles_named, unmatched_roles
from pfflow.playbook import read_playbook
from pfflow.register import read_register
from tests.command_line import EXPRESSWAY, SOLAR


@pytest.mark.parametrize("example", [EXPRESSWAY, SOLAR], ids=lambda folder: folder.name)
def test_the_examples_write_to_nobody_who_is_not_there(example: Path) -> None:
    playbook = read_playbook(example / "playbook.yaml").playbook
    assert playbook is not None
    facts = read_register(example / "register.xlsx", Facts()).facts
    assert unmatched_roles(playbook, facts) == ()


def test_a_misspelt_role_is_told_from_both_sides() -> None:
    playbook = read_playbook(EXPRESSWAY / "playbook.yaml").playbook
    assert playbook is not None
    named = roles_named(playbook)
    held = [Participation(project_ref="G1", party_ref=f"P-{n}", role=role) for n, role in enumerate(sorted(named))]
    wrong = [Participation(project_ref="G1", party_ref="P-9", role="enginering")]
    facts = Facts(participations=tuple(p for p in held if p.role != "engineering") + tuple(wrong))
    assert [(u.role, u.near) for u in unmatched_roles(playbook, facts)] == [
        ("engineering", "enginering"),
        ("enginering", "engineering"),
    ]


def test_a_role_that_only_the_register_knows_is_no_mistake() -> None:
    playbook = read_playbook(SOLAR / "playbook.yaml").playbook
    assert playbook is not None
    held = [Participation(project_ref="S1", party_ref=f"P-{n}", role=r) for n, r in enumerate(roles_named(playbook))]
    notary = Participation(project_ref="S1", party_ref="P-99", role="notary")
    assert unmatched_roles(playbook, Facts(participations=(*held, notary))) == ()
