"""Feeds of the small motorway, from a real database through the command line, read back by icalendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Timezone

from pfflow.delivery.feeds import FeedEntry, feed_of
from pfflow.domain.decision import Dossier
from pfflow.domain.obligations import ObligationKind, Status
from pfflow.domain.words import Stage, Words
from pfflow.ports import NotHeld
from pfflow.stages import communication
from pfflow.store import SqlStore
from tests.command_line import done, pfflow, settle_in
from tests.factories import (
    PLAYBOOK,
    at,
    china,
    days,
    make_contact,
    make_facts,
    make_obligation,
    make_participation,
    make_party,
    make_undertaking,
    small_playbook,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
DOMAIN = small_playbook().house.email.rpartition("@")[2]
ACCOUNTS = make_undertaking(
    obligation_ref="accounts",
    kind="report",
    description="Quarterly accounts",
    description_zh="季度财务报表",
    frequency="quarterly",
    offset_days=15,
    first=date(2025, 12, 31),
    metric="",
    operator="",
    threshold=None,
)
FACTS = replace(
    make_facts(),
    contacts=(*make_facts().contacts, make_contact("C-SPV2", "SPV", language="zh-CN", name="王芳")),
    obligations=(ACCOUNTS,),
)


@pytest.fixture
def home(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home in which communication was decided from Monday 5 to Friday 9 January 2026."""
    settle_in(monkeypatch, tmp_path, sqlite_url)
    with SqlStore.open(sqlite_url) as store:
        store.import_facts(FACTS, at("2026-01-05"), "test")
        store.adopt_playbook(PLAYBOOK.read_text(encoding="utf-8"), "small", 1, at("2026-01-05"), "test")
        for instant in days("2026-01-05", "2026-01-09"):
            decided(store, instant)
    return tmp_path


def decided(store: SqlStore, as_of: datetime) -> None:
    with store.deciding("G1", Stage.COMMUNICATION, as_of) as held:
        assert not isinstance(held, NotHeld)
        dossier = Dossier(held=held.holdings, playbook=small_playbook(), calendar=china(), engaged_on=date(2026, 1, 5))
        held.record(communication.decide(dossier, as_of))


def fed(home: Path, *options: str) -> bytes:
    file = home / "feed.ics"
    done("feed", file, *options)
    return file.read_bytes()


def refused(*words: object) -> str:
    said = pfflow("feed", *words)
    assert said.status in (1, 2)
    return said.err


def events(feed: bytes) -> dict[str, Any]:
    calendar = Calendar.from_ical(feed)
    found = {str(event["UID"]): event for event in calendar.walk("VEVENT")}
    assert len(found) == len(calendar.walk("VEVENT"))
    return found


def keys(feed: bytes) -> set[str]:
    """Give which obligations a feed is of, without project and date."""
    return {uid.split("/")[1] for uid in events(feed)}


def uid(key: str) -> str:
    return f"{key}@{DOMAIN}"


def test_a_meeting_has_the_uid_sequence_and_time_of_its_invitation(home: Path, sqlite_url: str) -> None:
    with SqlStore.open(sqlite_url) as store:
        invitations = [letter.notice.invitation for letter in store.letters() if letter.notice.invitation]
    assert invitations
    found = events(fed(home, "--project", "G1"))
    for invitation in invitations:
        event = found[invitation.uid]
        assert event["SEQUENCE"] == invitation.sequence
        assert event.decoded("DTSTART") == invitation.starts_at
        assert event.decoded("DTEND") == invitation.ends_at
        assert event["DTSTART"].params["TZID"] == "Asia/Shanghai"


def test_what_is_owed_is_an_all_day_event_that_leaves_the_day_free(home: Path) -> None:
    event = events(fed(home, "--project", "G1", "--language", "en"))[uid("G1/fund-use-report/2026-01-31")]
    assert event.decoded("DTSTART") == date(2026, 1, 30)  # the 31st is a Saturday: preceding
    assert event.decoded("DTEND") == date(2026, 1, 31)
    assert event["TRANSP"] == "TRANSPARENT"
    assert event["STATUS"] == "CONFIRMED"
    assert str(event["DESCRIPTION"]).split("\n") == [
        "Project: Motorway",
        "Due: 2026-01-30 17:00 Asia/Shanghai",
        "Owed by: FIN Ltd",
        "Owed to: BANK Ltd, FUND Ltd, CMD Ltd",
        "Status: planned",
        "Date of the rule: 2026-01-31",
        "Reference: G1/fund-use-report/2026-01-31",
    ]


