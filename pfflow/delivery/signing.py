"""Signing letters (DKIM, RFC 6376): rsa-sha256, headers and body in relaxed form, by dkimpy.

Signed is every header of a letter that RFC 6376 section 5.4.1 names, those by which people and programs tell what it
is, and List-Unsubscribe with List-Unsubscribe-Post, without which one click does nothing (RFC 8058 section 4). From is
signed once more than it is there, so that a second one added on the way breaks the signature (section 5.4).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import dkim  # type: ignore[import-untyped]  # dkimpy ships no types
from dkim.crypto import UnparsableKeyError, parse_pem_private_key  # type: ignore[import-untyped]  # as above
from pydantic import SecretStr

from pfflow.delivery.headers import read_back

_SIGNED = frozenset(
    {
        b"from",
        b"to",
        b"subject",
        b"date",
        b"message-id",
        b"in-reply-to",
        b"references",
        b"mime-version",
        b"content-type",
        b"content-transfer-encoding",
        b"content-language",
        b"auto-submitted",
        b"x-pfflow-obligation",
        b"list-unsubscribe",
        b"list-unsubscribe-post",
    }
)
_SHORTEST_KEY = 1024
"""Bits: shorter keys no verifier accepts (RFC 8301 section 3.2), and 2048 are recommended."""
_SELECTOR = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


class SigningKeyError(ValueError):
    """A key that letters cannot be signed with; says nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class DkimSigner:
    """Who signs: the domain and selector under which the public key stands in the DNS, and the private key (PEM).

    Raises SigningKeyError for a key that is none, or too short, and a selector that is no name in the DNS.
    """

    domain: str
    selector: str
    key: SecretStr

    def __post_init__(self) -> None:
        if not _SELECTOR.fullmatch(self.selector):
            raise SigningKeyError(f"the selector {self.selector!r} is no name in the DNS; write one such as mail2026")
        try:
            modulus = parse_pem_private_key(self.key.get_secret_value().encode())["modulus"]
        except (UnparsableKeyError, KeyError, TypeError, ValueError):
            # What dkimpy says of it may quote the key.
            raise SigningKeyError("it is no RSA key in PEM without a pass phrase") from None
        if modulus.bit_length() < _SHORTEST_KEY:
            raise SigningKeyError(f"an RSA key of {modulus.bit_length()} bits is too short; make one of 2048")

    def signed(self, content: bytes) -> bytes:
        """Give a message's bytes with its signature before them; the message itself stays as it is, byte for byte."""
        names = [name.lower().encode() for name in read_back(content).keys()]  # noqa: SIM118 - a header may be there twice
        chosen = [name for name in names if name in _SIGNED]
        header = dkim.sign(
            content,
            self.selector.encode(),
            self.domain.encode("idna"),
            self.key.get_secret_value().encode(),
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=b"rsa-sha256",
            include_headers=[*chosen, b"from"],
        )
        return bytes(header) + content
