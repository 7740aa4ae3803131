"""How long after a change is acknowledged every process of a node answers with it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import count
from time import perf_counter, time
from typing import Final

from load_tests.bench.figure import Figure
from load_tests.bench.server import Topology
from resolver.codecs.handle.asking import Question
from resolver.data_directory import DataDirectory

#: Sockets that ask: enough to reach every process.
SOCKETS: Final = 16
CHANGES: Final = 200
#: Seconds after which an answer is given up.
_PATIENCE: Final = 5.0


def staleness(node: Topology, name: str, data: DataDirectory) -> Iterator[Figure]:
    """Change one identifier again and again; each process has kept the answer of before."""
    account = next(one for one in data.read_credentials().accounts if one.node == name)
    identifier = f"{account.prefix}/NEWS"
    web = http.client.HTTPConnection(*node.address(name, "http"))
    with ExitStack() as stack, closing(web):
        asking = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(SOCKETS)]
        for one in asking:
            stack.enter_context(one)
            one.settimeout(_PATIENCE)
            one.connect(node.address(name, "handle"))
        took = []
        for number in range(CHANGES):
            text = f"news {number:06}"
            _change(web, identifier, text, account.token)
            took.append(_until_seen(asking, identifier, text.encode()))
    took.sort()
    yield Figure("stale after a change, median", took[len(took) // 2] * 1e3, "ms")
    yield Figure("stale after a change, longest", took[-1] * 1e3, "ms", "<= 50")


def _change(web: http.client.HTTPConnection, identifier: str, text: str, token: str) -> None:
    value = {"index": 1, "type": "NOTE", "data": text}
    body = json.dumps({"values": [value], "overwrite": True})
    headers = {"Authorization": f"Bearer {token}"}
    web.request("PUT", f"/v1/identifiers/{identifier}", body, headers)
    reply = web.getresponse()
    if reply.status not in (200, 201):
        raise SystemExit(f"{identifier} cannot be changed: {reply.read().decode()}")
    reply.read()


def _until_seen(asking: Sequence[socket.socket], identifier: str, text: bytes) -> float:
    """Seconds until all of them get an answer with the text in it."""
    began = perf_counter()
    for number in count(1):
        request = Question(identifier.encode(), number).encode(time() + _PATIENCE)
        for one in asking:
            one.send(request)
        seen = [text in one.recv(65_535) for one in asking]
        if all(seen):
            return perf_counter() - began
    raise AssertionError("it counts on and on")
