from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError

from pfflow.domain.decision import Conclusion, Decision
from pfflow.domain.facts import Facts
from pfflow.domain.ledger import EntryDraft
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.project import Project
from pfflow.domain.words import Stage, Words
from pfflow.ports import NotHeld, Receipt, Recorded
from pfflow.store import DecisionMismatchError, SqlStore, UnknownProjectError
from pfflow.store.engine import open_engines
from tests.integration.samples import AT, FACTS, make_firing, make_notice, make_obligation, make_touch

LATER = AT + timedelta(days=1)
COMMUNICATION = Stage.COMMUNICATION


def make_decision(**changes: Any) -> Decision:
    decision = Decision(
        project_ref="G1",
        stage=COMMUNICATION,
        as_of=AT,
        entries=(
            EntryDraft(at=AT, stage=COMMUNICATION, kind="planned", subject="G1/report/2026-01-15", data={"on": 1}),
        ),
        obligations=(make_obligation(),),
        firings=(make_firing(),),
        notices=(make_notice(),),
        conclusions=(Conclusion(stage=COMMUNICATION, subject="party/BANK", value={"好": [1, None]}, concluded_at=AT),),
    )
    return replace(decision, **changes)


def record(store: SqlStore, decision: Decision) -> Recorded | str:
    with store.deciding(decision.project_ref, decision.stage, decision.as_of) as held:
        return held.reason if isinstance(held, NotHeld) else held.record(decision)


def record_under_g1(store: SqlStore, *decisions: Decision, then: Exception | None = None) -> None:
    """Record decisions under a hold of G1 for communication; then leave it with an exception, if one is given."""
    with store.deciding("G1", COMMUNICATION, AT) as held:
        assert not isinstance(held, NotHeld)
        for decision in decisions:
            held.record(decision)
        if then:
            raise then


@pytest.fixture
def stocked(store: SqlStore) -> SqlStore:
    store.import_facts(FACTS, AT, "test")
    return store


def test_a_project_nothing_was_decided_for_holds_its_facts_and_nothing_else(stocked: SqlStore) -> None:
    with stocked.deciding("G1", COMMUNICATION, AT) as held:
        assert not isinstance(held, NotHeld)
        holdings = held.holdings
    assert holdings.project == FACTS.projects[0]
    assert holdings.facts == stocked.facts("G1")
    assert (holdings.obligations, holdings.firings, holdings.conclusions, holdings.engaged_at) == ({}, {}, {}, None)


def test_what_was_recorded_is_held_by_the_next_who_decides(stocked: SqlStore) -> None:
    decision = make_decision()
    assert record(stocked, decision) == Recorded(obligations=1, firings=1, notices=1, entries=1)
    with stocked.deciding("G1", Stage.EVALUATION, LATER) as held:
        assert not isinstance(held, NotHeld)
        holdings = held.holdings
    assert tuple(holdings.obligations.values()) == decision.obligations
    assert holdings.firings == {("G1/report/2026-01-15", "remind-1bd-responsible"): decision.firings[0]}
    assert holdings.conclusions == {(COMMUNICATION, "party/BANK"): decision.conclusions[0]}
    assert holdings.engaged_at == AT
    assert [letter.notice for letter in stocked.letters()] == list(decision.notices)
    assert [entry.kind for entry in stocked.ledger("G1")] == ["imported", "planned"]
    assert stocked.verify() == ()


def test_what_is_held_may_be_read_without_a_hold(stocked: SqlStore) -> None:
    record(stocked, make_decision())
    with stocked.deciding("G1", Stage.EVALUATION, LATER) as held:
        assert not isinstance(held, NotHeld)
        assert stocked.holdings("G1") == held.holdings
    with pytest.raises(UnknownProjectError):
        stocked.holdings("G9")


def test_the_same_again_adds_nothing_but_what_is_said_of_it(stocked: SqlStore) -> None:
    record(stocked, make_decision())
    again = make_decision(as_of=LATER, entries=())
    assert record(stocked, again) == Recorded()
    assert len(stocked.letters()) == 1
    assert len(stocked.ledger("G1")) == 2


