"""The way to one server for many requests: a kept TCP connection, or one for each request."""

from __future__ import annotations

import asyncio
from typing import Protocol

from resolver.transports.kept import ConnectionLost, KeptConnection, Receive


class Channel(Protocol):
    """Carries requests to one server and the messages of their replies back."""

    async def exchange(self, request: bytes, receive: Receive, seconds: float) -> None:
        """Send a request, hand over its reply. Raises ExchangeFailed and what `receive` raises."""

    async def close(self) -> None:
        """Hang up."""


class TcpChannel:
    """TCP, sharing one connection where the server keeps it for a second request.

    The reference server closes a connection after each reply; requests to such a server get a
    connection each. The first two requests find that out, so the second may be sent twice: callers
    begin with some that change nothing.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._connection: KeptConnection | None = None
        self._kept: bool | None = None
        self._opening = asyncio.Lock()

    async def exchange(self, request: bytes, receive: Receive, seconds: float) -> None:
        """As `Channel`; raises ConnectionLost where it is not known what became of the request."""
        if self._kept is None:
            async with self._opening:
                if self._kept is None:
                    await self._try(request, receive, seconds)
                    return
        if self._kept:
            connection = await self._shared(seconds)
            await connection.exchange(request, receive, seconds)
        else:
            await self._alone(request, receive, seconds)

    async def close(self) -> None:
        """Hang up; who still waits gets a ConnectionLost."""
        if self._connection is not None:
            self._connection.close()

    async def _try(self, request: bytes, receive: Receive, seconds: float) -> None:
        """One of the first two requests: see whether the connection outlives the first."""
        if self._connection is None or not self._connection.answered:
            self._connection = await self._connect(seconds)
            await self._connection.exchange(request, receive, seconds)
            return
        try:
            await self._connection.exchange(request, receive, seconds)
        except ConnectionLost:
            self._kept = False
            await self._alone(request, receive, seconds)
        else:
            self._kept = True

    async def _shared(self, seconds: float) -> KeptConnection:
        """The connection, made anew where the server has closed it meanwhile."""
        async with self._opening:
            if self._connection is None or self._connection.closed:
                self._connection = await self._connect(seconds)
            return self._connection

    async def _alone(self, request: bytes, receive: Receive, seconds: float) -> None:
        connection = await self._connect(seconds)
        try:
            await connection.exchange(request, receive, seconds)
        finally:
            connection.close()

    async def _connect(self, seconds: float) -> KeptConnection:
        return await KeptConnection.open(self._host, self._port, seconds)
