from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiosmtplib
import pytest

from pfflow.delivery.compose import Sender
from pfflow.delivery.errors import MailboxError
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.mailbox import keep, local_mailbox
from pfflow.delivery.reading import list_mailbox, read_message
from pfflow.delivery.smtp import SmtpMailer
from pfflow.domain.words import EN, ZH, Words
from pfflow.ports import Claimed
from tests.unit.sample_letters import CONTACTS, make_notice, shipped

NOW = datetime(2026, 1, 14, 1, tzinfo=UTC)
SENDER = Sender(Words("项目融资部", "Project Finance Desk"), "house@example.com", "pfflow.example.com")
REPEATING = """
import sys
from pathlib import Path
from pfflow.delivery.mailbox import keep
print("ready", flush=True)
body = b"Subject: x\\r\\n\\r\\n" + b"y" * 200_000 + b"end"
for number in range(100_000):
    keep(Path(sys.argv[1]), b"Message-ID: <%d@example.com>\\r\\n" % number + body)
"""


def claimed(template: str, language: str, key: str = "C-1") -> Claimed:
    notice = make_notice(template, key=f"G1/fund-use-report/2026-01-15/{template.split('/')[1]}/{key}")
    return Claimed(
        message_id=notice.key, notice=notice, contact=CONTACTS[language], attempts=0, until=NOW + timedelta(seconds=30)
    )


async def delivered(folder: Path, *letters: Claimed) -> None:
    with local_mailbox(folder) as server:
        mailer = SmtpMailer(server, MailPolicy(), SENDER, shipped().letter, lambda: NOW)
        receipts = await mailer.deliver(letters)
    assert [receipt.outcome for receipt in receipts] == ["sent"] * len(letters)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def test_the_mailbox_lists_what_was_sent(tmp_path: Path) -> None:
    await delivered(tmp_path, claimed("communication/invitation", EN), claimed("communication/report", ZH))
    lines = list_mailbox(tmp_path)
    assert [line.number for line in lines] == [1, 2]
    by_subject = {line.subject: line for line in lines}
    invitation = by_subject["[River Motorway] Invitation: Fund-use report, 15 January 2026"]
    report = by_subject["【沿江高速】资金使用报告（截至2026年1月15日）"]
    assert (invitation.invitation, invitation.report, report.invitation, report.report) == ("REQUEST", False, "", True)
    assert report.to == "王建国 <wang@example.com>"
    assert report.sent_at == NOW
    assert report.message_id == "<G1/fund-use-report/2026-01-15/report/C-1@pfflow.example.com>"
    assert report.path.name.startswith("20260114T010000Z-G1-fund-use-report-2026-01-15-report-C-1-")


async def test_a_message_reads_back_with_decoded_headers_attachments_and_meeting(tmp_path: Path) -> None:
    await delivered(tmp_path, claimed("communication/invitation", ZH), claimed("communication/report", ZH))
    report = read_message(tmp_path, "G1/fund-use-report/2026-01-15/report/C-1")
    assert report.attachments == ("资金使用报告 2026-01-15.xlsx",)
    assert dict(report.headers)["From"] == "项目融资部 <house@example.com>"
    assert dict(report.headers)["Auto-Submitted"] == "auto-generated"
    assert "编号：G1/fund-use-report/2026-01-15\n" in report.text
    assert "\r" not in report.text
    assert "1,234,567.80" in report.html
    meeting = dict(read_message(tmp_path, "<G1/fund-use-report/2026-01-15/invitation").meeting)
    assert meeting["METHOD"] == "REQUEST"
    assert meeting["SUMMARY"] == "周例会"
    assert meeting["DTSTART"] == "2026-01-15T17:00:00+08:00"
    assert meeting["ATTENDEE"] == "王建国"


async def test_the_same_message_again_changes_nothing(tmp_path: Path) -> None:
    await delivered(tmp_path, claimed("communication/reminder", EN))
    before = contents(tmp_path)
    with local_mailbox(tmp_path) as server:
        later = datetime(2026, 1, 14, 2, tzinfo=UTC)
        mailer = SmtpMailer(server, MailPolicy(), SENDER, shipped().letter, lambda: later)
        (receipt,) = await mailer.deliver([claimed("communication/reminder", EN)])
    assert receipt.outcome == "sent"
    assert contents(tmp_path) == before


