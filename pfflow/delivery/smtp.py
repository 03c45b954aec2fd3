"""The mailer: letters go out over SMTP, on connections that are kept, and each comes back with a receipt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from pfflow.delivery.compose import Sender, compose, envelope, message_bytes
from pfflow.delivery.connection import Connection, NoConnectionError, NotTheMailboxError, RefusedError, SmtpServer
from pfflow.delivery.errors import AddressError, DeliveryError
from pfflow.delivery.headers import checked_address, header_text
from pfflow.delivery.limits import MailPolicy
from pfflow.delivery.pool import Pool
from pfflow.domain.letters import Letter
from pfflow.domain.notices import Notice
from pfflow.domain.parties import Contact
from pfflow.domain.trouble import Trouble
from pfflow.ports import Claimed, Clock, Receipt

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=6)
ATTEMPTS = 30
"""With these waits 30 attempts take some five days, as long as RFC 5321 section 4.5.4.1 asks."""

_LONGEST_RESPONSE = 500


@dataclass(frozen=True, slots=True)
class _Mail:
    """A letter ready to be handed to a server: the envelope and the bytes."""

    sender: str
    recipient: str
    content: bytes


class SmtpMailer:
    """Renders, composes and sends letters by SMTP. One mailer is one run: the policy's cap counts over its life.

    `server` is where to send, or gives it when the first letter is sent. `write` renders a notice for its contact,
    `write_bundle` several; what they raise fails that one mail. `sign` gives a message's bytes as they are to leave,
    with a signature where the house signs.
    """

    def __init__(
        self,
        server: SmtpServer | Callable[[], SmtpServer],
        policy: MailPolicy,
        sender: Sender,
        write: Callable[[Notice, Contact], Letter],
        clock: Clock,
        *,
        write_bundle: Callable[[Sequence[Notice], Contact], Letter] | None = None,
        sign: Callable[[bytes], bytes] = bytes,
        connections: int = 4,
    ) -> None:
        self._server = server
        self._policy = policy
        self._sender = replace(sender, email=checked_address(sender.email))
        self._write = write
        self._clock = clock
        self._write_bundle = write_bundle
        self._sign = sign
        self._connections = connections
        self._begun = 0  # letters sent or on their way
        self._pool = Pool(self._connection, clock)
        self._users = 0

    @property
    def connections(self) -> int:
        """How many deliveries may be under way at once."""
        return self._connections

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        """Keep connections from one delivery to the next while the block runs, and close them at its end."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                pool, self._pool = self._pool, Pool(self._connection, self._clock)
                await pool.close()

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        """Send the letters, one after the other; gives one receipt each, in order."""
        async with self.kept_open():
            return tuple([await self._deliver_one(letter) for letter in claimed])

    async def _deliver_one(self, claimed: Claimed) -> Receipt:
        others, self._begun = self._begun, self._begun + 1
        receipt = await self._tried(claimed, others)
        self._begun -= receipt.outcome != "sent"
        return receipt

    async def _tried(self, claimed: Claimed, others: int) -> Receipt:
        """Send a letter, unless it is kept back, while `others` are sent or on their way."""
        try:
            reason = self._policy.reason_to_hold(checked_address(claimed.contact.email), others)
            if reason:
                return self._receipt(claimed, "held", reason)
            mail = await self._mail(claimed)
        except Exception as error:  # noqa: BLE001 - one letter's fault, of whatever kind, must not stop the others
            return self._failed(claimed, error)
        try:
            return await self._sent(claimed, mail)
        except (NotTheMailboxError, NoConnectionError, RefusedError) as error:
            return self._refused(claimed, error)

    async def _sent(self, claimed: Claimed, mail: _Mail) -> Receipt:
        async with self._pool.connection() as connection:
            response = await connection.send(mail.sender, mail.recipient, mail.content)
        return replace(self._receipt(claimed, "sent", response), digest=sha256(mail.content).hexdigest())

    async def _mail(self, claimed: Claimed) -> _Mail:
        # A workbook can take seconds, and other letters are on their way meanwhile.
        slow = any(notice.report for notice in (claimed.notice, *claimed.merged))
        return await asyncio.to_thread(self._made, claimed) if slow else self._made(claimed)

    def _made(self, claimed: Claimed) -> _Mail:
        letter = self._letter(claimed)
        # RFC 5322 section 3.6.1: the instant the message was complete, which is when it was decided.
        message = compose(letter, claimed, self._sender, at=claimed.notice.noticed_at)
        return _Mail(*envelope(message), self._sign(message_bytes(message)))

    def _connection(self) -> Connection:
        if not isinstance(self._server, SmtpServer):
            self._server = self._server()
        return Connection(self._server, live=self._policy.live, hello=self._sender.domain)

    def _failed(self, claimed: Claimed, error: Exception) -> Receipt:
        trouble = Trouble.ADDRESS if isinstance(error, AddressError) else Trouble.UNWRITABLE
        return replace(self._receipt(claimed, "failed", f"{type(error).__name__}: {error}"), trouble=trouble)

    def _letter(self, claimed: Claimed) -> Letter:
        if not claimed.merged:
            return self._write(claimed.notice, claimed.contact)
        if self._write_bundle is None:
            raise DeliveryError("this mailer writes no mail of several letters")
        return self._write_bundle((claimed.notice, *claimed.merged), claimed.contact)

    def _refused(self, claimed: Claimed, error: Exception) -> Receipt:
        if isinstance(error, NotTheMailboxError):
            return self._receipt(claimed, "held", str(error))
        if isinstance(error, RefusedError) and not error.temporary:
            return replace(self._receipt(claimed, "failed", error.response), trouble=error.trouble)
        if isinstance(error, NoConnectionError):
            return self._kept(claimed, str(error))
        return self._again(claimed, str(error))

    def _kept(self, claimed: Claimed, response: str) -> Receipt:
        """Put a letter off through our own fault: as often as it takes, in four to five minutes each time."""
        receipt = self._receipt(claimed, "retry", response)
        return replace(receipt, trouble=Trouble.OURS, retry_at=retry_at(claimed.message_id, 2, receipt.at))

    def _again(self, claimed: Claimed, response: str) -> Receipt:
        if claimed.attempts + 1 >= ATTEMPTS:
            failed = self._receipt(claimed, "failed", f"given up after {claimed.attempts + 1} attempts: {response}")
            return replace(failed, trouble=Trouble.GIVEN_UP)
        receipt = self._receipt(claimed, "retry", response)
        return replace(receipt, retry_at=retry_at(claimed.message_id, claimed.attempts, receipt.at))

    def _receipt(self, claimed: Claimed, outcome: str, response: str) -> Receipt:
        plain = self._server.redacted(response) if isinstance(self._server, SmtpServer) else response
        said = header_text(plain)[:_LONGEST_RESPONSE]
        return Receipt(message_id=claimed.message_id, outcome=outcome, at=self._clock(), response=said)


def retry_at(message_id: str, attempts: int, now: datetime) -> datetime:
    """Give when to try again: one minute doubled with every attempt before, up to six hours, and up to a quarter more.

    What is added depends on the letter, so letters refused together do not all return together.

    >>> from datetime import UTC
    >>> now = datetime(2026, 1, 5, tzinfo=UTC)
    >>> [str(retry_at("a", attempts, now) - now) for attempts in (0, 1, 20)]
    ['0:01:14', '0:02:00', '6:08:24']
    """
    wait = min(FIRST_RETRY * 2 ** min(max(attempts, 0), 16), LONGEST_RETRY)
    share = int.from_bytes(sha256(f"{message_id} {attempts}".encode()).digest()[:4], "big") / 2**32
    return now + timedelta(seconds=round(wait.total_seconds() * (1 + share / 4)))
