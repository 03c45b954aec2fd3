from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from pfflow.domain.decision import Decision
from pfflow.domain.notices import Attendee, Invitation, Method, Notice
from pfflow.domain.obligations import Status
from pfflow.domain.reports import CellKind, Column, Figure, Report, Table
from pfflow.domain.trouble import Trouble
from pfflow.domain.words import Stage, Words
from pfflow.ports import NotHeld, Receipt
from pfflow.store import Deliveries, SqlStore
from tests.integration.samples import AT, FACTS, make_notice, make_obligation

SECOND = timedelta(seconds=1)


def post(store: SqlStore, *notices: Notice, as_of: datetime = AT) -> None:
    with store.deciding("G1", Stage.COMMUNICATION, as_of) as held:
        assert not isinstance(held, NotHeld)
        held.record(Decision(project_ref="G1", stage=Stage.COMMUNICATION, as_of=as_of, notices=notices))


def numbered(number: int, **changes: Any) -> Notice:
    return make_notice(key=f"G1/o/r/{number}", noticed_at=AT + number * SECOND, **changes)


def receipt(number: int, outcome: str, **changes: Any) -> Receipt:
    return replace(Receipt(message_id=f"G1/o/r/{number}", outcome=outcome, at=AT), **changes)


def claimed_ids(
    store: SqlStore, worker: str = "w", now: datetime = AT, limit: int = 10, seconds: float = 60
) -> list[str]:
    return [one.message_id for one in store.claim(worker, now, limit, seconds)]


@pytest.fixture
def stocked(store: SqlStore) -> SqlStore:
    """Three letters wait, the third was noticed last and posted first."""
    store.import_facts(FACTS, AT, "test")
    post(store, numbered(3), numbered(1), numbered(2))
    return store


def test_letters_are_claimed_oldest_first_with_whom_they_are_for(stocked: SqlStore) -> None:
    first, second = stocked.claim("w", AT, 2, 60)
    assert (first.message_id, second.message_id) == ("G1/o/r/1", "G1/o/r/2")
    assert first.notice == numbered(1)
    assert first.contact == FACTS.contacts[0]
    assert (first.attempts, first.until) == (0, AT + timedelta(seconds=60))


def test_a_claimed_letter_is_not_given_to_another_until_its_claim_ends(stocked: SqlStore) -> None:
    assert claimed_ids(stocked, "w", limit=2) == ["G1/o/r/1", "G1/o/r/2"]
    assert claimed_ids(stocked, "v", now=AT + 59 * SECOND) == ["G1/o/r/3"]
    assert claimed_ids(stocked, "v", now=AT + 60 * SECOND) == ["G1/o/r/1", "G1/o/r/2"]


def test_a_sent_letter_is_in_the_ledger_with_the_digest_of_what_left(stocked: SqlStore) -> None:
    claimed_ids(stocked, limit=1)
    stocked.settle("w", [receipt(1, "sent", digest="ab" * 32, response="250 ok <wang@bank.example>")])
    (letter,) = stocked.letters(status="sent")
    assert (letter.message_id, letter.sent_at, letter.attempts) == ("G1/o/r/1", AT, 1)
    assert (letter.digest, letter.last_response) == ("ab" * 32, "250 ok <wang@bank.example>")
    assert (letter.claimed_by, letter.claimed_until) == (None, None)
    entry = stocked.ledger("G1")[-1]
    assert (entry.stage, entry.kind, entry.subject) == ("delivery", "sent", "G1/o/r/1")
    assert "ab" * 32 in entry.data
    assert "wang@bank.example" not in entry.data
    assert stocked.verify() == ()
    assert claimed_ids(stocked, now=AT + 100 * SECOND) == ["G1/o/r/2", "G1/o/r/3"]


@pytest.mark.parametrize(("outcome", "attempts"), [("held", 0), ("failed", 1)])
def test_a_letter_that_did_not_leave_says_so_and_is_not_tried_again(
    stocked: SqlStore, outcome: str, attempts: int
) -> None:
    claimed_ids(stocked, limit=1)
    stocked.settle("w", [receipt(1, outcome, response="550 no such user")])
    letter = stocked.letters("G1")[0]
    assert (letter.status, letter.attempts, letter.sent_at) == (outcome, attempts, None)
    assert letter.last_response == "550 no such user"
    assert stocked.ledger("G1")[-1].kind == {"held": "withheld", "failed": "failed"}[outcome]
    assert claimed_ids(stocked, now=AT + 100 * SECOND) == ["G1/o/r/2", "G1/o/r/3"]


