"""The mailer: letters go out over SMTP, one connection a batch, and each comes back with a receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from pfflow.delivery.compose import Sender, compose, envelope, message_bytes
from pfflow.delivery.connection import Connection, NoConnectionError, NotTheMailboxError, RefusedError, SmtpServer
from pfflow.delivery.headers import checked_address, header_text
from pfflow.delivery.limits import MailPolicy
from pfflow.domain.letters import Letter
from pfflow.domain.notices import Notice
from pfflow.domain.parties import Contact
from pfflow.ports import Claimed, Clock, Receipt

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=6)
ATTEMPTS = 30
"""With these waits 30 attempts take some five days, as long as RFC 5321 section 4.5.4.1 asks."""

_LONGEST_RESPONSE = 500


class SmtpMailer:
    """Renders, composes and sends letters by SMTP. One mailer is one run: the policy's cap counts over its life.

    `write` renders a notice for its contact; what it raises fails that one letter.
    """

    def __init__(
        self,
        server: SmtpServer,
        policy: MailPolicy,
        sender: Sender,
        write: Callable[[Notice, Contact], Letter],
        clock: Clock,
    ) -> None:
        self._server = server
        self._policy = policy
        self._sender = replace(sender, email=checked_address(sender.email))
        self._write = write
        self._clock = clock
        self._sent = 0

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        """Send the letters; gives one receipt each, in order.

        A letter whose claim would end while it is sent is left for another claim: somebody else may have it by then.
        """
        connection = Connection(self._server, live=self._policy.live, hello=self._sender.domain)
        receipts: list[Receipt] = []
        slowest = timedelta()
        try:
            for letter in claimed:
                began = self._clock()
                # The first always goes: a server slower than a claim is long must not keep every letter waiting.
                if receipts and began + slowest >= letter.until:
                    left = self._receipt(letter, "retry", "the batch took too long; claimed anew")
                    receipts.append(replace(left, retry_at=left.at))
                    continue
                receipts.append(await self._deliver_one(letter, connection))
                slowest = max(slowest, self._clock() - began)
        finally:
            await connection.close()
        return tuple(receipts)

    async def _deliver_one(self, claimed: Claimed, connection: Connection) -> Receipt:
        try:
            reason = self._policy.reason_to_hold(checked_address(claimed.contact.email), self._sent)
            if reason:
                return self._receipt(claimed, "held", reason)
            letter = self._write(claimed.notice, claimed.contact)
            # RFC 5322 section 3.6.1: the instant the message was complete, which is when it was decided.
            message = compose(letter, claimed, self._sender, at=claimed.notice.noticed_at)
            content, (sender, recipient) = message_bytes(message), envelope(message)
        except Exception as error:  # noqa: BLE001 - one letter's fault, of whatever kind, must not stop the others
            return self._receipt(claimed, "failed", f"{type(error).__name__}: {error}")
        try:
            response = await connection.send(sender, recipient, content)
        except (NotTheMailboxError, NoConnectionError, RefusedError) as error:
            return self._refused(claimed, error)
        self._sent += 1
        return replace(self._receipt(claimed, "sent", response), digest=sha256(content).hexdigest())

    def _refused(self, claimed: Claimed, error: Exception) -> Receipt:
        if isinstance(error, NotTheMailboxError):
            return self._receipt(claimed, "held", str(error))
        if isinstance(error, RefusedError) and not error.temporary:
            return self._receipt(claimed, "failed", error.response)
        return self._again(claimed, str(error))

    def _again(self, claimed: Claimed, response: str) -> Receipt:
        if claimed.attempts + 1 >= ATTEMPTS:
            return self._receipt(claimed, "failed", f"given up after {claimed.attempts + 1} attempts: {response}")
        receipt = self._receipt(claimed, "retry", response)
        return replace(receipt, retry_at=retry_at(claimed.message_id, claimed.attempts, receipt.at))

    def _receipt(self, claimed: Claimed, outcome: str, response: str) -> Receipt:
        secret = self._server.password.get_secret_value()
        said = header_text(response.replace(secret, "***") if secret else response)[:_LONGEST_RESPONSE]
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
