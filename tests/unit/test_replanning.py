from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pfflow.cli.plan_text import plan_text
from pfflow.domain.business_days import BusinessCalendar, Convention, adjust
from pfflow.domain.decision import Dossier
from pfflow.domain.drafting import Draft
from pfflow.domain.escalation import invitation_to
from pfflow.domain.facts import Touch
from pfflow.domain.notices import Invitation, Method, Notice
from pfflow.domain.obligations import ASKED, INVITED, Obligation, Status
from pfflow.domain.playbook import Cadence, Playbook
from pfflow.domain.project import Phase
from pfflow.domain.replanning import Cause, Change, HousePlan, Kind, Replan, conflicts, replan, sittings
from pfflow.domain.replanning.reasons import Reason
from pfflow.domain.words import Stage
from pfflow.replay.said import because_words
from tests.factories import (
    applied,
    at,
    china,
    days,
    lived,
    make_contact,
    make_dossier,
    make_participation,
    make_party,
    make_payment,
    make_playbook,
    make_project,
    make_touch,
    make_undertaking,
    saying,
    small_playbook,
    told,
    with_facts,
)

WEEKLY = "G1/weekly-progress/2026-01-12"
NOW = at("2026-01-09", 18, 0)
"""Friday evening: the meeting of Monday the 12th is in the calendars of C-CON, C-ENG; those after it are not."""
GUESTS = {"C-CON", "C-ENG"}
HOURS = small_playbook().hours


def cadence(name: str = "weekly-progress", **changes: Any) -> Playbook:
    """Give the small playbook with one cadence changed; changes are as the YAML has them."""
    playbook = small_playbook()
    said = {**playbook.cadences[name].model_dump(exclude_none=True), **changes}
    return playbook.model_copy(update={"cadences": {**playbook.cadences, name: Cadence.model_validate(said)}})


def without(name: str) -> Playbook:
    kept = {key: value for key, value in small_playbook().cadences.items() if key != name}
    return small_playbook().model_copy(update={"cadences": kept})


def running() -> Dossier:
    """Give the motorway after its first week, Monday 5 to Friday 9 January 2026."""
    dossier, _ = lived(make_dossier(), days("2026-01-05", "2026-01-09"), Stage.COMMUNICATION)
    return dossier


def under(dossier: Dossier, playbook: Playbook) -> Dossier:
    return replace(dossier, playbook=playbook)


def planned(dossier: Dossier, playbook: Playbook | None = None, as_of: datetime = NOW) -> Replan:
    found = replan(under(dossier, playbook or dossier.playbook), as_of, before=dossier.playbook)
    reasons = [reason for change in found.changes for reason in change.reasons]
    assert [reason for reason in reasons if not told_by_the_ledger(reason)] == []
    return found


def told_by_the_ledger(reason: Reason) -> bool:
    """Whether what the ledger keeps of a reason, in English, is read as the plan said it; names are kept in one."""
    named = re.search(r"\.(title|location): |register: (text|description) of ", reason.words.en)
    return bool(named) or because_words(reason.words.en) == reason.words


def done(dossier: Dossier, playbook: Playbook | None = None, as_of: datetime = NOW) -> tuple[Dossier, Replan]:
    """Give the dossier after a plan was applied, and the plan."""
    found = planned(dossier, playbook, as_of)
    return applied(under(dossier, playbook or dossier.playbook), found.decision), found


def kinds(found: Replan) -> dict[str, Kind]:
    return {change.obligation_key: change.kind for change in found.changes}


def of(key: str, found: Replan) -> Change:
    return next(change for change in found.changes if change.obligation_key == key)


def letters(found: Replan, key: str = WEEKLY) -> list[Notice]:
    return [notice for notice in found.decision.notices if notice.obligation_key == key]


def itip(some: Iterable[Notice]) -> set[tuple[str, str, int]]:
    """Give whom letters go to, by which iTIP method and SEQUENCE."""
    return {(n.contact_ref, str(n.invitation.method), n.invitation.sequence) for n in some if n.invitation}


def held(dossier: Dossier, key: str = WEEKLY) -> Obligation:
    return dossier.held.obligations[key]


def test_a_running_project_needs_no_plan() -> None:
    assert planned(running()).changes == ()
    assert planned(running()).decision.quiet


def test_who_was_invited_is_kept_with_the_obligation() -> None:
    dossier = running()
    assert set(held(dossier).told(INVITED)) == GUESTS
    assert set(held(dossier, "G1/fund-use-report/2026-01-15").told(ASKED)) == {"C-FIN"}
    assert held(dossier, "G1/weekly-progress/2026-01-26").told(INVITED) == ()