def test_letters_held_back_wait_again_once_somebody_lets_them_go(stocked: SqlStore) -> None:
    claimed_ids(stocked, limit=1)
    stocked.settle("w", [receipt(1, "held", response="the stop switch is on")])
    assert stocked.release("failed", "C-1", AT) == 0
    assert stocked.release("held", "C-1", AT) == 1
    entry = stocked.ledger("G1")[-1]
    assert (entry.kind, entry.subject, entry.data) == ("released", "G1/o/r/1", '{"by":"C-1","was":"held"}')
    assert "G1/o/r/1" in claimed_ids(stocked, now=AT + 100 * SECOND)
    assert stocked.verify() == ()


def test_a_letter_to_be_tried_again_waits_for_its_instant_without_an_entry(stocked: SqlStore) -> None:
    claimed_ids(stocked, limit=1)
    stocked.settle("w", [receipt(1, "retry", response="451 later", retry_at=AT + 90 * SECOND)])
    letter = stocked.letters(status="waiting")[0]
    assert (letter.attempts, letter.next_try_at, letter.last_response) == (1, AT + 90 * SECOND, "451 later")
    assert len(stocked.ledger("G1")) == 1
    assert claimed_ids(stocked, "v", now=AT + 89 * SECOND) == ["G1/o/r/2", "G1/o/r/3"]
    (again,) = stocked.claim("v", AT + 90 * SECOND, 10, 60)
    assert (again.message_id, again.attempts) == ("G1/o/r/1", 1)


def test_a_receipt_for_a_letter_another_has_taken_since_changes_nothing(stocked: SqlStore) -> None:
    claimed_ids(stocked, "slow", limit=1, seconds=1)
    claimed_ids(stocked, "quick", now=AT + SECOND, limit=1)
    stocked.settle("slow", [receipt(1, "failed")])
    assert stocked.letters(status="failed") == ()
    stocked.settle("quick", [receipt(1, "sent")])
    stocked.settle("quick", [receipt(1, "sent")])
    assert [entry.kind for entry in stocked.ledger("G1")] == ["imported", "sent"]


def test_a_claim_that_ended_and_nobody_took_over_still_settles(stocked: SqlStore) -> None:
    claimed_ids(stocked, limit=1, seconds=1)
    stocked.settle("w", [receipt(1, "sent", at=AT + 5 * SECOND)])
    assert [letter.sent_at for letter in stocked.letters(status="sent")] == [AT + 5 * SECOND]


def test_an_outcome_nobody_knows_is_an_error_and_settles_nothing(stocked: SqlStore) -> None:
    claimed_ids(stocked)
    with pytest.raises(ValueError, match="'lost' is no outcome"):
        stocked.settle("w", [receipt(1, "sent"), receipt(2, "lost")])
    assert len(stocked.letters(status="waiting")) == 3


def test_a_letter_to_somebody_who_is_gone_fails_with_the_reason_in_the_ledger(store: SqlStore) -> None:
    store.import_facts(FACTS, AT, "test")
    post(store, numbered(1, contact_ref="C-GONE"), numbered(2))
    assert claimed_ids(store, limit=1) == ["G1/o/r/2"]
    (letter,) = store.letters(status="failed")
    assert (letter.message_id, letter.last_response) == ("G1/o/r/1", "contact C-GONE is not registered any more")
    entry = store.ledger("G1")[-1]
    assert (entry.kind, entry.subject) == ("failed", "G1/o/r/1")
    assert '"because":"contact C-GONE is not registered any more"' in entry.data
    assert store.verify() == ()


def test_waiting_counts_what_may_go_now_and_says_when_more_may(stocked: SqlStore) -> None:
    assert stocked.waiting(AT) == (3, None)
    claimed_ids(stocked, limit=2, seconds=30)
    assert stocked.waiting(AT) == (1, AT + 30 * SECOND)
    stocked.settle("w", [receipt(1, "retry", retry_at=AT + 20 * SECOND), receipt(2, "sent")])
    assert stocked.waiting(AT) == (1, AT + 20 * SECOND)
    assert claimed_ids(stocked, now=AT + 20 * SECOND, seconds=30) == ["G1/o/r/1", "G1/o/r/3"]
    assert stocked.waiting(AT + 20 * SECOND) == (0, AT + 50 * SECOND)
    stocked.settle("w", [receipt(1, "sent"), receipt(3, "held")])
    assert stocked.waiting(AT + 20 * SECOND) == (0, None)


