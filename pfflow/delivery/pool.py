"""Connections to one SMTP server, opened when needed, kept from one letter to the next, closed together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from pfflow.delivery.connection import Connection, NoConnectionError, NotTheMailboxError, RefusedError
from pfflow.ports import Clock

_LEFT_ALONE = timedelta(seconds=10)
"""How long a server that could not be reached, or that refused us, is not asked again."""


class Pool:
    """As many connections as there are letters on their way at once; the one used last is used next.

    A server that cannot be reached is asked once for all letters that wait for it, and again after ten seconds.
    """

    def __init__(self, connect: Callable[[], Connection], clock: Clock) -> None:
        self._connect = connect
        self._clock = clock
        self._idle: list[Connection] = []
        self._opening = asyncio.Lock()
        self._refused: tuple[Exception, datetime] | None = None

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection that is open.

        Raises NoConnectionError and NotTheMailboxError, at once while the server is left alone.
        """
        try:
            connection = await self._free()
            try:
                yield connection
            except RefusedError:
                self._idle.append(connection)
                raise
            except BaseException:
                connection.drop()  # what was said on it last is unknown
                raise
        except (NoConnectionError, NotTheMailboxError) as error:
            if self._refused is None:
                self._refused = error, self._clock() + _LEFT_ALONE
            raise
        self._idle.append(connection)

    async def close(self) -> None:
        """Say goodbye on every connection."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.close() for connection in idle))

    async def _free(self) -> Connection:
        if self._idle:
            return self._idle.pop()
        async with self._opening:
            if self._idle:  # given back meanwhile
                return self._idle.pop()
            self._raise_if_left_alone()
            connection = self._connect()
            await connection.open()
            return connection

    def _raise_if_left_alone(self) -> None:
        if self._refused is not None:
            error, until = self._refused
            if self._clock() < until:
                raise error
            self._refused = None