@pytest.mark.parametrize(
    ("change", "sequence", "mailed"),
    [
        ({"at": "14:00"}, 1, GUESTS),
        ({"minutes": 90}, 1, GUESTS),
        ({"location": {"zh": "二号会议室", "en": "Room 2"}}, 1, GUESTS),
        ({"title": {"zh": "周会", "en": "Weekly"}}, 1, GUESTS),
        ({"ladder": "kickoff"}, 0, set()),
        ({"until": "2028-06-30"}, None, set()),
    ],
    ids=["DTSTART", "DTEND", "LOCATION", "SUMMARY", "ladder", "a line that bears on no date here"],
)
def test_what_an_invited_person_sees_change_raises_the_sequence_once(
    change: dict[str, Any], sequence: int | None, mailed: set[str]
) -> None:
    dossier, found = done(running(), cadence(**change))
    assert held(dossier).sequence == (sequence or 0)
    assert {n.contact_ref for n in letters(found) if n.invitation and n.invitation.method is Method.REQUEST} == mailed
    if sequence is None:
        assert found.changes == ()


def test_a_moved_meeting_is_updated_in_place_for_exactly_those_who_have_it() -> None:
    dossier, found = done(running(), cadence(at="14:00"))
    sent = letters(found)
    assert itip(sent) == {("C-CON", "REQUEST", 1), ("C-ENG", "REQUEST", 1)}
    assert {n.template for n in sent if n.invitation} == {"communication/update"}
    assert {n.key for n in sent if n.invitation} == {f"{WEEKLY}/update-1/C-CON", f"{WEEKLY}/update-1/C-ENG"}
    invitation = next(n.invitation for n in sent if n.invitation)
    assert invitation.uid == f"{WEEKLY}@expressway.example"
    assert invitation.starts_at == at("2026-01-12", 14, 0)
    assert held(dossier).due_at == at("2026-01-12", 14, 0)


def test_who_was_only_told_to_keep_the_time_free_hears_of_another_time_without_a_calendar_entry() -> None:
    """Informed of the weekly meeting are the sponsor and the investor: announced, not invited."""
    _, found = done(running(), cadence(at="14:00"))
    assert {n.contact_ref for n in letters(found) if n.invitation is None} == {"C-FUND", "C-SPON"}
    _, elsewhere = done(running(), cadence(location={"en": "Room 2"}))
    assert not [n for n in letters(elsewhere) if n.invitation is None]


def test_a_meeting_nobody_was_told_of_moves_in_silence() -> None:
    key = "G1/weekly-progress/2026-01-26"
    dossier, found = done(running(), cadence(at="14:00"))
    assert of(key, found).kind is Kind.MOVED
    assert of(key, found).told == ()
    assert (held(dossier, key).sequence, held(dossier, key).due_at) == (0, at("2026-01-26", 14, 0))


def test_a_move_says_from_where_to_where_and_names_the_line_of_the_playbook() -> None:
    change = of(WEEKLY, planned(running(), cadence(at="14:00")))
    assert change.was is not None
    assert change.now is not None
    assert (change.was.at, change.now.at) == (at("2026-01-12", 10, 0), at("2026-01-12", 14, 0))
    assert [(r.cause, r.words.en) for r in change.reasons] == [
        (Cause.PLAYBOOK, "playbook cadences.weekly-progress.at: 10:00 → 14:00")
    ]
    assert change.reasons[0].words.zh == "规则手册 cadences.weekly-progress.at：10:00 → 14:00"


def test_a_cadence_that_is_removed_cancels_what_lies_ahead_with_cancel_and_a_higher_sequence() -> None:
    dossier, found = done(running(), without("weekly-progress"))
    assert {kind for key, kind in kinds(found).items()} == {Kind.CANCELLED}
    assert itip(letters(found)) == {("C-CON", "CANCEL", 1), ("C-ENG", "CANCEL", 1)}
    assert {n.key for n in letters(found) if n.invitation} == {f"{WEEKLY}/cancel-1/C-CON", f"{WEEKLY}/cancel-1/C-ENG"}
    cancelled = held(dossier)
    assert (cancelled.status, cancelled.sequence) == (Status.CANCELLED, 1)
    assert set(cancelled.told(INVITED)) == GUESTS  # whose calendars still show it
    assert cancelled.closed_because == "playbook cadences.weekly-progress: removed"
    assert letters(found, "G1/weekly-progress/2026-01-26") == []
    assert "G1/weekly-progress/2026-01-05" not in kinds(found)  # it was held, or not: it lies behind