def test_a_feed_in_chinese_says_the_same_in_chinese(home: Path) -> None:
    event = events(fed(home, "--project", "G1", "--language", "zh-CN"))[uid("G1/fund-use-report/2026-01-31")]
    assert str(event["SUMMARY"]) == "资金使用半月报"
    assert event["SUMMARY"].params["LANGUAGE"] == "zh-CN"
    assert str(event["DESCRIPTION"]).split("\n") == [
        "项目：高速公路",
        "到期：2026-01-30 17:00 Asia/Shanghai",
        "责任方：FIN公司",
        "接收方：BANK公司、FUND公司、CMD公司",
        "状态：已排期",
        "规则日期：2026-01-31",
        "编号：G1/fund-use-report/2026-01-31",
    ]


def test_a_feed_asks_for_no_answer(home: Path) -> None:
    feed = fed(home, "--project", "G1")
    for name in (b"METHOD", b"ORGANIZER", b"ATTENDEE", b"RRULE"):
        assert b"\n" + name not in feed


def test_lines_end_in_crlf_and_are_folded_at_75_octets_without_splitting_a_character(home: Path) -> None:
    feed = fed(home, "--project", "G1", "--language", "zh-CN")
    lines = feed.split(b"\r\n")
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75
    assert [line.decode() for line in lines]
    assert b"\r\n " in feed


def test_equal_data_give_equal_bytes_and_a_date_is_stamped_when_it_last_changed(home: Path, sqlite_url: str) -> None:
    first = fed(home, "--project", "G1")
    assert fed(home, "--project", "G1") == first
    with SqlStore.open(sqlite_url) as store:
        decided(store, at("2026-01-19"))  # new dates come within the horizon, the weekly meeting's ladder goes on
    then = events(first)
    now = events(fed(home, "--project", "G1"))
    assert then.keys() < now.keys()
    new = now.keys() - then.keys()
    assert {now[key].decoded("DTSTAMP") for key in new} == {at("2026-01-19")}
    quiet = uid("G1/weekly-progress/2026-02-02")
    assert now[quiet].to_ical() == then[quiet].to_ical()
    assert now[quiet].decoded("DTSTAMP") == at("2026-01-05")


def test_a_party_is_shown_what_it_owes_and_attends_only(home: Path) -> None:
    assert keys(fed(home, "--party", "CON")) == {"weekly-progress"}  # invited as responsible; owes no report
    assert keys(fed(home, "--party", "SPV")) == {"accounts"}
    assert keys(fed(home, "--party", "BANK")) == {"fund-use-report"}  # the report is sent to it; it meets nobody
    assert keys(fed(home, "--party", "FIN")) == {"fund-use-report"}


def test_a_contact_is_shown_what_letters_go_to_that_contact_for_and_what_its_party_owes(home: Path) -> None:
    assert keys(fed(home, "--contact", "C-BANK")) == {"fund-use-report"}
    assert keys(fed(home, "--contact", "C-BANK2")) == set()  # the report goes to the working level
    assert keys(fed(home, "--contact", "C-SPV2")) == {"accounts"}
    assert keys(fed(home, "--contact", "C-ENG")) == {"weekly-progress"}


def test_who_was_invited_keeps_the_meeting_and_who_holds_the_role_since_gets_those_to_come(
    home: Path, sqlite_url: str
) -> None:
    newcomer = make_contact("C-NEW", "NEW")
    others = tuple(p for p in FACTS.participations if p.role != "contractor")
    facts = replace(
        FACTS,
        parties=(*FACTS.parties, make_party("NEW")),
        contacts=(*FACTS.contacts, newcomer),
        participations=(
            *others,
            make_participation("contractor", "CON", until=date(2026, 1, 9)),
            make_participation("contractor", "NEW", since=date(2026, 1, 10)),
        ),
    )
    with SqlStore.open(sqlite_url) as store:
        store.import_facts(facts, at("2026-01-09", 18), "test")
    before, after = (set(events(fed(home, "--contact", ref))) for ref in ("C-CON", "C-NEW"))
    assert uid("G1/weekly-progress/2026-01-12") in before  # invited on Thursday the 8th
    assert uid("G1/weekly-progress/2026-01-12") not in after
    assert uid("G1/weekly-progress/2026-01-19") in after - before


def test_an_escalation_is_not_to_be_seen_coming(home: Path) -> None:
    escalated_to = {"HEAD": set[str](), "CMD": {"fund-use-report"}}  # the command group is informed of the report
    for party, expected in escalated_to.items():
        assert keys(fed(home, "--party", party)) == expected


def test_a_contacts_feed_is_in_the_contacts_language_unless_asked_otherwise(home: Path) -> None:
    assert "季度财务报表 · 高速公路" in str(
        events(fed(home, "--contact", "C-SPV2"))[uid("G1/accounts/2025-12-31")]["SUMMARY"]
    )
    english = events(fed(home, "--contact", "C-SPV2", "--language", "en"))[uid("G1/accounts/2025-12-31")]
    assert str(english["SUMMARY"]) == "Quarterly accounts · Motorway"


