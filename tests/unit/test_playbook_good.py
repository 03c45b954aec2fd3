from __future__ import annotations

import json
from datetime import date, time
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from pfflow.domain.business_days import Convention
from pfflow.domain.ladder import Action, Late
from pfflow.domain.parties import Level
from pfflow.domain.playbook import Playbook
from pfflow.domain.project import Phase
from pfflow.playbook import digest, parse_playbook, playbook_schema, read_playbook

FILE = Path(__file__).parent / "data" / "playbook.yaml"
SCHEMA = Path(__file__).parents[2] / "docs" / "playbook.schema.json"


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    reading = read_playbook(FILE)
    assert reading.problems == ()
    assert reading.playbook is not None
    return reading.playbook


def test_a_playbook_is_read_into_values(playbook: Playbook) -> None:
    assert (playbook.name, playbook.version, playbook.effective) == ("expressway", 3, date(2026, 1, 1))
    assert playbook.house.name.zh == "高速公路融资关系部"
    assert str(playbook.zone) == "Asia/Shanghai"
    report = playbook.cadences["fund-use-report"]
    assert (report.rule, report.at, report.roll) == ("FREQ=MONTHLY;BYMONTHDAY=15,-1", time(17), Convention.PRECEDING)
    assert playbook.activities["fund-use-report"].accountable == "operations"
    assert playbook.gates[Phase.FUNDRAISING] == ("CP-01", "CP-02")


def test_a_ladder_may_be_a_bare_list_or_rungs_with_a_hold(playbook: Playbook) -> None:
    last = playbook.ladders["report"].rungs[-1]
    assert (last.do, str(last.at), last.to, str(last.repeat), last.limit, last.level) == (
        Action.ESCALATE,
        "+3bd",
        "joint-command",
        "+2bd",
        3,
        Level.MANAGEMENT,
    )
    assert playbook.ladders["report"].rungs[1].late is Late.MERGE
    assert str(playbook.ladders["approval"].hold) == "+1bd"
    assert len(playbook.ladders["approval"].rungs) == 4


def test_the_example_writes_every_key_there_is() -> None:
    """A key that the models gain and the example lacks would be a key nobody has seen work."""
    written: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            written.update(map(str, value))
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(YAML(typ="safe", pure=True).load(FILE))
    schema = playbook_schema()
    defined = [schema, *schema["$defs"].values(), *schema["$defs"]["Ladder"]["anyOf"]]
    known = {key for definition in defined for key in definition.get("properties", {})}
    assert known - written == set()


def test_the_schema_in_the_documentation_is_the_models() -> None:
    """Write it anew: python -m pfflow.playbook > docs/playbook.schema.json."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == playbook_schema()


def test_every_key_of_the_schema_says_what_it_means() -> None:
    schema = playbook_schema()
    defined = [schema, *schema["$defs"].values(), *schema["$defs"]["Ladder"]["anyOf"]]
    keys = [(key, said) for one in defined for key, said in one.get("properties", {}).items()]
    assert len(keys) > 80
    assert [key for key, said in keys if not said.keys() & {"description", "$ref"}] == []


def test_the_schema_accepts_the_example_and_refuses_an_unknown_key() -> None:
    schema = playbook_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    data = json.loads(json.dumps(YAML(typ="safe", pure=True).load(FILE), default=str))
    assert list(validator.iter_errors(data)) == []
    data["kickoff"]["hour"] = 10
    assert [list(error.path) for error in validator.iter_errors(data)] == [["kickoff"]]


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(tmp_path: Path) -> None:
    copy = tmp_path / "playbook.yaml"
    copy.write_bytes(b"\xef\xbb\xbf" + FILE.read_bytes().replace(b"\n", b"\r\n"))
    assert read_playbook(copy).problems == ()


def test_roles_may_be_one_word_instead_of_a_list() -> None:
    text = FILE.read_text(encoding="utf-8").replace("R: [finance], C: [engineering]", "R: finance, C: engineering")
    playbook = parse_playbook(text).playbook
    assert playbook is not None
    assert playbook.activities["fund-use-report"].responsible == ("finance",)


def test_a_digest_tells_editions_apart() -> None:
    """SHA-256 of "abc", FIPS 180-2 appendix B.1."""
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest("abc ") != digest("abc")
