"""One request and its checked reply over a blocking socket: what a Locust user does.

Locust makes sockets give way to other users while they wait; nothing here has to know of that.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Final, Protocol

from load_tests.operations import OPERATIONS
from load_tests.requests.http_reply import NotHttp, ReplyReader
from load_tests.requests.template import Kind, Template, Wire
from load_tests.streams import Framing

_READ_SIZE: Final = 65_536


class ExchangeFailed(Exception):  # noqa: N818 - an outcome
    """There was no reply, or not the right one; str() says which."""


class Exchange(Protocol):
    """Asks one target, one request after the other."""

    def ask(self, template: Template) -> int:
        """The octets of the right reply. Raises ExchangeFailed."""
        ...

    def close(self) -> None: ...


class DatagramExchange:
    """Over UDP; `seconds` is how long a reply is waited for."""

    def __init__(self, host: str, port: int, wire: Wire, seconds: float) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.connect((host, port))
        self._wire = wire
        self._seconds = seconds
        self._ident = 0

    def ask(self, template: Template) -> int:
        self._ident = (self._ident + 1) & 0x7FFF
        missing = set(range(len(template.parts)))
        octets = 0
        deadline = time.monotonic() + self._seconds
        try:
            self._socket.send(_with_id(template, self._wire, self._ident))
            while missing:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                packet = self._socket.recv(_READ_SIZE)
                if _id_of(packet, self._wire) == self._ident:
                    number = 0 if self._wire.part_at is None else packet[self._wire.part_at]
                    _check(template, number, packet)
                    missing.discard(number)
                    octets += len(packet)
        except TimeoutError:
            raise ExchangeFailed("no reply") from None
        except OSError as error:
            raise ExchangeFailed(error.strerror or str(error)) from None
        return octets

    def close(self) -> None:
        self._socket.close()


class _Stream:
    """A connection that is opened when it is needed."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self._address = (host, port)
        self._seconds = seconds
        self._socket: socket.socket | None = None

    def exchange(self, request: bytes, feed: Callable[[bytes], bytes | None]) -> bytes:
        """Send a request and feed what comes until that gives the reply. Raises ExchangeFailed."""
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, self._seconds)
            self._socket.sendall(request)
            while data := self._socket.recv(_READ_SIZE):
                if (reply := feed(data)) is not None:
                    return reply
        except TimeoutError:
            self.close()
            raise ExchangeFailed("no reply") from None
        except (OSError, NotHttp) as error:
            self.close()
            raise ExchangeFailed(str(error)) from None
        self.close()
        raise ExchangeFailed("connection closed by the target")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class MessageExchange:
    """Handle or DNS over TCP."""

    def __init__(self, host: str, port: int, wire: Wire, framing: Framing, seconds: float) -> None:
        self._stream = _Stream(host, port, seconds)
        self._wire = wire
        self._framing = framing
        self._ident = 0

    def ask(self, template: Template) -> int:
        self._ident = (self._ident + 1) & 0x7FFF
        splitter = self._framing.splitter()

        def feed(data: bytes) -> bytes | None:
            for message in splitter.feed(data):
                if _id_of(message, self._wire) == self._ident:
                    return message
            return None

        request = self._framing.frame(_with_id(template, self._wire, self._ident))
        reply = self._stream.exchange(request, feed)
        _check(template, 0, reply)
        return len(reply)

    def close(self) -> None:
        self._stream.close()


class HttpExchange:
    """HTTP/1.1 over a connection that is kept."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self._stream = _Stream(host, port, seconds)

    def ask(self, template: Template) -> int:
        reader = ReplyReader()
        closes = False

        def feed(data: bytes) -> bytes | None:
            nonlocal closes
            if (reply := reader.feed(data)) is None:
                return None
            closes = reply.closes
            return reply.content

        content = self._stream.exchange(template.request, feed)
        if closes:
            self._stream.close()
        _check(template, 0, content)
        return len(content)

    def close(self) -> None:
        self._stream.close()


def open_exchange(operation: str, host: str, port: int, seconds: float) -> Exchange:
    """What does the requests of an operation."""
    wire, framing = OPERATIONS[operation].wire, OPERATIONS[operation].framing
    if wire is None:
        return HttpExchange(host, port, seconds)
    if framing is None:
        return DatagramExchange(host, port, wire, seconds)
    return MessageExchange(host, port, wire, framing, seconds)


def _with_id(template: Template, wire: Wire, ident: int) -> bytes:
    request = bytearray(template.request)
    wire.id.pack_into(request, wire.id_at, ident)
    return bytes(request)


def _id_of(message: bytes, wire: Wire) -> int | None:
    """The id in a message, None where it is too short to have one and a packet number."""
    if len(message) < max(wire.id_at + wire.id.size, (wire.part_at or 0) + 1):
        return None
    return int(wire.id.unpack_from(message, wire.id_at)[0])


def _check(template: Template, number: int, data: bytes) -> None:
    verdict = template.check(number, data, 0, len(data))
    if verdict.kind is not Kind.RIGHT:
        raise ExchangeFailed(f"{verdict.kind.value}: {verdict.reason}")
