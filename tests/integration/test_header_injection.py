"""Nothing that people write becomes a header, a line of a calendar or a crash, whatever its characters are."""

from __future__ import annotations

import random  # noqa: TID251 - a seeded generator of test data
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.parser import BytesHeaderParser
from typing import Any

import pytest
from icalendar import Calendar

from pfflow.delivery.compose import Sender, compose, envelope, message_bytes
from pfflow.delivery.errors import DeliveryError
from pfflow.domain.letters import XLSX, Attachment, Letter
from pfflow.domain.notices import Attendee
from pfflow.domain.parties import Contact
from pfflow.domain.words import EN, ZH, Words
from pfflow.ports import Claimed
from tests.unit.sample_letters import CONTACTS, INVITATION, make_context, make_notice, shipped

AT = datetime(2026, 1, 14, 1, tzinfo=UTC)
SENDER = Sender(Words("项目融资部", "Project Finance Desk"), "house@example.com", "pfflow.example.com")
BREAKS = (
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    "\u2028",
    "\u2029",
    "\r\n",
    "\r\n ",
    "\n\t",
)
"""Every control character, NEL, the line and paragraph separators, and the ways lines are ended and folded."""
FORGED = "Bcc: all@example.com"
SAMPLES = (
    "王建国",
    "欧阳娜娜（项目部）",
    "Ana Martín",
    "O'Neill, Seán (Dr.)",
    '"quoted" <a@b.example>',
    "مدير المشروع",
    "ראש צוות \u202eabc\u202c",
    "👩🏽‍💼 张伟 🏗️",
    "Ⅷ号标段 ﷺ",
    "e\u0301\u0327\u200d\u200b",
    "\ud800lone\udfff",
    "=?utf-8?b?QmNjOiBhbGxAZXhhbXBsZS5jb20=?=",
    "=?utf-8?q?=0D=0ABcc:_all@example.com?=",
    "a" * 300,
    "汉" * 300,
    "a;b:c,d\\n\\e\tBEGIN:VEVENT",
    "【沿江高速】提醒：资金使用报告（已逾期3个工作日）",
    "[River Motorway] Overdue: Fund-use report",
    "",
    " ",
)


def claimed(contact: Contact = CONTACTS[EN], **changes: Any) -> Claimed:
    notice = make_notice(**changes)
    return Claimed(message_id=notice.key, notice=notice, contact=contact, attempts=0, until=AT)


def plain_letter(subject: str) -> Letter:
    return Letter(subject, "text\n", "<p>text</p>", EN)


def header_lines(content: bytes) -> list[bytes]:
    """Give the names of a message's headers by splitting its bytes, as a server with no library would."""
    head = content.split(b"\r\n\r\n", 1)[0]
    return [line.split(b":", 1)[0] for line in re.split(rb"\r\n|\r|\n", head) if line[:1] not in (b" ", b"\t")]


def parsed_headers(content: bytes) -> list[str]:
    return BytesHeaderParser(policy=policy.default).parsebytes(content).keys()


def sent(letter: Letter, one: Claimed) -> bytes:
    message = compose(letter, one, SENDER, at=AT)
    content = message_bytes(message)
    assert envelope(message) == ("house@example.com", "ana@example.com")
    return content


def mutated(seed: int, number: int) -> Iterator[str]:
    """Give samples with bytes changed, dropped, doubled and put in between, read as UTF-8 or what is left of it."""
    chance = random.Random(seed)  # noqa: S311 - test data, the same every time
    inserted = [
        *(one.encode("utf-8", "surrogatepass") for one in BREAKS),
        b"\r\n" + FORGED.encode(),
        b"\xc2\x85",
        b"\0",
    ]
    for _ in range(number):
        raw = bytearray(chance.choice(SAMPLES).encode("utf-8", "surrogatepass"))
        for _ in range(chance.randint(1, 4)):
            at = chance.randint(0, len(raw))
            match chance.randrange(4):
                case 0:
                    raw[at:at] = chance.choice(inserted)
                case 1:
                    raw[at:at] = bytes([chance.randrange(256)])
                case 2:
                    del raw[at : at + chance.randint(1, 4)]
                case _:
                    raw[at : at + 1] = bytes([chance.randrange(256)])
        try:
            yield raw.decode("utf-8", chance.choice(["surrogatepass", "replace", "ignore"]))
        except UnicodeDecodeError:
            yield raw.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("seed", range(4))
