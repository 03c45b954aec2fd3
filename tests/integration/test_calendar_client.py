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
from pfflow.domain.notices import Invitation
from pfflow.domain.words import EN, Words
from pfflow.ports import Claimed
from tests.command_line import EXPRESSWAY, done, settle_in
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


def mail_of(invitation: Invitation) -> bytes:
    """Compose the mail as the house sends it."""
    notice = replace(make_notice("communication/invitation"), invitation=invitation)
    claimed = Claimed(message_id=notice.key, notice=notice, contact=CONTACTS[EN], attempts=0, until=AT)
    sender = Sender(Words("项目融资部", "Project Finance Desk"), "house@example.com", "pfflow.example.com")
    return message_bytes(compose(shipped().letter(notice, claimed.contact), claimed, sender, at=AT))


def moved(invitation: Invitation) -> Invitation:
    return replace(
        invitation,
        sequence=invitation.sequence + 1,
        starts_at=invitation.starts_at + MOVED_BY,
        ends_at=invitation.ends_at + MOVED_BY,
    )


def line(invitation: Invitation) -> str:
    zone = timedelta(hours=8)  # Shanghai's, all the year
    starts, ends = (
        (instant + zone).strftime("%Y-%m-%d %H:%M") for instant in (invitation.starts_at, invitation.ends_at)
    )
    words = (invitation.summary, invitation.location)
    return "|".join((starts, ends, *(one.in_language(EN) for one in words)))


MEETING = "EXP-01/weekly-progress/2026-01-12"
EVENING = "2026-01-09T19:00"


def test_the_mails_of_plan_and_apply_leave_one_event_moved_and_then_none(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_in(monkeypatch, tmp_path)
    playbook = (EXPRESSWAY / "playbook.yaml").read_text(encoding="utf-8")
    done("import", EXPRESSWAY / "register.xlsx")
    done("adopt", EXPRESSWAY / "playbook.yaml")
    done("sweep", "communication", "--as-of", "2026-01-05")
    (invitation,) = mails_to_a_guest(tmp_path)
    client.receive(invitation)
    assert client.shown() == ["2026-01-12 10:00|2026-01-12 11:00|周进度例会|指挥部一号会议室"]

    at_two = changed(playbook, 'at: "10:00"\n    minutes: 60\n    roll', 'at: "14:00"\n    minutes: 60\n    roll')
    apply(tmp_path, at_two)
    _, update = mails_to_a_guest(tmp_path)
    client.receive(update)
    assert client.shown() == ["2026-01-12 14:00|2026-01-12 15:00|周进度例会|指挥部一号会议室"]

    apply(tmp_path, changed(at_two, "    start: 2026-01-05\n", "    start: 2026-01-05\n    until: 2026-01-06\n"))
    _, _, cancellation = mails_to_a_guest(tmp_path)
    client.receive(cancellation)
    assert client.shown() == ["CANCELLED 2026-01-12 14:00|2026-01-12 15:00|周进度例会|指挥部一号会议室"]
    client.delete("周进度例会")
    assert client.shown() == []


def changed(playbook: str, old: str, new: str) -> str:
    assert playbook.count(old) == 1
    return playbook.replace(old, new)


def apply(home: Path, playbook: str) -> None:
    """Plan another playbook on the evening of the 9th, and apply that plan."""
    candidate, plan = home / "candidate.yaml", home / "plan.json"
    candidate.write_text(playbook, encoding="utf-8")
    done("plan", candidate, "--as-of", EVENING, "--out", plan)
    done("apply", plan, "--as-of", EVENING)


def mails_to_a_guest(home: Path) -> list[bytes]:
    """Give what one person was mailed of the meeting, in the order of SEQUENCE."""
    found: list[tuple[str, int, bytes]] = []
    for file in (home / "mailbox").glob("*.eml"):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        part = mail.get_body(("calendar",))
        if part is not None and mail["X-PFFlow-Obligation"] == MEETING:
            (event,) = Calendar.from_ical(part.get_content()).walk("VEVENT")
            found.append((str(mail["To"]), int(str(event["SEQUENCE"])), file.read_bytes()))
    guest = min(to for to, _, _ in found)
    return [content for to, _, content in sorted(found) if to == guest]


def test_mails_out_of_order_leave_the_latest_word_and_another_meeting_of_that_title_as_it_was(client: Client) -> None:
    other = replace(INVITATION, uid=f"other-{INVITATION.uid}")
    for invitation in (moved(INVITATION), INVITATION, other):
        client.receive(mail_of(invitation))
    assert sorted(client.shown()) == sorted([line(other), line(moved(INVITATION))])
