"""A password, and whose it is, stand nowhere else: not in logs, receipts, ledger, errors or what commands say."""

from __future__ import annotations

import logging
import traceback
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from pydantic import SecretStr, ValidationError

from pfflow.delivery.connection import SmtpServer
from pfflow.settings import Settings
from pfflow.store import SqlStore, StoreError
from tests.command_line import SOLAR, done, pfflow, settle_in
from tests.integration.smtp import HOST, Recorder, smtp_server, tls_options, trusting
from tests.integration.test_delivery_faults import Desk
from tests.integration.test_delivery_store_faults import stocked

USER, PASSWORD = "relay-user-7141", "Tr0ub4dor&3/s3cret"
FORBIDDEN = (
    USER,
    PASSWORD,
    *(b64encode(text.encode()).decode() for text in (USER, PASSWORD, f"\0{USER}\0{PASSWORD}")),
)
"""What must be found nowhere: as it is, and as it goes over the wire."""


def assert_unsaid(*texts: str) -> None:
    for text in texts:
        for secret in FORBIDDEN:
            assert secret not in text, f"{text} holds a secret"


@dataclass
class Telling(Recorder):
    """A server that repeats in its answers what it was told, passwords too."""

    answer: str = "250 OK"
    said: list[str] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 - the name aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answer


def accepting(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, _data: Any) -> AuthResult:
    return AuthResult(success=True)


def refusing(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, _data: Any) -> AuthResult:
    return AuthResult(success=False, handled=False, message=f"535 5.7.8 {' '.join(FORBIDDEN)} is wrong")


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[Desk]:
    with SqlStore.open(sqlite_url) as store:
        yield stocked(store)


def everything_kept(desk: Desk) -> list[str]:
    """Give all that the store holds of letters, as text."""
    letters = [repr(letter) for letter in desk.store.letters()]
    return letters + [repr(entry) for entry in desk.store.ledger("G1")] + [repr(desk.store.holdings("G1"))]


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        ("sent", {}),
        ("its answer repeats the password", {"answer": f"550 5.7.1 {' '.join(FORBIDDEN)} may not send"}),
        ("its answer repeats the password, for now", {"answer": f"451 {' '.join(FORBIDDEN)} not now"}),
        ("the password is refused", {"authenticator": refusing}),
        ("its certificate is not trusted", {"authority": trustme.CA()}),
        ("it drops the connection", {"answers": ["drop"]}),
        ("it is not there", {"port": 1}),
    ],
)
async def test_whatever_goes_wrong_with_a_server_the_password_is_told_to_nobody_else(
    desk: Desk, caplog: pytest.LogCaptureFixture, fault: str, changes: dict[str, Any]
) -> None:
    caplog.set_level(logging.DEBUG)
    theirs = trustme.CA()
    recorder = Telling(answer=changes.get("answer", "250 OK"), answers=changes.get("answers", []))
    options = tls_options(changes.get("authority", theirs), HOST)
    authenticator = changes.get("authenticator", accepting)
    with smtp_server(recorder, **options, authenticator=authenticator, auth_required=True) as port:
        server = SmtpServer(
            host=HOST,
            port=changes.get("port", port),
            username=USER,
            password=SecretStr(PASSWORD),
            tls=trusting(theirs),
            timeout=30,
        )
        told = await desk.dispatch(server)
    assert (told.sent == 1) == (fault == "sent")
    own = [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # the test's own server's
    assert_unsaid(repr(server), str(told), *own, *everything_kept(desk))


def test_settings_show_no_secret_nor_do_the_errors_about_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PFFLOW_{name.upper()}", raising=False)
    monkeypatch.setenv("PFFLOW_SMTP_USER", USER)
    monkeypatch.setenv("PFFLOW_SMTP_PASSWORD", PASSWORD)
    monkeypatch.setenv("PFFLOW_DB", f"postgresql://{USER}:s3cret@db.example/pfflow")
    right = Settings()
    assert (right.smtp_user, right.smtp_password.get_secret_value()) == (USER, PASSWORD)
    assert_unsaid(repr(right), str(right))
    assert "s3cret" not in repr(right)
    monkeypatch.setenv("PFFLOW_MAIL", "live")
    with pytest.raises(ValidationError) as raised:
        Settings()
    shown = "".join(traceback.format_exception(raised.value))
    assert_unsaid(shown)
    assert "s3cret" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://house:hunter2-s3cret@127.0.0.1:1/pfflow",
        "mysql://house:hunter2-s3cret@127.0.0.1/pfflow",
        "post gres//house:hunter2-s3cret@127.0.0.1",
        "postgresql://house:hunter2-s3cret@127.0.0.1:port/pfflow",
    ],
)
def test_a_database_that_cannot_be_opened_is_said_without_its_password(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError) as raised, SqlStore.open(url) as store:
        store.project_refs()
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))
    settle_in(monkeypatch, tmp_path / "home", url)
    said = pfflow("owed")
    assert said.status != 0
    assert "hunter2" not in said.out + said.err


def test_the_command_line_says_that_mail_is_kept_back_and_not_by_which_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settle_in(monkeypatch, tmp_path / "home")
    monkeypatch.setenv("PFFLOW_MAIL_STOP", "1")
    done("import", SOLAR / "register.xlsx")
    done("adopt", SOLAR / "playbook.yaml")
    done("sweep", "identification", "--as-of", "2026-01-05")
    held = pfflow("sweep", "information_gathering", "--as-of", "2026-01-05")
    assert "mail is stopped by PFFLOW_MAIL_STOP; letters wait" in held.out
    monkeypatch.delenv("PFFLOW_MAIL_STOP")
    with smtp_server(Recorder(), **tls_options(trustme.CA(), HOST)) as port:
        for name, value in {
            "MAIL": "live",
            "MAIL_ALLOW": "@solar-house.example,@lumen-fund.example",
            "SMTP_HOST": HOST,
            "SMTP_PORT": str(port),
            "SMTP_USER": USER,
            "SMTP_PASSWORD": PASSWORD,
        }.items():
            monkeypatch.setenv(f"PFFLOW_{name}", value)
        said = pfflow("dispatch")
        listed = pfflow("outbox")
    assert said.status == 1
    assert said.err, said
    assert "kept back by a fault of ours since" in said.err
    assert "certificate is not trusted" in listed.out
    assert_unsaid(said.out, said.err, listed.out, listed.err, *(record.getMessage() for record in caplog.records))