def test_nothing_to_claim_is_no_letters(store: SqlStore) -> None:
    assert store.claim("w", AT, 10, 60) == ()
    assert store.waiting(AT) == (0, None)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=10)
words = st.builds(Words, zh=texts, en=texts)
instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
invitations = st.builds(
    Invitation,
    uid=texts,
    sequence=st.integers(0, 2**31),
    method=st.sampled_from(Method),
    starts_at=instants,
    ends_at=instants,
    timezone=texts,
    summary=words,
    description=words,
    organizer_name=words,
    organizer_email=texts,
    attendees=st.lists(st.builds(Attendee, texts, texts, texts), max_size=2).map(tuple),
    location=words,
)
tables = st.builds(
    Table,
    name=texts,
    title=words,
    columns=st.lists(st.builds(Column, words, st.sampled_from(CellKind)), max_size=2).map(tuple),
    rows=st.lists(st.lists(st.none() | texts | words, max_size=3).map(tuple), max_size=2).map(tuple),
    note=words,
)
figures = st.builds(Figure, label=words, value=texts, kind=st.sampled_from(CellKind), unit=texts)
reports = st.builds(
    Report,
    name=texts,
    title=words,
    figures=st.lists(figures, max_size=2).map(tuple),
    tables=st.lists(tables, max_size=2).map(tuple),
    paragraphs=st.lists(words, max_size=2).map(tuple),
    sources=st.lists(texts, max_size=2).map(tuple),
)
contexts = st.dictionaries(
    texts, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts | st.lists(texts), max_size=3
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(context=contexts, invitation=st.none() | invitations, report=st.none() | reports, at=instants, reply=texts)
def test_any_notice_comes_out_of_the_outbox_as_it_went_in(
    *,
    store: SqlStore,
    context: dict[str, Any],
    invitation: Invitation | None,
    report: Report | None,
    at: datetime,
    reply: str,
) -> None:
    store.import_facts(FACTS, AT, "test")
    number = len(store.letters())
    notice = make_notice(
        key=f"H/{number}", context=context, invitation=invitation, report=report, noticed_at=at, in_reply_to=reply
    )
    post(store, notice, as_of=AT + number * SECOND)
    (claimed,) = store.claim("w", AT, 1, 1e9)
    assert claimed.notice == notice


@pytest.mark.parametrize(
    ("column", "stored"),
    [
        ("invitation", '{"uid": "half an invitation"}'),
        ("report", '{"name": 7}'),
        ("context", '["no", "mapping"]'),
        ("context", '{"cut off'),
    ],
)
def test_a_letter_that_no_longer_reads_fails_alone_and_is_still_listed(
    sqlite_url: str, column: str, stored: str
) -> None:
    with SqlStore.open(sqlite_url) as store:
        store.import_facts(FACTS, AT, "test")
        post(store, numbered(1), numbered(2), numbered(3))
        spoil(sqlite_url, column, stored, "G1/o/r/2")
        assert claimed_ids(store) == ["G1/o/r/1", "G1/o/r/3"]
        (letter,) = store.letters(status="failed")
        assert (letter.message_id, letter.trouble) == ("G1/o/r/2", Trouble.UNREADABLE)
        assert letter.last_response == "what was stored of the letter does not read any more"
        assert len(store.letters()) == 3
        assert (store.ledger("G1")[-1].kind, store.verify()) == ("failed", ())


def test_a_mail_goes_on_under_its_id_without_the_letter_that_no_longer_reads(sqlite_url: str) -> None:
    """The first attempt may have arrived, so what is left of it keeps the Message-ID."""
    with SqlStore.open(sqlite_url) as store:
        store.import_facts(FACTS, AT, "test")
        post(store, *(replace(numbered(number), merges_with="notices") for number in (1, 2, 3)))
        (whole,) = claimed_ids(store)
        store.settle("w", [Receipt(message_id=whole, outcome="retry", at=AT, retry_at=AT)])
        spoil(sqlite_url, "context", '{"cut off', "G1/o/r/1")
        (mail,) = store.claim("w", AT + SECOND, 20, 60)
        assert (mail.message_id, mail.notice.key) == (whole, "G1/o/r/2")
        assert [one.key for one in mail.merged] == ["G1/o/r/3"]
        assert [one.notice.key for one in store.letters(status="failed")] == ["G1/o/r/1"]


def test_a_letter_that_somebody_died_with_goes_alone_though_it_was_left_since(sqlite_url: str) -> None:
    """It may have arrived alone, and under another Message-ID it would arrive twice."""
    with SqlStore.open(sqlite_url) as store:
        store.import_facts(FACTS, AT, "test")
        post(store, replace(numbered(1), merges_with="notices"))
        for worker, at in (("died", AT), ("left", AT + 100 * SECOND)):
            (alone,) = store.claim(worker, at, 20, 60)
            assert alone.message_id == "G1/o/r/1"
        store.settle("left", [Receipt(message_id="G1/o/r/1", outcome="left", at=AT + 101 * SECOND)])
        post(store, *(replace(numbered(number), merges_with="notices") for number in (2, 3)), as_of=AT + SECOND)
        first, together = store.claim("w", AT + 102 * SECOND, 20, 60)
        assert (first.message_id, first.merged) == ("G1/o/r/1", ())
        assert [together.notice.key, *(one.key for one in together.merged)] == ["G1/o/r/2", "G1/o/r/3"]


def spoil(url: str, column: str, stored: str, key: str) -> None:
    statement = f"UPDATE letter SET {column} = :stored WHERE key = :key"  # noqa: S608 - a column named by a test
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement), {"stored": stored, "key": key})
    engine.dispose()


