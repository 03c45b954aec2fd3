"""One connection to an SMTP server, opened again when it drops between two letters (RFC 5321, RFC 3207)."""

from __future__ import annotations

import ssl
from base64 import b64encode
from dataclasses import dataclass, field
from enum import StrEnum

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)
from pydantic import SecretStr

from pfflow.delivery.limits import MAILBOX_EXTENSION
from pfflow.domain.trouble import Trouble

_DROPPED = (SMTPServerDisconnected, SMTPTimeoutError, OSError)
_SERVICE_CLOSES = 421
_OURS_TO_MEND = frozenset({503, 530, 534, 535, 538})
"""What a server answers when it wants us to log in or encrypt first: no fault of the letter."""
_TOO_LARGE = 552


class Security(StrEnum):
    """How a connection is protected: STARTTLS unless someone names another way."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where to send: the server, how the connection is protected, and as whom. `timeout` is in seconds.

    Certificates are checked against the system's authorities, or against `tls` where one is given.
    """

    host: str
    port: int
    security: Security = Security.STARTTLS
    username: str = field(default="", repr=False)
    password: SecretStr = field(default_factory=lambda: SecretStr(""))
    timeout: float = 30.0
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        if self.username and self.security is Security.NONE:
            raise ValueError("a password is never sent over a connection without TLS")
        if self.tls is not None and not (self.tls.check_hostname and self.tls.verify_mode is ssl.CERT_REQUIRED):
            raise ValueError("a server's certificate is always checked")

    def redacted(self, text: str) -> str:
        """Give what a server said without our login, should it repeat that: as it is, or as it went over the wire."""
        user, password = self.username, self.password.get_secret_value()
        secrets = (f"\0{user}\0{password}", password, user) if password else ()
        for secret in filter(None, secrets):
            text = text.replace(b64encode(secret.encode()).decode(), "***").replace(secret, "***")
        return text


class NoConnectionError(Exception):
    """There is no connection to send on; the reason is safe to log."""


class NotTheMailboxError(Exception):
    """The server is not the local mailbox and mail is not live."""


class RefusedError(Exception):
    """The server refused a letter; `temporary` says whether to try again, `trouble` why not."""

    def __init__(self, response: str, *, temporary: bool, trouble: Trouble = Trouble.REFUSED) -> None:
        super().__init__(response)
        self.response = response
        self.temporary = temporary
        self.trouble = trouble


