"""What the connections of a TCP listener have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from registry.errors import DecodeError
from resolver.transports.account import Account
from resolver.transports.connections import Connections, Patience
from resolver.transports.shares import Shares
from resolver.transports.waiting import Address

Reply = bytes | None
Send = Callable[[bytes], Awaitable[None]]
#: Message and what is known of its connection to what is sent back.
ServeMessage = Callable[[bytes, Any], "Reply | Awaitable[Reply]"]
#: The same, to the word that the node is busy.
RefuseMessage = Callable[[bytes, Any], Reply]


class Splitter(Protocol):
    """Cuts a byte stream into messages. `failure` is set once no further message can follow."""

    @property
    def failure(self) -> DecodeError | None: ...

    @property
    def held(self) -> int:
        """Octets of a message that is not complete."""
        ...

    def feed(self, data: bytes) -> list[bytes]: ...

    def finish(self) -> None:
        """The stream has ended. Raises DecodeError if that was within a message."""


@dataclass(frozen=True, slots=True)
class Service:
    """What they are in front of, what they count in, and their bounds; see `TcpServer`.

    `waiting` are the requests of all of them that wait for an answer.
    """

    serve: ServeMessage
    busy: RefuseMessage
    splitter: Callable[[], Splitter]
    on_garbage: Callable[[DecodeError], Reply]
    connected: Callable[[Address, Send], Any]
    account: Account
    connections: Connections
    under_way: Shares
    patience: Patience
    waiting: set[asyncio.Future[Reply]] = field(default_factory=set)
