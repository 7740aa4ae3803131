"""Nodes that several processes serve: they answer alike, and the death of one costs nothing."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import sqlite3
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from itertools import count
from time import monotonic
from typing import Any
from urllib.parse import quote

import pytest

from registry import outcomes
from registry.values.site import QUERY, TCP, Interface, Server, Site, encode_site
from registry.values.value import Value
from resolver.client import Administration, Client, Denied, Endpoint, SecretKey
from resolver.codecs.handle.message import decode_message
from tests.support.counting import counted, difference
from tests.support.everywhere import PROTOCOLS, ask, codes, values_of
from tests.support.processes import (
    Node,
    Topology,
    all_ended,
    free_base,
    idnode,
    serve,
    watched,
)
from tests.support.wire import HttpReply, Udp, fetch, metrics, resolve_request
from tests.support.worked import DOORS, PREFIX, keeper, left_alone, running, token, worker_of

SECRET = 300
#: Seconds after which a change that should have been seen long ago is given up.
PATIENCE = 10.0
_numbers = count(1)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with running(tmp_path_factory.mktemp("worked"), "--processes", 2) as topology:
        yield topology
        ended = topology.process.stop()
        assert (ended.status, ended.err) == (0, "draining\n")


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


@pytest.mark.parametrize("name", ["baijiu", "recursive"])
def test_every_process_answers_alike_over_every_protocol(worked, name):
    node = worked.node(name)
    values = values_of(node, "88.901/BOT-000001")
    before = {protocol: counted(node, protocol) for protocol in PROTOCOLS}
    for _ in range(DOORS):
        assert values_of(node, "88.901/BOT-000001") == values
        assert {key: answer.code for key, answer in ask(node, "88.901/NO").items()} == codes(
            outcomes.NOT_FOUND
        )
    for protocol in ("handle-udp", "handle-tcp", "dns-tcp"):
        found = difference(counted(node, protocol), before[protocol])
        assert found == {"ok": DOORS, "not-found": DOORS}, protocol


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


@pytest.mark.parametrize("door", [by_rest, in_bulk, by_json_api, by_handle])
def test_what_comes_in_by_any_door_is_seen_at_every_process(worked, door):
    node = worked.node("baijiu")
    with Sockets(node) as sockets:
        for _ in range(DOORS):
            identifier = fresh()
            assert not any(b"made" in reply for reply in sockets.ask(identifier))
            door(worked, node, identifier)
            sockets.until(identifier, lambda reply: b"made" in reply)


async def administered(
    topology: Topology, node: Node, prefix: str, act: Callable[[Administration], Awaitable[None]]
) -> None:
    """Do something as the administrator of a prefix."""
    endpoint = Endpoint(*node.handle)
    async with Client().administer(endpoint, secret_key(topology, prefix)) as server:
        await act(server)


def test_every_process_knows_what_is_homed_and_what_is_delegated(worked):
    node = worked.node("baijiu")
    site = encode_site(Site((Server(1, "127.0.0.1", b"", (Interface(QUERY, TCP, 2641),)),)))
    act = partial(administered, worked, node, "88.901")
    with Sockets(node) as sockets:
        assert sockets.codes("88.901.555/X") == {outcomes.NOT_FOUND.handle}
        delegation = [Value(1, b"HS_SITE", site)]
        asyncio.run(act(lambda server: server.create("0.NA/88.901.555", delegation)))
        sockets.until_code("88.901.555/X", outcomes.SERVICE_REFERRAL.handle)
        asyncio.run(act(lambda server: server.delete("0.NA/88.901.555")))
        sockets.until_code("88.901.555/X", outcomes.NOT_FOUND.handle)

        assert sockets.codes("88.777/X") == {outcomes.NOT_RESPONSIBLE.handle}
        asyncio.run(act(lambda server: server.home("88.777")))
        sockets.until_code("88.777/X", outcomes.NOT_FOUND.handle)
        asyncio.run(act(lambda server: server.unhome("88.777")))
        sockets.until_code("88.777/X", outcomes.NOT_RESPONSIBLE.handle)


def test_every_process_reads_the_database(tmp_path, postgres_server):
    store = postgres_server.new_database()
    with running(tmp_path, store=store) as topology:
        node, identifier = topology.node("baijiu"), fresh()
        with Sockets(node) as sockets:
            assert sockets.codes(identifier) == {outcomes.NOT_FOUND.handle}
            by_rest(topology, node, identifier)
            sockets.until_code(identifier, outcomes.OK.handle)
            for _ in range(DOORS):
                values_of(node, identifier)
        assert topology.process.stop().status == 0


def test_one_node_alone_has_workers_too(used_data):
    base = free_base(5)
    with serve("root", "minimal", used_data, "--workers", 2, base=base) as topology:
        assert len(topology.process.children()) == 2
        for _ in range(DOORS):
            values_of(topology.node("root"), "0.NA/88")
        second = idnode("serve", "root", "minimal", "--data", used_data, "--base-port", base)
        assert (second.status, second.out) == (1, "")
        assert "in use by node root" in second.err
        elsewhere = used_data.with_name("elsewhere")
        third = idnode(
            *("serve", "root", "minimal", "--data", elsewhere, "--base-port", base),
            *("--workers", 2),
        )
        assert (third.status, third.out) == (1, "")
        assert f"port {base + 15} on 127.0.0.1, for metrics of node root, is in use" in third.err
        assert topology.process.stop().status == 0


# --- what the death of a process costs ---


@pytest.fixture
def mortal(tmp_path) -> Iterator[Topology]:
    """A topology to kill processes of."""
    with running(tmp_path) as topology:
        yield topology


def test_without_the_writer_resolution_goes_on_and_changes_are_refused(mortal):
    node, bearer = mortal.node("baijiu"), token(mortal)
    values = values_of(node, "88.901/BOT-000001")
    with left_alone(mortal), watched([keeper(mortal)]) as ended:
        os.kill(keeper(mortal), signal.SIGKILL)
        assert all_ended(ended)
        for _ in range(3):
            assert values_of(node, "88.901/BOT-000001") == values
            refused = put(node, fresh(), "lost", bearer)
            assert (refused.status, refused.json["code"]) == (503, "overloaded")
            listed = fetch(node.https, f"/api/handles?prefix={PREFIX}")
            assert (listed.status, listed.json["responseCode"]) == (503, 3)
            with pytest.raises(Denied) as denied:
                by_handle(mortal, node, fresh())
            assert denied.value.code == outcomes.BUSY.handle
    assert mortal.process.err.until("serving again")
    with Sockets(node) as sockets:
        identifier = fresh()
        assert put(node, identifier, "made", bearer).status == 201
        sockets.until(identifier, lambda reply: b"made" in reply)


def test_figures_outlive_the_worker_that_counted_them(mortal):
    node = mortal.node("baijiu")
    with Sockets(node) as sockets:
        sockets.ask("88.901/BOT-000001")
    before = counted(node, "handle-udp")
    assert before["ok"] >= DOORS
    assert metrics(node.metrics_url)["idnode_workers"] == 2
    os.kill(worker_of(mortal, "baijiu"), signal.SIGKILL)
    assert mortal.process.err.until("serving again")
    assert counted(node, "handle-udp") == before
    with Sockets(node) as sockets:
        sockets.ask("88.901/BOT-000001")
    assert difference(counted(node, "handle-udp"), before) == {"ok": DOORS}


class Registering(threading.Thread):
    """Registers one identifier after another until it is told to stop; `told` are acknowledged."""

    def __init__(self, node: Node, bearer: str, name: str) -> None:
        super().__init__(daemon=True)
        self.told: list[str] = []
        self.enough = threading.Event()
        self._node = node
        self._bearer = bearer
        self._called = name

    def run(self) -> None:
        for number in count(1):
            if self.enough.is_set():
                return
            identifier = f"{PREFIX}/{self._called}-{number}"
            with suppress(OSError, http.client.HTTPException):
                if put(self._node, identifier, identifier, self._bearer).status == 201:
                    self.told.append(identifier)

    def until(self, more: int) -> None:
        """Wait until so many more are acknowledged."""
        wanted, deadline = len(self.told) + more, monotonic() + 3 * PATIENCE
        while len(self.told) < wanted:
            assert monotonic() < deadline, "nothing is acknowledged any more"
            self.join(0.01)


def test_no_acknowledged_registration_is_lost_with_a_process(mortal):
    node, bearer = mortal.node("baijiu"), token(mortal)
    clients = [Registering(node, bearer, f"CLIENT-{number}") for number in range(4)]
    for client in clients:
        client.start()
    for victim in (partial(worker_of, mortal, "baijiu"), partial(keeper, mortal)) * 2:
        for client in clients:
            client.until(5)
        os.kill(victim(), signal.SIGKILL)
        assert mortal.process.err.until("serving again")
    for client in clients:
        client.until(5)
    mortal.process.send(signal.SIGTERM)
    assert mortal.process.wait().status == 0
    assert not list(mortal.data.rglob("*.sock"))
    for client in clients:
        client.enough.set()
        client.join(PATIENCE)
    told = {identifier for client in clients for identifier in client.told}
    with closing(sqlite3.connect(mortal.data / "baijiu" / "node.db")) as store:
        rows = store.execute("SELECT prefix || '/' || suffix FROM identifiers")
        assert told <= {identifier for (identifier,) in rows}
