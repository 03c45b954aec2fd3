"""The four verbs on a real database: who failed, who was busy, and what another worker had taken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pfflow.cycle import Cycle, Dispatched
from pfflow.dispatching import Terms
from pfflow.domain.business_days import WEEKENDS_ONLY, BusinessCalendar
from pfflow.domain.decision import Decision, Holdings
from pfflow.domain.playbook import Playbook
from pfflow.domain.words import Stage
from pfflow.ports import Claimed, NotHeld, Receipt
from pfflow.store import SqlStore
from pfflow.store.engine import open_engines
from tests.factories import make_playbook
from tests.integration.samples import AT, FACTS, make_notice

TICK = timedelta(seconds=0.1)


@dataclass(slots=True)
class Ticking:
    """A clock on which every look takes a tenth of a second."""

    at: datetime = AT

    def __call__(self) -> datetime:
        self.at += TICK
        return self.at


@dataclass(slots=True)
class Post:
    """A mailer whose letters all arrive."""

    arrived: list[str] = field(default_factory=list)
    connections: int = 2

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        yield

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        self.arrived += [one.message_id for one in claimed]
        return tuple(Receipt(message_id=one.message_id, outcome="sent", at=AT) for one in claimed)


def make_cycle(store: SqlStore, *, mailer: Post | None = None, broken: str = "") -> Cycle:
    def calendar_of(_playbook: Playbook, holdings: Holdings, _as_of: datetime) -> BusinessCalendar:
        if holdings.project.project_ref == broken:
            raise ValueError("its calendar names no country")
        return WEEKENDS_ONLY

    return Cycle(
        store=store,
        playbook=make_playbook(),
        calendar_of=calendar_of,
        mailer=mailer or Post(),
        clock=Ticking(),
        worker="w",
        terms=Terms(lease=5),
        busy_seconds=1,
    )


@pytest.fixture
def store(sqlite_url: str) -> Iterator[SqlStore]:
    with SqlStore(open_engines(sqlite_url, busy_seconds=0.01)) as opened:
        opened.import_facts(FACTS, AT, "test")
        yield opened


def post_letter(store: SqlStore) -> str:
    notice = make_notice()
    with store.deciding(notice.project_ref, Stage.EVALUATION, AT) as held:
        assert not isinstance(held, NotHeld)
        held.record(Decision(project_ref=notice.project_ref, stage=Stage.EVALUATION, as_of=AT, notices=(notice,)))
    return notice.key


def test_a_project_that_fails_is_named_keeps_nothing_and_stops_no_other(store: SqlStore) -> None:
    cycle = make_cycle(store, broken="G1")
    first, second = cycle.sweep(Stage.IDENTIFICATION, AT, ["G1", "G2"])
    assert (first.status, first.error) == ("failed", "ValueError: its calendar names no country")
    assert [entry.kind for entry in store.ledger("G1")] == ["imported"]
    assert (second.project_ref, second.status, second.error) == ("G2", "decided", "")
    assert second.did["concluded"] == sum(entry.kind == "concluded" for entry in store.ledger("G2")) > 0


def test_a_failed_project_is_decided_by_the_next_sweep_of_the_same_instant(store: SqlStore) -> None:
    list(make_cycle(store, broken="G1").sweep(Stage.IDENTIFICATION, AT, ["G1", "G2"]))
    again = make_cycle(store).sweep(Stage.IDENTIFICATION, AT, ["G1", "G2"])
    assert [(one.project_ref, one.status) for one in again] == [("G1", "decided"), ("G2", "unchanged")]


def test_what_is_decided_at_an_instant_of_the_house_s_zone_is_recorded_in_utc(store: SqlStore) -> None:
    at_home = AT.astimezone(ZoneInfo("Asia/Shanghai"))
    seen: list[datetime] = []

    def calendar_of(_playbook: Playbook, _holdings: Holdings, as_of: datetime) -> BusinessCalendar:
        seen.append(as_of)
        return WEEKENDS_ONLY

    cycle = replace(make_cycle(store), calendar_of=calendar_of)
    (outcome,) = cycle.sweep(Stage.INFORMATION_GATHERING, at_home, ["G1"])
    assert outcome.status in ("decided", "quiet")
    assert [one.utcoffset() for one in seen] == [timedelta(0)]


def test_a_busy_project_is_asked_once_more_when_the_others_are_done(store: SqlStore, sqlite_url: str) -> None:
    with ExitStack() as other, SqlStore.open(sqlite_url) as elsewhere:
        other.enter_context(elsewhere.deciding("G1", Stage.COMMUNICATION, AT))

        def refs() -> Iterator[str]:
            yield "G1"
            other.close()
            yield "G2"

        outcomes = list(make_cycle(store).sweep(Stage.IDENTIFICATION, AT, refs()))
    assert [(one.project_ref, one.status) for one in outcomes] == [("G2", "decided"), ("G1", "decided")]


def test_a_busy_project_is_waited_for(store: SqlStore, sqlite_url: str) -> None:
    with ExitStack() as other, SqlStore.open(sqlite_url) as elsewhere:
        other.enter_context(elsewhere.deciding("G1", Stage.COMMUNICATION, AT))
        looks: list[datetime] = []

        def clock() -> datetime:
            if len(looks) == 4:
                other.close()
            looks.append(AT + len(looks) * TICK)
            return looks[-1]

        cycle = replace(make_cycle(store), clock=clock)
        (outcome,) = cycle.sweep(Stage.IDENTIFICATION, AT, ["G1"])
    assert outcome.status == "decided"


def test_a_project_that_stays_busy_is_told_as_busy(store: SqlStore, sqlite_url: str) -> None:
    with SqlStore.open(sqlite_url) as elsewhere, elsewhere.deciding("G1", Stage.COMMUNICATION, AT):
        (outcome,) = make_cycle(store).sweep(Stage.IDENTIFICATION, AT, ["G1"])
    assert (outcome.status, outcome.error) == ("busy", "")


async def test_what_waits_is_sent_once(store: SqlStore) -> None:
    key, post = post_letter(store), Post()
    cycle = make_cycle(store, mailer=post)
    assert await cycle.dispatch() == Dispatched(sent=1)
    assert await cycle.dispatch(patience=1) == Dispatched()
    assert post.arrived == [key]


async def test_the_letter_of_a_worker_that_died_is_sent_by_one_who_has_the_patience(store: SqlStore) -> None:
    key, post = post_letter(store), Post()
    cycle = make_cycle(store, mailer=post)
    assert len(store.claim("dead", AT, 20, 1.0)) == 1
    assert await cycle.dispatch() == Dispatched()
    assert await cycle.dispatch(patience=0.2) == Dispatched()
    assert await cycle.dispatch(patience=5) == Dispatched(sent=1)
    assert post.arrived == [key]


def test_the_relationship_begins_with_the_first_decision_and_never_after_the_instant_asked_about(
    store: SqlStore,
) -> None:
    cycle = make_cycle(store)
    list(cycle.sweep(Stage.IDENTIFICATION, AT, ["G1"]))
    held, month = store.holdings("G1"), timedelta(days=31)
    assert cycle.dossier(held, AT + month).engaged_on == AT.date()
    assert cycle.dossier(held, AT - month).engaged_on == (AT - month).date()
