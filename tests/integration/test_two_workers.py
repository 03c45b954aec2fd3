"""Two real processes on one database, and one that is killed in the middle."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from pfflow.domain.decision import Decision, Holdings
from pfflow.domain.facts import Facts
from pfflow.domain.ledger import EntryDraft
from pfflow.domain.parties import Contact, Party, PartyKind
from pfflow.domain.project import Project
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld, Receipt
from pfflow.store import SqlStore
from tests.integration.samples import AT, make_firing, make_notice, make_obligation, make_touch

PROJECTS = 200
STAGE = Stage.COMMUNICATION
SPAWN = multiprocessing.get_context("spawn")
PATIENCE = 120
"""Seconds a test waits for a process before it fails."""


def decide(holdings: Holdings) -> Decision:
    """Give one obligation, its firing and its letter, whatever is held: only the store can make it once."""
    ref = holdings.project.project_ref
    key = f"{ref}/report/2026-01-15"
    return Decision(
        project_ref=ref,
        stage=STAGE,
        as_of=AT,
        entries=(EntryDraft(at=AT, stage=STAGE, kind="planned", subject=key),),
        obligations=(make_obligation(key=key, project_ref=ref),),
        firings=(make_firing(obligation_key=key),),
        notices=(make_notice(key=f"{key}/remind/C", project_ref=ref, obligation_key=key, contact_ref="C"),),
    )


def stock(store: SqlStore, projects: int) -> None:
    party = Party(party_ref="P", name="P", kind=PartyKind.LENDER)
    contact = Contact(contact_ref="C", party_ref="P", name="C", email="c@p.example")
    numbered = tuple(Project(project_ref=f"G{number:03}", name="x", sponsor_ref="P") for number in range(projects))
    store.import_facts(Facts(parties=(party,), contacts=(contact,), projects=numbered), AT, "test")


def work(url: str, name: str, ready: Any, results: Connection) -> None:
    """Decide for all projects, coming back to the busy ones, then drain the outbox; report what was done."""
    decided: list[str] = []
    sent: list[str] = []
    with SqlStore.open(url) as store:
        left = list(store.project_refs())
        ready.wait(PATIENCE)
        while left:
            busy = []
            for ref in left:
                with store.deciding(ref, STAGE, AT) as held:
                    if not isinstance(held, NotHeld):
                        held.record(decide(held.holdings))
                        decided.append(ref)
                    elif held.reason == "busy":
                        busy.append(ref)
            left = busy
        while store.letters(status="waiting"):
            claimed = store.claim(name, AT, 5, 60)
            sent.extend(one.message_id for one in claimed)
            store.settle(name, [Receipt(message_id=one.message_id, outcome="sent", at=AT) for one in claimed])
    results.send((decided, sent))
    results.close()


def hold_and_wait(url: str, said: Connection) -> None:
    """Record a decision for G000 and wait inside the hold until killed."""
    with SqlStore.open(url) as store, store.deciding("G000", STAGE, AT) as held:
        assert not isinstance(held, NotHeld)
        held.record(decide(held.holdings))
        said.send("recorded")
        said.recv()


@contextmanager
def running(target: Any, *args: object) -> Iterator[tuple[BaseProcess, Connection]]:
    """Run a function of this module in a process of its own, with a pipe to it as its last argument."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=target, args=(*args, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield process, ours
    finally:
        process.kill()
        process.join(PATIENCE)
        ours.close()


def answer(pipe: Connection) -> Any:
    assert pipe.poll(PATIENCE), "the process said nothing"
    return pipe.recv()


def test_two_workers_decide_each_project_once_and_send_each_letter_once(store: SqlStore, store_url: str) -> None:
    stock(store, PROJECTS)
    ready = SPAWN.Barrier(2)
    with running(work, store_url, "one", ready) as (_, first), running(work, store_url, "two", ready) as (_, second):
        decided_one, sent_one = answer(first)
        decided_two, sent_two = answer(second)
    refs = list(store.project_refs())
    assert sorted(decided_one + decided_two) == refs
    assert sorted(sent_one + sent_two) == [f"{ref}/report/2026-01-15/remind/C" for ref in refs]
    assert [Counter(entry.kind for entry in store.ledger(ref)) for ref in refs] == [
        {"imported": 1, "planned": 1, "sent": 1}
    ] * PROJECTS
    assert {letter.status for letter in store.letters()} == {"sent"}
    assert len(store.obligations()) == PROJECTS
    assert store.verify() == ()


def test_a_worker_killed_in_the_middle_leaves_nothing_and_the_project_free(store: SqlStore, store_url: str) -> None:
    stock(store, 2)
    with running(hold_and_wait, store_url) as (process, pipe):
        assert answer(pipe) == "recorded"
        process.kill()
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
    _wait_for_other_sessions_to_end(store_url)
    assert (store.obligations(), store.letters(), len(store.ledger("G000"))) == ((), (), 1)
    assert store.verify() == ()
    with store.deciding("G000", STAGE, AT) as held:
        assert not isinstance(held, NotHeld)
        assert held.holdings.engaged_at is None
        assert held.record(decide(held.holdings)).notices == 1
    assert len(store.letters()) == 1