def test_moving_then_cancelling_then_wanting_again_counts_the_sequence_up() -> None:
    dossier, moved = done(running(), cadence(at="14:00"))
    dossier, gone = done(dossier, without("weekly-progress"), at("2026-01-09", 19, 0))
    dossier, back = done(dossier, small_playbook(), at("2026-01-09", 20, 0))
    assert {s for _, _, s in itip(letters(moved))} == {1}
    assert {(m, s) for _, m, s in itip(letters(gone))} == {("CANCEL", 2)}
    assert kinds(back)[WEEKLY] is Kind.ADDED
    assert letters(back) == []
    assert (held(dossier).status, held(dossier).sequence) == (Status.PLANNED, 3)
    assert held(dossier).told(INVITED) == ()
    dossier, decisions = lived(dossier, [at("2026-01-09", 21, 0)], Stage.COMMUNICATION)
    again = [n for d in decisions for n in d.notices if n.obligation_key == WEEKLY and n.invitation]
    assert {(n.contact_ref, n.invitation.sequence) for n in again if n.invitation} == {("C-CON", 3), ("C-ENG", 3)}
    assert {n.rung for n in again} == {"invite-2bd-responsible#3", "invite-2bd-accountable#3"}


def joined(dossier: Dossier) -> Dossier:
    """Give the dossier after a designer joined the project: the designer is Responsible for the weekly meeting."""
    facts = dossier.facts
    return with_facts(
        dossier,
        parties=(*facts.parties, make_party("DES")),
        contacts=(*facts.contacts, make_contact("C-DES")),
        participations=(*facts.participations, make_participation("designer", "DES")),
    )


def left(dossier: Dossier, party: str = "CON") -> Dossier:
    """Give the dossier after a party left the project."""
    gone = tuple(p for p in dossier.facts.participations if p.party_ref != party)
    return with_facts(dossier, participations=gone)


def test_a_new_attendee_alone_is_invited_and_the_sequence_stays() -> None:
    dossier, found = done(joined(running()))
    assert kinds(found) == {WEEKLY: Kind.ATTENDEES}
    assert itip(letters(found)) == {("C-DES", "REQUEST", 0)}
    sent = letters(found)[0]
    assert sent.template == "communication/invitation"
    assert sent.invitation is not None
    assert {a.contact_ref for a in sent.invitation.attendees} == GUESTS | {"C-DES"}
    assert set(held(dossier).told(INVITED)) == GUESTS | {"C-DES"}


def test_an_attendee_who_leaves_alone_is_cancelled_and_the_sequence_stays() -> None:
    dossier, found = done(left(running()))
    assert itip(letters(found)) == {("C-CON", "CANCEL", 0)}
    invitation = letters(found)[0].invitation
    assert invitation is not None
    assert invitation.uninvites
    assert [a.contact_ref for a in invitation.attendees] == ["C-CON"]
    assert held(dossier).told(INVITED) == ("C-ENG",)


def test_who_leaves_and_comes_and_leaves_again_gets_a_letter_each_time() -> None:
    start = running()
    dossier, first = done(left(start))
    dossier, second = done(with_facts(dossier, participations=start.facts.participations), as_of=at("2026-01-09", 19))
    dossier, third = done(left(dossier), as_of=at("2026-01-09", 20))
    keys = [n.key for found in (first, second, third) for n in letters(found)]
    assert len(keys) == 3
    assert len(set(keys)) == 3
    assert [m for found in (first, second, third) for _, m, _ in itip(letters(found))] == [
        "CANCEL",
        "REQUEST",
        "CANCEL",
    ]


def readdressed(dossier: Dossier, **addresses: str) -> Dossier:
    """Give the dossier after contacts got other addresses, by ref with _ for -."""
    new = {ref.replace("_", "-"): address for ref, address in addresses.items()}
    contacts = (replace(c, email=new.get(c.contact_ref, c.email)) for c in dossier.facts.contacts)
    return with_facts(dossier, contacts=tuple(contacts))


def addressed(some: Iterable[Notice]) -> set[tuple[str, str, str, int]]:
    """Give what each reader's calendar mail says of the reader: ref, METHOD, address and SEQUENCE."""
    return {
        (n.contact_ref, str(n.invitation.method), guest.email, n.invitation.sequence)
        for n in some
        if n.invitation
        for guest in n.invitation.attendees
        if guest.contact_ref == n.contact_ref
    }


OLD, NEW = "c-con@house.example", "con@elsewhere.example"


def test_a_guest_whose_address_changed_is_cancelled_at_the_old_one_and_invited_at_the_new() -> None:
    start = running()
    assert held(start).invited_at["C-CON"] == OLD
    dossier, found = done(readdressed(start, C_CON=NEW))
    assert kinds(found) == {WEEKLY: Kind.ATTENDEES}
    assert addressed(letters(found)) == {("C-CON", "CANCEL", OLD, 0), ("C-CON", "REQUEST", NEW, 0)}
    assert {n.invitation.uid for n in letters(found) if n.invitation} == {f"{WEEKLY}@expressway.example"}
    assert [reason.words.en for reason in of(WEEKLY, found).reasons] == ["the address of a guest changed"]
    assert held(dossier).invited_at == {"C-CON": NEW, "C-ENG": "c-eng@house.example"}
    assert planned(dossier).changes == ()
    assert OLD not in str(found.decision.entries)
    assert NEW not in str(found.decision.entries)