def test_a_message_id_is_kept_once_and_as_it_came_first_whatever_its_date(tmp_path: Path) -> None:
    first = keep(tmp_path, b"Message-ID: <G1/a@x>\r\nDate: Wed, 14 Jan 2026 01:00:00 +0000\r\n\r\nfirst")
    again = keep(tmp_path, b"Message-ID: <G1/a@x>\r\nDate: Thu, 15 Jan 2026 01:00:00 +0000\r\n\r\nagain")
    assert again == first
    assert [path.read_bytes().endswith(b"first") for path in tmp_path.glob("*.eml")] == [True]


async def test_the_mailbox_takes_8bit_and_international_addresses(tmp_path: Path) -> None:
    content = "From: a@example.com\r\nSubject: 你好\r\nMessage-ID: <1@example.com>\r\n\r\n正文\r\n".encode()
    with local_mailbox(tmp_path) as server:
        client = aiosmtplib.SMTP(hostname=server.host, port=server.port, start_tls=False)
        async with client:
            await client.ehlo()
            assert client.supports_extension("smtputf8")
            assert client.supports_extension("8bitmime")
            await client.sendmail(
                "a@example.com", ["用户@example.com"], content, mail_options=["SMTPUTF8", "BODY=8BITMIME"]
            )
    (line,) = list_mailbox(tmp_path)
    assert line.path.read_bytes() == content


async def test_a_mailbox_that_cannot_keep_a_message_says_try_later(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    with local_mailbox(folder) as server:
        folder.rmdir()
        mailer = SmtpMailer(server, MailPolicy(), SENDER, shipped().letter, lambda: NOW)
        (receipt,) = await mailer.deliver([claimed("communication/reminder", EN)])
    assert receipt.outcome == "retry"
    assert receipt.response.startswith("451 4.3.0 the mailbox could not keep it")


def test_a_message_without_date_or_id_is_kept_too(tmp_path: Path) -> None:
    first, again = keep(tmp_path, b"Subject: x\r\n\r\nbody"), keep(tmp_path, b"Subject: x\r\n\r\nbody")
    assert first == again
    assert first.name.startswith("19700101T000000Z-message-")


def test_mail_of_other_programs_is_listed_as_it_is(tmp_path: Path) -> None:
    for to in (b"undisclosed-recipients:;", b"a@x, b@y", b"not an address <>", b'"broken', b"\xff\xfe"):
        keep(tmp_path, b"To: " + to + b"\r\nDate: never\r\n\r\n")
    lines = list_mailbox(tmp_path)
    assert len(lines) == 5
    assert "a@x, b@y" in {line.to for line in lines}
    assert {read_message(tmp_path, line.number).text for line in lines} == {""}


def test_a_message_id_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    path = keep(tmp_path / ".", b"Message-ID: <../../../etc/passwd@x>\r\nDate: nonsense\r\n\r\nbody")
    assert path.resolve().parent == tmp_path.resolve()


def test_an_empty_or_missing_mailbox_has_no_messages(tmp_path: Path) -> None:
    assert list_mailbox(tmp_path / "nowhere") == ()
    with pytest.raises(MailboxError, match="holds no message '3'"):
        read_message(tmp_path, 3)


def test_an_ambiguous_beginning_is_refused(tmp_path: Path) -> None:
    keep(tmp_path, b"Message-ID: <G1/a@x>\r\n\r\n")
    keep(tmp_path, b"Message-ID: <G1/b@x>\r\n\r\n")
    with pytest.raises(MailboxError, match="2 messages"):
        read_message(tmp_path, "G1")


@pytest.mark.parametrize("after", range(1, 6))
def test_kill_9_leaves_no_half_message(tmp_path: Path, after: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", REPEATING, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        while len(list(tmp_path.glob("*.eml"))) < after:
            pass
        os.kill(writer.pid, signal.SIGKILL)
    lines = list_mailbox(tmp_path)
    assert len(lines) >= after
    assert all(line.path.read_bytes().endswith(b"end") for line in lines)