def test_ten_thousand_mutated_names_and_subjects_add_no_header_and_stop_no_letter(seed: int) -> None:
    """Four seeds of 2,500 letters, a name and a subject each."""
    clean = sent(plain_letter("Reminder"), claimed())
    lines, keys = header_lines(clean), parsed_headers(clean)
    told = claimed()
    for name, subject in zip(mutated(seed, 2_500), mutated(seed + 100, 2_500), strict=True):
        content = sent(plain_letter(subject), replace(told, contact=replace(told.contact, name=name)))
        assert header_lines(content) == lines, (name, subject)
        assert parsed_headers(content) == keys, (name, subject)
        assert content.isascii()


def test_a_mutation_reaches_the_header_it_is_meant_for() -> None:
    """Otherwise the test above would hold whatever is done with what people write."""
    content = sent(plain_letter(f"a\r\n{FORGED}"), claimed(replace(CONTACTS[EN], name=f"b\u2028{FORGED}")))
    read = message_from_bytes(content, policy=policy.default)
    assert read["Subject"] == f"a {FORGED}"
    assert f"b {FORGED}" in str(read["To"])
    unsafe = b"Subject: a\r\n" + FORGED.encode() + b"\r\n\r\n"
    assert header_lines(unsafe) == [b"Subject", b"Bcc"]


def hostile(mark: str) -> str:
    return f"周例会{mark}{FORGED}{mark}X-Evil: 1{mark}ATTENDEE:mailto:all@example.com{mark}"


@pytest.mark.parametrize("mark", BREAKS, ids=lambda mark: "+".join(f"U+{ord(one):04X}" for one in mark))
def test_no_line_end_or_control_character_of_any_field_gets_into_a_header_or_a_calendar(mark: str) -> None:
    said, both = hostile(mark), Words(hostile(mark), hostile(mark))
    invitation = replace(
        INVITATION,
        summary=both,
        description=both,
        location=both,
        organizer_name=both,
        attendees=(Attendee("C-01", said, "wang@example.com"),),
    )
    context = make_context("communication/invitation")
    context["project"] |= {"name": both.as_json()}
    context["obligation"] |= {"title": both.as_json()}
    context |= {
        "debtor": both.as_json(),
        "reason": both.as_json(),
        "house": {"name": both.as_json(), "email": "h@x.example"},
    }
    contact = replace(CONTACTS[EN], name=said, role_title=said)
    evil = claimed(contact, template="communication/invitation", invitation=invitation, context=context)
    clean = claimed(template="communication/invitation")
    assert shape(evil, said) == shape(clean, "report.xlsx")


def shape(one: Claimed, attached: str) -> tuple[list[bytes], list[list[str]], list[str]]:
    """Give what a message is made of, whatever its words are: its headers, those of its parts, its calendar's lines."""
    letter = shipped().letter(one.notice, one.contact, ZH)
    letter = replace(letter, attachments=(Attachment(attached, XLSX, b"PK"),))
    sender = replace(SENDER, name=Words(attached, attached)) if FORGED in attached else SENDER
    content = message_bytes(compose(letter, one, sender, at=AT))
    read = message_from_bytes(content, policy=policy.default)
    parts = [part.keys() for part in read.walk()]
    (calendar,) = (part.get_content() for part in read.walk() if part.get_content_type() == "text/calendar")
    unfolded = re.sub(r"\r\n[ \t]", "", calendar)
    assert not re.search(r"(?<!\r)\n|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]", unfolded)
    (event,) = Calendar.from_ical(calendar).walk("VEVENT")
    assert str(event["ATTENDEE"]) == "mailto:wang@example.com"
    return header_lines(content), parts, [re.split("[:;]", line)[0] for line in unfolded.split("\r\n")]


@pytest.mark.parametrize("mark", BREAKS, ids=lambda mark: "+".join(f"U+{ord(one):04X}" for one in mark))
@pytest.mark.parametrize("field", ["key", "obligation_key", "in_reply_to", "email"])
def test_what_must_be_an_id_or_an_address_is_refused_with_anything_else_in_it(field: str, mark: str) -> None:
    forged = f"a{mark}{FORGED}"
    changes: dict[str, Any] = {} if field == "email" else {field: forged}
    contact = replace(CONTACTS[EN], email=f"ana@example.com{mark}{FORGED}") if field == "email" else CONTACTS[EN]
    with pytest.raises(DeliveryError):
        compose(plain_letter("Reminder"), claimed(contact, **changes), SENDER, at=AT)