def test_a_firing_and_a_letter_stay_as_they_were_first_recorded(stocked: SqlStore) -> None:
    record(stocked, make_decision())
    other = make_decision(
        as_of=LATER,
        firings=(make_firing(outcome="skipped"),),
        notices=(make_notice(template="communication/report"),),
        entries=(),
    )
    assert record(stocked, other) == Recorded()
    assert [letter.notice.template for letter in stocked.letters()] == ["communication/reminder"]


def test_an_obligation_that_changed_is_updated(stocked: SqlStore) -> None:
    record(stocked, make_decision())
    done = make_obligation().moved_to(Status.WAIVED, at=LATER, by="C-OPS", because="agreed")
    changed = make_decision(as_of=LATER, obligations=(done,), firings=(), notices=(), entries=(), conclusions=())
    assert record(stocked, changed) == Recorded(obligations=1)
    assert stocked.obligations() == (done,)
    assert stocked.obligations(status=Status.PLANNED) == ()
    assert stocked.obligations("G2") == ()
    assert stocked.obligations("G1", Status.WAIVED) == (done,)


def test_a_stage_decides_once_for_an_instant_even_when_it_is_quiet(stocked: SqlStore) -> None:
    quiet = Decision(project_ref="G1", stage=COMMUNICATION, as_of=AT)
    assert record(stocked, quiet) == Recorded()
    assert record(stocked, quiet) == "unchanged"
    assert record(stocked, replace(quiet, as_of=AT - timedelta(seconds=1))) == "past"
    assert record(stocked, replace(quiet, as_of=AT + timedelta(microseconds=1))) == Recorded()


def test_each_stage_has_its_own_mark_and_each_project_too(stocked: SqlStore) -> None:
    for ref in ("G1", "G2"):
        for stage in Stage:
            assert record(stocked, Decision(project_ref=ref, stage=stage, as_of=AT)) == Recorded()


def test_what_one_stage_records_does_not_make_another_decide_again(stocked: SqlStore) -> None:
    quiet = Decision(project_ref="G1", stage=Stage.IDENTIFICATION, as_of=AT)
    record(stocked, quiet)
    record(stocked, make_decision())
    assert record(stocked, quiet) == "unchanged"


def test_new_facts_let_a_stage_decide_again_for_the_same_instant(stocked: SqlStore) -> None:
    quiet = Decision(project_ref="G1", stage=COMMUNICATION, as_of=AT)
    record(stocked, quiet)
    stocked.report_touch(make_touch(), "portal", AT)
    assert record(stocked, quiet) == Recorded()
    stocked.adopt_playbook("playbook: x", "x", 1, AT, "C-OPS")
    assert record(stocked, quiet) == Recorded()
    assert record(stocked, quiet) == "unchanged"


def test_a_hold_under_which_nothing_was_recorded_leaves_no_mark(stocked: SqlStore) -> None:
    with stocked.deciding("G1", COMMUNICATION, AT):
        pass
    assert record(stocked, make_decision()) == Recorded(obligations=1, firings=1, notices=1, entries=1)


def test_an_exception_inside_the_hold_takes_everything_back(stocked: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError):
        record_under_g1(stocked, make_decision(), then=ZeroDivisionError())
    assert (stocked.obligations(), stocked.letters(), len(stocked.ledger("G1"))) == ((), (), 1)
    assert stocked.projects()[0].engaged_at is None
    assert stocked.verify() == ()


def test_the_first_instant_stays_the_beginning_of_the_relationship(stocked: SqlStore) -> None:
    record(stocked, Decision(project_ref="G1", stage=COMMUNICATION, as_of=AT))
    record(stocked, Decision(project_ref="G1", stage=COMMUNICATION, as_of=LATER))
    assert [line.engaged_at for line in stocked.projects()] == [AT, None]


