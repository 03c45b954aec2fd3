"""A letter becomes a message: headers, text and HTML, the invitation, the attachments (RFC 5322, 2046, 6047, 3834).

Composing the same letter at the same instant gives the same bytes: ids are derived and boundaries are hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from pfflow.delivery.calendar import calendar_of
from pfflow.delivery.errors import DeliveryError
from pfflow.delivery.headers import (
    LONGEST_LINE,
    POLICY,
    checked_address,
    decoded,
    header_text,
    mailbox_of,
    message_id,
    parsed_mailbox,
    read_back,
)
from pfflow.domain.letters import Letter
from pfflow.domain.words import Words
from pfflow.ports import Claimed

_WATCHED: Mapping[str, Callable[[str], str]] = {
    "From": parsed_mailbox,
    "To": parsed_mailbox,
    "Subject": decoded,
    "Message-ID": str,
    "References": decoded,
    "In-Reply-To": str,
    "Auto-Submitted": str,
    "Content-Language": str,
}
"""How each header that must survive is read back from the wire."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the letters are from: the house's name by language, its address, and the domain of its message ids."""

    name: Words
    email: str
    domain: str


def compose(letter: Letter, claimed: Claimed, sender: Sender, *, at: datetime) -> EmailMessage:
    """Give the message that tells a letter to its contact; `at` is when what it tells was decided.

    Raises DeliveryError for an address that is none, and for a header that would read otherwise after the wire.
    """
    notice, contact = claimed.notice, claimed.contact
    own, root = message_id(notice.key, sender.domain), message_id(notice.obligation_key, sender.domain)
    answered = _answered(notice.in_reply_to, sender) or root
    message = EmailMessage(policy=POLICY)
    message["From"] = mailbox_of(sender.name.in_language(letter.language), sender.email)
    message["To"] = mailbox_of(contact.name, contact.email)
    message["Subject"] = header_text(letter.subject)
    message["Date"] = format_datetime(at.astimezone(UTC))
    message["Message-ID"] = own
    message["In-Reply-To"] = answered
    message["References"] = root if answered == root else f"{root} {answered}"
    message["Auto-Submitted"] = "auto-generated"
    message["X-PFFlow-Obligation"] = notice.obligation_key
    _write_body(message, letter, claimed)
    message["Content-Language"] = letter.language  # after the body: making parts moves Content-… headers into them
    _fix_boundaries(message, own)
    return message


def message_bytes(message: EmailMessage) -> bytes:
    """Give the bytes that go over the wire.

    Raises DeliveryError if they do not read back as what was composed, or hold a line no server must take.
    """
    written = message.as_bytes()
    raw = read_back(written)
    if raw.keys() != message.keys():
        raise DeliveryError("the message would arrive with other headers than it was composed with")
    for name, reading in _WATCHED.items():
        if reading(raw[name]) != str(message[name]):
            raise DeliveryError(f"the header {name} would not survive the wire")
    if not written.isascii() or max(map(len, written.split(b"\r\n"))) > LONGEST_LINE:
        raise DeliveryError("the message has a line that a server may refuse")
    return written


def envelope(message: EmailMessage) -> tuple[str, str]:
    """Give the addresses of the envelope: who sends, who receives."""
    sender, recipient = (str(message[name]).rpartition("<")[2].rstrip(">") for name in ("From", "To"))
    return checked_address(sender), checked_address(recipient)


def _answered(given: str, sender: Sender) -> str:
    """Give the id a notice answers: a message id as it came, or a key of ours."""
    if not given:
        return ""
    local, at, domain = given.strip().strip("<>").rpartition("@")
    return message_id(local, domain) if at else message_id(given, sender.domain)


def _write_body(message: EmailMessage, letter: Letter, claimed: Claimed) -> None:
    message.set_content(letter.text, charset="utf-8")
    message.add_alternative(letter.html, subtype="html", charset="utf-8")
    invitation = claimed.notice.invitation
    if invitation is not None:
        calendar = calendar_of(invitation, language=letter.language, stamped_at=claimed.notice.noticed_at)
        method = str(invitation.method)
        message.add_alternative(
            calendar.decode(), subtype="calendar", charset="utf-8", cte="base64", params={"method": method}
        )
        # The same object as a file: some programs read only the part, some only the file (RFC 6047 section 2.4).
        message.add_attachment(
            calendar, maintype="application", subtype="ics", filename="invite.ics", params={"method": method}
        )
    for attachment in letter.attachments:
        maintype, _, subtype = attachment.media_type.partition("/")
        message.add_attachment(
            attachment.content, maintype=maintype, subtype=subtype, filename=header_text(attachment.name)
        )


def _fix_boundaries(message: EmailMessage, seed: str) -> None:
    """Set boundaries that are derived, not drawn; ``=_`` occurs in no encoded body (RFC 2045 section 6.7)."""
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            digest = sha256(f"{seed} {number}".encode()).hexdigest()[:32]
            part.set_boundary(f"=_{digest}")