def test_dates_stand_in_the_order_they_fall_due(home: Path) -> None:
    calendar = Calendar.from_ical(fed(home, "--project", "G1"))
    starts = [event.decoded("DTSTART") for event in calendar.walk("VEVENT")]
    on = [start.astimezone(SHANGHAI).date() if isinstance(start, datetime) else start for start in starts]
    assert len(on) > 10
    assert on == sorted(on)


def make_entry(**changes: Any) -> FeedEntry:
    return FeedEntry(
        obligation=make_obligation(**changes),
        project=Words("高速公路", "Motorway"),
        debtor=Words("财务部", "Finance"),
        creditor=Words("银行", "Bank"),
        changed_at=at("2026-01-05"),
    )


def one_event(entry: FeedEntry, language: str = "en") -> Any:
    feed = feed_of([entry], name=Words("日程", "Calendar"), language=language, domain=DOMAIN, of_one_project=True)
    (event,) = Calendar.from_ical(feed).walk("VEVENT")
    return event


@pytest.mark.parametrize(
    ("changes", "status", "en", "zh"),
    [
        ({}, "CONFIRMED", "Fund-use report", "资金使用报告"),
        ({"provisional": True}, "TENTATIVE", "Fund-use report [provisional]", "资金使用报告〔暂定〕"),
        ({"status": Status.CANCELLED}, "CANCELLED", "Fund-use report [cancelled]", "资金使用报告〔已取消〕"),
        ({"status": Status.FULFILLED}, "CONFIRMED", "Fund-use report [fulfilled]", "资金使用报告〔已完成〕"),
        (
            {"status": Status.CANCELLED, "provisional": True},
            "CANCELLED",
            "Fund-use report [cancelled]",
            "资金使用报告〔已取消〕",
        ),
    ],
)
def test_what_is_not_certain_or_no_longer_owed_is_marked(
    changes: dict[str, Any], status: str, en: str, zh: str
) -> None:
    event = one_event(make_entry(**changes))
    assert (event["STATUS"], str(event["SUMMARY"])) == (status, en)
    assert str(one_event(make_entry(**changes), "zh-CN")["SUMMARY"]) == zh


def test_a_cancelled_meeting_keeps_its_uid_takes_the_higher_sequence_and_no_time_of_anybody() -> None:
    event = one_event(make_entry(kind=ObligationKind.MEETING, minutes=60, sequence=2, status=Status.CANCELLED))
    assert (event["UID"], event["SEQUENCE"]) == (uid("G1/report/2026-01-15"), 2)
    assert (event["STATUS"], event["TRANSP"]) == ("CANCELLED", "TRANSPARENT")


def test_one_vtimezone_covers_all_meetings_of_a_zone_over_the_years() -> None:
    london = ZoneInfo("Europe/London")
    meetings = [
        make_entry(
            key=f"G1/steering/{year}",
            kind=ObligationKind.MEETING,
            minutes=90,
            timezone="Europe/London",
            due_on=date(year, 7, 1),
            due_at=datetime(year, 7, 1, 10, tzinfo=london),
        )
        for year in (2026, 2031)
    ]
    feed = feed_of(meetings, name=Words("", "Calendar"), language="en", domain=DOMAIN)
    calendar = Calendar.from_ical(feed)
    (zone,) = calendar.walk("VTIMEZONE")
    assert isinstance(zone, Timezone)
    told = zone.to_tz(lookup_tzid=False)  # what the file itself says of London, not what this machine knows
    for event, entry in zip(calendar.walk("VEVENT"), meetings, strict=True):
        wall = event.decoded("DTSTART").replace(tzinfo=None)
        assert wall == entry.obligation.due_at.replace(tzinfo=None)
        assert wall.replace(tzinfo=told).utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("x.ics", "--contact", "C-BANG"), "no contact 'C-BANG' is registered; did you mean C-BANK"),
        (("x.ics", "--party", "nobody"), "no party 'nobody' is registered"),
        (("x.ics", "--party", "BANK", "--contact", "C-BANK"), "a feed is of one reader: write --party or --contact"),
        (("x.ics", "--language", "fr"), "'fr' is no language of a feed; write zh-CN or en"),
        (("x.csv",), "calendars open files that end in .ics"),
        (("x.ics", "--project", "G9"), "no project 'G9' is registered"),
    ],
)
def test_what_makes_no_feed_is_refused_with_a_sentence_and_writes_nothing(
    home: Path, words: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refused(home / words[0], *words[1:])
    assert not (home / words[0]).exists()


def test_a_file_that_cannot_be_written_is_a_sentence(home: Path) -> None:
    assert "No such file or directory" in refused(home / "missing" / "x.ics")
