"""Signed letters, verified by dkimpy against a public key as it would stand in the DNS."""

from __future__ import annotations

import base64
from email import message_from_bytes
from pathlib import Path

import dkim  # type: ignore[import-untyped]  # dkimpy ships no types
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from pydantic import SecretStr

from pfflow.bootstrap import NotReadyError, engine
from pfflow.delivery.headers import read_back
from pfflow.delivery.signing import DkimSigner, SigningKeyError
from pfflow.delivery.smtp import SmtpMailer
from pfflow.domain.parties import Contact
from pfflow.domain.words import ZH
from pfflow.settings import Settings
from pfflow.store import SqlStore
from tests.factories import PLAYBOOK
from tests.integration.smtp import Recorder, smtp_server
from tests.integration.test_delivery_smtp import LIVE, NOW, SENDER, make_claimed, plain
from tests.unit.sample_letters import CONTACTS, shipped

KEY = rsa.generate_private_key(65537, 2048)


def pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey = KEY, phrase: bytes = b"") -> SecretStr:
    """Give a private key as its PEM file says it."""
    locked = serialization.BestAvailableEncryption(phrase) if phrase else serialization.NoEncryption()
    return SecretStr(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked).decode())


def dns(name: bytes, **_: object) -> bytes:
    """Answer for the one name under which the public key stands."""
    assert name == b"mail2026._domainkey.pfflow.example.com."
    public = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


def holds(content: bytes) -> bool:
    """Whether a message's signature is its own."""
    return bool(dkim.verify(content, dnsfunc=dns))


SIGNER = DkimSigner("pfflow.example.com", "mail2026", pem())


async def sent(contact: Contact = CONTACTS[ZH]) -> bytes:
    """Give the bytes of a signed letter as a real server received them."""
    recorder = Recorder()
    with smtp_server(recorder) as port:
        mailer = SmtpMailer(plain(port), LIVE, SENDER, shipped().letter, lambda: NOW, sign=SIGNER.signed)
        (receipt,) = await mailer.deliver([make_claimed(contact=contact)])
    assert receipt.outcome == "sent"
    return recorder.messages[0][2]


async def test_a_letter_that_arrives_carries_a_signature_that_verifies() -> None:
    content = await sent()
    assert holds(content)
    tags = dkim.util.parse_tag_value(message_from_bytes(content)["DKIM-Signature"].encode())
    assert (tags[b"a"], tags[b"c"]) == (b"rsa-sha256", b"relaxed/relaxed")
    names = [name.strip() for name in tags[b"h"].split(b":")]
    for needed in (b"to", b"subject", b"date", b"message-id", b"references", b"content-type", b"mime-version"):
        assert needed in names
    assert names.count(b"from") == 2


async def test_relays_may_fold_headers_anew_and_nothing_else() -> None:
    content = await sent()
    assert holds(content.replace(b"Subject: ", b"Subject:   "))
    assert not holds(content.replace(b"Date: ", b"Date: Mon, 5 Jan 2026 01:00:00 +0000; "))
    assert not holds(content.replace(b"\r\n\r\n", b"\r\n\r\nPay here: ", 1))


async def test_a_second_sender_breaks_the_signature() -> None:
    content = await sent()
    for forged in (
        b"From: Someone <x@elsewhere.example>\r\n" + content,
        content.replace(b"\r\nTo:", b"\r\nFrom: x@y.z\r\nTo:", 1),
    ):
        assert not holds(forged)


def test_what_lets_a_reader_leave_is_signed() -> None:
    plain_one = (
        b"From: house@example.com\r\nTo: a@example.com\r\nList-Unsubscribe: <https://p.example/unsubscribe/t>\r\n"
    )
    content = SIGNER.signed(plain_one + b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nhello\r\n")
    assert holds(content)
    assert not holds(content.replace(b"<https://p.example", b"<https://q.example"))
    assert not holds(content.replace(b"One-Click", b"Two-Click"))
    assert read_back(content)["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (SecretStr("-----BEGIN RSA PRIVATE KEY-----\nsecret!\n-----END RSA PRIVATE KEY-----"), "no RSA key in PEM"),
        (SecretStr(""), "no RSA key in PEM"),
        (pem(phrase=b"open sesame"), "without a pass phrase"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "no RSA key"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_before_any_letter_and_not_quoted(key: SecretStr, complaint: str) -> None:
    with pytest.raises(SigningKeyError, match=complaint) as refused:
        DkimSigner("example.com", "mail", key)
    body = "".join(key.get_secret_value().splitlines()[1:-1])
    assert not body or body[:10] not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_key_and_the_selector_are_checked_and_the_key_is_never_shown() -> None:
    with pytest.raises(SigningKeyError, match="no name in the DNS"):
        DkimSigner("example.com", "a b", pem())
    assert pem().get_secret_value()[40:80] not in repr(SIGNER)


def adopted(tmp_path: Path) -> str:
    """Give the URL of a database whose house has a playbook."""
    url = f"sqlite:///{tmp_path / 'pfflow.db'}"
    with SqlStore.open(url) as store:
        store.migrate()
        store.adopt_playbook(PLAYBOOK.read_text(encoding="utf-8"), "playbook.yaml", 1, NOW, "C-1")
    return url


@pytest.mark.parametrize("written", [None, "-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----\n", "密钥"])
def test_a_broken_key_is_an_error_at_the_start_that_names_the_file(tmp_path: Path, written: str | None) -> None:
    key = tmp_path / "mail.pem"
    if written is not None:
        key.write_text(written, encoding="utf-8")
    settings = Settings(
        home=tmp_path, db=adopted(tmp_path), dkim_domain="example.com", dkim_selector="mail", dkim_key=key
    )
    with pytest.raises(NotReadyError, match=r"PFFLOW_DKIM_KEY=.*mail\.pem"), engine(settings):
        raise AssertionError("it started")


async def test_the_house_signs_what_it_sends_when_a_key_is_named(tmp_path: Path) -> None:
    key = tmp_path / "mail.pem"
    key.write_text(pem().get_secret_value(), encoding="ascii")
    settings = Settings(
        home=tmp_path,
        db=adopted(tmp_path),
        dkim_domain="pfflow.example.com",
        dkim_selector="mail2026",
        dkim_key=key,
    )
    with engine(settings) as opened:
        (receipt,) = await opened.cycle.mailer.deliver([make_claimed()])
    assert receipt.outcome == "sent"
    (kept,) = (tmp_path / "mailbox").glob("*.eml")
    assert holds(kept.read_bytes())
