"""A real SMTP server for tests: with or without STARTTLS and AUTH, answering as a test tells it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "127.0.0.1"


@dataclass
class Recorder:
    """Keeps what was accepted. `answers` are given to DATA in turn before 250; "drop" closes the connection instead."""

    answers: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    connections: int = 0
    encrypted: list[bool] = field(default_factory=list)
    messages: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    after_each: str = ""
    goodbyes: int = 0

    async def handle_EHLO(  # noqa: N802 - the name aiosmtpd looks for
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        if session.host_name is None and session.ssl is None:
            self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - as above
        self.goodbyes += 1
        return "221 Bye"

    async def handle_RCPT(  # noqa: N802 - as above
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        answer = self.answers.pop(0) if self.answers else "250 2.0.0 queued"
        if answer == "drop":
            assert server.transport is not None
            server.transport.close()
            return "250 never heard"
        if answer.startswith("250"):
            self.encrypted.append(session.ssl is not None)
            self.messages.append((str(envelope.mail_from), list(envelope.rcpt_tos), envelope.original_content or b""))
        if self.after_each == "close" and server.transport is not None:
            asyncio.get_running_loop().call_soon(server.transport.close)
        return answer


class _BoundController(Controller):
    def __init__(self, recorder: Recorder, listening: socket.socket, options: dict[str, Any]) -> None:
        self._listening = listening
        super().__init__(recorder, hostname=HOST, port=listening.getsockname()[1], **options)

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._listening)


@contextmanager
def smtp_server(recorder: Recorder, **options: Any) -> Iterator[int]:
    """Run a server while the context lasts; gives its port."""
    with socket.create_server((HOST, 0)) as listening:
        controller = _BoundController(recorder, listening, options)
        controller.start()
        try:
            yield controller.port
        finally:
            controller.stop()


def tls_options(authority: trustme.CA, *names: str, valid: tuple[datetime, datetime] | None = None) -> dict[str, Any]:
    """Give what makes the server require STARTTLS with a certificate of this authority for these names.

    `valid` is from when until when it is valid, where that is not today.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    since, until = valid or (None, None)
    authority.issue_cert(*names, not_before=since, not_after=until).configure_cert(context)
    return {"tls_context": context, "require_starttls": True}


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Give a client context that trusts this authority and no other."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def login(username: str, password: str) -> dict[str, Any]:
    """Give what makes the server require this login."""

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and data == LoginPassword(username.encode(), password.encode())
        return AuthResult(success=right, handled=False)

    return {"authenticator": authenticate, "auth_required": True}
