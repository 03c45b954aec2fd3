from __future__ import annotations

import re
from pathlib import Path

from pfflow.domain.audience import AUDIENCES
from pfflow.domain.conditions import FUNCTIONS
from pfflow.playbook import parse_playbook, playbook_schema

GUIDE = (Path(__file__).parents[2] / "docs" / "playbook.md").read_text(encoding="utf-8")


def test_the_pieces_of_the_guide_are_one_good_playbook() -> None:
    pieces = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    assert len(pieces) >= 8
    reading = parse_playbook("\n".join(pieces), "guide.yaml")
    assert [str(problem) for problem in reading.problems] == []


def test_the_guide_shows_every_key() -> None:
    schema = playbook_schema()
    defined = [schema, *schema["$defs"].values(), *schema["$defs"]["Ladder"]["anyOf"]]
    keys = {key for one in defined for key in one.get("properties", {})}
    assert len(keys) > 50
    assert {key for key in keys if not re.search(rf"\b{key}\b", GUIDE)} == set()


def test_the_guide_names_every_word_a_choice_can_be() -> None:
    schema = playbook_schema()
    choices = {word for one in schema["$defs"].values() for word in one.get("enum", ())}
    assert {word for word in choices | AUDIENCES | FUNCTIONS if not re.search(rf"\b{word}\b", GUIDE)} == set()
