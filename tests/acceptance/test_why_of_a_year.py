"""Why each of fifty letters of a year was sent: a complete chain, and the same decided again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 - a seeded draw of letters

import pytest

from pfflow.bootstrap import calendar_of, read_stored
from pfflow.cycle import STAGES, Cycle
from pfflow.dispatching import Terms
from pfflow.domain.facts import Facts, Interaction, Touch
from pfflow.domain.words import Stage
from pfflow.ports import Claimed, Receipt
from pfflow.register import read_register
from pfflow.replay import Archive, Explanation, explained
from pfflow.replay.links import LETTER_CHAIN
from pfflow.store import SqlStore

EXAMPLE = Path(__file__).parents[2] / "examples" / "expressway"
FIRST, DAYS = date(2026, 1, 5), 365
LETTERS = 50
SEED = 20260105
pytestmark = pytest.mark.xdist_group("year")  # the year is lived once


@dataclass
class Postman:
    """Takes every letter and says when; what leaves the house is no matter here."""

    at: datetime
    connections: int = 1

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        """There is nothing to keep."""
        yield

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        """Say of each letter that it was sent."""
        return tuple(Receipt(message_id=one.message_id, outcome="sent", at=self.at, digest="0" * 64) for one in claimed)


def lived(store: SqlStore) -> None:
    """Live through a year of the motorway with a change of everything that can change, each on its day."""
    text = (EXAMPLE / "playbook.yaml").read_text(encoding="utf-8")
    facts = read_register(EXAMPLE / "register.xlsx").facts
    begun = datetime.combine(FIRST, time(), UTC)
    store.import_facts(facts, begun, "test")
    store.adopt_playbook(text, "expressway", 1, begun, "test")
    postman = Postman(begun)
    for number in range(DAYS):
        on = FIRST + timedelta(days=number)
        postman.at = datetime.combine(on, time(10), UTC)
        _change(store, facts, text, on, postman.at)
        if on.weekday() not in (0, 2):
            continue
        stored = store.playbook()
        assert stored is not None
        cycle = Cycle(
            store=store,
            playbook=read_stored(stored),
            calendar_of=calendar_of,
            mailer=postman,
            clock=lambda: postman.at,
            worker="test",
            edition=stored.sha256,
            terms=Terms(batch=500),
        )
        for stage in STAGES:
            # What is scored, designed and segmented changes by the month; communication by the day.
            if stage in (Stage.COMMUNICATION, Stage.INFORMATION_GATHERING) or on.day <= 7:
                outcome = cycle.decide(stage, "EXP-01", postman.at)
                assert outcome.error == ""
        asyncio.run(cycle.dispatch())


def _change(store: SqlStore, facts: Facts, text: str, on: date, at: datetime) -> None:
    """Change what a year changes: a person's address, a slipping milestone, the playbook, an answer."""
    if on == date(2026, 3, 2):
        moved = replace(facts.contacts[0], email="new.address@house.example", name="Somebody Else")
        store.import_facts(Facts(contacts=(moved,)), at, "test")
    if on == date(2026, 5, 4):
        milestone = next(one for one in facts.milestones if one.actual_on is None)
        slipped = replace(milestone, forecast_on=milestone.planned_on + timedelta(days=200), reason="floods")
        store.import_facts(Facts(milestones=(slipped,)), at, "test")
    if on == date(2026, 6, 1):
        store.adopt_playbook(text.replace("version: 1", "version: 2", 1), "expressway", 2, at, "test")
    if on.weekday() == 2:
        overdue = [one for one in store.obligations("EXP-01") if one.overdue(at)]
        for one in overdue[:1]:
            answer = Interaction(
                ext_id=f"W-{on}", project_ref="EXP-01", at=at, kind=Touch.FULFILMENT, obligation_key=one.key
            )
            store.report_touch(answer, "test", at)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """Give the store a year was lived in."""
    with SqlStore.open(f"sqlite:///{tmp_path_factory.mktemp('year') / 'pfflow.db'}") as store:
        store.migrate()
        lived(store)
        yield store


@pytest.fixture(scope="module")
def explanations(year: SqlStore) -> list[Explanation]:
    """Give why each of fifty letters was sent, drawn with a seed."""
    letters = year.letters()
    assert len(letters) > 5 * LETTERS
    archive = Archive(year)
    drawn = Random(SEED).sample(letters, LETTERS)  # noqa: S311 - a seeded draw
    return [explained(archive, f"<{letter.message_id}@house.example>") for letter in drawn]


def test_fifty_letters_of_a_year_have_a_complete_chain_each(explanations: list[Explanation]) -> None:
    assert [one.subject for one in explanations if not one.complete] == []
    assert {tuple(link.name for link in one.links) for one in explanations} == {LETTER_CHAIN}


def test_each_is_decided_again_as_it_was(explanations: list[Explanation]) -> None:
    assert [(one.subject, one.as_json()["again"]) for one in explanations if not one.same] == []


def test_they_are_of_many_ladders_months_and_both_editions(explanations: list[Explanation]) -> None:
    said = [one.as_json() for one in explanations]
    assert len({str(one["decision"])[:40] for one in said}) > 20
    assert {one["playbook"]["version"] for one in said if isinstance(one["playbook"], dict)} == {1, 2}


def test_a_whole_life_is_told_and_decided_again(year: SqlStore) -> None:
    archive = Archive(year)
    closed = [one for one in year.obligations("EXP-01") if not one.live]
    drawn = Random(SEED).sample(closed, 4)  # noqa: S311 - a seeded draw
    lives = [explained(archive, one.key) for one in drawn]
    assert [one.subject for one in lives if not (one.complete and one.same)] == []


def test_another_playbook_is_seen(year: SqlStore) -> None:
    """A replay that could only agree would show nothing."""
    letter = next(one for one in year.letters() if one.notice.rung.startswith("escalate"))
    assert explained(Archive(year), letter.message_id).same
    changed = Archive(year)
    playbook = changed.playbook(_edition(year))
    other = playbook.model_copy(update={"house": playbook.house.model_copy(update={"email": "other@house.example"})})
    changed.playbook = lambda _: other  # type: ignore[assignment]  # another playbook in its place
    after = explained(changed, letter.message_id)
    assert not after.same
    assert any(letter.message_id in line and "another than was recorded" in line for line in after.text("en"))


def _edition(store: SqlStore) -> str:
    stored = store.playbook()
    assert stored is not None
    return stored.sha256
