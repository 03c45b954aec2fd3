"""A real HTTP server on this machine that keeps what is posted to it and answers as a test tells it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"


@dataclass
class Hook:
    """What was posted: paths and bodies, in order. `answers` are (status, body) in turn; then 200 and `usual`.

    A status of 0 keeps the client waiting for an answer until the server ends.
    """

    port: int = 0
    usual: str = "ok"
    answers: list[tuple[int, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    hanging: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def origin(self) -> str:
        return f"{HOST}:{self.port}"

    def json(self, number: int = -1) -> Any:
        return json.loads(self.bodies[number])


@contextmanager
def webhook(usual: str = "ok", *answers: tuple[int, str]) -> Iterator[Hook]:
    """Run the server while the context lasts."""
    hook = Hook(usual=usual, answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            hook.paths.append(self.path)
            self.answer()

        def do_GET(self) -> None:
            hook.paths.append(f"GET {self.path}")
            self.answer()

        def answer(self) -> None:
            status, said = hook.answers.pop(0) if hook.answers else (200, hook.usual)
            if not status:
                hook.hanging.set()
                hook.ended.wait()
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", said)
            content = said.encode()
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the class it is of
            """Say nothing on standard error."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        hook.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hook
        finally:
            hook.ended.set()
            server.shutdown()
            thread.join()


def closed_port() -> int:
    """Give a port of this machine on which nobody listens."""
    with socket.create_server((HOST, 0)) as listening:
        return int(listening.getsockname()[1])