def test_a_project_nobody_registered_is_an_error(stocked: SqlStore) -> None:
    with pytest.raises(UnknownProjectError, match="G9"), stocked.deciding("G9", COMMUNICATION, AT):
        pass


@pytest.mark.parametrize(
    "stranger",
    [
        make_decision(project_ref="G2"),
        make_decision(stage=Stage.EVALUATION),
        make_decision(as_of=LATER),
        make_decision(obligations=(make_obligation(project_ref="G2"),)),
        make_decision(notices=(make_notice(project_ref="G2"),)),
    ],
)
def test_a_decision_of_something_else_is_refused(stocked: SqlStore, stranger: Decision) -> None:
    with pytest.raises(DecisionMismatchError):
        record_under_g1(stocked, stranger)
    assert stocked.obligations() == ()


def test_one_hold_takes_one_decision(stocked: SqlStore) -> None:
    with pytest.raises(DecisionMismatchError, match="already"):
        record_under_g1(stocked, make_decision(), make_decision())
    assert stocked.obligations() == ()


def test_a_rung_of_an_obligation_nobody_has_is_refused_by_the_database(stocked: SqlStore) -> None:
    with pytest.raises(IntegrityError):
        record(stocked, make_decision(obligations=()))
    assert stocked.letters() == ()


def test_the_database_itself_has_one_row_for_an_obligation_and_rung(stocked: SqlStore, store_url: str) -> None:
    record(stocked, make_decision())
    engine = create_engine(store_url)
    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.exec_driver_sql("INSERT INTO firing SELECT * FROM firing")
    engine.dispose()


@pytest.mark.postgresql
def test_a_project_that_is_held_is_busy_for_others_and_its_neighbour_is_not(empty_postgres_url: str) -> None:
    with SqlStore.open(empty_postgres_url) as store, SqlStore.open(empty_postgres_url) as other:
        store.import_facts(FACTS, AT, "test")
        with store.deciding("G1", COMMUNICATION, AT):
            assert record(other, make_decision()) == "busy"
            assert record(other, make_decision(stage=Stage.EVALUATION)) == "busy"
            assert record(other, Decision(project_ref="G2", stage=COMMUNICATION, as_of=AT)) == Recorded()
        assert record(other, make_decision()) == Recorded(obligations=1, firings=1, notices=1, entries=1)


@pytest.mark.postgresql
def test_settling_letters_does_not_wait_for_who_decides_for_their_project(empty_postgres_url: str) -> None:
    with SqlStore.open(empty_postgres_url) as store, SqlStore.open(empty_postgres_url) as other:
        store.import_facts(FACTS, AT, "test")
        record(store, make_decision())
        with store.deciding("G1", Stage.EVALUATION, AT) as held:
            assert not isinstance(held, NotHeld)
            (claimed,) = other.claim("w", AT, 1, 60)
            other.settle("w", [Receipt(message_id=claimed.message_id, outcome="sent", at=AT)])
            held.record(Decision(project_ref="G1", stage=Stage.EVALUATION, as_of=AT))


def test_sqlite_that_stays_locked_is_busy(sqlite_url: str) -> None:
    with SqlStore.open(sqlite_url) as store, SqlStore(open_engines(sqlite_url, busy_seconds=0.01)) as other:
        store.import_facts(FACTS, AT, "test")
        with store.deciding("G1", COMMUNICATION, AT):
            assert record(other, make_decision()) == "busy"
            assert other.obligations() == ()  # who reads waits for nobody


def test_a_writer_that_comes_back_at_once_leaves_sqlite_to_others(sqlite_url: str) -> None:
    turns, over = [], Event()
    # SQLite's own waiting let the other have ten turns in anything up to a thousand of these.
    with SqlStore.open(sqlite_url) as store, SqlStore.open(sqlite_url) as other:
        store.import_facts(FACTS, AT, "test")

        def write_on() -> None:
            while not over.is_set():
                with store.deciding("G1", COMMUNICATION, AT, again=True):
                    time.sleep(0.01)  # noqa: TID251 - a decision that takes its time
                turns.append("mine")

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(write_on)
            for _ in range(10):
                other.claim("w", AT, 1, 60)
                turns.append("theirs")
            over.set()
            writing.result()
    assert turns.count("mine") < 100


