"""What bulk registration costs over HTTP, and what a store of many identifiers costs afterwards.

    python -m load_tests.bench.bulk [--identifiers N] [--data DIR] [--out FILE]

One sector node on the first core, the sender on the last one. The node is asked for identifiers
while it is loaded, 5,000 times a second over Handle UDP, due or not.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import select
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from time import perf_counter, sleep
from typing import Any, Final, NamedTuple

from load_tests.bench import large
from load_tests.bench.cores import leave_first
from load_tests.bench.figure import Figure, tell
from load_tests.bench.server import Topology, minimal_with, topology
from load_tests.requests import handle
from registry.schemes.handle import Key
from resolver.data_directory import DataDirectory

BASE_PORT: Final = 31_840
SECTOR: Final = "baijiu"
PREFIX: Final = "88.901.7"
RATE: Final = 5_000
_SUFFIX: Final = "BOT-{:09}"
#: Lines made at once, to be sent in one piece.
_PIECE: Final = 5_000
#: Seconds after which a reply counts as none.
_PATIENCE: Final = 1.0


def line(number: int) -> bytes:
    """A small identifier as production lines send it."""
    return (
        b'{"identifier":"88.901.7/BOT-%09d","values":'
        b'[{"index":1,"type":"URL","data":"https://example.org/p/%09d"}]}\n' % (number, number)
    )


class Loaded(NamedTuple):
    """An upload: its length in seconds, and the last line of the answer."""

    seconds: float
    said: dict[str, Any]


def load(address: tuple[str, int], token: str, first: int, count: int) -> Loaded:
    """Send `count` identifiers in one upload, reading the answer meanwhile."""
    connection = http.client.HTTPConnection(*address)
    connection.putrequest("POST", "/v1/identifiers/bulk")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    for name, text in {**headers, "Transfer-Encoding": "chunked"}.items():
        connection.putheader(name, text)
    began = perf_counter()
    connection.endheaders()
    sender = Thread(target=_send, args=(connection.sock, first, count))
    sender.start()
    said: dict[str, Any] = {}
    with connection.getresponse() as reply:
        for octets in reply:
            said = json.loads(octets)
    sender.join()
    return Loaded(perf_counter() - began, said)


def _send(sock: socket.socket, first: int, count: int) -> None:
    for start in range(first, first + count, _PIECE):
        piece = b"".join(map(line, range(start, min(start + _PIECE, first + count))))
        sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
    sock.sendall(b"0\r\n\r\n")


class Offered(NamedTuple):
    """Requests that were sent at a fixed rate: how many, and the seconds each answer took."""

    sent: int
    took: Sequence[float]

    def quantile(self, share: float) -> float:
        return sorted(self.took)[min(len(self.took) - 1, int(len(self.took) * share))]


def offer(address: tuple[str, int], names: Sequence[Key], seconds: float, rate: int) -> Offered:
    """Ask for the names in turn, each when it is due; late answers count from when it was."""
    requests = [handle.resolution(str(name).encode(), b"\0\0\0\0").request for name in names]
    at = handle.UDP.id_at
    due: dict[int, float] = {}
    took: list[float] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sock.connect(address)
        sock.setblocking(False)
        began, sent, total = perf_counter(), 0, int(seconds * rate)
        while (now := perf_counter()) < began + seconds + _PATIENCE:
            while sent < min(total, int((now - began) * rate)):
                request = requests[sent % len(requests)]
                sock.send(request[:at] + sent.to_bytes(4, "big") + request[at + 4 :])
                due[sent] = began + sent / rate
                sent += 1
            _receive(sock, due, took, at)
            select.select([sock], [], [], 0.0005)
    return Offered(sent, took)


def _receive(sock: socket.socket, due: dict[int, float], took: list[float], at: int) -> None:
    while True:
        try:
            reply = sock.recv(2048)
        except BlockingIOError:
            return
        asked = due.pop(int.from_bytes(reply[at : at + 4], "big"), None)
        if asked is not None:
            took.append(perf_counter() - asked)


def registering(node: Topology, data: Path, count: int) -> Iterator[Figure]:
    """The load itself, first alone, then while identifiers are asked for."""
    address, token = node.address(SECTOR, "http"), _token(data)
    alone = count * 9 // 10
    before, cpu = node.server.resident, node.server.cpu
    loaded = load(address, token, 0, alone)
    _hold(loaded, alone)
    yield Figure("bulk over HTTP", alone / loaded.seconds, "/s", ">= 100000")
    used = (node.server.cpu - cpu) / alone * 1e6
    yield Figure("bulk: CPU per identifier", used, "us", "<= 10")
    yield Figure("bulk: memory gained", node.server.resident - before, "MB", "flat")
    rest = count - alone
    seconds = max(1.0, rest / (alone / loaded.seconds) * 0.9)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        names = large.Names(PREFIX, _SUFFIX, alone).drawn(5000, 1)
        pool.apply(sleep, (0,))  # it is there now
        pending = pool.apply_async(load, (address, token, alone, rest))
        offered = offer(node.address(SECTOR, "handle"), names, seconds, RATE)
        loaded = pending.get()
    _hold(loaded, rest)
    yield Figure("bulk while resolving", rest / loaded.seconds, "/s")
    answered = 100 * len(offered.took) / offered.sent
    yield Figure("resolving in a bulk load: answered", answered, "%", ">= 99")
    yield Figure("resolving in a bulk load: p99", offered.quantile(0.99) * 1000, "ms", "< 20")


def _hold(loaded: Loaded, count: int) -> None:
    if loaded.said.get("accepted") != count:
        raise SystemExit(f"the bulk load ended with {loaded.said}")


def _token(data: Path) -> str:
    accounts = DataDirectory(data).read_credentials().accounts
    return next(account.token for account in accounts if account.prefix == PREFIX)


def measure(directory: Path, core: int, count: int) -> Iterator[Figure]:
    """Everything, one after the other."""
    data = directory / "bulk"
    with topology("minimal", data, core, BASE_PORT, ["--seed", "0"]) as node:
        yield from registering(node, data, count)
    path, names = data / SECTOR / "node.db", large.Names(PREFIX, _SUFFIX, count)
    large.forget(path)
    with topology("minimal", data, core, BASE_PORT) as again:
        yield Figure("start with that store, not in memory", again.seconds, "s", "<= 5")
    # To make an index of them takes the node long, and would count.
    file = minimal_with(directory, SECTOR, "settings = { search = false }")
    with topology(file, data, core, BASE_PORT) as again:
        yield from large.answers(again, SECTOR, path, names)
    yield from large.reads(path, names)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.bulk")
    parser.add_argument("--identifiers", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="where the store is made; default: temporary")
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    options = parser.parse_args()
    core = leave_first()
    with tempfile.TemporaryDirectory(prefix="idnode-bulk-", dir=options.data) as directory:
        tell(measure(Path(directory), core, options.identifiers), options.out)


if __name__ == "__main__":
    main()
