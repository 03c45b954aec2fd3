"""The messenger: chat texts go out to the services the house has named, and each comes back with a receipt.

Unless chat is live, a text goes into the local mailbox as a message marked with its channel. A text that is sent twice,
since chat has no Message-ID, is known by the eight digits it ends in.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.mime.text import MIMEText
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from pydantic import SecretStr

from pfflow.delivery.answers import Answer
from pfflow.delivery.compose import Sender
from pfflow.delivery.errors import ChatAddressError, DeliveryError
from pfflow.delivery.headers import CHANNEL_HEADER, POLICY, header_text, mailbox_of, message_id
from pfflow.delivery.mailbox import keep
from pfflow.domain.notices import Notice
from pfflow.domain.parties import Contact
from pfflow.domain.trouble import Trouble
from pfflow.ports import Claimed, Clock, Receipt

AT_ONCE = 4
"""How many texts are on their way at once; so many a crash may repeat."""

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=15)
ATTEMPTS = 8
"""With these waits eight attempts take some fifty minutes: what is told at once is not worth telling days later."""

_PLACES = re.compile(r"\{(phone|email|ref)\}")


class WriteChat(Protocol):
    """Writes a notice as a chat text of at most `limit` characters."""

    def __call__(self, notice: Notice, contact: Contact, limit: int = ...) -> str: ...  # noqa: D102 - the class says it


class Service(Protocol):
    """One address of a chat service: what it takes in characters, the seconds between two texts, and telling it one."""

    @property
    def longest(self) -> int: ...  # noqa: D102 - the class says it

    @property
    def pause(self) -> float: ...  # noqa: D102 - as above

    def tell(self, text: str) -> Answer: ...  # noqa: D102 - as above


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPolicy:
    """What keeps chat texts back, and where they go while chat is not live.

    `addresses` are Apprise URLs by channel, in lower case with - for _. A person's has ``{phone}``, ``{email}`` or
    ``{ref}`` where the person goes; a room's has none. `cap_per_run` is how many texts one messenger sends in its life.
    """

    mailbox: Path
    live: bool = False
    addresses: Mapping[str, SecretStr] = field(default_factory=dict)
    cap_per_run: int = 500
    stopped: bool = False
    timeout: float = 10.0


class HeldError(Exception):
    """Why a text is kept from leaving; safe to show."""


class ChatMessenger:
    """Writes and sends chat texts. One messenger is one run: the policy's cap counts over its life.

    `reach` gives the service of an address for a timeout in seconds; what it raises as ChatAddressError holds the text.
    """

    def __init__(
        self, policy: ChatPolicy, sender: Sender, write: WriteChat, clock: Clock, reach: Callable[[str, float], Service]
    ) -> None:
        self._policy = policy
        self._sender = sender
        self._write = write
        self._clock = clock
        self._reach = reach
        self._services: dict[str, Service] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._begun = 0  # texts sent or on their way

    @property
    def connections(self) -> int:
        """How many deliveries may be under way at once."""
        return AT_ONCE

    @asynccontextmanager
    async def kept_open(self) -> AsyncIterator[None]:
        """Keep nothing but whose turn it is: each text is a request of its own."""
        self._turns = {}
        yield

    async def deliver(self, claimed: Sequence[Claimed]) -> tuple[Receipt, ...]:
        """Send the texts, one after the other; gives one receipt each, in order."""
        return tuple([await self._deliver_one(text) for text in claimed])

    async def _deliver_one(self, claimed: Claimed) -> Receipt:
        reason = self._reason_to_hold()
        if reason:
            return self._receipt(claimed, "held", reason)
        self._begun += 1
        receipt = await self._sent(claimed)
        self._begun -= receipt.outcome != "sent"
        return receipt

    def _reason_to_hold(self) -> str:
        if self._policy.stopped:
            return "the stop switch is on"
        reached = self._begun >= self._policy.cap_per_run
        return f"the cap of {self._policy.cap_per_run} texts a run is reached" if reached else ""

    async def _sent(self, claimed: Claimed) -> Receipt:
        try:
            if not self._policy.live:
                return self._kept(claimed)
            address = self._address(claimed)
            service = self._service(address)
            text = self._write(claimed.notice, claimed.contact, service.longest)
        except HeldError as error:
            return self._receipt(claimed, "held", str(error))
        except OSError as error:
            return self._again(claimed, f"the mailbox could not keep it: {error.strerror}")
        except DeliveryError as error:
            return replace(self._receipt(claimed, "failed", str(error)), trouble=Trouble.CHAT)
        except Exception as error:  # noqa: BLE001 - one text's fault, of whatever kind, must not stop the others
            said = f"{type(error).__name__}: {error}"
            return replace(self._receipt(claimed, "failed", said), trouble=Trouble.UNWRITABLE)
        async with self._turns.setdefault(address, asyncio.Lock()):
            return await self._told(claimed, service, text)

    async def _told(self, claimed: Claimed, service: Service, text: str) -> Receipt:
        # To connect, to answer, and what the library waits for between two texts to one address.
        longest = 2 * self._policy.timeout + service.pause
        answer = await _in_a_thread(lambda: service.tell(text), longest)
        if answer.taken:
            return replace(self._receipt(claimed, "sent", answer.said), digest=sha256(text.encode()).hexdigest())
        if answer.again:
            return self._again(claimed, answer.said)
        return replace(self._receipt(claimed, "failed", answer.said), trouble=Trouble.CHAT)

    def _address(self, claimed: Claimed) -> str:
        channel, contact = claimed.notice.channel, claimed.contact
        setting = f"PFFLOW_CHAT_{channel.upper().replace('-', '_')}"
        secret = self._policy.addresses.get(channel.lower().replace("_", "-"))
        if secret is None:
            raise HeldError(f"{setting} is not set, so nobody can be reached by {channel}")
        address = secret.get_secret_value()
        personal = bool(_PLACES.search(address))
        if personal == claimed.notice.to_room:
            whole, part = "names a person; a room's address is whole", "names nobody; write {phone}, {email} or {ref}"
            what = whole if personal else part
            raise HeldError(f"{setting} {what}")
        known = {"phone": re.sub(r"[^\d+]", "", contact.phone), "email": contact.email, "ref": contact.contact_ref}
        lacking = sorted({found for found in _PLACES.findall(address) if not known[found]})
        if lacking:
            raise DeliveryError(f"contact {contact.contact_ref} has no {lacking[0]} to be reached by {channel} with")
        return _PLACES.sub(lambda found: quote(known[found[1]], safe=""), address)

    def _service(self, address: str) -> Service:
        if address not in self._services:
            try:
                self._services[address] = self._reach(address, self._policy.timeout)
            except ChatAddressError as error:
                raise HeldError(f"its address cannot be used: {error}") from None
        return self._services[address]

    def _kept(self, claimed: Claimed) -> Receipt:
        content = bytes(self._shown(claimed))
        self._policy.mailbox.mkdir(parents=True, exist_ok=True)
        keep(self._policy.mailbox, content)
        return replace(self._receipt(claimed, "sent", "kept in the local mailbox"), digest=sha256(content).hexdigest())

    def _shown(self, claimed: Claimed) -> MIMEText:
        """Give a text as the local mailbox keeps it, under an id of its own: the same again changes nothing."""
        notice, contact = claimed.notice, claimed.contact
        text = self._write(notice, contact)
        message = MIMEText(text + "\n", _charset="utf-8", policy=POLICY)
        message["From"] = str(mailbox_of(self._sender.name.in_language(contact.language), self._sender.email))
        message["To"] = str(mailbox_of(f"chat to {contact.name} ({notice.channel})", f"{notice.channel}@chat.invalid"))
        message["Subject"] = header_text(f"[chat: {notice.channel}] {text.partition(chr(10))[0]}")
        message["Date"] = format_datetime(notice.noticed_at.astimezone(UTC))
        message["Message-ID"] = message_id(notice.key, self._sender.domain)
        message["X-PFFlow-Obligation"] = notice.obligation_key
        message[CHANNEL_HEADER] = notice.channel
        return message

    def _again(self, claimed: Claimed, response: str) -> Receipt:
        if claimed.attempts + 1 >= ATTEMPTS:
            said = f"given up after {claimed.attempts + 1} attempts: {response}"
            return replace(self._receipt(claimed, "failed", said), trouble=Trouble.CHAT)
        receipt = self._receipt(claimed, "retry", response)
        return replace(receipt, retry_at=retry_at(claimed.message_id, claimed.attempts, receipt.at))

    def _receipt(self, claimed: Claimed, outcome: str, response: str) -> Receipt:
        return Receipt(
            message_id=claimed.message_id, outcome=outcome, at=self._clock(), response=header_text(response)[:500]
        )


def retry_at(key: str, attempts: int, now: datetime) -> datetime:
    """Give when to try again: half a minute doubled with every attempt before, up to a quarter of an hour.

    Up to a quarter more is added by the text's key, so that texts refused together do not all return together.
    """
    wait = min(FIRST_RETRY * 2 ** min(max(attempts, 0), 16), LONGEST_RETRY)
    share = int.from_bytes(sha256(f"{key} {attempts}".encode()).digest()[:4], "big") / 2**32
    return now + timedelta(seconds=round(wait.total_seconds() * (1 + share / 4)))


async def _in_a_thread(tell: Callable[[], Answer], seconds: float) -> Answer:
    """Tell in a thread of its own, for so many seconds; one that never ends is left behind and holds nothing up."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[Answer] = loop.create_future()

    def finish(answer: Answer) -> None:
        if not told.done():
            told.set_result(answer)

    def run() -> None:
        answer = tell()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(finish, answer)

    threading.Thread(target=run, name="pfflow-chat", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await told
    except TimeoutError:
        return Answer(taken=False, said=f"the service did not answer in {seconds:.0f} seconds", again=True)
