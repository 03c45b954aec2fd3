"""Message headers that survive the wire: addresses that are addresses, ids that are never folded apart.

The email package encodes a long In-Reply-To or References as if it were prose (RFC 2047), which no mail program reads
as an id any more, and loses characters of some long names; `POLICY` keeps ids whole and encodes words by email.header.
"""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import Header, decode_header, make_header
from email.headerregistry import Address, HeaderRegistry
from email.message import Message
from email.policy import EmailPolicy
from email.utils import parseaddr
from typing import Any

from pfflow.delivery.errors import DeliveryError

LONGEST_LINE = 998
"""Octets in a line without its CRLF (RFC 5322 section 2.1.1)."""

_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
_LONGEST_NAME = 120
_WANTED_LINE = 78
_LONGEST_ADDRESS = 254


class _Words:
    """A header of words: kept as given, encoded (RFC 2047) where it is not plain ASCII, folded between words only."""

    max_count = 1

    @classmethod
    def parse(cls, value: object, kwds: dict[str, Any]) -> None:
        """Take the value as it is; the header registry fixes the call."""
        kwds["parse_tree"] = None  # only the package's own folding reads it
        kwds["decoded"] = str(value)

    def fold(self, *, policy: EmailPolicy) -> str:
        """Give the header's lines, each at most 78 octets where its words allow."""
        name: str = self.name  # type: ignore[attr-defined]  # mixed into BaseHeader by the registry
        lines = [f"{name}:"]
        for word in self._encoded():
            if len(lines[-1]) + 1 + len(word) > _WANTED_LINE and len(lines[-1]) > 1 and lines[-1] != f"{name}:":
                lines.append("")
            lines[-1] += f" {word}"
        return policy.linesep.join(lines) + policy.linesep

    def _encoded(self) -> list[str]:
        text = str(self)
        return text.split() if _plain(text) else _encoded_words(text)


class _Ids(_Words):
    """A header of ids: ASCII, never encoded."""

    def _encoded(self) -> list[str]:
        return str(self).split()


class _OneMailbox(_Words):
    """From and To: one mailbox, given as an Address."""

    def _encoded(self) -> list[str]:
        name, _, address = str(self).rpartition("<")
        if not name:
            return str(self).split()
        if _plain(name):
            return [*name.split(), f"<{address}"]
        unquoted = re.sub(r"\\(.)", r"\1", name.strip()[1:-1]) if name.startswith('"') else name.strip()
        return [*_encoded_words(unquoted), f"<{address}"]


def _plain(text: str) -> bool:
    return text.isascii() and "=?" not in text


def _encoded_words(text: str) -> list[str]:
    return Header(text, "utf-8").encode(splitchars="", maxlinelen=_WANTED_LINE - 3).split()


def _registry() -> HeaderRegistry:
    registry = HeaderRegistry()
    kinds = {
        _Ids: ("message-id", "in-reply-to", "references", "x-pfflow-obligation"),
        _OneMailbox: ("from", "to"),
        _Words: ("subject",),
    }
    for kind, names in kinds.items():
        for name in names:
            registry.map_to_type(name, kind)  # type: ignore[arg-type]  # typeshed wants BaseHeader; the docs a mixin
    return registry


POLICY = policy.SMTP.clone(header_factory=_registry())
"""CRLF, lines of at most 78 octets where they can be, 7-bit bodies any server takes, ids and names kept whole."""


def read_back(content: bytes) -> Message:
    """Give the message with its headers raw, as `decoded` and `parsed_mailbox` read them."""
    return message_from_bytes(content, policy=policy.compat32)


def decoded(raw: str) -> str:
    """Give the text of a raw header of words."""
    return str(make_header(decode_header(_unfolded(raw))))


def parsed_mailbox(raw: str) -> str:
    """Give the mailbox of a raw From or To, as str(Address) writes it."""
    name, address = parseaddr(_unfolded(raw))
    return str(Address(display_name=decoded(name), addr_spec=address))


def _unfolded(raw: str) -> str:
    return re.sub(r"\r?\n(?=[ \t])", "", raw)


def checked_address(address: str) -> str:
    """Give the address with its domain in ASCII (IDNA), or refuse it.

    Raises DeliveryError for anything but local@domain: line breaks, lists, comments, quoted or non-ASCII local parts.

    >>> checked_address("ana@münchen.example")
    'ana@xn--mnchen-3ya.example'
    """
    if _BREAKS.search(address):
        raise DeliveryError("an address has no control characters or line breaks")
    local, at, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise DeliveryError(f"{address!r} has no domain that mail can be sent to") from error
    if not (at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(ascii_domain)):
        raise DeliveryError(f"{address!r} is not an address of the form name@domain")
    whole = f"{local}@{ascii_domain}"
    if len(local) > 64 or len(whole) > _LONGEST_ADDRESS:
        raise DeliveryError(f"{address!r} is longer than an address can be")
    return whole


def header_text(text: str) -> str:
    """Give people's words as one header's text: breaks and invisible marks become spaces, spaces run together."""
    return re.sub(r"\s+", " ", _INVISIBLE.sub("", _BREAKS.sub(" ", text))).strip()


def mailbox_of(name: str, address: str) -> Address:
    """Give a mailbox for From and To: a display name on one line, and a checked address."""
    shown = header_text(name)[:_LONGEST_NAME].strip()
    return Address(display_name=shown, addr_spec=checked_address(address))


def message_id(key: str, domain: str) -> str:
    """Give the Message-ID of a key (RFC 5322 section 3.6.4).

    Raises DeliveryError for what is no msg-id, or one that cannot stand on one line with its header's name.

    >>> message_id("G1/weekly/2026-01-05/invite-5bd-owner/C-01", "pfflow.example.com")
    '<G1/weekly/2026-01-05/invite-5bd-owner/C-01@pfflow.example.com>'
    """
    if not (_LOCAL.fullmatch(key) and _DOMAIN.fullmatch(domain)):
        raise DeliveryError(f"{key!r} at {domain!r} is not a message id")
    given = f"<{key}@{domain}>"
    if len(given) + len("In-Reply-To: ") > LONGEST_LINE:
        raise DeliveryError(f"the key {key[:60]}… is too long for a message id")
    return given