def test_a_letter_that_our_own_fault_keeps_back_counts_no_attempt_and_says_since_when(stocked: SqlStore) -> None:
    for minute in (0, 5):
        now = AT + minute * 60 * SECOND
        claimed_ids(stocked, now=now, limit=1)
        again = receipt(1, "retry", at=now, retry_at=now + 300 * SECOND, trouble=Trouble.OURS)
        stocked.settle("w", [again])
    (kept,) = stocked.holdings("G1").undelivered
    assert (kept.key, kept.trouble, kept.since, kept.kept) == ("G1/o/r/1", Trouble.OURS, AT, True)
    assert stocked.letters()[0].attempts == 0
    claimed_ids(stocked, now=AT + 600 * SECOND, limit=1)
    stocked.settle("w", [receipt(1, "sent")])
    assert stocked.holdings("G1").undelivered == ()


def test_a_failed_letter_is_told_to_whoever_decides_until_it_is_let_go(stocked: SqlStore) -> None:
    claimed_ids(stocked)
    stocked.settle("w", [receipt(1, "failed", trouble=Trouble.RECIPIENT), receipt(2, "failed"), receipt(3, "held")])
    told = [(one.key, one.trouble, one.since) for one in stocked.holdings("G1").undelivered]
    assert told == [("G1/o/r/1", Trouble.RECIPIENT, AT), ("G1/o/r/2", Trouble.UNKNOWN, AT)]
    assert '"because":"recipient"' in stocked.ledger("G1")[-3].data
    stocked.release("failed", "C-1", AT)
    assert stocked.holdings("G1").undelivered == ()
    assert stocked.holdings("G2").undelivered == ()


def test_looking_for_what_did_not_arrive_costs_a_quiet_project_one_look_at_an_index(store_url: str) -> None:
    asked = "SELECT key FROM letter WHERE project_ref = 'G1' AND trouble IS NOT NULL"
    engine = create_engine(store_url)
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            steps = connection.execute(text(f"EXPLAIN QUERY PLAN {asked}")).all()
        else:
            connection.execute(text("SET enable_seqscan = off"))
            steps = connection.execute(text(f"EXPLAIN {asked}")).all()
    engine.dispose()
    assert "ix_letter_undelivered" in str(steps)


