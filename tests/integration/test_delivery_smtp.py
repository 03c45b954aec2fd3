from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import trustme
from pydantic import SecretStr

from pfflow.delivery.compose import Sender
from pfflow.delivery.connection import Security, SmtpServer
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.mailbox import local_mailbox
from pfflow.delivery.reading import list_mailbox
from pfflow.delivery.smtp import ATTEMPTS, SmtpMailer, retry_at
from pfflow.domain.parties import Contact
from pfflow.domain.words import EN, Words
from pfflow.ports import Claimed, Mailer
from tests.integration.smtp import HOST, Recorder, login, smtp_server, tls_options, trusting
from tests.unit.sample_letters import CONTACTS, make_notice, shipped

NOW = datetime(2026, 1, 14, 1, tzinfo=UTC)
SENDER = Sender(Words("项目融资部", "Project Finance Desk"), "house@example.com", "pfflow.example.com")
LIVE = MailPolicy(live=True, allow=("@example.com",))


def make_claimed(number: int = 1, *, contact: Contact = CONTACTS[EN], **changes: Any) -> Claimed:
    notice = make_notice(**({"key": f"G1/report/2026-01-15/remind-1bd/C-{number}"} | changes))
    return Claimed(message_id=notice.key, notice=notice, contact=contact, attempts=0, until=NOW + timedelta(minutes=5))


def make_mailer(server: SmtpServer, mail_policy: MailPolicy = LIVE) -> SmtpMailer:
    return SmtpMailer(server, mail_policy, SENDER, shipped().letter, lambda: NOW)


def plain(port: int) -> SmtpServer:
    return SmtpServer(host=HOST, port=port, security=Security.NONE, timeout=5)


async def test_a_batch_goes_out_over_one_connection_and_each_letter_has_its_receipt() -> None:
    recorder = Recorder()
    with smtp_server(recorder) as port:
        mailer: Mailer = make_mailer(plain(port))
        receipts = await mailer.deliver([make_claimed(1), make_claimed(2), make_claimed(3)])
    assert [receipt.outcome for receipt in receipts] == ["sent"] * 3
    assert [receipt.message_id for receipt in receipts] == [f"G1/report/2026-01-15/remind-1bd/C-{n}" for n in (1, 2, 3)]
    assert recorder.connections == 1
    assert [(sender, to) for sender, to, _ in recorder.messages] == [("house@example.com", ["ana@example.com"])] * 3
    left = [sha256(content).hexdigest() for *_, content in recorder.messages]
    assert [receipt.digest for receipt in receipts] == left
    assert receipts[0].response == "250 2.0.0 queued"


async def test_starttls_with_a_trusted_certificate_and_login() -> None:
    authority, recorder = trustme.CA(), Recorder()
    with smtp_server(recorder, **tls_options(authority, HOST), **login("house", "s3cret")) as port:
        server = SmtpServer(
            host=HOST, port=port, username="house", password=SecretStr("s3cret"), tls=trusting(authority), timeout=5
        )
        (receipt,) = await make_mailer(server).deliver([make_claimed()])
    assert receipt.outcome == "sent"
    assert recorder.encrypted == [True]


async def test_a_wrong_password_is_tried_again_later_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    authority, recorder = trustme.CA(), Recorder()
    with smtp_server(recorder, **tls_options(authority, HOST), **login("house", "right")) as port:
        password = SecretStr("wr0ng-s3cret")
        server = SmtpServer(host=HOST, port=port, username="house", password=password, tls=trusting(authority))
        receipts = await make_mailer(server).deliver([make_claimed(1), make_claimed(2)])
    assert [receipt.outcome for receipt in receipts] == ["retry", "retry"]
    assert "535" in receipts[0].response
    assert recorder.messages == []
    for shown in (repr(server), str(receipts), caplog.text):
        assert "wr0ng" not in shown


@pytest.mark.parametrize("names", [("mail.elsewhere.example",), (HOST,)])
async def test_a_certificate_of_another_name_or_authority_is_refused(names: tuple[str, ...]) -> None:
    authority, recorder = trustme.CA(), Recorder()
    trusted = authority if names != (HOST,) else trustme.CA()
    with smtp_server(recorder, **tls_options(authority, *names)) as port:
        server = SmtpServer(host=HOST, port=port, tls=trusting(trusted), timeout=5)
        (receipt,) = await make_mailer(server).deliver([make_claimed()])
    assert receipt.outcome == "retry"
    assert "certificate is not trusted" in receipt.response
    assert recorder.messages == []


