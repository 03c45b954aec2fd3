"""A meeting's mails in khal, a calendar program people use in the terminal, installed from the registry.

khal's own: it keeps one event for a UID and puts a newer import in its place, calls an event with STATUS:CANCELLED
cancelled, and deletes it when told so. The test's own, as it is the mail program's part: taking the text/calendar part
out of the mail, leaving a message aside whose SEQUENCE is lower than one that was taken (RFC 5546 section 2.1.5), and
telling khal to delete what is cancelled, in the words a person types.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from icalendar import Calendar, Event

from pfflow.delivery.compose import Sender, compose, message_bytes
from pfflow.domain.notices import Invitation, Method
from pfflow.domain.words import EN, ZH, Words
from pfflow.ports import Claimed
from tests.unit.sample_letters import CONTACTS, INVITATION, make_notice, shipped

CONFIGURATION = """
[calendars]
[[work]]
path = {home}/events
[locale]
local_timezone = Asia/Shanghai
default_timezone = Asia/Shanghai
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[sqlite]
path = {home}/khal.db
"""
LINE = "{cancelled}{start-long-full}|{end-long-full}|{title}|{location}"
MOVED_BY = timedelta(days=1, hours=1)
AT = datetime(2026, 1, 14, 1, 30, tzinfo=UTC)


@dataclass
class Client:
    """A person's calendar in a folder: mails in, and what the person then sees."""

    home: Path
    taken: dict[str, int] = field(default_factory=dict)

    def receive(self, mail: bytes) -> None:
        """Give the calendar part of a mail to khal, unless a later word on its meeting was taken."""
        part = message_from_bytes(mail, policy=policy.default).get_body(("calendar",))
        assert part is not None
        content = part.get_content()
        (event,) = Calendar.from_ical(content).walk("VEVENT")
        assert isinstance(event, Event)
        uid, sequence = str(event["UID"]), int(str(event["SEQUENCE"]))
        if sequence < self.taken.get(uid, 0):
            return
        self.taken[uid] = sequence
        file = self.home / "invite.ics"
        file.write_bytes(content.encode())
        self.khal("import", "--batch", str(file))

    def shown(self) -> list[str]:
        """Give what the program lists for the whole year."""
        said = self.khal("list", "--notstarted", "--format", LINE, "--day-format", "", "2026-01-01", "365d")
        return [line for line in said.splitlines() if line.strip()]

    def delete(self, title: str) -> None:
        """Delete the event of that title at khal's prompt: D, and yes."""
        self.khal("edit", "--show-past", title, typed="D\ny\n")

    def khal(self, *words: str, typed: str = "") -> str:
        """Run khal with warnings as errors; gives what it says."""
        command = [sys.executable, "-W", "error", "-m", "khal", "--config", str(self.home / "config"), *words]
        environment = {"HOME": str(self.home), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            command, input=typed, capture_output=True, text=True, check=False, timeout=30, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def client(tmp_path: Path) -> Client:
    (tmp_path / "events").mkdir()
    (tmp_path / "config").write_text(CONFIGURATION.format(home=tmp_path), encoding="utf-8")
    return Client(tmp_path)


def mail_of(invitation: Invitation, language: str = EN) -> bytes:
    """Compose the mail as the house sends it."""
    notice = replace(make_notice("communication/invitation"), invitation=invitation)
    claimed = Claimed(message_id=notice.key, notice=notice, contact=CONTACTS[language], attempts=0, until=AT)
    sender = Sender(Words("项目融资部", "Project Finance Desk"), "house@example.com", "pfflow.example.com")
    return message_bytes(compose(shipped().letter(notice, claimed.contact), claimed, sender, at=AT))


def moved(invitation: Invitation) -> Invitation:
    return replace(
        invitation,
        sequence=invitation.sequence + 1,
        starts_at=invitation.starts_at + MOVED_BY,
        ends_at=invitation.ends_at + MOVED_BY,
    )


def cancelled(invitation: Invitation) -> Invitation:
    return replace(invitation, sequence=invitation.sequence + 1, method=Method.CANCEL)


def line(invitation: Invitation, language: str = EN) -> str:
    zone = timedelta(hours=8)  # Shanghai's, all the year
    starts, ends = (
        (instant + zone).strftime("%Y-%m-%d %H:%M") for instant in (invitation.starts_at, invitation.ends_at)
    )
    words = (invitation.summary, invitation.location)
    return "|".join((starts, ends, *(one.in_language(language) for one in words)))


def test_an_invitation_its_update_and_its_cancellation_leave_one_event_moved_and_then_none(client: Client) -> None:
    language = ZH
    first = INVITATION
    client.receive(mail_of(first, language))
    assert client.shown() == [line(first, language)]

    second = moved(first)
    client.receive(mail_of(second, language))
    assert client.shown() == [line(second, language)]

    third = cancelled(second)
    client.receive(mail_of(third, language))
    assert client.shown() == [f"CANCELLED {line(third, language)}"]
    client.delete(third.summary.in_language(language))
    assert client.shown() == []


def test_mails_out_of_order_leave_the_latest_word_and_another_meeting_of_that_title_as_it_was(client: Client) -> None:
    other = replace(INVITATION, uid=f"other-{INVITATION.uid}")
    for invitation in (moved(INVITATION), INVITATION, other):
        client.receive(mail_of(invitation))
    assert sorted(client.shown()) == sorted([line(other), line(moved(INVITATION))])