def test_a_guest_whose_address_changed_gets_a_move_at_the_new_address_alone() -> None:
    _, found = done(readdressed(running(), C_CON=NEW), cadence(at="14:00"))
    assert addressed(letters(found)) == {
        ("C-ENG", "REQUEST", "c-eng@house.example", 1),
        ("C-CON", "CANCEL", OLD, 1),
        ("C-CON", "REQUEST", NEW, 1),
    }


def test_a_meeting_is_cancelled_where_it_was_invited_to() -> None:
    _, found = done(readdressed(running(), C_CON=NEW), without("weekly-progress"))
    assert ("C-CON", "CANCEL", OLD, 1) in addressed(letters(found))
    assert NEW not in str([n.invitation for n in letters(found)])


def test_an_address_that_another_guest_has_now_is_not_cancelled() -> None:
    dossier, found = done(readdressed(running(), C_CON=NEW, C_ENG=OLD))
    assert addressed(letters(found)) == {
        ("C-CON", "REQUEST", NEW, 0),
        ("C-ENG", "CANCEL", "c-eng@house.example", 0),
    }
    assert held(dossier).invited_at == {"C-CON": NEW, "C-ENG": OLD}
    assert planned(dossier).changes == ()


def test_an_address_in_other_letters_is_no_change() -> None:
    assert planned(readdressed(running(), C_CON="C-Con@House.Example")).changes == ()


def test_a_plan_counts_the_ladders_that_go_on_as_they_were_begun() -> None:
    dossier = running()
    begun = {key for key, one in dossier.held.obligations.items() if one.live and one.climbing}
    assert planned(dossier).kept == 0
    rungs = [{"at": "-3bd", "do": "announce", "to": "informed"}, {"at": "-2bd", "do": "invite", "to": "responsible"}]
    another = make_playbook(ladders={"meeting": rungs})
    found = planned(dossier, another)
    assert found.changes == ()
    assert found.kept == len({key for key in begun if "meeting" in held(dossier, key).climbing}) > 0
    # What moves begins anew, by the ladders of the playbook that is to be.
    moved = another.model_copy(update={"cadences": cadence(at="14:00").cadences})
    assert planned(dossier, moved).kept == found.kept - 1


def test_a_move_with_a_change_of_attendees_tells_each_what_concerns_them() -> None:
    _, found = done(left(joined(running())), cadence(at="14:00"))
    assert itip(letters(found)) == {("C-ENG", "REQUEST", 1), ("C-DES", "REQUEST", 1), ("C-CON", "CANCEL", 1)}


REPORT = "G1/fund-use-report/2026-01-15"


def test_a_report_that_was_asked_for_has_its_new_date_told_to_who_was_asked_and_to_nobody_else() -> None:
    dossier, found = done(running(), cadence("fund-use-report", at="12:00"))
    assert [(n.contact_ref, n.template, n.invitation) for n in letters(found, REPORT)] == [
        ("C-FIN", "communication/update", None)
    ]
    later = "G1/fund-use-report/2026-02-28"
    assert of(later, found).told == ()
    assert (held(dossier, REPORT).sequence, held(dossier, later).sequence) == (1, 0)


def test_a_report_asked_for_in_vain_is_called_off() -> None:
    _, found = done(running(), without("fund-use-report"))
    assert [(n.contact_ref, n.template, n.key) for n in letters(found, REPORT)] == [
        ("C-FIN", "communication/cancellation", f"{REPORT}/cancel-0/C-FIN")
    ]


def test_after_a_move_the_ladder_is_taken_for_the_new_date_and_no_invitation_is_repeated() -> None:
    """The reminder of -24h is taken on Sunday for Monday 10:00; on Sunday noon the meeting moves to Monday 17:00."""
    dossier, _ = lived(running(), days("2026-01-10", "2026-01-11", 11), Stage.COMMUNICATION)
    assert (WEEKLY, "remind-24h-responsible") in dossier.held.firings
    dossier, _ = done(dossier, cadence(at="17:00"), at("2026-01-11", 12))
    assert dossier.held.firings[WEEKLY, "invite-2bd-responsible#1"].outcome == "merged"
    _, decisions = lived(dossier, [at("2026-01-11", 18)], Stage.COMMUNICATION)
    mine = [(rung, to) for d in decisions for _, rung, to in told([d]) if d.notices[0].obligation_key == WEEKLY]
    assert mine == [("remind-24h-responsible#1", "C-CON")]