async def test_a_server_without_starttls_gets_nothing() -> None:
    recorder = Recorder()
    with smtp_server(recorder) as port:
        receipts = await make_mailer(SmtpServer(host=HOST, port=port, timeout=5)).deliver(
            [make_claimed(1), make_claimed(2)]
        )
    assert [receipt.outcome for receipt in receipts] == ["retry", "retry"]
    assert "offers no STARTTLS" in receipts[0].response
    assert recorder.messages == []
    assert recorder.connections == 1


def test_a_password_without_tls_and_an_unchecked_certificate_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="without TLS"):
        SmtpServer(host=HOST, port=25, username="house", security=Security.NONE)
    unchecked = trusting(trustme.CA())
    unchecked.check_hostname = False
    with pytest.raises(ValueError, match="always checked"):
        SmtpServer(host=HOST, port=25, tls=unchecked)


async def test_a_temporary_refusal_is_tried_again_and_then_accepted() -> None:
    recorder = Recorder(answers=["451 4.7.1 greylisted"])
    with smtp_server(recorder) as port:
        first, second = await make_mailer(plain(port)).deliver([make_claimed(1), make_claimed(2)])
        (again,) = await make_mailer(plain(port)).deliver([replace(make_claimed(1), attempts=1)])
    assert (first.outcome, first.response) == ("retry", "451 4.7.1 greylisted")
    assert first.retry_at == retry_at(first.message_id, 0, NOW)
    assert (second.outcome, again.outcome) == ("sent", "sent")
    assert again.digest == sha256(recorder.messages[1][2]).hexdigest()


async def test_a_permanent_refusal_fails_that_letter_only() -> None:
    recorder = Recorder(answers=["550 5.7.1 not wanted"], refused={"gone@example.com": "550 5.1.1 no such user"})
    gone = replace(CONTACTS[EN], email="gone@example.com")
    with smtp_server(recorder) as port:
        receipts = await make_mailer(plain(port)).deliver(
            [make_claimed(1), make_claimed(2, contact=gone), make_claimed(3)]
        )
    assert [receipt.outcome for receipt in receipts] == ["failed", "failed", "sent"]
    assert receipts[1].response == "recipient refused: 550 5.1.1 no such user"
    assert receipts[1].digest == ""
    assert recorder.connections == 1


async def test_a_recipient_refused_for_now_is_tried_again() -> None:
    recorder = Recorder(refused={"ana@example.com": "452 4.2.2 mailbox full"})
    with smtp_server(recorder) as port:
        (receipt,) = await make_mailer(plain(port)).deliver([make_claimed()])
    assert receipt.outcome == "retry"
    assert "452" in receipt.response


async def test_a_connection_dropped_in_the_middle_of_data_is_tried_again_and_the_next_letter_reconnects() -> None:
    recorder = Recorder(answers=["drop"])
    with smtp_server(recorder) as port:
        receipts = await make_mailer(plain(port)).deliver([make_claimed(1), make_claimed(2)])
    assert [receipt.outcome for receipt in receipts] == ["retry", "sent"]
    assert "dropped while sending" in receipts[0].response
    assert recorder.connections == 2


async def test_a_server_that_hangs_up_after_each_letter_is_called_again() -> None:
    recorder = Recorder(after_each="close")
    with smtp_server(recorder) as port:
        receipts = await make_mailer(plain(port)).deliver([make_claimed(number) for number in range(3)])
    assert [receipt.outcome for receipt in receipts] == ["sent"] * 3
    assert recorder.connections == 3


async def test_a_refused_connection_is_asked_for_once_a_batch_and_all_letters_wait() -> None:
    with smtp_server(Recorder()) as port:
        pass
    receipts = await make_mailer(plain(port)).deliver([make_claimed(1), make_claimed(2)])
    assert [receipt.outcome for receipt in receipts] == ["retry", "retry"]
    assert all(receipt.retry_at is not None and receipt.retry_at > NOW for receipt in receipts)


async def test_in_live_mode_only_the_allow_list_gets_mail() -> None:
    recorder = Recorder()
    mail_policy = MailPolicy(live=True, allow=("Ana@Example.com", "@bank.example"))
    asked = {
        "ana@example.com": "sent",
        "bo@example.com": "held",
        "c@bank.example": "sent",
        "d@sub.bank.example": "held",
    }
    with smtp_server(recorder) as port:
        letters = [make_claimed(n, contact=replace(CONTACTS[EN], email=email)) for n, email in enumerate(asked)]
        receipts = await make_mailer(plain(port), mail_policy).deliver(letters)
    assert [receipt.outcome for receipt in receipts] == list(asked.values())
    assert receipts[1].response == "not on the allow-list"
    assert {to for _, recipients, _ in recorder.messages for to in recipients} == {"ana@example.com", "c@bank.example"}


