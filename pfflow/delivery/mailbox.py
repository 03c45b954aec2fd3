"""The local mailbox: a real SMTP server in this process that keeps every message as an .eml file.

A file is named after the message's date and Message-ID and appears whole or not at all: it is written beside its
place, flushed to the disk and renamed, before the server answers 250. A message that is there already is kept as it is.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from pfflow.delivery.connection import Security, SmtpServer
from pfflow.delivery.limits import MAILBOX_EXTENSION

if TYPE_CHECKING:
    import asyncio

_LOOPBACK = "127.0.0.1"
_SLUG = re.compile(r"[^A-Za-z0-9.+-]+")


@contextmanager
def local_mailbox(folder: Path, port: int = 0) -> Iterator[SmtpServer]:
    """Run the mailbox over a folder while the context lasts; gives where it listens (this machine only).

    Port 0 takes a free one. No TLS: nothing leaves the machine.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server((_LOOPBACK, port)) as listening:
        controller = _Controller(_Keeper(folder), listening)
        controller.start()
        try:
            yield SmtpServer(host=_LOOPBACK, port=controller.port, security=Security.NONE)
        finally:
            controller.stop()


def keep(folder: Path, content: bytes) -> Path:
    """Keep a message as a file and give its path; the same Message-ID again changes nothing.

    When this returns the message is on the disk, whole, whatever happens next.
    """
    message = message_from_bytes(content, policy=policy.default)
    identity = str(message["Message-ID"] or "") or sha256(content).hexdigest()
    digest = sha256(identity.encode()).hexdigest()[:16]
    for kept in folder.glob(f"*-{digest}.eml"):
        return kept
    slug = _SLUG.sub("-", identity.strip("<>").rpartition("@")[0] or "message").strip("-.")[:100]
    path = folder / f"{_dated(message):%Y%m%dT%H%M%SZ}-{slug}-{digest}.eml"
    part = folder / f".{path.name}.part"
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return path


class _Keeper:
    """What the server does with what it is told: it keeps messages, and says at EHLO which server it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_EHLO(  # noqa: N802 - the name aiosmtpd looks for
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], f"250-{MAILBOX_EXTENSION.upper()}", responses[-1]]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        try:
            keep(self._folder, envelope.original_content or b"")
        except OSError as error:
            return f"451 4.3.0 the mailbox could not keep it: {error.strerror}"
        return "250 2.0.0 kept"


class _Controller(Controller):
    """aiosmtpd's server thread on a socket that is bound already, so that a free port is known and nobody takes it."""

    def __init__(self, keeper: _Keeper, listening: socket.socket) -> None:
        self._listening = listening
        super().__init__(
            keeper,
            hostname=_LOOPBACK,
            port=listening.getsockname()[1],
            ident="pfflow local mailbox",
            server_hostname="localhost",
            enable_SMTPUTF8=True,
        )

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)


def _dated(message: EmailMessage) -> datetime:
    try:
        return parsedate_to_datetime(str(message["Date"])).astimezone(UTC)
    except (TypeError, ValueError):
        return datetime(1970, 1, 1, tzinfo=UTC)