def test_the_letters_of_a_worker_killed_while_sending_go_to_another_when_its_claim_ends(store: SqlStore) -> None:
    stock(store, 1)
    with store.deciding("G000", STAGE, AT) as held:
        assert not isinstance(held, NotHeld)
        held.record(decide(held.holdings))
    assert len(store.claim("killed", AT, 5, 30)) == 1
    assert store.claim("next", AT + timedelta(seconds=29), 5, 30) == ()
    assert len(store.claim("next", AT + timedelta(seconds=30), 5, 30)) == 1


@pytest.mark.postgresql
def test_importing_waits_for_who_decides_and_a_project_is_never_decided_on_half_an_import(
    empty_postgres_url: str,
) -> None:
    with SqlStore.open(empty_postgres_url) as store:
        stock(store, 2)
        with running(hold_and_wait, empty_postgres_url) as (_, pipe):
            assert answer(pipe) == "recorded"
            with running(import_a_change, empty_postgres_url) as (_, importer):
                assert answer(importer) == "begins"
                assert not importer.poll(1), "the import did not wait for the hold to end"
                pipe.send("go on")
                assert answer(importer) == 1
        with store.deciding("G000", STAGE, AT) as held:
            assert not isinstance(held, NotHeld)  # decided on the facts before, and to be decided on those after
            assert held.holdings.project.sector == "road"


@pytest.mark.postgresql
def test_settling_waits_to_append_to_a_ledger_that_a_decision_is_appending_to(empty_postgres_url: str) -> None:
    with SqlStore.open(empty_postgres_url) as store:
        stock(store, 1)
        with store.deciding("G000", STAGE, AT - timedelta(hours=1)) as held:
            assert not isinstance(held, NotHeld)
            notice = make_notice(key="first", project_ref="G000", contact_ref="C")
            held.record(Decision(project_ref="G000", stage=STAGE, as_of=AT - timedelta(hours=1), notices=(notice,)))
        with (
            running(hold_and_wait, empty_postgres_url) as (_, holder),
            running(send_what_waits, empty_postgres_url) as (_, sender),
        ):
            assert answer(holder) == "recorded"
            sender.send("go on")
            assert answer(sender) == ["first"]
            assert not sender.poll(1), "the letter was settled beside the decision"
            holder.send("go on")
            assert answer(sender) == "settled"
        assert [entry.kind for entry in store.ledger("G000")] == ["imported", "planned", "sent"]
        assert store.verify() == ()


@pytest.mark.postgresql
def test_one_touch_reported_by_two_at_once_is_written_once(empty_postgres_url: str) -> None:
    with SqlStore.open(empty_postgres_url) as store:
        stock(store, 1)
        ready = SPAWN.Barrier(2)
        with (
            running(report_touches, empty_postgres_url, ready) as (_, first),
            running(report_touches, empty_postgres_url, ready) as (_, second),
        ):
            assert answer(first) + answer(second) == 100
        assert len(store.facts().interactions) == 100
        assert len(store.ledger("G000")) == 101
        assert store.verify() == ()


def send_what_waits(url: str, said: Connection) -> None:
    with SqlStore.open(url) as store:
        said.recv()
        claimed = store.claim("sender", AT, 5, 60)
        said.send([one.message_id for one in claimed])
        store.settle("sender", [Receipt(message_id=one.message_id, outcome="sent", at=AT) for one in claimed])
        said.send("settled")


def report_touches(url: str, ready: Any, said: Connection) -> None:
    """Report the same hundred touches as everybody else; say how many were new."""
    with SqlStore.open(url) as store:
        ready.wait(PATIENCE)
        touches = (make_touch(ext_id=f"T{number}", project_ref="G000") for number in range(100))
        said.send(sum(store.report_touch(touch, "portal", AT) for touch in touches))


def import_a_change(url: str, said: Connection) -> None:
    with SqlStore.open(url) as store:
        said.send("begins")
        changed = Project(project_ref="G000", name="x", sponsor_ref="P", sector="road")
        said.send(store.import_facts(Facts(projects=(changed,)), AT, "test"))


def _wait_for_other_sessions_to_end(url: str) -> None:
    """Wait until PostgreSQL has seen that the killed process is gone; SQLite's lock went with the process."""
    if url.startswith("sqlite"):
        return
    engine = create_engine(url)
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
    )
    with engine.connect() as connection:
        for _ in range(PATIENCE * 100):
            if connection.execute(others).scalar_one() == 0:
                break
            connection.execute(text("SELECT pg_sleep(0.01)"))
    engine.dispose()