class Connection:
    """A connection that can be sent on again and again."""

    def __init__(self, server: SmtpServer, *, live: bool, hello: str) -> None:
        self._server = server
        self._live = live
        self._hello = hello
        self._client: SMTP | None = None
        self._fresh = True  # nothing was sent on it, so a server that drops it now does not merely find it idle

    async def send(self, sender: str, recipient: str, content: bytes) -> str:
        """Send one message; gives the server's answer.

        Raises RefusedError for this letter, NoConnectionError or NotTheMailboxError where none can be sent.
        """
        client = await self._greeted(sender, recipient, len(content))
        try:
            response = await client.data(content)
        except SMTPResponseException as error:
            await self._after_refusal(error)
            raise _refused(error) from None
        except _DROPPED as error:
            self.drop()
            # Whether the server took it is unknown; the same Message-ID goes out again and can be told apart.
            raise RefusedError(
                f"the connection dropped while sending: {type(error).__name__}", temporary=True
            ) from None
        self._fresh = False
        return f"{response.code} {response.message}"

    async def close(self) -> None:
        """Say goodbye, if there is anyone to say it to."""
        client, self._client = self._client, None
        if client is None:
            return
        try:
            if client.is_connected:
                await client.quit()
        except (SMTPException, OSError):
            pass  # the letters are delivered; a server that leaves without a word takes nothing back
        finally:
            client.close()

    async def _greeted(self, sender: str, recipient: str, size: int) -> SMTP:
        """Give a client that has said MAIL and RCPT; a connection that dropped while idle is opened again once."""
        while True:
            client = await self.open()
            try:
                await client.mail(sender, options=[f"SIZE={size}"] if client.supports_extension("size") else [])
                await client.rcpt(recipient)
            except SMTPResponseException as error:
                await self._after_refusal(error)
                if error.code == _SERVICE_CLOSES and not self._fresh:
                    self._fresh = True
                    continue
                raise _refused(error) from None
            except _DROPPED as error:
                self.drop()
                if not self._fresh:
                    self._fresh = True
                    continue
                raise RefusedError(f"the connection dropped: {type(error).__name__}", temporary=True) from None
            return client

    async def open(self) -> SMTP:
        """Connect unless that is done. Raises NoConnectionError, NotTheMailboxError."""
        if self._client is not None and self._client.is_connected:
            return self._client
        self._client, self._fresh = self._new_client(), True
        try:
            await self._connect(self._client)
        except (NoConnectionError, NotTheMailboxError) as error:
            raise self._dropped(error) from None
        except SMTPResponseException as error:
            raise self._dropped(NoConnectionError(f"{self._where} answered {error.code}")) from None
        except (SMTPException, OSError) as error:
            raise self._dropped(NoConnectionError(f"{self._where}: {_reason(error)}")) from None
        return self._client

    async def _connect(self, client: SMTP) -> None:
        """Connect, encrypt, and log in, in this order; nothing of ours is said before the server is known."""
        server = self._server
        await client.connect()
        await client.ehlo()
        if server.security is Security.STARTTLS:
            if not client.supports_extension("starttls"):
                raise NoConnectionError(f"{self._where} offers no STARTTLS, and it is required")
            await client.starttls()
            await client.ehlo()
        if not self._live and not client.supports_extension(MAILBOX_EXTENSION):
            raise NotTheMailboxError(f"{self._where} is not the local mailbox, and mail is not live")
        if server.username:
            await client.login(server.username, server.password.get_secret_value())

    def _new_client(self) -> SMTP:
        server = self._server
        return SMTP(
            hostname=server.host,
            port=server.port,
            timeout=server.timeout,
            use_tls=server.security is Security.TLS,
            start_tls=False,
            tls_context=None if server.security is Security.NONE else server.tls or ssl.create_default_context(),
            local_hostname=self._hello,
        )

    def _dropped(self, error: Exception) -> Exception:
        self.drop()
        return error

    async def _after_refusal(self, error: SMTPResponseException) -> None:
        """Make the connection ready for the next letter."""
        client = self._client
        if client is None or error.code == _SERVICE_CLOSES or not client.is_connected:
            self.drop()
            return
        try:
            await client.rset()
        except (SMTPException, OSError):
            self.drop()

    def drop(self) -> None:
        """Hang up without a word."""
        if self._client is not None:
            self._client.close()
        self._client = None

    @property
    def _where(self) -> str:
        return f"{self._server.host}:{self._server.port}"


def _refused(error: SMTPResponseException) -> RefusedError | NoConnectionError:
    """Give what a refusal means: for this letter, or for all of them.

    MAIL names nobody but us, so what is refused there for good, other than a size, is ours to mend.
    """
    at_mail = isinstance(error, SMTPSenderRefused) and error.code >= 500 and error.code != _TOO_LARGE
    if at_mail or error.code in _OURS_TO_MEND:
        return NoConnectionError(f"the server refuses us: {_answer(error)}")
    trouble = Trouble.RECIPIENT if isinstance(error, SMTPRecipientRefused) else Trouble.REFUSED
    if error.code == _TOO_LARGE and not isinstance(error, SMTPRecipientRefused):
        trouble = Trouble.SIZE
    return RefusedError(_answer(error), temporary=error.code < 500, trouble=trouble)


def _answer(error: SMTPResponseException) -> str:
    what = "recipient refused: " if isinstance(error, SMTPRecipientRefused) else ""
    return f"{what}{error.code} {error.message}"


def _reason(error: Exception) -> str:
    """Give why there is no connection; the first cause says more than what it was wrapped in."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}"
    return f"{type(cause).__name__}: {cause}"
