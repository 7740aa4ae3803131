"""What thousands of slow and idle connections cost a node, and the good clients beside them.

    python -m load_tests.bench.slow_clients [--out FILE] [--connections N] [--seconds S]

The node is on the first core; its clients are on the last one, the slow ones in a process of their
own that comes second, and which opens a new connection for each that the node closes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import multiprocessing
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from load_tests.bench import loads
from load_tests.bench.accounts import fetch
from load_tests.bench.cores import leave_first
from load_tests.bench.figure import Figure, tell
from load_tests.bench.server import Topology, topology
from load_tests.requests import handle, http
from load_tests.requests.template import Template
from resolver.data_directory import DataDirectory

BASE_PORT: Final = 31_540
NODE: Final = "baijiu"
NAMES: Final = 1_000
#: Seconds between two octets of who is slow, and the end of a client's patience.
PAUSE: Final = 1.0
PATIENCE: Final = 10.0
#: What the slow ones wait for the good ones, who share their core.
_NICE: Final = 10
#: Octets that the kernel keeps for who does not read.
_LITTLE: Final = 4096

Address = tuple[str, int]


class Slow(NamedTuple):
    """One kind of bad client: what it sends first, and then again and again."""

    name: str
    service: str
    first: bytes
    then: bytes = b""


def kinds(record: Template) -> Sequence[Slow]:
    """Every kind of slow client; `record` is a request for an identifier."""
    head = b"Host: node\r\n"
    body = b"Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    many = b"GET /api/handles?prefix=88.901 HTTP/1.1\r\n" + head + b"\r\n" + record.request * 60
    return (
        Slow("idle", "handle", b""),
        Slow("half a message", "handle", handle.resolution(b"88.901/A", b"").request[:30]),
        Slow("slow header", "http", b"GET / HTTP/1.1\r\n" + head + b"X-Slow: ", b"s"),
        Slow("slow body", "http", b"POST /api/handles/88.901/A HTTP/1.1\r\n" + head + body, b"{"),
        Slow("reads nothing", "http", many),
    )


async def be_slow(kind: Slow, address: Address, after: float) -> None:
    """One bad client, for ever, from so many seconds on."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(after)
    while True:
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LITTLE)
            sock.setblocking(False)
            await loop.sock_connect(sock, address)
            await loop.sock_sendall(sock, kind.first)
            while not _closed(sock):
                await asyncio.sleep(PAUSE)
                await loop.sock_sendall(sock, kind.then)


def _closed(sock: socket.socket) -> bool:
    """Whether the node has hung up. Raises OSError if it did so rudely."""
    try:
        return sock.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False


async def _all(clients: Sequence[tuple[Slow, Address]]) -> None:
    async with asyncio.TaskGroup() as group:
        for place, (kind, address) in enumerate(clients):
            group.create_task(be_slow(kind, address, place / len(clients) * PAUSE))


def _run(clients: Sequence[tuple[Slow, Address]]) -> None:
    os.nice(_NICE)
    asyncio.run(_all(clients))


@contextlib.contextmanager
def slow_clients(node: Topology, templates: Sequence[Template], count: int) -> Iterator[None]:
    """So many bad clients, of every kind in turn, until the block ends."""
    each = itertools.islice(itertools.cycle(kinds(templates[0])), count)
    clients = [(kind, node.address(NODE, kind.service)) for kind in each]
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(clients,))
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


class Served(NamedTuple):
    """What a good client got: the seconds each right reply took, and how many were not right."""

    took: list[float]
    failed: int

    @property
    def p99(self) -> float:
        """In milliseconds."""
        return sorted(self.took)[int(len(self.took) * 0.99)] * 1000


def be_good(
    address: Address, templates: Sequence[Template], seconds: float, *, keep: bool
) -> Served:
    """Ask over HTTP, again when there is a reply, on one connection or each time on a new one."""
    took, failed = [], 0
    sock = None
    end = time.perf_counter() + seconds
    for template in itertools.cycle(templates):
        began = time.perf_counter()
        if began > end:
            break
        sock = sock or socket.create_connection(address, PATIENCE)
        try:
            sock.sendall(template.request)
            right = _reply(sock)
        except OSError:
            right = False
        failed += not right
        if right:
            took.append(time.perf_counter() - began)
        if not (keep and right):
            sock.close()
            sock = None
    if sock is not None:
        sock.close()
    return Served(took, failed)


def _reply(sock: socket.socket) -> bool:
    """Whether a whole reply came that says success."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65_536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    fields = head.lower().partition(b"content-length:")
    size = int(fields[2].split()[0]) if fields[2] else 0
    while len(body) < size and (more := sock.recv(65_536)):
        body += more
    return head.startswith(b"HTTP/1.1 200") and len(body) == size and b'"responseCode":1,' in body


def measure(core: int, count: int, seconds: float) -> Iterator[Figure]:
    """Good clients alone, and beside the bad ones."""
    with tempfile.TemporaryDirectory(prefix="idnode-slow-") as directory:
        data = Path(directory) / "minimal"
        with topology("minimal", data, core, BASE_PORT, ["--seed", str(NAMES)]) as node:
            node.settle()
            known = asyncio.run(loads.records(DataDirectory(data).store_url(NODE), NAMES))
            host, port = node.address(NODE, "http")
            templates = [http.lookup(str(key), record, f"{host}:{port}") for key, record in known]
            yield from _compare(node, templates, count, seconds)


def _compare(
    node: Topology, templates: Sequence[Template], count: int, seconds: float
) -> Iterator[Figure]:
    address = node.address(NODE, "http")
    ways = {"a kept connection": True, "new connections": False}
    alone = {way: be_good(address, templates, seconds / 4, keep=kept) for way, kept in ways.items()}
    before = node.server.resident
    with slow_clients(node, templates, count):
        time.sleep(5 * PAUSE)
        beside = {
            way: be_good(address, templates, seconds / 2, keep=kept) for way, kept in ways.items()
        }
        grown = node.server.resident - before
        account = fetch(node.url(NODE, "metrics"), "http")
    for way in ways:
        ratio = beside[way].p99 / alone[way].p99
        yield Figure(f"{way}: p99 alone", alone[way].p99, "ms")
        yield Figure(f"{way}: p99 beside {count:,} slow ones", beside[way].p99, "ms")
        yield Figure(f"{way}: ratio", ratio, "", "<= 2")
        yield Figure(f"{way}: failed beside them", beside[way].failed, "", "0")
    yield Figure("memory for them", grown, "MB", "<= 200")
    yield Figure("HTTP requests received, but not ended", account.balance, "", "0")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.slow_clients")
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    parser.add_argument("--connections", type=int, default=2000, help="slow and idle ones")
    parser.add_argument("--seconds", type=float, default=40.0, help="length of the whole")
    options = parser.parse_args()
    tell(measure(leave_first(), options.connections, options.seconds), options.out)


if __name__ == "__main__":
    main()
