"""A year of the motorway, rehearsed and kept: every letter of it can be explained, and none can ever be sent."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random  # noqa: TID251 - a seeded draw of letters

import pytest

from pfflow.bootstrap import calendar_of
from pfflow.cycle import Cycle
from pfflow.domain.facts import Facts
from pfflow.domain.words import Stage
from pfflow.ports import Claimed, Receipt
from pfflow.register import write_register
from pfflow.rehearsal.keeping import Keeper
from pfflow.rehearsal.living import Span
from pfflow.rehearsal.reading import read_script
from pfflow.rehearsal.running import Stage as Scene
from pfflow.rehearsal.running import rehearse
from pfflow.rehearsal.script import Script
from pfflow.replay import Archive, explained
from pfflow.replay.links import LETTER_CHAIN, OBLIGATION_CHAIN
from pfflow.store import KeptRehearsalError, SqlStore
from tests.command_line import EXPRESSWAY, done, pfflow, settle_in
from tests.unit.rehearsing import Lived, example, lived

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
LETTERS = 50
SEED = 20260105
pytestmark = pytest.mark.xdist_group("kept-rehearsal")  # the year is lived once


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file a rehearsed year is kept in."""
    path = tmp_path_factory.mktemp("kept") / "year.db"
    said = pfflow("rehearse", EXPRESSWAY, "--until", LAST, "--keep", path, "--language", "en")
    assert said.status == 0
    assert f"PFFLOW_DB=sqlite:///{path} pfflow why EXP-01/" in said.err
    assert [one.name for one in path.parent.iterdir()] == ["year.db"]
    return path


