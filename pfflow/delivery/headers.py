"""Message headers that survive the wire: addresses that are addresses, ids that are never folded apart.

The email package's own policies encode a long In-Reply-To or References as if it were prose (RFC 2047), which no mail
program reads as an id any more, lose characters of some long names, and parse every header anew when it is set and when
it is written; `POLICY` keeps ids whole, encodes words by email.header, and parses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.header import Header, decode_header, make_header
from email.headerregistry import Address
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32, compat32
from email.utils import parseaddr
from functools import lru_cache
from typing import Any

from pfflow.delivery.errors import AddressError, DeliveryError

CHANNEL_HEADER = "X-PFFlow-Channel"
"""What marks a chat text that is kept in the local mailbox."""

LONGEST_LINE = 998
"""Octets in a line without its CRLF (RFC 5322 section 2.1.1)."""

_KEPT = 4096
"""How many names, addresses and subjects a process remembers the written form of: readers and subjects come again."""

_MAILBOXES = frozenset({"from", "to"})
_OF_WORDS = frozenset({"subject"})
_HEADERS = BytesParser(policy=compat32)
_LINE_ENDS = re.compile("[\r\n\x00]")
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_INVISIBLE = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*")
_LONGEST_NAME = 120
_WANTED_LINE = 78
_LONGEST_ADDRESS = 254


class WirePolicy(Compat32):
    """Headers are kept as they were given and written by what each of them is: ids whole, names and subjects encoded.

    A line break in a header is refused when it is set, and anything but ASCII where no encoding is known.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401 - the package's signature
        """Keep a header unless its value would begin another."""
        if _LINE_ENDS.search(value):
            raise DeliveryError(f"the header {name} has a line break")
        return name, value

    def header_fetch_parse(self, name: str, value: Any) -> Any:  # noqa: ANN401, ARG002 - as above
        """Give a header as it was set."""
        return value

    def fold(self, name: str, value: str) -> str:
        """Give the header's lines with their CRLF, each at most 78 octets where its words allow."""
        lines, line = [], f"{name}:"
        for word in _words(name.lower(), value):
            if len(line) + 1 + len(word) > _WANTED_LINE and len(line) > len(name) + 1:
                lines.append(line)
                line = ""
            line += f" {word}"
        return self.linesep.join([*lines, line]) + self.linesep

    def fold_binary(self, name: str, value: str) -> bytes:
        """Give the header's lines as bytes. Raises DeliveryError for what is not ASCII and has no encoding."""
        try:
            return self.fold(name, value).encode("ascii")
        except UnicodeEncodeError as error:
            raise DeliveryError(f"the header {name} holds what only words may hold") from error


POLICY = WirePolicy(linesep="\r\n", cte_type="7bit", mangle_from_=False)
"""CRLF, lines of at most 78 octets where they can be, 7-bit bodies any server takes, ids and names kept whole."""


def _words(name: str, value: str) -> Sequence[str]:
    """Give the words between which a header may be folded, encoded (RFC 2047) where they are not plain ASCII."""
    if name in _MAILBOXES:
        return _mailbox_words(value)
    if name in _OF_WORDS:
        return value.split() if _plain(value) else _encoded_words(value)
    return (value,) if '"' in value else value.split()


@lru_cache(maxsize=_KEPT)
def _mailbox_words(mailbox: str) -> tuple[str, ...]:
    """Give the words of one mailbox, as str(Address) writes it."""
    name, _, address = mailbox.rpartition("<")
    if not name:
        return tuple(mailbox.split())
    if _plain(name):
        return (*name.split(), f"<{address}")
    unquoted = re.sub(r"\\(.)", r"\1", name.strip()[1:-1]) if name.startswith('"') else name.strip()
    return (*_encoded_words(unquoted), f"<{address}")


def _plain(text: str) -> bool:
    return text.isascii() and "=?" not in text


@lru_cache(maxsize=_KEPT)
def _encoded_words(text: str) -> tuple[str, ...]:
    return tuple(Header(text, "utf-8").encode(splitchars="", maxlinelen=_WANTED_LINE - 3).split())


def read_back(content: bytes) -> Message:
    """Give a message's headers raw, as `decoded` and `parsed_mailbox` read them."""
    return _HEADERS.parsebytes(content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", headersonly=True)


def decoded(raw: str) -> str:
    """Give the text of a raw header of words."""
    text = _unfolded(raw)
    return text if _plain(text) else _decoded(text)


@lru_cache(maxsize=_KEPT)
def _decoded(text: str) -> str:
    return str(make_header(decode_header(text)))


@lru_cache(maxsize=_KEPT)
def parsed_mailbox(raw: str) -> str:
    """Give the mailbox of a raw From or To, as str(Address) writes it."""
    name, address = parseaddr(_unfolded(raw))
    return str(Address(display_name=decoded(name), addr_spec=address))


def _unfolded(raw: str) -> str:
    return re.sub(r"\r?\n(?=[ \t])", "", raw)


@lru_cache(maxsize=_KEPT)
def checked_address(address: str) -> str:
    """Give the address with its domain in ASCII (IDNA), or refuse it.

    Raises AddressError for anything but local@domain: line breaks, lists, comments, quoted or non-ASCII local parts.

    >>> checked_address("ana@münchen.example")
    'ana@xn--mnchen-3ya.example'
    """
    if _BREAKS.search(address):
        raise AddressError("an address has no control characters or line breaks")
    local, at, domain = address.strip().rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise AddressError(f"{address!r} has no domain that mail can be sent to") from error
    if not (at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(ascii_domain)):
        raise AddressError(f"{address!r} is not an address of the form name@domain")
    whole = f"{local}@{ascii_domain}"
    if len(local) > 64 or len(whole) > _LONGEST_ADDRESS:
        raise AddressError(f"{address!r} is longer than an address can be")
    return whole


def header_text(text: str) -> str:
    """Give people's words as one header's text: breaks and invisible marks become spaces, spaces run together."""
    return re.sub(r"\s+", " ", _INVISIBLE.sub("", _BREAKS.sub(" ", text))).strip()


@lru_cache(maxsize=_KEPT)
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
