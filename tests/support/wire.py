"""Clients that send any octets to a node over its sockets, and hear everything that comes back.

To hear that something is *not* answered takes no waiting: a good request goes after it from the
same socket, and what comes before the reply to that one is all there is.
"""

from __future__ import annotations

import http.client
import itertools
import json
import socket
import ssl
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import dns.message
import dns.rdatatype

from resolver.codecs.handle.asking import Question
from resolver.codecs.handle.envelope import TRUNCATED
from resolver.codecs.handle.fragments import Reassembler
from resolver.codecs.handle.message import Message, decode_message

PATIENCE = 10.0
#: Far enough in the future for request expirations.
LATER = 4_000_000_000.0
_ids = itertools.count(0x7E00_0000)
Address = tuple[str, int]


def resolve_request(handle: str, types: tuple[str, ...] = (), **members: Any) -> bytes:
    """A Handle resolution request with a fresh request id."""
    asked = tuple(type_.encode() for type_ in types)
    question = Question(handle.encode(), next(_ids), types=asked, **members)
    return question.encode(LATER)


def joined(packets: list[bytes]) -> bytes:
    """The Handle message in its packets, which come in any order."""
    if len(packets) == 1:
        return packets[0]
    reassembler = Reassembler()
    whole = [reassembler.feed(None, packet, 0.0) for packet in packets]
    return next(message for message in whole if message is not None)


class Udp:
    """A connected UDP socket. `good` is a request that the node answers in one datagram."""

    def __init__(self, address: Address, good: bytes = b"", id_at: slice = slice(8, 12)) -> None:
        self._good = good
        self._id = good[id_at]
        self._id_at = id_at
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def send(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.socket.send(datagram)

    def receive(self) -> bytes:
        return self.socket.recv(65_535)

    def ask(self, *datagrams: bytes) -> bytes:
        """The one datagram that answers."""
        self.send(*datagrams)
        return self.receive()

    def provoke(self, *datagrams: bytes) -> list[bytes]:
        """All replies to the datagrams, with proof that the node still answers a good one."""
        self.send(*datagrams, self._good)
        replies = []
        while (reply := self.receive())[self._id_at] != self._id:
            replies.append(reply)
        return replies


def handle_udp(address: Address, request: bytes) -> Message:
    """The reply to a Handle request over UDP, in however many packets."""
    with Udp(address) as peer:
        packets = [peer.ask(request)]
        if packets[0][2] & TRUNCATED:
            length = int.from_bytes(packets[0][16:20], "big")
            while sum(len(packet) - 20 for packet in packets) < length:
                packets.append(peer.receive())
        return decode_message(joined(packets))


class Tcp:
    """A TCP connection."""

    def __init__(self, address: Address) -> None:
        self.socket = socket.create_connection(address, PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, count: int) -> bytes:
        """So many octets; fewer where the connection ends before."""
        data = b""
        while len(data) < count and (more := self.socket.recv(count - len(data))):
            data += more
        return data

    def handle_message(self) -> bytes:
        """One Handle message; empty where the connection ends before."""
        envelope = self.receive(20)
        return envelope + self.receive(int.from_bytes(envelope[16:20], "big"))

    def dns_message(self) -> bytes:
        """One DNS message; empty where the connection ends before."""
        return self.receive(int.from_bytes(self.receive(2), "big"))

    def rest(self, *, half_close: bool = True) -> bytes:
        """What comes until the node closes; `half_close` says first that nothing more is sent."""
        if half_close:
            self.socket.shutdown(socket.SHUT_WR)
        data = b""
        while more := self.socket.recv(65_536):
            data += more
        return data


def handle_tcp(address: Address, request: bytes) -> Message:
    """The reply to a Handle request over TCP."""
    with Tcp(address) as peer:
        peer.send(request)
        return decode_message(peer.handle_message())


def framed(message: bytes) -> bytes:
    """A DNS message as it goes over TCP."""
    return len(message).to_bytes(2, "big") + message


def dns_request(name: str, rdtype: str = "TXT", **members: Any) -> dns.message.Message:
    return dns.message.make_query(name, rdtype, **members)


def dns_udp(address: Address, request: dns.message.Message) -> dns.message.Message:
    with Udp(address) as peer:
        return dns.message.from_wire(peer.ask(request.to_wire()))


def dns_tcp(address: Address, request: dns.message.Message) -> dns.message.Message:
    with Tcp(address) as peer:
        peer.send(framed(request.to_wire()))
        return dns.message.from_wire(peer.dns_message())


def _secure(host: str) -> http.client.HTTPConnection:
    """Nodes on loopback show certificates that they made themselves."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, timeout=PATIENCE, context=trusting)


_CONNECTIONS = {
    "http": lambda host: http.client.HTTPConnection(host, timeout=PATIENCE),
    "https": _secure,
}


class HttpReply(NamedTuple):
    """A reply over HTTP."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def fetch(
    base: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> HttpReply:
    """One request over HTTP; underscores in the names of headers stand for hyphens."""
    scheme, host, *_ = urlsplit(base)
    connection = _CONNECTIONS[scheme](host)
    try:
        names = {name.replace("_", "-"): text for name, text in headers.items()}
        connection.request(method, path, body, names)
        reply = connection.getresponse()
        return HttpReply(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def metrics(url: str) -> dict[str, float]:
    """The samples of a node by name and labels, without `node` and `role`."""
    base, _, path = url.rpartition("/")
    samples = {}
    for line in fetch(base, f"/{path}").body.decode().splitlines():
        if line and not line.startswith("#"):
            series, _, number = line.rpartition(" ")
            name, _, labels = series.partition("{")
            kept = [
                label
                for label in labels.rstrip("}").split(",")
                if label and not label.startswith(("node=", "role="))
            ]
            samples[f"{name}{{{','.join(kept)}}}" if kept else name] = float(number)
    return samples
