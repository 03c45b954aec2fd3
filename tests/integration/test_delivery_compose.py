from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from pfflow.delivery.calendar import calendar_of, timezone_of
from pfflow.delivery.compose import Sender, compose, envelope, message_bytes
from pfflow.delivery.errors import DeliveryError
from pfflow.delivery.headers import checked_address, message_id, parsed_mailbox, read_back
from pfflow.domain.letters import Attachment, Letter
from pfflow.domain.notices import Attendee, Invitation, Method
from pfflow.domain.words import EN, LANGUAGES, ZH, Words
from pfflow.ports import Claimed
from tests.unit.sample_letters import CONTACTS, INVITATION, make_notice, shipped

NOW = datetime(2026, 1, 14, 1, 30, tzinfo=UTC)
SENDER = Sender(Words("项目融资部", "Project Finance Desk"), "house@example.com", "pfflow.example.com")
LETTER = Letter("Subject", "text", "<p>text</p>", EN)
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=200)


def make_claimed(template: str = "communication/reminder", language: str = EN, **changes: Any) -> Claimed:
    notice = make_notice(template, **changes)
    return Claimed(message_id=notice.key, notice=notice, contact=CONTACTS[language], attempts=0, until=NOW)


def wire(claimed: Claimed, letter: Letter | None = None) -> bytes:
    if letter is None:
        letter = shipped().letter(claimed.notice, claimed.contact)
    return message_bytes(compose(letter, claimed, SENDER, at=NOW))


def read(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["communication/reminder", "communication/invitation", "communication/report"])
def test_what_is_written_is_what_the_email_package_writes(template: str, language: str) -> None:
    claimed = make_claimed(template, language)
    message = compose(shipped().letter(claimed.notice, claimed.contact), claimed, SENDER, at=NOW)
    assert message_bytes(message) == message.as_bytes()


@given(ANY_TEXT, ANY_TEXT, st.binary(max_size=200))
def test_any_text_and_file_are_written_as_the_email_package_writes_them(text: str, html: str, file: bytes) -> None:
    letter = Letter("Subject", text, html, EN, (Attachment("file.bin", "application/octet-stream", file),))
    message = compose(letter, make_claimed(), SENDER, at=NOW)
    assert message_bytes(message) == message.as_bytes()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", ["communication/reminder", "communication/invitation", "communication/report"])
def test_a_letter_reads_back_as_it_was_composed(template: str, language: str) -> None:
    claimed = make_claimed(template, language)
    letter = shipped().letter(claimed.notice, claimed.contact)
    message = read(wire(claimed))
    assert message["From"] == f"{SENDER.name.in_language(language)} <house@example.com>"
    assert message["To"].addresses[0].display_name == claimed.contact.name
    assert message["To"].addresses[0].addr_spec == claimed.contact.email
    assert message["Subject"] == letter.subject
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == f"<{claimed.notice.key}@pfflow.example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == language
    assert message["X-PFFlow-Obligation"] == "G1/fund-use-report/2026-01-15"
    for kind, expected in (("plain", letter.text), ("html", letter.html)):
        part = message.get_body((kind,))
        assert part is not None
        assert part.get_content().replace("\r\n", "\n").strip() == expected.strip()


def test_the_bytes_suit_any_server() -> None:
    content = wire(make_claimed("communication/report", ZH))
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998


def test_composing_twice_gives_the_same_bytes() -> None:
    claimed = make_claimed("communication/invitation")
    assert sha256(wire(claimed)).hexdigest() == sha256(wire(claimed)).hexdigest()


def test_the_letters_of_an_obligation_are_one_thread() -> None:
    first, second = make_claimed(key="G1/a/2026/announce/C-1"), make_claimed(key="G1/a/2026/remind/C-1")
    root = "<G1/fund-use-report/2026-01-15@pfflow.example.com>"
    assert [read(wire(c))["References"] for c in (first, second)] == [root, root]
    answer = read(wire(make_claimed(in_reply_to="<x.1@mail.example.com>")))
    assert answer["In-Reply-To"] == "<x.1@mail.example.com>"
    assert answer["References"] == f"{root} <x.1@mail.example.com>"


