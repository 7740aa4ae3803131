"""Where a request comes from, and what was proved there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from registry.membership import Identity

UDP: Final = "handle-udp"
TCP: Final = "handle-tcp"
HTTP: Final = "handle-http"

Send = Callable[[bytes], Awaitable[None]]


class Context:
    """One connection, datagram or HTTP request; `source` is the peer's address without its port.

    `send` sends a message of a reply before its last one, at the peer's pace; None where only one
    can be sent. `login` is who has logged in on the connection, by the log-in of the CAICT clients.
    """

    __slots__ = ("__weakref__", "login", "protocol", "send", "source")

    def __init__(self, source: str, protocol: str, send: Send | None = None) -> None:
        self.source = source
        self.protocol = protocol
        self.send = send
        self.login: Identity | None = None

    @property
    def origin(self) -> str:
        """Where it comes from, as the audit log says it."""
        return f"{self.protocol} {self.source}"