def test_a_reminder_that_the_change_itself_gives_is_not_sent_again() -> None:
    """Moved on Sunday noon to Monday 11:00: the reminder's new instant, Sunday 11:00, is past."""
    dossier, _ = done(running(), cadence(at="11:00"), at("2026-01-11", 12))
    assert dossier.held.firings[WEEKLY, "remind-24h-responsible#1"].outcome == "merged"
    _, decisions = lived(dossier, [at("2026-01-11", 18)], Stage.COMMUNICATION)
    assert not [n for d in decisions for n in d.notices if n.obligation_key == WEEKLY]


def listed(*off: str, published: str = "2027-12-31") -> BusinessCalendar:
    """Give China's calendar with a made-up list of 2027."""
    calendar = china()
    more = frozenset(map(date.fromisoformat, off))
    kept = frozenset(day for day in calendar.holidays if day.year != 2027)
    return BusinessCalendar("CN", kept | more, calendar.make_up_workdays, published_until=date.fromisoformat(published))


def late_in_2026() -> Dossier:
    start = make_dossier(engaged_on=date(2026, 12, 7))
    dossier, _ = lived(start, days("2026-12-07", "2026-12-30"), Stage.COMMUNICATION)
    return dossier


def test_the_list_of_2027_moves_exactly_the_dates_it_must_and_confirms_the_others() -> None:
    """Made up: only Monday 4 January 2027 is off. The meeting of that day is in calendars and moves to the 5th."""
    dossier = late_in_2026()
    provisional = {k for k, o in dossier.held.obligations.items() if o.provisional and o.live}
    assert "G1/weekly-progress/2027-01-04" in provisional
    calendar = listed("2027-01-04")
    found = replan(replace(dossier, calendar=calendar), at("2026-12-30", 18, 0))
    moved = {k for k, kind in kinds(found).items() if kind is Kind.MOVED}
    rolled = {
        o.key
        for o in dossier.held.obligations.values()
        if o.live and o.provisional and o.due_on != _following(o, calendar)
    }
    assert moved == rolled
    assert "G1/weekly-progress/2027-01-04" in moved
    assert {k for k, kind in kinds(found).items() if kind is Kind.CONFIRMED} <= provisional - moved
    assert itip(found.decision.notices) == {("C-CON", "REQUEST", 1), ("C-ENG", "REQUEST", 1)}
    reasons = of("G1/weekly-progress/2027-01-04", found).reasons
    assert [(r.cause, r.words.en) for r in reasons] == [(Cause.HOLIDAYS, "holiday list: 2027-01-04 is a day off")]


def test_an_invitation_to_a_provisional_date_says_so_in_the_calendar() -> None:
    dossier = late_in_2026()
    sure = _invited(dossier, held(running()))
    unsure = _invited(dossier, next(o for o in dossier.held.obligations.values() if o.provisional and o.minutes))
    assert "provisional" not in sure.description.en
    assert "provisional: the holiday list is not yet published" in unsure.description.en
    assert "日期暂定" in unsure.description.zh


def _invited(dossier: Dossier, meeting: Obligation) -> Invitation:
    return invitation_to(Draft(dossier, Stage.COMMUNICATION, NOW), meeting, ())


def _following(obligation: Obligation, calendar: BusinessCalendar) -> date:
    rolls = {"weekly-progress": Convention.FOLLOWING, "fund-use-report": Convention.PRECEDING}
    return adjust(
        obligation.unadjusted_on, rolls.get(obligation.key.split("/")[1], Convention.MODIFIED_FOLLOWING), calendar
    )


def undertaking(**changes: Any) -> Any:
    terms: dict[str, Any] = {
        "obligation_ref": "U-ACC",
        "description": "Quarterly accounts",
        "metric": "",
        "operator": "",
        "threshold": None,
        "frequency": "quarterly",
        "offset_days": 45,
        "first": date(2025, 12, 31),
    }
    return make_undertaking(**{**terms, **changes})


def test_an_undertaking_of_the_register_that_changes_moves_its_dates_and_says_so() -> None:
    start = with_facts(make_dossier(), obligations=(undertaking(),))
    dossier, _ = lived(start, days("2026-01-05", "2026-01-09"), Stage.COMMUNICATION)
    key = "G1/U-ACC/2025-12-31"
    found = planned(with_facts(dossier, obligations=(undertaking(offset_days=60),)))
    assert of(key, found).kind is Kind.MOVED
    assert [(r.cause, r.words.en) for r in of(key, found).reasons] == [
        (Cause.REGISTER, "register: undertaking U-ACC is due 2026-03-01 instead of 2026-02-14")
    ]
    ended = planned(with_facts(dossier, obligations=(undertaking(last=date(2025, 9, 30)),)))
    assert of(key, ended).kind is Kind.CANCELLED
    assert of(key, ended).reasons[0].cause is Cause.REGISTER