async def test_live_without_an_allow_list_sends_nothing() -> None:
    recorder = Recorder()
    with smtp_server(recorder) as port:
        (receipt,) = await make_mailer(plain(port), MailPolicy(live=True)).deliver([make_claimed()])
    assert (receipt.outcome, recorder.connections) == ("held", 0)


async def test_the_stop_switch_and_the_cap_hold_letters_with_the_reason() -> None:
    recorder = Recorder()
    with smtp_server(recorder) as port:
        (stopped,) = await make_mailer(plain(port), replace(LIVE, stopped=True)).deliver([make_claimed()])
        mailer = make_mailer(plain(port), replace(LIVE, cap_per_run=2))
        capped = [*await mailer.deliver([make_claimed(1)]), *await mailer.deliver([make_claimed(2), make_claimed(3)])]
    assert (stopped.outcome, stopped.response) == ("held", "the stop switch is on")
    assert [receipt.outcome for receipt in capped] == ["sent", "sent", "held"]
    assert capped[2].response == "the cap of 2 letters a run is reached"


async def test_when_mail_is_not_live_no_server_but_the_local_mailbox_gets_anything(tmp_path: Path) -> None:
    recorder = Recorder()
    with smtp_server(recorder) as port:
        (held,) = await make_mailer(plain(port), MailPolicy()).deliver([make_claimed()])
    with local_mailbox(tmp_path) as server:
        (kept,) = await make_mailer(server, MailPolicy()).deliver([make_claimed()])
    assert held.outcome == "held"
    assert "is not the local mailbox" in held.response
    assert recorder.messages == []
    assert kept.outcome == "sent"
    assert len(list_mailbox(tmp_path)) == 1


@pytest.mark.parametrize(
    ("changes", "contact", "said"),
    [
        ({"template": "communication/reminder", "context": {"house": {}}}, CONTACTS[EN], "RenderingError"),
        ({}, replace(CONTACTS[EN], email="ana@example.com\r\nBcc: all@example.com"), "line breaks"),
        ({}, replace(CONTACTS[EN], email="ana, bo@example.com"), "not an address"),
        ({"key": "G1/" + "x" * 1200}, CONTACTS[EN], "too long"),
    ],
)
async def test_a_letter_that_cannot_be_written_fails_alone(
    changes: dict[str, Any], contact: Contact, said: str
) -> None:
    recorder = Recorder()
    with smtp_server(recorder) as port:
        bad, good = await make_mailer(plain(port)).deliver(
            [make_claimed(1, contact=contact, **changes), make_claimed(2)]
        )
    assert (bad.outcome, good.outcome) == ("failed", "sent")
    assert said in bad.response
    assert len(recorder.messages) == 1


async def test_after_thirty_attempts_a_letter_is_given_up() -> None:
    recorder = Recorder(answers=["451 later"])
    with smtp_server(recorder) as port:
        (receipt,) = await make_mailer(plain(port)).deliver([replace(make_claimed(), attempts=ATTEMPTS - 1)])
    assert receipt.outcome == "failed"
    assert receipt.response == "given up after 30 attempts: 451 later"


async def test_a_line_that_begins_with_a_dot_arrives_as_it_was_sent() -> None:
    recorder = Recorder()
    notice = make_notice()
    context = {**notice.context, "reason": {"zh": ".", "en": "."}}
    with smtp_server(recorder) as port:
        (receipt,) = await make_mailer(plain(port)).deliver([make_claimed(context=context)])
    body = message_from_bytes(recorder.messages[0][2], policy=policy.default).get_body(("plain",))
    assert body is not None
    assert "Background: ." in body.get_content()
    assert receipt.digest == sha256(recorder.messages[0][2]).hexdigest()


def test_waits_double_up_to_six_hours_and_differ_by_letter() -> None:
    waits = [retry_at("a", attempts, NOW) - NOW for attempts in range(12)]
    assert all(timedelta(minutes=2**n) <= wait <= timedelta(minutes=2**n * 1.25) for n, wait in enumerate(waits[:8]))
    assert waits[-1] <= timedelta(hours=7.5)
    assert retry_at("a", 0, NOW) == retry_at("a", 0, NOW) != retry_at("b", 0, NOW)
    total = sum((retry_at("a", attempts, NOW) - NOW for attempts in range(ATTEMPTS - 1)), timedelta())
    assert timedelta(days=5) <= total <= timedelta(days=8)
