"""Handle requests through HTTP: POSTs of `application/x-hdl-message` over one kept connection."""

from __future__ import annotations

from typing import Final

import aiohttp

from registry.errors import DecodeError
from resolver.codecs.handle.framing import MessageStream
from resolver.transports.kept import ConnectionLost, Receive
from resolver.transports.outbound import Accept, Received, Silent, T, Unreachable, Unusable

MEDIA_TYPE: Final = "application/x-hdl-message"
_READ_SIZE: Final = 65_536
#: The reference server wants both, or it answers with a web page.
_HEADERS: Final = {"Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}


class Tunnel:
    """Requests to one server through its HTTP port; several may be under way. Ends by `close`."""

    def __init__(self, host: str, port: int) -> None:
        authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._url = f"http://{authority}/"
        self._session: aiohttp.ClientSession | None = None

    async def exchange(self, request: bytes, receive: Receive, seconds: float) -> None:
        """Send a request and hand each message of its reply to `receive`, until it has the last.

        Raises Silent, Unreachable, Unusable, ConnectionLost, and what `receive` raises.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=_HEADERS)
        limit = aiohttp.ClientTimeout(sock_connect=seconds, sock_read=seconds)
        try:
            async with self._session.post(
                self._url, data=request, timeout=limit, allow_redirects=False
            ) as response:
                await _read(response, receive)
        except TimeoutError:
            raise Silent("no reply in time") from None
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(error.strerror or str(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectionLost(str(error) or type(error).__name__) from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


async def _read(response: aiohttp.ClientResponse, receive: Receive) -> None:
    if response.content_type.lower() != MEDIA_TYPE:
        raise Unusable(f"no Handle message: HTTP status {response.status}")
    stream = MessageStream()
    while data := await response.content.read(_READ_SIZE):
        for message in stream.feed(data):
            try:
                if not receive(message):
                    return
            except DecodeError as error:
                raise Unusable(str(error)) from None
    raise Unusable("the reply ended before its last message")


async def exchange_http(
    host: str, port: int, request: bytes, accept: Accept[T], seconds: float
) -> Received[T]:
    """One request through the HTTP port, its reply in one message. Raises ExchangeFailed."""
    found: list[Received[T]] = []

    def receive(message: bytes) -> bool:
        found.append(Received(accept(message), len(message)))
        return False

    tunnel = Tunnel(host, port)
    try:
        await tunnel.exchange(request, receive, seconds)
    finally:
        await tunnel.close()
    return found[0]
