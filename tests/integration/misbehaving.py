"""An SMTP server that misbehaves as a test tells it: refuses, hangs or hangs up at any step of a real conversation."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HOST = "127.0.0.1"
HANG, DROP = "hang", "drop"

STEPS = ("GREETING", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT", "DOT", "RSET", "QUIT")
"""CONTENT is after the first line of a message, DOT after the line that ends it; the others are commands."""

_POLITE = {
    "GREETING": "220 mail.example ready",
    "EHLO": "250-mail.example\r\n250 8BITMIME",
    "DATA": "354 go on",
    "DOT": "250 2.0.0 queued",
    "QUIT": "221 bye",
}


@dataclass
class Misbehaving:
    """What a server does at a step before it is polite: an answer, HANG or DROP, each once, in turn.

    `always` does the same every time. A server that greylists puts off each pair of sender and recipient once.
    `when_taken` happens between a message and the answer to it.
    """

    once: dict[str, list[str]] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    greylists: bool = False
    when_taken: Callable[[], None] = lambda: None
    connections: int = 0
    said: Counter[str] = field(default_factory=Counter)
    accepted: list[bytes] = field(default_factory=list)
    _known: set[tuple[str, str]] = field(default_factory=set)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def ids(self) -> list[bytes]:
        """Give the Message-IDs of what was taken, in order."""
        return [
            next(line for line in message.split(b"\r\n") if line.lower().startswith(b"message-id:"))
            for message in self.accepted
        ]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen on this machine while the context lasts; gives the port."""
        server = await asyncio.start_server(self._converse, HOST, 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            self._over.set()
            server.close()
            await server.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError):
            if await self._say("GREETING", writer):
                await self._obey(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = ""
        while line := await reader.readline():
            command = line.decode().strip()
            step = command.split(" ")[0].upper()
            sender = command if step == "MAIL" else sender
            said = await self._say(step, writer, self._greylisted(sender, command) if step == "RCPT" else "")
            if step == "DATA" and said.startswith("354"):
                said = await self._take(reader, writer)
            if not said or step == "QUIT" or said.startswith("421"):
                return

    def _greylisted(self, sender: str, recipient: str) -> str:
        if not self.greylists or (sender, recipient) in self._known:
            return ""
        self._known.add((sender, recipient))
        return "450 4.2.0 greylisted, come back"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        content = [await reader.readline()]
        if not await self._say("CONTENT", writer):
            return ""
        while (line := await reader.readline()) not in (b".\r\n", b""):
            content.append(line)
        answer = self.once.get("DOT", [""])[:1] or [self.always.get("DOT", "")]
        if answer[0][:1] not in {"4", "5"}:
            self.accepted.append(b"".join(content))  # it is taken, whether or not the other side ever hears of it
            await asyncio.to_thread(self.when_taken)
        return await self._say("DOT", writer)

    async def _say(self, step: str, writer: asyncio.StreamWriter, instead: str = "") -> str:
        """Say what is to be said at a step; gives it, or nothing where the conversation is over."""
        self.said[step] += 1
        turns = self.once.get(step)
        answer = instead or (turns.pop(0) if turns else self.always.get(step, "")) or _POLITE.get(step, "250 2.0.0 OK")
        if answer == HANG:
            await self._over.wait()
        if answer in (HANG, DROP):
            return ""
        if step != "CONTENT":
            writer.write(answer.encode() + b"\r\n")
            await writer.drain()
        return answer
