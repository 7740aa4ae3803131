"""The doors through which identifiers come into a node, and the sockets that see all of them."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from itertools import count
from time import monotonic
from typing import Any, Final
from urllib.parse import quote

from registry.values.value import Value
from resolver.client import Client, Endpoint, SecretKey
from resolver.codecs.handle.message import decode_message
from tests.support.processes import Node, Topology
from tests.support.wire import HttpReply, Udp, fetch, resolve_request
from tests.support.worked import DOORS, PREFIX, token

SECRET: Final = 300
#: Seconds after which a change that should have been seen long ago is given up.
PATIENCE: Final = 10.0
_numbers = count(1)


def fresh() -> str:
    """An identifier that is not there."""
    return f"{PREFIX}/DOOR-{next(_numbers):04}"


def note(text: str) -> dict[str, Any]:
    return {"index": 1, "type": "NOTE", "data": text}


def put(node: Node, identifier: str, text: str, bearer: str, base: str = "") -> HttpReply:
    body = json.dumps({"values": [note(text)]}).encode()
    authorization = f"Bearer {bearer}"
    target = f"/v1/identifiers/{identifier}"
    return fetch(base or node.http, target, "PUT", body, Authorization=authorization)


class Sockets:
    """UDP sockets that reach every process of a node."""

    def __init__(self, node: Node) -> None:
        self._sockets = [Udp(node.handle) for _ in range(DOORS)]

    def __enter__(self) -> Sockets:
        return self

    def __exit__(self, *exc: object) -> None:
        for one in self._sockets:
            one.socket.close()

    def ask(self, identifier: str) -> set[bytes]:
        """The different replies, ids and times aside."""
        request = resolve_request(identifier)
        return {one.ask(request)[40:] for one in self._sockets}

    def codes(self, identifier: str) -> set[int]:
        """The different response codes."""
        request = resolve_request(identifier)
        return {decode_message(one.ask(request)).response_code for one in self._sockets}

    def until_code(self, identifier: str, code: int) -> None:
        """Ask until every process answers with this code."""
        deadline = monotonic() + PATIENCE
        while self.codes(identifier) != {code}:
            assert monotonic() < deadline, "a process goes on with what is out of date"

    def until(self, identifier: str, holds: Callable[[bytes], bool]) -> None:
        """Ask until every process says what it should."""
        deadline = monotonic() + PATIENCE
        while not all(map(holds, self.ask(identifier))):
            assert monotonic() < deadline, "a process goes on with what is out of date"


def by_rest(topology: Topology, node: Node, identifier: str) -> None:
    base = node.https if identifier[-1] in "02468" else node.http
    assert put(node, identifier, "made", token(topology), base).status == 201


def in_bulk(topology: Topology, node: Node, identifier: str) -> None:
    line = json.dumps({"identifier": identifier, "values": [note("made")]}).encode()
    authorization = f"Bearer {token(topology)}"
    said = fetch(
        node.http,
        "/v1/identifiers/bulk",
        "POST",
        line,
        Authorization=authorization,
        Content_Type="application/x-ndjson",
    )
    assert said.status == 200
    assert json.loads(said.body.splitlines()[-1])["accepted"] == 1


def secret_key(topology: Topology, prefix: str = PREFIX) -> SecretKey:
    admins = json.loads((topology.data / "credentials.json").read_bytes())["handle_admins"]
    secret = next(admin["secret"] for admin in admins if admin["prefix"] == prefix)
    return SecretKey(f"{prefix}/ADMIN", SECRET, secret.encode())


def by_json_api(topology: Topology, node: Node, identifier: str) -> None:
    key = secret_key(topology)
    user = quote(f"{SECRET}:{key.handle}", safe="")
    authorization = "Basic " + b64encode(f"{user}:{key.secret.decode()}".encode()).decode()
    body = json.dumps({"values": [{**note("made"), "data": {"format": "string", "value": "made"}}]})
    said = fetch(
        node.https,
        f"/api/handles/{identifier}",
        "PUT",
        body.encode(),
        Authorization=authorization,
        Content_Type="application/json",
    )
    assert (said.status, said.json["responseCode"]) == (201, 1)


def by_handle(topology: Topology, node: Node, identifier: str) -> None:
    async def create() -> None:
        host, port = node.handle
        async with Client().administer(Endpoint(host, port), secret_key(topology)) as server:
            await server.create(identifier, [Value(1, b"NOTE", b"made")])
            assert identifier in [found async for found in server.identifiers(PREFIX)]

    asyncio.run(create())
