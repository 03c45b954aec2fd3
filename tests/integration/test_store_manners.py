"""What keeps a letter that is ready: the stop switch, quiet hours, caps; and what shares a mail. On both databases."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from pfflow.domain.decision import Decision
from pfflow.domain.manners import FREE, Manners, Wait
from pfflow.domain.notices import Attendee, Invitation, Method, Notice, bundle_key
from pfflow.domain.obligations import Status
from pfflow.domain.playbook import QuietHours
from pfflow.domain.words import Stage, Words
from pfflow.ports import Claimed, NotHeld, Receipt
from pfflow.store import Letter, MailTurn, SqlStore
from tests.integration.samples import AT, FACTS, make_notice, make_obligation

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NIGHT = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)
"""22:00 on Wednesday 7 January 2026 in Shanghai, 14:00 in London."""
QUIET = Manners(timezone="Asia/Shanghai", quiet=QuietHours.model_validate({"from": "21:00", "until": "08:00"}))
MORNING = datetime(2026, 1, 8, 0, 0, tzinfo=UTC)
WEEKLY = Invitation(
    uid="G1/weekly@house.example",
    sequence=0,
    method=Method.REQUEST,
    starts_at=MORNING + HOUR,
    ends_at=MORNING + 2 * HOUR,
    timezone="Asia/Shanghai",
    summary=Words("周例会", "Weekly"),
    description=Words("", ""),
    organizer_name=Words("", ""),
    organizer_email="relations@house.example",
    attendees=(Attendee("C-OPS", "Li", "li@house.example"),),
)
STEPS = count(1)


def numbered(number: int, **changes: Any) -> Notice:
    """Give a notice to operations; each is noticed a second after the one before."""
    return make_notice(
        **{"key": f"G1/o/r/{number}", "contact_ref": "C-OPS", "noticed_at": AT + number * SECOND, **changes}
    )


def post(store: SqlStore, *notices: Notice, project: str = "G1") -> None:
    as_of = AT + next(STEPS) * SECOND
    with store.deciding(project, Stage.COMMUNICATION, as_of) as held:
        assert not isinstance(held, NotHeld)
        held.record(Decision(project_ref=project, stage=Stage.COMMUNICATION, as_of=as_of, notices=notices))


@pytest.fixture
def registered(store: SqlStore) -> SqlStore:
    """A store that knows the two projects and their contacts."""
    store.import_facts(FACTS, AT, "test")
    return store


def ids(claimed: Sequence[Claimed]) -> list[str]:
    return [one.message_id.removeprefix("G1/o/r/") for one in claimed]


def claimed(store: SqlStore, now: datetime, manners: Manners = FREE, worker: str = "w", limit: int = 20) -> list[str]:
    return ids(store.claim(worker, now, limit, 60, manners))


def sent(store: SqlStore, now: datetime, manners: Manners = FREE, worker: str = "w", limit: int = 20) -> list[str]:
    """Claim what may go and say that it was sent; gives what went."""
    taken = store.claim(worker, now, limit, 60, manners)
    store.settle(worker, [Receipt(message_id=one.message_id, outcome="sent", at=now, digest="ab") for one in taken])
    return ids(taken)


def letter(store: SqlStore, number: int) -> Letter:
    (found,) = (one for one in store.letters() if one.notice.key == f"G1/o/r/{number}")
    return found


def turned(*, stopped: bool, at: datetime = AT) -> MailTurn:
    return MailTurn(stopped=stopped, turned_at=at, turned_by="C-OPS", because="a wrong figure in the report")


def test_while_mail_is_stopped_letters_wait_and_leave_after_it_starts_without_a_release(registered: SqlStore) -> None:
    post(registered, numbered(1), numbered(2))
    assert registered.turn_mail(turned(stopped=True))
    assert claimed(registered, NIGHT) == []
    assert registered.waiting(NIGHT) == (0, None)
    assert [one.status for one in registered.letters()] == ["waiting", "waiting"]
    assert registered.turn_mail(turned(stopped=False))
    assert registered.waiting(NIGHT) == (2, None)
    assert sent(registered, NIGHT) == ["1", "2"]


def test_the_switch_holds_between_two_leases_of_one_drain_and_for_every_worker(registered: SqlStore) -> None:
    post(registered, numbered(1), numbered(2), numbered(3))
    assert claimed(registered, NIGHT, limit=1) == ["1"]
    registered.turn_mail(turned(stopped=True))
    assert claimed(registered, NIGHT, limit=1) == claimed(registered, NIGHT, worker="v") == []
    registered.settle("w", [Receipt(message_id="G1/o/r/1", outcome="sent", at=NIGHT)])
    assert [one.status for one in registered.letters()] == ["sent", "waiting", "waiting"]


def test_every_turn_of_the_switch_is_kept_with_who_when_and_why(registered: SqlStore) -> None:
    assert registered.mail_turns() == ()
    assert not registered.turn_mail(turned(stopped=False))
    registered.turn_mail(turned(stopped=True))
    assert not registered.turn_mail(replace(turned(stopped=True), turned_by="C-BANK"))
    registered.turn_mail(turned(stopped=False, at=AT + HOUR))
    last, first = registered.mail_turns()
    assert (first.stopped, first.turned_by, first.because) == (True, "C-OPS", "a wrong figure in the report")
    assert (last.stopped, last.turned_at) == (False, AT + HOUR)


def test_a_letter_in_its_readers_night_waits_until_morning_with_the_reason(registered: SqlStore) -> None:
    post(registered, numbered(1), numbered(2, contact_ref="C-OTHER"), numbered(3, urgent=True))
    london = replace(QUIET, timezone="Europe/London")  # C-OPS has a zone of their own, C-OTHER has none
    assert sent(registered, NIGHT, london) == ["2", "3"]
    kept = letter(registered, 1)
    assert (kept.status, kept.put_off, kept.next_try_at, kept.attempts) == ("waiting", Wait.QUIET, MORNING, 0)
    assert registered.waiting(NIGHT) == (0, MORNING)
    assert claimed(registered, MORNING - SECOND, london) == []
    assert sent(registered, MORNING, london) == ["1"]
    assert letter(registered, 1).put_off is None


def test_a_retry_that_falls_in_the_night_waits_for_the_morning_too(registered: SqlStore) -> None:
    post(registered, numbered(1))
    assert claimed(registered, NIGHT - 2 * HOUR, QUIET) == ["1"]
    again = Receipt(message_id="G1/o/r/1", outcome="retry", at=NIGHT - 2 * HOUR, retry_at=NIGHT)
    registered.settle("w", [again])
    assert claimed(registered, NIGHT, QUIET) == []
    assert letter(registered, 1).next_try_at == MORNING


def test_chat_texts_keep_to_the_switch_and_to_the_night_of_their_readers(registered: SqlStore) -> None:
    """A room has no zone of its own, so it sleeps where the house is at home."""
    room = {"room": {"title": "Joint command", "language": "en"}, "overdue_days": 0}
    post(
        registered,
        numbered(1, channel="wecom"),
        numbered(2, channel="joint-command", contact_ref="room.joint-command", context=room),
        numbered(3, channel="wecom", urgent=True),
    )
    registered.turn_mail(turned(stopped=True))
    assert registered.claim("w", NIGHT, 20, 60, QUIET, chat=True) == ()
    assert registered.waiting(NIGHT, chat=True) == (0, None)
    registered.turn_mail(turned(stopped=False))
    assert ids(registered.claim("w", NIGHT, 20, 60, QUIET, chat=True)) == ["3"]
    registered.settle("w", [Receipt(message_id="G1/o/r/3", outcome="sent", at=NIGHT)])
    assert {letter(registered, number).put_off for number in (1, 2)} == {Wait.QUIET}
    assert registered.claim("w", MORNING - SECOND, 20, 60, QUIET, chat=True) == ()
    assert ids(registered.claim("w", MORNING, 20, 60, QUIET, chat=True)) == ["1", "2"]


def test_an_invitation_goes_at_night_where_it_would_come_too_late_in_the_morning(registered: SqlStore) -> None:
    early = replace(WEEKLY, starts_at=MORNING - MINUTE)
    about = {"kind": "meeting", "due_at": early.starts_at.isoformat()}
    reminder = numbered(3, context={"obligation": about}, rung="remind-4h-responsible", noticed_at=NIGHT)
    over = {"kind": "meeting", "due_at": (NIGHT - HOUR).isoformat()}
    minutes = numbered(4, context={"obligation": over}, rung="remind+1h-responsible", noticed_at=NIGHT)
    post(registered, numbered(1, invitation=early), numbered(2, invitation=WEEKLY), reminder, minutes)
    assert sent(registered, NIGHT, QUIET) == ["1", "3"]
    assert letter(registered, 4).put_off is Wait.QUIET
    assert letter(registered, 2).put_off is Wait.QUIET


def test_what_announces_a_meeting_that_began_while_it_waited_is_held_and_said(registered: SqlStore) -> None:
    post(registered, numbered(1, invitation=WEEKLY), numbered(2))
    registered.turn_mail(turned(stopped=True))
    assert claimed(registered, MORNING) == []
    registered.turn_mail(turned(stopped=False))
    assert sent(registered, WEEKLY.starts_at, replace(QUIET, punctual=True)) == ["2"]
    assert (letter(registered, 1).status, letter(registered, 1).last_response) == ("held", "what it announces is over")
    (said,) = (one for one in registered.ledger("G1") if one.kind == "withheld")
    assert "what it announces is over" in said.data


def test_a_reminder_of_a_meeting_that_began_while_it_waited_is_held_and_one_for_its_minutes_goes(
    registered: SqlStore,
) -> None:
    about = {"kind": "meeting", "due_at": WEEKLY.starts_at.isoformat()}
    ahead = {"context": {"obligation": about}, "rung": "remind-24h-responsible"}
    minutes = {**ahead, "rung": "remind+1bd-responsible", "noticed_at": WEEKLY.starts_at + HOUR}
    report = {**ahead, "context": {"obligation": {**about, "kind": "report"}}}
    post(registered, numbered(1, **ahead), numbered(2, **report), numbered(3, **minutes))
    assert sent(registered, WEEKLY.starts_at + 2 * HOUR, replace(QUIET, punctual=True)) == ["2", "3"]
    assert letter(registered, 1).last_response == "what it announces is over"


def test_a_cancellation_goes_after_the_meeting_was_to_begin_and_lets_the_night_pass(registered: SqlStore) -> None:
    gone = replace(WEEKLY, method=Method.CANCEL, starts_at=NIGHT - MINUTE)
    post(registered, numbered(1, invitation=gone, rung="cancel-0"))
    assert claimed(registered, NIGHT, replace(QUIET, punctual=True)) == []
    assert (letter(registered, 1).status, letter(registered, 1).put_off) == ("waiting", Wait.QUIET)
    assert sent(registered, MORNING, replace(QUIET, punctual=True)) == ["1"]


def test_beyond_a_readers_cap_letters_wait_until_the_day_has_passed_and_none_fails(registered: SqlStore) -> None:
    post(registered, *(numbered(number) for number in range(1, 5)))
    capped = Manners(recipient_cap=2)
    assert sent(registered, NIGHT, capped, limit=1) == ["1"]
    assert sent(registered, NIGHT + HOUR, capped) == ["2"]
    waits = [(letter(registered, n).put_off, letter(registered, n).next_try_at) for n in (3, 4)]
    assert waits == [(Wait.RECIPIENT_CAP, NIGHT + 24 * HOUR), (Wait.RECIPIENT_CAP, NIGHT + 25 * HOUR)]
    assert claimed(registered, NIGHT + 24 * HOUR - SECOND, capped) == []
    assert sent(registered, NIGHT + 24 * HOUR, capped) == ["3"]
    assert sent(registered, NIGHT + 25 * HOUR, capped) == ["4"]


def test_escalations_and_urgent_letters_go_beyond_a_readers_cap_and_count_towards_it(registered: SqlStore) -> None:
    climbing = numbered(1, rung="escalate+1bd-head")
    post(registered, climbing, numbered(2, urgent=True), numbered(3))
    assert sent(registered, NIGHT, Manners(recipient_cap=1)) == ["1", "2"]
    assert letter(registered, 3).put_off is Wait.RECIPIENT_CAP


def test_a_domains_cap_keeps_escalations_too_and_leaves_other_domains_alone(registered: SqlStore) -> None:
    post(
        registered, numbered(1), numbered(2, rung="escalate+1bd-head", urgent=True), numbered(3, contact_ref="C-OTHER")
    )
    capped = Manners(domain_cap=1)
    assert sent(registered, NIGHT, capped) == ["1", "3"]
    assert (letter(registered, 2).put_off, letter(registered, 2).next_try_at) == (Wait.DOMAIN_CAP, NIGHT + HOUR)
    assert sent(registered, NIGHT + HOUR, capped) == ["2"]


def test_what_another_worker_is_sending_counts(registered: SqlStore) -> None:
    post(registered, numbered(1), numbered(2))
    capped = Manners(recipient_cap=1, domain_cap=1)
    assert claimed(registered, NIGHT, capped, worker="v", limit=1) == ["1"]
    assert claimed(registered, NIGHT, capped) == []


def test_many_workers_at_once_never_send_more_than_the_cap(registered: SqlStore) -> None:
    post(registered, *(numbered(number) for number in range(1, 41)))
    capped = Manners(domain_cap=7)
    with ThreadPoolExecutor(8) as pool:
        rounds = pool.map(lambda worker: sent(registered, NIGHT, capped, worker=f"w{worker}", limit=3), range(24))
    went = [number for one in rounds for number in one]
    assert len(went) == len(set(went)) == 7
    assert {one.status for one in registered.letters()} == {"sent", "waiting"}


def mergeable(number: int, **changes: Any) -> Notice:
    return numbered(number, **{"merges_with": "notices", **changes})


def test_letters_that_share_a_mail_leave_as_one_across_projects_with_a_receipt_each(registered: SqlStore) -> None:
    solar = mergeable(3, key="G2/x/r/C-OPS", project_ref="G2")
    post(registered, mergeable(1), numbered(2), mergeable(4))
    post(registered, solar, project="G2")
    first, alone = registered.claim("w", NIGHT, 20, 60)
    assert [first.notice, *first.merged] == [mergeable(1), solar, mergeable(4)]
    assert first.message_id == bundle_key(["G1/o/r/1", "G1/o/r/4", "G2/x/r/C-OPS"])
    assert (alone.notice, alone.merged) == (numbered(2), ())
    registered.settle("w", [Receipt(message_id=first.message_id, outcome="sent", at=NIGHT, digest="ab", response="ok")])
    told = [one for one in registered.letters() if one.bundle]
    assert [(one.status, one.digest, one.message_id) for one in told] == [("sent", "ab", first.message_id)] * 3
    for project in ("G1", "G2"):
        entries = [one for one in registered.ledger(project) if one.kind == "sent"]
        assert entries
        assert all(first.message_id in one.data for one in entries)
    assert registered.verify() == ()


def test_a_bundle_whose_worker_died_is_sent_again_whole_and_under_the_same_id(registered: SqlStore) -> None:
    post(registered, mergeable(1), mergeable(2))
    (before,) = registered.claim("dead", NIGHT, 20, 60)
    post(registered, mergeable(3))
    late = NIGHT + 60 * SECOND
    again, alone = registered.claim("w", late, 20, 60)
    assert (again.message_id, again.notice, again.merged) == (before.message_id, before.notice, before.merged)
    assert alone.notice == mergeable(3)
    registered.settle("dead", [Receipt(message_id=before.message_id, outcome="sent", at=late)])
    assert {one.status for one in registered.letters()} == {"waiting"}


def test_a_bundle_put_off_by_the_server_stays_one_mail(registered: SqlStore) -> None:
    post(registered, mergeable(1), mergeable(2))
    (first,) = registered.claim("w", NIGHT, 20, 60)
    later = Receipt(message_id=first.message_id, outcome="retry", at=NIGHT, retry_at=NIGHT + HOUR, response="451 later")
    registered.settle("w", [later])
    assert registered.waiting(NIGHT) == (0, NIGHT + HOUR)
    (again,) = registered.claim("w", NIGHT + HOUR, 20, 60)
    assert (again.message_id, again.merged, again.attempts) == (first.message_id, first.merged, 1)
    registered.settle("w", [Receipt(message_id=first.message_id, outcome="failed", at=NIGHT, response="550 no")])
    assert [one.status for one in registered.letters()] == ["failed", "failed"]
    registered.release("failed", "C-OPS", NIGHT)
    (once_more,) = registered.claim("w", NIGHT + 2 * HOUR, 20, 60)
    assert once_more.message_id == first.message_id


def test_a_letter_that_may_have_arrived_alone_is_never_put_in_a_bundle(registered: SqlStore) -> None:
    post(registered, mergeable(1))
    registered.claim("dead", NIGHT, 20, 60)
    post(registered, mergeable(2), mergeable(3))
    assert claimed(registered, NIGHT + HOUR) == ["1", bundle_key(["G1/o/r/2", "G1/o/r/3"])]


def test_a_letter_that_failed_and_was_released_is_never_put_in_a_bundle(registered: SqlStore) -> None:
    post(registered, mergeable(1))
    registered.claim("w", NIGHT, 20, 60)
    registered.settle("w", [Receipt(message_id="G1/o/r/1", outcome="failed", at=NIGHT, response="550 no")])
    post(registered, mergeable(2), mergeable(3))
    registered.release("failed", "C-OPS", NIGHT)
    assert claimed(registered, NIGHT + HOUR) == ["1", bundle_key(["G1/o/r/2", "G1/o/r/3"])]


def test_a_letter_that_was_held_before_it_left_is_bundled_when_it_is_released(registered: SqlStore) -> None:
    post(registered, mergeable(1))
    registered.claim("w", NIGHT, 20, 60)
    registered.settle("w", [Receipt(message_id="G1/o/r/1", outcome="held", at=NIGHT, response="not on the list")])
    post(registered, mergeable(2))
    registered.release("held", "C-OPS", NIGHT)
    assert claimed(registered, NIGHT + HOUR) == [bundle_key(["G1/o/r/1", "G1/o/r/2"])]


def of_weekly(number: int) -> Notice:
    """Give a reminder of the weekly meeting that may share a mail."""
    about = {"kind": "meeting", "due_at": WEEKLY.starts_at.isoformat()}
    return mergeable(number, context={"obligation": about}, rung="remind-24h-responsible")


def test_a_reminder_that_came_too_late_is_held_and_what_was_to_share_its_mail_goes(registered: SqlStore) -> None:
    post(registered, of_weekly(1), mergeable(2), mergeable(3))
    punctual = Manners(punctual=True)
    assert claimed(registered, WEEKLY.starts_at, punctual) == [bundle_key(["G1/o/r/2", "G1/o/r/3"])]
    assert (letter(registered, 1).status, letter(registered, 1).bundle) == ("held", "")


def test_a_mail_goes_on_under_its_id_without_the_reminder_that_came_too_late(registered: SqlStore) -> None:
    """The first attempt may have arrived, so what is left of it keeps the Message-ID."""
    post(registered, of_weekly(1), mergeable(2), mergeable(3))
    punctual = Manners(punctual=True)
    (whole,) = claimed(registered, NIGHT, punctual)
    registered.settle("w", [Receipt(message_id=whole, outcome="retry", at=NIGHT, retry_at=MORNING)])
    (mail,) = registered.claim("w", WEEKLY.starts_at, 20, 60, punctual)
    assert (mail.message_id, mail.notice, mail.merged) == (whole, mergeable(2), (mergeable(3),))
    assert letter(registered, 1).status == "held"
    registered.settle("w", [Receipt(message_id=whole, outcome="sent", at=MORNING, digest="ab")])
    assert sorted(one.status for one in registered.letters()) == ["held", "sent", "sent"]


@pytest.mark.parametrize(
    "other",
    [
        {"merges_with": ""},
        {"merges_with": "escalate steering"},
        {"merges_with": "surveys"},
        {"contact_ref": "C-OTHER"},
        {"invitation": WEEKLY},
    ],
)
def test_what_differs_in_reader_or_level_or_is_an_invitation_goes_alone(
    registered: SqlStore, other: dict[str, Any]
) -> None:
    post(registered, mergeable(1), mergeable(2, **other))
    assert claimed(registered, NIGHT) == ["1", "2"]


def test_a_bundle_is_one_letter_to_the_caps_and_waits_whole(registered: SqlStore) -> None:
    post(registered, numbered(1), *(mergeable(number) for number in range(2, 6)))
    capped = Manners(recipient_cap=2)
    assert len(sent(registered, NIGHT, capped)) == 2
    post(registered, mergeable(6), mergeable(7))
    assert claimed(registered, NIGHT + HOUR, capped) == []
    assert {letter(registered, number).next_try_at for number in (6, 7)} == {NIGHT + 24 * HOUR}
    assert claimed(registered, NIGHT + 24 * HOUR, capped) == [bundle_key(["G1/o/r/6", "G1/o/r/7"])]


def test_more_letters_than_a_mail_holds_become_two_mails(registered: SqlStore) -> None:
    post(registered, *(mergeable(number) for number in range(1, 51)))
    first, second = registered.claim("w", NIGHT, 20, 60)
    assert (1 + len(first.merged), 1 + len(second.merged)) == (40, 10)


def test_what_is_cancelled_while_it_waits_is_in_no_mail(registered: SqlStore) -> None:
    gone = make_obligation(key="G1/gone")
    with registered.deciding("G1", Stage.COMMUNICATION, AT + HOUR) as held:
        assert not isinstance(held, NotHeld)
        notices = (mergeable(1), mergeable(2, obligation_key=gone.key), mergeable(3))
        cancelled = replace(gone, status=Status.CANCELLED)
        held.record(
            Decision(
                project_ref="G1",
                stage=Stage.COMMUNICATION,
                as_of=AT + HOUR,
                obligations=(cancelled,),
                notices=notices,
            )
        )
    assert claimed(registered, NIGHT, limit=1) == [bundle_key(["G1/o/r/1", "G1/o/r/3"])]
    assert claimed(registered, NIGHT) == []
    assert letter(registered, 2).status == "held"