@pytest.fixture
def asked(kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the command line ask the kept year; gives its home, which is empty."""
    return settle_in(monkeypatch, tmp_path / "home", f"sqlite:///{kept}")


@pytest.fixture
def store(kept: Path) -> Iterator[SqlStore]:
    with SqlStore.open(f"sqlite:///{kept}") as opened:
        yield opened


@pytest.fixture(scope="module")
def in_memory() -> Lived:
    """Give the same year as it is rehearsed without being kept."""
    script = read_script(EXPRESSWAY / "rehearsal.yaml", example("expressway")[0]).script
    assert script is not None
    return lived("expressway", FIRST, LAST, script)


@pytest.mark.usefixtures("asked")
def test_fifty_letters_are_explained_whole_and_decided_again_the_same(store: SqlStore) -> None:
    letters = store.letters()
    assert len(letters) > 5 * LETTERS
    drawn = Random(SEED).sample(letters, LETTERS)  # noqa: S311 - a seeded draw
    told = [json.loads(done("why", letter.message_id, "--json")) for letter in drawn]
    assert [one["subject"] for one in told if not (one["complete"] and one["same"])] == []
    assert all(set(LETTER_CHAIN) <= one.keys() for one in told)
    assert {one["delivery"]["status"] for one in told} == {"held"}
    assert len({one["decision"]["number"] for one in told}) > 20


@pytest.mark.usefixtures("asked")
def test_what_became_of_an_obligation_is_told_and_decided_again_the_same(store: SqlStore) -> None:
    moved = next(entry for entry in store.ledger("EXP-01") if entry.kind in ("moved", "replanned", "confirmed"))
    escalated = next(letter for letter in store.letters() if letter.notice.rung.startswith("escalate"))
    for key in (moved.subject, escalated.notice.obligation_key):
        told = json.loads(done("why", key, "--json"))
        assert (told["complete"], told["same"]) == (True, True)
        assert set(OBLIGATION_CHAIN) <= told.keys()
    message_id = f"<{escalated.message_id}@house.example>"
    assert "only rehearsed, never sent" in done("why", message_id, "--language", "en")


def test_the_kept_year_is_the_year_that_was_rehearsed(store: SqlStore, in_memory: Lived) -> None:
    held, index = store.holdings("EXP-01"), in_memory.life.index
    assert dict(held.obligations) == index.obligations
    assert dict(held.firings) == index.firings
    assert dict(held.conclusions) == index.conclusions
    assert _by_key(held.facts) == _by_key(in_memory.life.facts)
    assert held.holiday_lists == in_memory.life.holiday_lists
    assert {
        n.key: (n.contact_ref, n.noticed_at, n.template, n.context, n.invitation, n.report)
        for n in (letter.notice for letter in store.letters())
    } == in_memory.letters
    assert store.verify() == ()


def _by_key(facts: Facts) -> Facts:
    return replace(facts, interactions=tuple(sorted(facts.interactions, key=lambda one: one.ext_id)))


def test_keeping_changes_nothing_of_what_is_found(tmp_path: Path) -> None:
    short = ["rehearse", EXPRESSWAY, "--until", "2026-02-28", "--cores", "1", "--json"]
    said = pfflow(*short, "--keep", tmp_path / "kept.db")
    assert said.out == done(*short)
    assert said.err.startswith(f"已存入 {tmp_path / 'kept.db'}，仅供查阅，永不发出：PFFLOW_DB=")


@dataclass
class Postman:
    """Takes every letter that it is given, and counts them."""

    connections: int = 1
    taken: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        """There is nothing to keep."""
        yield

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        """Take the letters."""
        self.taken += [one.message_id for one in claimed]
        return tuple(Receipt(message_id=one.message_id, outcome="sent", at=one.until) for one in claimed)


@pytest.mark.parametrize(
    "command",
    [
        ("dispatch",),
        ("dispatch", "--dry-run"),
        ("sweep", "communication", "--as-of", "2027-01-05"),
        ("run", "--from", "2027-01-04", "--until", "2027-01-05"),
        ("release", "--by", "C-51"),
        ("mail", "start", "--by", "C-51"),
        ("adopt", EXPRESSWAY / "playbook.yaml", "--by", "C-51"),
    ],
    ids=lambda command: " ".join(map(str, command[:2])),
)
def test_whoever_would_send_or_change_it_is_refused(
    command: tuple[object, ...], kept: Path, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PFFLOW_MAIL", "live")
    monkeypatch.setenv("PFFLOW_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("PFFLOW_MAIL_ALLOW", "@example")
    before = kept.read_bytes()
    said = pfflow(*command)
    assert said.status == 1
    assert "this database keeps a rehearsal (EXP-01, expressway/1, 2026-01-01 to 2026-12-31)" in said.err
    assert "none of its letters is ever sent" in said.err
    assert kept.read_bytes() == before
    assert not asked.exists()


def test_a_worker_on_it_is_refused_and_without_the_mark_there_is_still_nothing_to_send(
    kept: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(kept.read_bytes())
    postman = Postman()
    with SqlStore.open(f"sqlite:///{copy}") as store, pytest.raises(KeptRehearsalError):
        asyncio.run(_cycle(store, postman).dispatch())
    for tampered in ("delete from rehearsal", "delete from mail_switch"):
        with closing(sqlite3.connect(copy)) as connection, connection:
            connection.execute(tampered)
        with SqlStore.open(f"sqlite:///{copy}") as store:
            if tampered.endswith("mail_switch"):
                asyncio.run(_cycle(store, postman).dispatch())
            else:
                assert store.mail_turns()[0].stopped
    assert postman.taken == []


def _cycle(store: SqlStore, postman: Postman) -> Cycle:
    _, playbook = example("expressway")
    at = datetime(2027, 1, 5, tzinfo=UTC)
    return Cycle(
        store=store, playbook=playbook, calendar_of=calendar_of, mailer=postman, clock=lambda: at, worker="test"
    )


def test_the_outbox_says_that_its_letters_are_only_rehearsed(asked: Path) -> None:
    assert done("outbox").startswith("没有待发的函件\n")
    status = done("mail", "status")
    assert "发信：已停止（rehearsal" in status
    assert "仅为预演，永不发出" in status.splitlines()[-1]
    assert not asked.exists()


def test_a_file_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    there = tmp_path / "year.db"
    there.write_text("somebody's", encoding="utf-8")
    said = pfflow("rehearse", EXPRESSWAY, "--until", "2026-01-31", "--keep", there)
    assert (said.status, said.out) == (1, "")
    assert said.err == f"{there} exists; name another file\n"
    assert there.read_text(encoding="utf-8") == "somebody's"


@pytest.mark.parametrize("name", ["year?.db", "which?/year.db"])
def test_a_name_that_a_database_cannot_have_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    there = tmp_path / name
    there.parent.mkdir(exist_ok=True)
    said = pfflow("rehearse", EXPRESSWAY, "--until", "2026-01-06", "--keep", there)
    assert (said.status, said.out) == (2, "")
    assert "may have no question mark" in said.err
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == []


def test_what_fails_half_way_leaves_no_file(tmp_path: Path) -> None:
    facts, playbook = example("expressway")
    path = tmp_path / "half.db"

    def interrupted(on: date) -> None:
        if on > FIRST:
            raise KeyboardInterrupt

    keeper = Keeper(path, (EXPRESSWAY / "playbook.yaml").read_text(encoding="utf-8"), interrupted)
    with pytest.raises(KeyboardInterrupt):
        rehearse(Scene(facts, playbook, Span(date(2026, 12, 1), date(2027, 1, 31))), keeper=keeper)
    assert list(tmp_path.iterdir()) == []


def test_a_bank_that_takes_a_role_later_is_known_from_that_day_on(tmp_path: Path) -> None:
    facts, playbook = example("expressway")
    bank = replace(next(one for one in facts.parties if one.party_ref == "P-07"), party_ref="P-99")
    banker = replace(
        next(one for one in facts.contacts if one.party_ref == "P-07"), contact_ref="C-99", party_ref="P-99"
    )
    register = replace(facts, parties=(*facts.parties, bank), contacts=(*facts.contacts, banker))
    script = Script.model_validate(
        {"rehearsal": "agent", "happenings": [{"on": "2026-02-02", "hands_over": {"role": "lender", "to": "P-99"}}]}
    )
    keeper = Keeper(tmp_path / "agent.db", (EXPRESSWAY / "playbook.yaml").read_text(encoding="utf-8"))
    rehearse(Scene(register, playbook, Span(FIRST, date(2026, 2, 28)), script), keeper=keeper)
    with SqlStore.open(f"sqlite:///{keeper.path}") as store:
        told = [letter for letter in store.letters() if letter.notice.contact_ref == "C-99"]
        assert min(letter.notice.noticed_at.date() for letter in told) == date(2026, 2, 2)
        archive = Archive(store)
        explanations = [explained(archive, letter.message_id) for letter in told]
    assert [one.subject for one in explanations if not (one.complete and one.same)] == []


def test_one_project_is_kept_and_no_comparison(tmp_path: Path) -> None:
    facts, _ = example("expressway")
    two = replace(facts, projects=(*facts.projects, replace(facts.projects[0], project_ref="EXP-02")))
    register = tmp_path / "two.xlsx"
    write_register(two, register, "en")
    call = ["rehearse", EXPRESSWAY, "--until", "2026-01-31", "--keep", tmp_path / "year.db"]
    said = pfflow(*call, "--register", register)
    assert (said.status, said.out) == (2, "")
    assert "name it with --project: EXP-01, EXP-02" in said.err
    said = pfflow(*call, "--against", EXPRESSWAY / "playbook.yaml")
    assert (said.status, said.out) == (2, "")
    assert "each by itself" in said.err
    assert not (tmp_path / "year.db").exists()
    assert pfflow(*call, "--register", register, "--project", "EXP-02").status == 0
    with SqlStore.open(f"sqlite:///{tmp_path / 'year.db'}") as store:
        assert store.project_refs() == ("EXP-02",)
        assert Stage.COMMUNICATION in store.holdings("EXP-02").decided_to
