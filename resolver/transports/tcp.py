"""A TCP listener in front of a stream splitter and a function from message to reply bytes.

A connection is kept for as many requests as its client sends; requests are answered in the order in
which their answers are ready (clients match them by request id).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from registry.errors import DecodeError
from resolver.transports.account import Account
from resolver.transports.connections import MAX_CONNECTIONS, Connections, Patience
from resolver.transports.shares import Shares
from resolver.transports.stream import StreamConnection
from resolver.transports.stream_service import (
    RefuseMessage,
    Reply,
    Send,
    ServeMessage,
    Service,
    Splitter,
)
from resolver.transports.waiting import Address

#: Requests of a listener's connections that may be under way, and connections that may wait to be
#: accepted.
MAX_UNDER_WAY: Final = 4096
BACKLOG: Final = 1024


class TcpServer:
    """Listens; `account` says what became of each request.

    `on_garbage` is told of a stream that cannot be cut into messages, or that ended within one;
    what it returns is sent before the connection is closed. `connected` makes what `serve` is given
    with each message of a connection, its peer's address if nothing else; the function that it gets
    sends something before the reply, at the peer's pace. `busy` is asked instead of `serve` where
    the source of a message has too much under way.
    """

    def __init__(
        self,
        serve: ServeMessage,
        splitter: Callable[[], Splitter],
        on_garbage: Callable[[DecodeError], Reply],
        *,
        connected: Callable[[Address, Send], Any] = lambda peer, send: peer,
        busy: RefuseMessage = lambda message, context: None,
        account: Account | None = None,
        patience: Patience = Patience(),  # noqa: B008 - it does not change
        max_connections: int = MAX_CONNECTIONS,
        max_under_way: int = MAX_UNDER_WAY,
    ) -> None:
        self.account = account or Account()
        self.connections = Connections(max_connections)
        self._service = Service(
            serve,
            busy,
            splitter,
            on_garbage,
            connected,
            self.account,
            self.connections,
            Shares(max_under_way),
            patience,
        )
        self._server: asyncio.Server | None = None

    async def bind(self, host: str, port: int, *, shared: bool = False) -> None:
        """Open the listener, or a share of it. Raises OSError if the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: StreamConnection(self._service),
            host,
            port,
            backlog=BACKLOG,
            reuse_port=shared,
        )
        self.connections.watch(self._service.patience.look)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def drain(self, seconds: float) -> None:
        """Stop listening, let requests under way finish for that long, then close everything."""
        if self._server is not None:
            self._server.close()
        if self._service.waiting:
            await asyncio.wait(self._service.waiting, timeout=seconds)
        self.connections.close()