def test_what_waits_when_its_obligation_is_cancelled_is_withheld_and_the_cancellation_goes(store: SqlStore) -> None:
    store.import_facts(FACTS, AT, "test")
    owed = make_obligation(key="G1/o")
    invitation = numbered(1, obligation_key="G1/o", template="communication/invitation")
    said = numbered(2, obligation_key="G1/o", template="communication/cancellation")
    for as_of, status, notice in ((AT, Status.OPEN, invitation), (AT + SECOND, Status.CANCELLED, said)):
        with store.deciding("G1", Stage.COMMUNICATION, as_of) as held:
            assert not isinstance(held, NotHeld)
            held.record(
                Decision(
                    project_ref="G1",
                    stage=Stage.COMMUNICATION,
                    as_of=as_of,
                    obligations=(replace(owed, status=status),),
                    notices=(notice,),
                )
            )
    assert claimed_ids(store, now=AT + SECOND) == [said.key]
    assert {letter.notice.key: letter.status for letter in store.letters()} == {
        invitation.key: "held",
        said.key: "waiting",
    }
    (entry,) = (entry for entry in store.ledger("G1") if entry.kind == "withheld")
    assert entry.subject == invitation.key
    assert "cancelled" in entry.data


TO_ROOM = {"room": {"title": "Joint command", "language": "en"}, "overdue_days": 0}


@pytest.fixture
def by_three_channels(store: SqlStore) -> SqlStore:
    """One notice waits as a letter, as a text to its reader, and as a text to a room."""
    store.import_facts(FACTS, AT, "test")
    room = numbered(3, channel="joint-command", contact_ref="room.joint-command", context=TO_ROOM)
    post(store, numbered(1), numbered(2, channel="wecom"), room)
    return store


def test_letters_and_chat_texts_are_drained_by_themselves(by_three_channels: SqlStore) -> None:
    store = by_three_channels
    assert (store.waiting(AT), store.waiting(AT, chat=True)) == ((1, None), (2, None))
    assert claimed_ids(store) == ["G1/o/r/1"]
    assert [one.message_id for one in store.claim("w", AT, 10, 60, chat=True)] == ["G1/o/r/2", "G1/o/r/3"]
    assert store.waiting(AT) == (0, AT + timedelta(seconds=60))


def test_what_went_by_which_channel_is_counted_by_project(by_three_channels: SqlStore) -> None:
    store = by_three_channels
    store.claim("w", AT, 10, 60)
    store.settle("w", [receipt(1, "sent")])
    store.claim("w", AT, 10, 60, chat=True)
    store.settle("w", [receipt(2, "failed", trouble=Trouble.CHAT)])
    counted = (
        Deliveries(project_ref="G1", channel="email", sent=1),
        Deliveries(project_ref="G1", channel="joint-command", waiting=1),
        Deliveries(project_ref="G1", channel="wecom", failed=1),
    )
    assert store.deliveries() == store.deliveries(["G1", "G2"]) == counted
    assert store.deliveries(["G2"]) == store.deliveries([]) == ()


def test_a_text_knows_its_channel_and_a_room_is_its_own_reader(by_three_channels: SqlStore) -> None:
    person, room = by_three_channels.claim("w", AT, 10, 60, chat=True)
    assert (person.notice.channel, person.contact) == ("wecom", FACTS.contacts[0])
    assert (room.notice.channel, room.contact.name, room.contact.language) == ("joint-command", "Joint command", "en")


def test_what_becomes_of_a_text_leaves_the_letter_as_it_was(by_three_channels: SqlStore) -> None:
    """The text fails and the letter is sent; the other text is tried again. Each has its own entry."""
    store = by_three_channels
    claimed_ids(store)
    store.claim("w", AT, 10, 60, chat=True)
    again_at = AT + timedelta(minutes=1)
    store.settle("w", [receipt(2, "failed"), receipt(3, "retry", retry_at=again_at), receipt(1, "sent", digest="d")])
    assert [(one.notice.channel, one.status, one.attempts) for one in store.letters()] == [
        ("email", "sent", 1),
        ("wecom", "failed", 1),
        ("joint-command", "waiting", 1),
    ]
    entries = [(entry.subject, entry.kind, json.loads(entry.data).get("channel")) for entry in store.ledger("G1")]
    assert ("G1/o/r/1", "sent", None) in entries
    assert ("G1/o/r/2", "failed", "wecom") in entries
    assert store.waiting(AT, chat=True) == (0, again_at)
    assert store.verify() == ()


def test_posting_the_same_again_adds_no_text(by_three_channels: SqlStore) -> None:
    post(by_three_channels, numbered(2, channel="wecom"), as_of=AT + SECOND)
    assert by_three_channels.waiting(AT, chat=True) == (2, None)