@pytest.mark.parametrize("length", [60, 78, 200, 900])
def test_a_long_message_id_survives_the_wire(length: int) -> None:
    key = "G1/" + "%E9%A1%B9" * (length // 9) + "/C-1"
    claimed = make_claimed(key=key, obligation_key=key[:-4])
    content = wire(claimed)
    assert f"Message-ID: <{key}@pfflow.example.com>\r\n".encode() in content
    message = read(content)
    assert message["Message-ID"] == f"<{key}@pfflow.example.com>"
    assert message["References"] == message["In-Reply-To"] == f"<{key[:-4]}@pfflow.example.com>"
    assert message["X-PFFlow-Obligation"] == key[:-4]


@pytest.mark.parametrize("key", ["", "a b", "a..b", ".a", "项目", "a@b", "a\r\nBcc: x", "<a>", "G1/" + "x" * 1000])
def test_a_key_that_is_no_message_id_is_refused(key: str) -> None:
    with pytest.raises(DeliveryError):
        message_id(key, "pfflow.example.com")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@example.com, bo@example.com",
        "Ana <ana@example.com>",
        '"a b"@example.com',
        "ana@exam ple.com",
        "ana\n@example.com",
        "ana@example.com\r\nBcc: all@example.com",
        "ana\u2028@example.com",
        "用户@example.com",
        "a" * 65 + "@example.com",
        "a..b@example.com",
        "ana@-x.example",
        "ana@[127.0.0.1]",
        "ana@.example.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(DeliveryError):
        checked_address(address)


@given(name=ANY_TEXT, subject=ANY_TEXT)
def test_whatever_people_write_the_message_has_the_headers_it_was_given(name: str, subject: str) -> None:
    claimed = make_claimed()
    claimed = replace(claimed, contact=replace(claimed.contact, name=name))
    content = wire(claimed, replace(LETTER, subject=subject))
    message = read(content)
    assert sorted(set(message.keys())) == sorted(message.keys())
    assert "Bcc" not in message
    assert [address.addr_spec for address in message["To"].addresses] == ["ana@example.com"]
    expected = re.sub(r"\s+", " ", re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", name))
    visible = re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", "", expected)
    if len(visible) < 120:
        assert parsed_mailbox(read_back(content)["To"]) == str(Address(visible.strip(), addr_spec="ana@example.com"))
    assert envelope(compose(LETTER, claimed, SENDER, at=NOW)) == ("house@example.com", "ana@example.com")


@pytest.mark.parametrize(
    "name",
    [
        "Ana\r\nBcc: all@example.com",
        "Ana\u2028Bcc: all@example.com",
        "Ana <all@example.com>, Bo",
        'Ana "Boss" Martín \\',
        "=?utf-8?q?Ana=0D=0ABcc:_all@example.com?=",
        "王" * 150,
        "Martín, " * 30,
        "(comment) ; group: a@b;",
    ],
)
def test_a_hostile_name_stays_a_name(name: str) -> None:
    claimed = make_claimed()
    message = read(wire(replace(claimed, contact=replace(claimed.contact, name=name)), LETTER))
    assert [address.addr_spec for address in message["To"].addresses] == ["ana@example.com"]
    assert "Bcc" not in message


def test_an_attachment_with_a_chinese_name_keeps_it_and_its_bytes() -> None:
    attachment = Attachment(
        "资金使用报告 2026-01-15（第一期）.xlsx", "application/octet-stream", bytes(range(256)) * 40
    )
    message = read(wire(make_claimed(), replace(LETTER, attachments=(attachment,))))
    (part,) = message.iter_attachments()
    assert part.get_filename() == attachment.name
    assert part.get_content() == attachment.content
    assert part.get_content_disposition() == "attachment"


def test_an_invitation_is_a_calendar_part_and_a_file_and_both_are_equal() -> None:
    message = read(wire(make_claimed("communication/invitation", ZH)))
    (part,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    (file,) = [part for part in message.iter_attachments() if part.get_filename() == "invite.ics"]
    assert part.get_param("method") == "REQUEST"
    assert str(part.get_param("charset")).lower() == "utf-8"
    assert part.get_payload(decode=True) == file.get_content()
    alternatives = next(p for p in message.walk() if p.get_content_type() == "multipart/alternative")
    assert [p.get_content_type() for p in alternatives.iter_parts()] == ["text/plain", "text/html", "text/calendar"]


def event_of(invitation: Invitation, language: str = ZH) -> tuple[bytes, Calendar, Any]:
    content = calendar_of(invitation, language=language, stamped_at=NOW)
    calendar = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    return content, calendar, event


def test_an_invitation_says_who_when_and_where_and_asks_for_an_answer() -> None:
    content, calendar, event = event_of(INVITATION)
    assert calendar["METHOD"] == "REQUEST"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (INVITATION.uid, 0, "CONFIRMED")
    assert event.decoded("DTSTART") == INVITATION.starts_at
    assert event.decoded("DTEND") == INVITATION.ends_at
    assert event["DTSTART"].params["TZID"] == "Asia/Shanghai"
    assert b"DTSTAMP:20260114T013000Z" in content
    assert str(event["ORGANIZER"]) == "mailto:house@example.com"
    attendee = event["ATTENDEE"]
    assert str(attendee) == "mailto:wang@example.com"
    assert attendee.params["CN"] == "王建国"
    assert {name: attendee.params[name] for name in ("RSVP", "PARTSTAT", "ROLE")} == {
        "RSVP": "TRUE",
        "PARTSTAT": "NEEDS-ACTION",
        "ROLE": "REQ-PARTICIPANT",
    }
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Asia/Shanghai"]


def test_a_cancellation_keeps_uid_people_and_says_cancelled() -> None:
    _, calendar, event = event_of(replace(INVITATION, method=Method.CANCEL, sequence=3))
    assert calendar["METHOD"] == "CANCEL"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == (INVITATION.uid, 3, "CANCELLED")
    assert str(event["ORGANIZER"]) == "mailto:house@example.com"
    assert str(event["ATTENDEE"]) == "mailto:wang@example.com"


def test_a_calendar_folds_at_75_octets_and_never_within_a_character() -> None:
    long = Words("资金使用报告，含逗号；分号\\反斜杠" * 20, "")
    people = tuple(Attendee(f"C-{n}", "欧阳" * 20, f"person-{n}@example.com") for n in range(5))
    content, _, event = event_of(replace(INVITATION, description=long, attendees=people))
    lines = content.split(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, lines)) <= 75
    for line in lines:
        line.decode()
    assert event["DESCRIPTION"] == long.zh
    assert [person.params["CN"] for person in event["ATTENDEE"]] == ["欧阳" * 20] * 5


@given(text=ANY_TEXT, name=ANY_TEXT)
def test_whatever_people_write_the_calendar_has_one_event_and_no_other_property(text: str, name: str) -> None:
    hostile = replace(
        INVITATION,
        summary=Words(text, ""),
        description=Words(text + "\r\nATTENDEE:mailto:x@example.com", ""),
        attendees=(Attendee("C", name, "ana@example.com"),),
    )
    _, calendar, event = event_of(hostile)
    assert str(event["ATTENDEE"]) == "mailto:ana@example.com"
    assert len(calendar.walk("VEVENT")) == 1
    assert set(event) <= {
        "SUMMARY", "DTSTART", "DTEND", "DTSTAMP", "UID", "SEQUENCE", "ATTENDEE", "DESCRIPTION", "LOCATION",
        "ORGANIZER", "STATUS", "TRANSP",
    }  # fmt: skip


@pytest.mark.parametrize(
    "zone",
    ["Asia/Shanghai", "Asia/Kolkata", "Asia/Tehran", "Europe/Madrid", "Europe/London", "Europe/Dublin",
     "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Casablanca"],
)  # fmt: skip
def test_the_written_zone_gives_the_offsets_of_the_real_one(zone: str) -> None:
    around = datetime(2026, 3, 29, 12, tzinfo=UTC)
    observances = [
        (part.decoded("DTSTART"), part.decoded("TZOFFSETFROM"), part.decoded("TZOFFSETTO"))
        for part in timezone_of(ZoneInfo(zone), around).subcomponents
    ]
    # an observance begins at DTSTART read with the offset before it (RFC 5545 section 3.6.5)
    onsets = sorted((start.replace(tzinfo=UTC) - before, after) for start, before, after in observances)
    for hours in range(0, 365 * 24, 5):
        at = datetime(2025, 9, 29, tzinfo=UTC) + timedelta(hours=hours)
        written = [offset for onset, offset in onsets if onset <= at][-1]
        assert written == at.astimezone(ZoneInfo(zone)).utcoffset(), at


def test_madrids_spring_change_begins_at_two_in_the_morning() -> None:
    # 29 March 2026: clocks go from 02:00 (UTC+1) to 03:00 (UTC+2)
    text = timezone_of(ZoneInfo("Europe/Madrid"), datetime(2026, 3, 1, tzinfo=UTC)).to_ical().decode()
    assert "BEGIN:DAYLIGHT\r\nDTSTART:20260329T020000\r\nTZNAME:CEST\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200" in text


def test_a_meeting_in_utc_needs_no_zone() -> None:
    content, calendar, event = event_of(replace(INVITATION, timezone="UTC"))
    assert calendar.walk("VTIMEZONE") == []
    assert b"DTSTART:20260115T090000Z" in content
    assert event.decoded("DTSTART") == INVITATION.starts_at


def test_a_guest_without_a_usable_address_is_left_out_and_the_others_are_invited() -> None:
    guests = (Attendee("C", "Ana", "not an address"), *INVITATION.attendees)
    _, _, event = event_of(replace(INVITATION, attendees=guests))
    assert str(event["ATTENDEE"]) == "mailto:wang@example.com"


def test_an_organiser_without_a_usable_address_is_refused() -> None:
    with pytest.raises(DeliveryError):
        event_of(replace(INVITATION, organizer_email="not an address"))