def test_a_phase_that_is_left_cancels_its_cadences_and_one_that_is_entered_brings_them_back() -> None:
    dossier = running()
    away = with_facts(dossier, projects=(make_project(phase=Phase.ASSESSMENT),))
    after, found = done(away)
    assert of(WEEKLY, found).kind is Kind.CANCELLED
    assert of(WEEKLY, found).reasons[0].cause is Cause.PHASE
    home = with_facts(after, projects=(make_project(),))
    back, again = done(home, as_of=at("2026-01-09", 19, 0))
    assert of(WEEKLY, again).kind is Kind.ADDED
    assert held(back).status is Status.PLANNED


def test_the_exit_cancels_also_what_people_have_in_their_calendars() -> None:
    dossier = with_facts(running(), projects=(make_project(phase=Phase.EXIT),))
    after, found = done(dossier)
    assert itip(letters(found)) == {("C-CON", "CANCEL", 1), ("C-ENG", "CANCEL", 1)}
    assert not [o for o in after.held.obligations.values() if o.live and o.due_at > NOW]


def test_what_is_overdue_or_closed_is_left_alone() -> None:
    monday = "G1/weekly-progress/2026-01-05"
    heard = saying(running(), make_touch(Touch.FULFILMENT, REPORT))
    dossier, _ = lived(heard, [at("2026-01-12", 12, 30)], Stage.COMMUNICATION)
    assert held(dossier, REPORT).status is Status.FULFILLED
    found = planned(dossier, without("fund-use-report"), at("2026-01-12", 18, 0))
    assert {monday, REPORT, WEEKLY} & kinds(found).keys() == set()


def test_nothing_is_moved_into_the_past() -> None:
    found = planned(running(), cadence(at="08:00"), at("2026-01-12", 9, 0))
    assert WEEKLY not in kinds(found)


def test_a_rule_that_cannot_be_read_cancels_nothing() -> None:
    broken = cadence().cadences["weekly-progress"].model_copy(update={"rule": "FREQ=WEEKLY"})
    playbook = small_playbook().model_copy(
        update={"cadences": {**small_playbook().cadences, "weekly-progress": broken}}
    )
    found = planned(running(), playbook)
    assert not [key for key in kinds(found) if "weekly-progress" in key]
    assert [f.kind for f in found.decision.findings] == ["bad-rule"]


def test_half_monthly_instead_of_monthly_adds_the_15ths_and_restates_the_month_ends() -> None:
    monthly = cadence("fund-use-report", rule="FREQ=MONTHLY;BYMONTHDAY=-1")
    start = make_dossier(playbook=monthly)
    dossier, _ = lived(start, [at("2026-01-05")], Stage.COMMUNICATION)
    found = planned(dossier, small_playbook(), at("2026-01-05", 18, 0))
    assert kinds(found) == {
        "G1/fund-use-report/2026-01-15": Kind.ADDED,
        "G1/fund-use-report/2026-02-15": Kind.ADDED,
        "G1/fund-use-report/2026-03-15": Kind.ADDED,
        "G1/fund-use-report/2026-01-31": Kind.RESTATED,
        "G1/fund-use-report/2026-02-28": Kind.RESTATED,
        "G1/fund-use-report/2026-03-31": Kind.RESTATED,
    }
    now = of("G1/fund-use-report/2026-01-31", found).now
    assert now is not None
    assert (now.period_start, now.period_end) == (date(2026, 1, 16), date(2026, 1, 31))
    why = "playbook cadences.fund-use-report.rule: FREQ=MONTHLY;BYMONTHDAY=-1 → FREQ=MONTHLY;BYMONTHDAY=15,-1"
    assert {r.words.en for change in found.changes for r in change.reasons} == {why}


