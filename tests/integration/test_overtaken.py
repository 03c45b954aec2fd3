"""Letters that events overtake while they wait: they are held with the reason, and everything else goes. On both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pfflow.domain.decision import Decision
from pfflow.domain.manners import Manners
from pfflow.domain.notices import Notice, bundle_key
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld, Receipt
from pfflow.store import MailTurn, SqlStore
from tests.integration.samples import AT, FACTS, make_notice, make_obligation

HOUR = timedelta(hours=1)
LATER = AT + 6 * HOUR
OWED = make_obligation(key="G1/o", status=Status.OPEN)
DUE = {"obligation": {"key": OWED.key, "kind": "report", "due_at": OWED.due_at.isoformat()}}
DONE, WAIVED, MOVED = (
    "what it asks for was done before it left",
    "what it asks for was waived before it left",
    "what it asks for was moved to another date before it left",
)


@pytest.fixture
def registered(store: SqlStore) -> SqlStore:
    store.import_facts(FACTS, AT, "test")
    return store


def decided(store: SqlStore, as_of: datetime, *obligations: Obligation, notices: tuple[Notice, ...] = ()) -> None:
    with store.deciding("G1", Stage.COMMUNICATION, as_of) as held:
        assert not isinstance(held, NotHeld)
        held.record(
            Decision(
                project_ref="G1",
                stage=Stage.COMMUNICATION,
                as_of=as_of,
                obligations=obligations,
                notices=notices,
            )
        )


def letter(rung: str, number: int = 1, **changes: Any) -> Notice:
    return make_notice(
        **{
            "key": f"G1/o/{number}/C-OPS",
            "obligation_key": OWED.key,
            "rung": rung,
            "contact_ref": "C-OPS",
            "context": DUE,
            "noticed_at": AT + number * timedelta(seconds=1),
            **changes,
        }
    )


def closed(status: Status) -> Obligation:
    return replace(OWED, status=status, closed_at=LATER, closed_by="C-OPS", closed_because="said so")


def claimed(store: SqlStore, now: datetime = LATER) -> list[str]:
    return [one.message_id for one in store.claim("w", now, 20, 60)]


def put_off(store: SqlStore) -> None:
    """Let a server refuse for now whatever waits."""
    taken = store.claim("w", AT + HOUR, 20, 60)
    store.settle("w", [Receipt(message_id=o.message_id, outcome="retry", at=AT + HOUR, retry_at=LATER) for o in taken])


def said_of(store: SqlStore) -> dict[str, tuple[str, str]]:
    return {one.notice.key: (one.status, one.last_response) for one in store.letters()}


@pytest.mark.parametrize("rung", ["request-5bd-responsible", "remind-1bd-responsible/2", "escalate+1bd-head"])
@pytest.mark.parametrize(("status", "because"), [(Status.FULFILLED, DONE), (Status.WAIVED, WAIVED)])
def test_what_a_server_put_off_is_held_once_there_is_nothing_left_to_do(
    registered: SqlStore, rung: str, status: Status, because: str
) -> None:
    chasing = letter(rung)
    decided(registered, AT, OWED, notices=(chasing,))
    put_off(registered)
    decided(registered, LATER - HOUR, closed(status))
    taken = registered.claim("w", LATER, 20, 60)
    assert not taken
    assert [(one.message_id, one.outcome, one.response) for one in taken.settled] == [(chasing.key, "held", because)]
    assert said_of(registered) == {chasing.key: ("held", because)}
    (entry,) = (one for one in registered.ledger("G1") if one.kind == "withheld")
    assert entry.subject == chasing.key
    assert because in entry.data
    assert registered.verify() == ()


def test_what_the_stop_switch_held_is_asked_about_when_mail_starts(registered: SqlStore) -> None:
    decided(registered, AT, OWED, notices=(letter("remind-1bd-responsible"),))
    turn = MailTurn(stopped=True, turned_at=AT, turned_by="C-OPS", because="a wrong figure")
    registered.turn_mail(turn)
    decided(registered, LATER - HOUR, closed(Status.FULFILLED))
    assert claimed(registered) == []
    registered.turn_mail(replace(turn, stopped=False))
    assert claimed(registered) == []
    assert set(said_of(registered).values()) == {("held", DONE)}


def test_a_reminder_of_a_date_that_was_moved_is_held_and_the_new_rounds_goes(registered: SqlStore) -> None:
    moved = replace(OWED, sequence=1, due_at=OWED.due_at + 24 * HOUR)
    again = {"obligation": {**DUE["obligation"], "due_at": moved.due_at.isoformat()}}
    decided(registered, AT, OWED, notices=(letter("remind-1bd-responsible"),))
    new = letter("remind-1bd-responsible#1", 2, context=again)
    decided(registered, AT + HOUR, moved, notices=(new,))
    assert claimed(registered) == [new.key]
    assert said_of(registered)["G1/o/1/C-OPS"] == ("held", MOVED)


def test_a_change_that_leaves_the_date_overtakes_no_reminder(registered: SqlStore) -> None:
    """A meeting in another room raises its sequence; whoever is only asked for papers hears nothing of the room."""
    decided(registered, AT, OWED, notices=(letter("remind-1bd-responsible"),))
    decided(registered, AT + HOUR, replace(OWED, sequence=1))
    assert claimed(registered) == ["G1/o/1/C-OPS"]


@pytest.mark.parametrize("rung", ["send0bd-informed", "invite-5bd-everyone", "announce-5bd-informed", "heard-T1"])
def test_facts_go_whatever_became_of_what_they_are_about(registered: SqlStore, rung: str) -> None:
    decided(registered, AT, OWED, notices=(letter(rung),))
    moved = replace(closed(Status.FULFILLED), sequence=1, due_at=OWED.due_at + 24 * HOUR)
    decided(registered, AT + HOUR, moved)
    assert claimed(registered) == ["G1/o/1/C-OPS"]


@pytest.mark.parametrize(
    ("kind", "rung", "status"),
    [
        (ObligationKind.NOTICE, "request0bd-informed", "waiting"),
        (ObligationKind.NOTICE, "escalate+1bd-head", "held"),
        (ObligationKind.SURVEY, "request-10bd-informed", "waiting"),
        (ObligationKind.SURVEY, "remind-1bd-informed", "held"),
    ],
)
def test_a_warning_and_a_survey_go_to_each_reader_whoever_answered(
    registered: SqlStore, kind: ObligationKind, rung: str, status: str
) -> None:
    decided(registered, AT, replace(OWED, kind=kind), notices=(letter(rung),))
    decided(registered, AT + HOUR, replace(closed(Status.FULFILLED), kind=kind))
    claimed(registered)
    assert [one.status for one in registered.letters()] == [status]


def bundled(number: int, about: str = OWED.key) -> Notice:
    return letter("remind-1bd-responsible", number, obligation_key=about, merges_with="notices")


def test_a_mail_of_several_letters_goes_on_under_its_id_without_the_one_that_was_overtaken(
    registered: SqlStore,
) -> None:
    """The first attempt may have arrived, so what is left of it keeps the Message-ID."""
    other = replace(OWED, key="G1/p")
    decided(registered, AT, OWED, other, notices=(bundled(1), bundled(2, other.key), bundled(3, other.key)))
    whole = bundle_key([f"G1/o/{number}/C-OPS" for number in (1, 2, 3)])
    put_off(registered)
    decided(registered, LATER - HOUR, closed(Status.FULFILLED))
    (mail,) = registered.claim("w", LATER, 20, 60)
    assert (mail.message_id, mail.notice.key) == (whole, "G1/o/2/C-OPS")
    assert [one.key for one in mail.merged] == ["G1/o/3/C-OPS"]
    assert said_of(registered)["G1/o/1/C-OPS"] == ("held", DONE)
    registered.settle("w", [Receipt(message_id=whole, outcome="retry", at=LATER, retry_at=LATER + HOUR)])
    decided(registered, LATER, replace(closed(Status.WAIVED), key=other.key))
    assert claimed(registered, LATER + HOUR) == []
    assert {status for status, _ in said_of(registered).values()} == {"held"}
    assert registered.waiting(LATER + HOUR) == (0, None)


def test_who_had_a_mail_whose_letter_was_overtaken_since_has_it_no_more(registered: SqlStore) -> None:
    """What it has in hand tells the letter still, so it must not go on, although nobody else took the mail."""
    other = replace(OWED, key="G1/p")
    decided(registered, AT, OWED, other, notices=(bundled(1), bundled(2, other.key), bundled(3, other.key)))
    (mail,) = registered.claim("slow", AT + HOUR, 20, 3)
    decided(registered, LATER - HOUR, closed(Status.FULFILLED))
    assert registered.claim("w", LATER, 20, 60, Manners(domain_cap=0)) == ()
    assert said_of(registered)["G1/o/1/C-OPS"] == ("held", DONE)
    assert registered.renew("slow", [mail.message_id], LATER + HOUR) == frozenset()
    (left,) = registered.claim("w", LATER + HOUR, 20, 60)
    assert (left.message_id, left.notice.key) == (mail.message_id, "G1/o/2/C-OPS")


def test_what_is_overtaken_is_put_in_no_mail(registered: SqlStore) -> None:
    gone = replace(closed(Status.FULFILLED), key="G1/p")
    decided(registered, AT, OWED, gone, notices=(bundled(1), bundled(2, gone.key), bundled(3)))
    assert claimed(registered) == [bundle_key(["G1/o/1/C-OPS", "G1/o/3/C-OPS"])]
    assert said_of(registered)["G1/o/2/C-OPS"] == ("held", DONE)


def test_a_letter_about_what_is_kept_nowhere_goes(registered: SqlStore) -> None:
    decided(registered, AT, notices=(letter("escalate-undelivered", obligation_key="G1/undelivered/2026-01-05"),))
    assert claimed(registered, datetime(2026, 2, 1, tzinfo=UTC)) == ["G1/o/1/C-OPS"]