def test_projects_are_listed_with_what_is_owed_and_what_waits(stocked: SqlStore) -> None:
    soon, done = (
        make_obligation(key="G1/a", due_at=LATER),
        make_obligation(key="G1/b", due_at=AT, status=Status.FULFILLED),
    )
    record(stocked, make_decision(obligations=(make_obligation(), soon, done)))
    first, second = stocked.projects()
    assert (first.project_ref, first.name_zh, first.live, first.next_due_at) == ("G1", "高速公路", 2, LATER)
    assert (first.letters_waiting, first.entries, first.version, first.engaged_at) == (1, 2, 1, AT)
    assert (first.next_provisional, second.next_provisional) == (False, False)
    assert (second.project_ref, second.live, second.next_due_at, second.letters_waiting) == ("G2", 0, None, 0)
    assert [one.key for one in stocked.obligations()] == ["G1/b", "G1/a", "G1/report/2026-01-15"]


@pytest.mark.parametrize("first_of_all", [True, False])
def test_the_overview_says_whether_the_next_date_is_provisional(stocked: SqlStore, *, first_of_all: bool) -> None:
    sure = make_obligation(key="G1/sure", due_at=AT if not first_of_all else LATER)
    unsure = make_obligation(key="G1/unsure", due_at=LATER if not first_of_all else AT, provisional=True)
    record(stocked, make_decision(obligations=(make_obligation(), sure, unsure)))
    assert stocked.projects()[0].next_provisional is first_of_all


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
details: st.SearchStrategy[Mapping[str, Any]] = st.dictionaries(texts, values, max_size=3)
obligations = st.builds(
    Obligation,
    key=st.just("H/obligation"),
    project_ref=st.just("H"),
    stage=st.sampled_from(Stage),
    kind=st.sampled_from(ObligationKind),
    title=st.builds(Words, zh=texts, en=texts),
    due_at=instants,
    due_on=days,
    unadjusted_on=days,
    timezone=texts,
    ladder=texts,
    activity=texts,
    debtor=texts,
    creditor=texts,
    subject=texts,
    template=texts,
    content=texts,
    period_start=st.none() | days,
    period_end=st.none() | days,
    provisional=st.booleans(),
    minutes=st.integers(0, 600),
    sequence=st.integers(0, 2**31),
    status=st.sampled_from(Status),
    held_until=st.none() | instants,
    closed_at=st.none() | instants,
    closed_by=texts,
    closed_because=texts,
    details=details,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(obligation=obligations, data=details)
def test_any_obligation_and_conclusion_come_back_as_they_were(
    store: SqlStore, obligation: Obligation, data: Mapping[str, Any]
) -> None:
    store.import_facts(Facts(projects=(Project(project_ref="H", name="h"),)), AT, "test")
    version = len(store.ledger("H"))
    as_of = AT + timedelta(minutes=version)
    conclusion = Conclusion(stage=COMMUNICATION, subject="s", value=data)
    draft = EntryDraft(at=as_of, stage=COMMUNICATION, kind="planned", subject="s", data=data)
    decision = Decision(
        project_ref="H",
        stage=COMMUNICATION,
        as_of=as_of,
        obligations=(obligation,),
        conclusions=(conclusion,),
        entries=(draft,),
    )
    record(store, decision)
    with store.deciding("H", COMMUNICATION, as_of + timedelta(seconds=1)) as held:
        assert not isinstance(held, NotHeld)
        assert held.holdings.obligations == {obligation.key: obligation}
        assert held.holdings.conclusions == {(COMMUNICATION, "s"): conclusion}
    assert store.verify() == ()