@pytest.mark.parametrize(
    ("before", "after", "start"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYMONTHDAY=15,-1", "2026-02-01"),
        ("FREQ=MONTHLY;BYMONTHDAY=15,-1", "FREQ=MONTHLY;BYMONTHDAY=-1", "2026-02-16"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=MONTHLY;BYMONTHDAY=10,20", "2026-02-01"),
        ("FREQ=WEEKLY;BYDAY=MO", "FREQ=MONTHLY;BYMONTHDAY=-1", "2026-02-24"),
    ],
    ids=["more often", "more seldom", "on other days", "weekly to monthly"],
)
def test_a_rule_that_changes_within_a_period_leaves_no_day_without_a_report_and_none_with_two(
    before: str, after: str, start: str
) -> None:
    """On Friday 20 February 2026 the periods behind end on 31 January and on the 15th.

    The weekly one on Monday the 23rd, which was due before the holidays, on the 14th.
    """
    monthly = cadence("fund-use-report", rule=before)
    dossier, _ = lived(make_dossier(playbook=monthly), [at("2026-01-05"), at("2026-02-20")], Stage.COMMUNICATION)
    then, found = done(dossier, cadence("fund-use-report", rule=after), at("2026-02-20", 18))
    ahead = sorted(
        (
            o
            for o in then.held.obligations.values()
            if o.live and "fund-use" in o.key and o.due_at > at("2026-02-20", 18)
        ),
        key=lambda o: o.unadjusted_on,
    )
    starts = [o.period_start.isoformat() for o in ahead if o.period_start]
    ends = [o.period_end for o in ahead if o.period_end]
    assert starts[0] == start
    assert starts[1:] == [date.fromordinal(end.toordinal() + 1).isoformat() for end in ends[:-1]]
    assert found.changes
    assert replan(then, at("2026-02-20", 18)).changes == ()


RULES = st.sampled_from(
    ["FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=TU,FR", "FREQ=MONTHLY;BYMONTHDAY=1,15,-1", "FREQ=DAILY"]
)
CADENCES = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["meeting", "report"]),
        "rule": RULES,
        "at": st.sampled_from(["08:00", "10:00", "17:30"]),
        "minutes": st.sampled_from([30, 60]),
        "roll": st.sampled_from(["following", "preceding", "modified-following", "unadjusted"]),
        "title": st.sampled_from([{"en": "A"}, {"en": "B"}]),
        "ladder": st.sampled_from(["meeting", "report", "request"]),
        "activity": st.sampled_from(["weekly-progress", "fund-use-report"]),
        "phases": st.sampled_from([[], ["implementation"], ["exit"]]),
    }
)
PLAYBOOKS = st.dictionaries(st.sampled_from(["one", "two", "three"]), CADENCES, max_size=3)
FEW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def with_cadences(cadences: dict[str, Any]) -> Playbook:
    made = {name: Cadence.model_validate(one) for name, one in cadences.items()}
    return small_playbook().model_copy(update={"cadences": made, "horizon_days": 21})


def lived_under(cadences: dict[str, Any], until: str = "2026-01-14") -> Dossier:
    start = make_dossier(playbook=with_cadences(cadences), fund_use=(make_payment("V1", "2026-01-08"),))
    dossier, _ = lived(start, days("2026-01-12", until), Stage.COMMUNICATION)
    return dossier


LATER = at("2026-01-14", 18, 0)


@FEW
@given(PLAYBOOKS, PLAYBOOKS, st.sampled_from(["", "join", "leave"]))
def test_a_plan_after_apply_is_empty(first: dict[str, Any], second: dict[str, Any], people: str) -> None:
    dossier = lived_under(first)
    dossier = {"": lambda d: d, "join": joined, "leave": left}[people](dossier)
    after, _ = done(dossier, with_cadences(second), LATER)
    again = replan(after, LATER, before=dossier.playbook)
    assert again.changes == ()
    assert again.decision.quiet
    stage, _ = lived(after, [at("2026-01-14", 18, 1)], Stage.COMMUNICATION)
    assert stage.held.obligations.keys() == after.held.obligations.keys()


def test_a_meeting_that_moves_to_another_ladder_is_told_at_once_to_whom_that_ladder_invites() -> None:
    weekly: dict[str, Any] = {"kind": "meeting", "rule": "FREQ=WEEKLY;BYDAY=TU,FR", "at": "08:00", "minutes": 30}
    weekly |= {"title": {"en": "A"}, "ladder": "meeting", "activity": "weekly-progress"}
    dossier = lived_under({"three": weekly})
    second = with_cadences({"three": weekly | {"title": {"en": "B"}, "ladder": "report"}})
    after, first = done(dossier, second, LATER)
    assert {told.how for change in first.changes for told in change.told} >= {"cancellation"}
    assert replan(after, LATER, before=dossier.playbook).changes == ()


@FEW
@given(PLAYBOOKS, PLAYBOOKS, st.randoms(use_true_random=False))
def test_a_plan_is_independent_of_the_order_of_rows(first: dict[str, Any], second: dict[str, Any], random: Any) -> None:
    dossier = under(lived_under(first), with_cadences(second))

    def shuffled(some: Iterable[Any]) -> list[Any]:
        mixed = list(some)
        random.shuffle(mixed)
        return mixed

    facts = replace(dossier.facts, **{name: tuple(shuffled(rows)) for name, rows in dossier.facts.sheets().items()})
    other = replace(
        dossier,
        held=replace(
            dossier.held,
            facts=facts,
            obligations=dict(shuffled(dossier.held.obligations.items())),
            firings=dict(shuffled(dossier.held.firings.items())),
        ),
        playbook=dossier.playbook.model_copy(update={"cadences": dict(shuffled(dossier.playbook.cadences.items()))}),
    )
    assert replan(other, LATER) == replan(dossier, LATER)


