"""The body of a message: text and HTML, the invitation, the attachments (RFC 2045, 2046, 6047).

Each part is encoded once, by what it holds: as it is where it is plain ASCII in short lines, quoted-printable where it
is mostly ASCII, else base64.
"""

from __future__ import annotations

import re
from base64 import encodebytes
from binascii import b2a_qp
from email.message import Message
from functools import lru_cache
from hashlib import sha256
from typing import cast

from pfflow.delivery.calendar import calendar_of
from pfflow.delivery.headers import POLICY, header_text
from pfflow.domain.letters import Attachment, Letter
from pfflow.domain.notices import Notice

_SHORT = 78
_NOT_PLAIN = re.compile(rb"[^\t\r\n\x20-\x7e]")
_ASCII = bytes(range(128))
_MOSTLY_ASCII = 0.18
"""The share of octets that are not ASCII up to which quoted-printable, three for one, is shorter than base64."""


def body_of(letter: Letter, notice: Notice, seed: str) -> Message:
    """Give a message that has its body and no header but Content-Type; boundaries are hashes of the seed."""
    alternatives: list[Message | str] = [_text("plain", letter.text), _text("html", letter.html)]
    files: list[Message | str] = [_file(attachment) for attachment in letter.attachments]
    if notice.invitation is not None:
        calendar = calendar_of(notice.invitation, language=letter.language, stamped_at=notice.noticed_at)
        encoded, method = _base64(calendar), str(notice.invitation.method)
        alternatives.append(_part(f'text/calendar; charset="utf-8"; method="{method}"', "base64", encoded))
        # The same object as a file: some programs read only the part, some only the file (RFC 6047 section 2.4).
        invite = _part(f'application/ics; method="{method}"', "base64", encoded)
        invite.add_header("Content-Disposition", "attachment", filename="invite.ics")
        files.insert(0, invite)
    if not files:
        return _multipart("alternative", alternatives, f"{seed} 0")
    return _multipart("mixed", [_multipart("alternative", alternatives, f"{seed} 1"), *files], f"{seed} 0")


def written(message: Message) -> bytes:
    """Give a message as the email package writes it, by test; its generator takes every line of a part in hand."""
    head = b"".join(POLICY.fold_binary(name, value) for name, value in message.items())
    if not message.is_multipart():
        body = str(message.get_payload()).encode("ascii")
        return head + b"\r\n" + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    dash = f"--{message.get_boundary()}".encode("ascii")
    inner = cast("list[Message]", message.get_payload())
    parts = b"".join(dash + b"\r\n" + written(part) + b"\r\n" for part in inner)
    return head + b"\r\n" + parts + dash + b"--\r\n"


def _multipart(subtype: str, parts: list[Message | str], seed: str) -> Message:
    """Give a multipart with a boundary that is derived, not drawn; ``=_`` occurs in no encoded body (RFC 2045 6.7)."""
    message = Message(policy=POLICY)
    message["Content-Type"] = f'multipart/{subtype}; boundary="=_{sha256(seed.encode()).hexdigest()[:32]}"'
    message.set_payload(parts)
    return message


def _part(content_type: str, encoding: str, payload: str) -> Message:
    part = Message(policy=POLICY)
    part["Content-Type"] = content_type
    part["Content-Transfer-Encoding"] = encoding
    part.set_payload(payload)
    return part


def _text(subtype: str, text: str) -> Message:
    lines = text.encode().splitlines()
    content = b"\r\n".join([*lines, b""])
    return _part(f'text/{subtype}; charset="utf-8"', *_encoded(content, max(map(len, lines), default=0)))


def _encoded(content: bytes, longest: int) -> tuple[str, str]:
    """Give how a text is encoded (RFC 2045 section 6), and the text encoded."""
    if longest <= _SHORT and not _NOT_PLAIN.search(content):
        return "7bit", content.decode("ascii")
    if len(content.translate(None, _ASCII)) <= _MOSTLY_ASCII * len(content):
        return "quoted-printable", b2a_qp(content).decode("ascii")
    return "base64", _base64(content)


@lru_cache(maxsize=16)
def _base64(content: bytes) -> str:
    """Give base64 in lines; a report and an invitation go to many readers."""
    return encodebytes(content).decode("ascii")


def _file(attachment: Attachment) -> Message:
    part = _part(attachment.media_type, "base64", _base64(attachment.content))
    part.add_header("Content-Disposition", "attachment", filename=_file_name(header_text(attachment.name)))
    return part


def _file_name(name: str) -> str | tuple[str, str, str]:
    """Give a file's name as add_header takes it: beyond ASCII by RFC 2231."""
    return name if name.isascii() else ("utf-8", "", name)
