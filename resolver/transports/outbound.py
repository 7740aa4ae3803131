"""One request to another node over Handle UDP or TCP, and the wait for the reply to it.

Nothing is decided here but when to stop listening. `accept` says what a whole message is worth: it
returns the reply, or raises DecodeError for what is broken, forged or somebody else's. After
such a one the wait goes on to its end, so that a forger who is faster than the node gains nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Generic, NamedTuple, TypeVar

from registry.errors import DecodeError
from resolver.codecs.handle.envelope import decode_envelope
from resolver.codecs.handle.fragments import Reassembler, is_fragment, split_message
from resolver.codecs.handle.framing import MessageStream

T = TypeVar("T")
Accept = Callable[[bytes], T]
_READ_SIZE: Final = 65_536


class ExchangeFailed(Exception):  # noqa: N818 - the base of four outcomes of asking
    """No usable reply came."""


class Silent(ExchangeFailed):
    """Nothing came in time."""


class Unreachable(ExchangeFailed):
    """The other end refuses, or there is no way to it."""


class Incomplete(ExchangeFailed):
    """Some packets of a reply came, not all."""


class Unusable(ExchangeFailed):
    """What came cannot be read, or belongs to another request."""


class Received(NamedTuple, Generic[T]):
    """A reply and how many octets it came in."""

    reply: T
    octets: int


async def exchange_udp(
    host: str, port: int, request: bytes, accept: Accept[T], seconds: float
) -> Received[T]:
    """Send a request and wait for its reply, at most so long. Raises ExchangeFailed.

    Each exchange has a socket of its own, connected, with a port that the kernel chose: a forger
    has to guess it besides the request id.
    """
    loop = asyncio.get_running_loop()
    waiting = _UdpExchange(loop, accept, int.from_bytes(request[8:12], "big"))
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: waiting, remote_addr=(host, port)
        )
    except OSError as error:
        raise Unreachable(str(error)) from None
    try:
        for packet in split_message(request):
            transport.sendto(packet)
        async with asyncio.timeout(seconds):
            return await waiting.received
    except TimeoutError:
        raise waiting.why_nothing() from None
    finally:
        transport.close()


class _UdpExchange(asyncio.DatagramProtocol, Generic[T]):
    """Puts packets together and stops at the first message that is accepted."""

    def __init__(self, loop: asyncio.AbstractEventLoop, accept: Accept[T], request_id: int) -> None:
        self.received: asyncio.Future[Received[T]] = loop.create_future()
        self._now = loop.time
        self._accept = accept
        self._request_id = request_id
        self._packets = Reassembler()
        self._rejected = False

    def datagram_received(self, data: bytes, addr: object) -> None:
        # What does not even guess the request id is not worth a reassembly.
        with suppress(DecodeError):
            envelope = decode_envelope(data)
            if envelope.request_id != self._request_id or self.received.done():
                return
            if is_fragment(envelope, len(data), trust_length=True):
                message = self._packets.feed(None, data, self._now())
            else:
                message = data
            if message is not None:
                self._take(message)

    def _take(self, message: bytes) -> None:
        self._rejected = True
        self.received.set_result(Received(self._accept(message), len(message)))

    def error_received(self, exc: Exception) -> None:
        if not self.received.done():
            self.received.set_exception(Unreachable(str(exc)))

    def why_nothing(self) -> ExchangeFailed:
        """What the wait ended with when its time was over."""
        if len(self._packets):
            return Incomplete("a part of the reply is missing")
        if self._rejected:
            return Unusable("the reply cannot be read")
        return Silent("no reply in time")


async def exchange_tcp(
    host: str, port: int, request: bytes, accept: Accept[T], seconds: float
) -> Received[T]:
    """The same over a TCP connection of its own. Raises ExchangeFailed."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(request)
            return await _read_reply(reader, accept)
    except TimeoutError:
        raise Silent("no reply in time") from None
    except OSError as error:
        raise Unreachable(str(error)) from None
    finally:
        if writer is not None:
            writer.transport.abort()


async def _read_reply(reader: asyncio.StreamReader, accept: Accept[T]) -> Received[T]:
    stream = MessageStream()
    while data := await reader.read(_READ_SIZE):
        for message in stream.feed(data):
            with suppress(DecodeError):
                return Received(accept(message), len(message))
        if stream.failure is not None:
            break
    raise Unusable("the connection ended without a reply that can be read")