@FEW
@given(PLAYBOOKS, PLAYBOOKS)
def test_added_changed_cancelled_and_unchanged_partition_what_is_and_what_should_be(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    dossier = lived_under(first)
    after, found = done(dossier, with_cadences(second), LATER)
    assert len(kinds(found)) == len(found.changes)
    before = {k for k, o in dossier.held.obligations.items() if o.live and o.due_at > LATER}
    now = {k for k, o in after.held.obligations.items() if o.live and o.due_at > LATER}
    added = {k for k, kind in kinds(found).items() if kind is Kind.ADDED}
    gone = {k for k, kind in kinds(found).items() if kind is Kind.CANCELLED}
    assert added == now - before
    assert gone == before - now
    for key in before & now:
        changed = dossier.held.obligations[key] != after.held.obligations[key]
        assert changed == (key in kinds(found))
        was, is_now = dossier.held.obligations[key].sequence, after.held.obligations[key].sequence
        assert was <= is_now <= was + 1


@FEW
@given(PLAYBOOKS, PLAYBOOKS)
def test_only_who_was_told_of_an_obligation_is_mailed(first: dict[str, Any], second: dict[str, Any]) -> None:
    dossier = lived_under(first)
    _, found = done(dossier, with_cadences(second), LATER)
    keys = [notice.key for notice in found.decision.notices]
    assert len(keys) == len(set(keys))
    for notice in found.decision.notices:
        was = dossier.held.obligations[notice.obligation_key]
        invited, asked = set(was.told(INVITED)), set(was.told(ASKED))
        if notice.invitation is None:
            assert notice.contact_ref in asked - invited
        elif notice.template != "communication/invitation":
            assert notice.contact_ref in invited


def test_a_person_in_two_meetings_at_once_outside_hours_and_in_too_many_meetings_a_day_is_a_conflict() -> None:
    meeting = {"kind": "meeting", "title": {"en": "M"}, "ladder": "meeting", "activity": "weekly-progress"}
    rule = {"rule": "FREQ=WEEKLY;BYDAY=TU", "minutes": 60}
    cadences = {
        "a": {**meeting, **rule, "at": "10:00"},
        "b": {**meeting, **rule, "at": "10:30"},
        "c": {**meeting, **rule, "at": "11:30"},
        "d": {**meeting, **rule, "at": "17:30"},
    }
    dossier = make_dossier(playbook=with_cadences(cadences))
    contacts = tuple(
        replace(c, timezone="Europe/London") if c.contact_ref == "C-CON" else c for c in dossier.facts.contacts
    )
    dossier = with_facts(dossier, contacts=contacts)
    found = replan(dossier, at("2026-01-05"))
    clashes = conflicts(sittings(dossier, found.decision), dossier.playbook.hours, 3)
    first = [c for c in clashes if "2026-01-06" in c.keys[0]]
    mine = {(c.kind, tuple(key.split("/")[1] for key in c.keys)) for c in first if c.name == "Person C-ENG"}
    assert mine == {("double-booked", ("a", "b")), ("out-of-hours", ("d",)), ("crowded-day", ("a", "b", "c", "d"))}
    # 10:00, 10:30 and 11:30 in Shanghai are before dawn in London; 17:30 is 09:30 there.
    away = {tuple(key.split("/")[1] for key in c.keys) for c in first if c.name == "Person C-CON" and "hours" in c.kind}
    assert away == {("a",), ("b",), ("c",)}
    assert conflicts(reversed(sittings(dossier, found.decision)), dossier.playbook.hours, 3) == clashes


def test_a_conflict_on_a_provisional_date_says_so() -> None:
    dossier = late_in_2026()
    found = replan(dossier, at("2026-12-30", 18))
    clashes = conflicts(sittings(dossier, found.decision), dossier.playbook.hours, 0)
    by_year = {(clash.at.year, clash.provisional) for clash in clashes}
    assert by_year == {(2027, True)}
    assert not any(clash.provisional for clash in conflicts(sittings(running(), planned(running()).decision), HOURS, 0))
    house = HousePlan(
        as_of=NOW, until=NOW.date(), playbook="p/1", sha256="a", in_force="a", projects=(), conflicts=clashes[:1]
    )
    assert [line[-14:] for line in plan_text(house, "en", dossier.playbook.zone) if "too many" in line] == [
        " (provisional)"
    ]
    assert any(line.endswith("（暂定）") for line in plan_text(house, "zh-CN", dossier.playbook.zone))
