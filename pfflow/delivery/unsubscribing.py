"""How a letter lets its reader leave: a signed link that one click follows (RFC 2369, RFC 8058).

The token names the contact by its ref and the kind of letter, and nothing of the person. It does not end: a link in a
letter of years ago must work, and all that it can do is to spare one person one kind of letter, which can be undone.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from pydantic import SecretStr

from pfflow.domain.opt_outs import OptionalLetter

SHORTEST_SECRET = 32
"""Characters; a secret that can be guessed lets strangers unsubscribe people."""
_PURPOSE = b"pfflow unsubscribe 1"


class UnsubscribingError(ValueError):
    """An address or a secret with which no safe link can be made, or a token that nobody here has signed."""


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """Where the portal is reached from outside (https), and the secret its links are signed with.

    Raises UnsubscribingError where one of them cannot serve.
    """

    portal: str
    secret: SecretStr = field(repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.portal)
        if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment:
            raise UnsubscribingError(
                f"{self.portal!r} is no https address; RFC 8058 wants one such as https://p.example"
            )
        if len(self.secret.get_secret_value()) < SHORTEST_SECRET:
            raise UnsubscribingError(f"the secret has fewer than {SHORTEST_SECRET} characters")

    def headers(self, contact_ref: str, kind: OptionalLetter) -> dict[str, str]:
        """Give the headers that let a reader leave a kind of letter with one click; nobody is told to write a mail."""
        return {
            "List-Unsubscribe": f"<{self.portal.rstrip('/')}/unsubscribe/{self.token(contact_ref, kind)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }

    def token(self, contact_ref: str, kind: OptionalLetter) -> str:
        """Give the signed token of a contact and a kind of letter, as it stands in an address."""
        said = f"{kind.value} {contact_ref}".encode()
        return f"{_text(said)}.{_text(self._signature(said))}"

    def read(self, token: str) -> tuple[str, OptionalLetter]:
        """Give whom and what a token is about. Raises UnsubscribingError for one that was not signed here."""
        try:
            said, signature = (_bytes(part) for part in token.split("."))
            if not hmac.compare_digest(signature, self._signature(said)):
                raise UnsubscribingError("the link is not one of ours")
            kind, _, contact_ref = said.decode().partition(" ")
            return contact_ref, OptionalLetter(kind)
        except (NotBase64, ValueError) as error:
            raise UnsubscribingError("the link is not one of ours") from error

    def _signature(self, said: bytes) -> bytes:
        return hmac.digest(self.secret.get_secret_value().encode(), _PURPOSE + b"\n" + said, sha256)


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
