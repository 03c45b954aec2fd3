"""A letter becomes a message: headers, text and HTML, the invitation, the attachments (RFC 5322, 2046, 6047, 3834).

Composing the same letter at the same instant gives the same bytes: ids are derived and boundaries are hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import format_datetime

from pfflow.delivery.bodies import body_of, written
from pfflow.delivery.errors import DeliveryError
from pfflow.delivery.headers import (
    LONGEST_LINE,
    checked_address,
    decoded,
    header_text,
    mailbox_of,
    message_id,
    parsed_mailbox,
    read_back,
)
from pfflow.delivery.unsubscribing import Unsubscribing
from pfflow.domain.letters import Letter
from pfflow.domain.opt_outs import optional_kind
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
    "List-Unsubscribe": decoded,
    "List-Unsubscribe-Post": str,
}
"""How each header that must survive is read back from the wire."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who the letters are from: the house's name by language, its address, and the domain of its message ids.

    With `unsubscribing` readers of surveys and digests can leave them with one click.
    """

    name: Words
    email: str
    domain: str
    unsubscribing: Unsubscribing | None = None


def compose(letter: Letter, claimed: Claimed, sender: Sender, *, at: datetime) -> Message:
    """Give the message that tells a letter to its contact; `at` is when what it tells was decided.

    Raises DeliveryError for an address that is none, and for a header that would read otherwise after the wire.
    """
    notice, contact = claimed.notice, claimed.contact
    own = message_id(claimed.message_id, sender.domain)
    message = body_of(letter, notice, own)
    message["From"] = str(mailbox_of(sender.name.in_language(letter.language), sender.email))
    message["To"] = str(mailbox_of(contact.name, contact.email))
    message["Subject"] = header_text(letter.subject)
    message["Date"] = format_datetime(at.astimezone(UTC))
    message["Message-ID"] = own
    if not claimed.merged:  # a mail about several matters belongs in no one's thread
        root = message_id(notice.obligation_key, sender.domain)
        answered = _answered(notice.in_reply_to, sender) or root
        message["In-Reply-To"] = answered
        message["References"] = root if answered == root else f"{root} {answered}"
    message["Auto-Submitted"] = "auto-generated"
    told = (notice, *claimed.merged)
    message["X-PFFlow-Obligation"] = " ".join(dict.fromkeys(one.obligation_key for one in told))
    kinds = {optional_kind(one) for one in told}
    kind = kinds.pop() if len(kinds) == 1 else None
    if sender.unsubscribing is not None and kind is not None:
        for name, value in sender.unsubscribing.headers(contact.contact_ref, kind).items():
            message[name] = value
    message["Content-Language"] = letter.language
    message["MIME-Version"] = "1.0"
    return message


def message_bytes(message: Message) -> bytes:
    """Give the bytes that go over the wire.

    Raises DeliveryError if their headers do not read back as they were composed, or a line is longer than servers take.
    """
    content = written(message)
    arrived = read_back(content)
    if arrived.keys() != message.keys():
        raise DeliveryError("the message would arrive with other headers than it was composed with")
    raw, composed = dict(arrived.items()), dict(message.items())
    for name, reading in _WATCHED.items():
        if name in composed and reading(raw[name]) != composed[name]:
            raise DeliveryError(f"the header {name} would not survive the wire")
    if not content.isascii() or max(map(len, content.split(b"\r\n"))) > LONGEST_LINE:
        raise DeliveryError("the message has a line that a server may refuse")
    return content


def envelope(message: Message) -> tuple[str, str]:
    """Give the addresses of the envelope: who sends, who receives."""
    sender, recipient = (str(message[name]).rpartition("<")[2].rstrip(">") for name in ("From", "To"))
    return checked_address(sender), checked_address(recipient)


def _answered(given: str, sender: Sender) -> str:
    """Give the id a notice answers: a message id as it came, or a key of ours."""
    if not given:
        return ""
    local, at, domain = given.strip().strip("<>").rpartition("@")
    return message_id(local, domain) if at else message_id(given, sender.domain)
