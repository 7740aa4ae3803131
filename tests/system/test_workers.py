"""Nodes that several processes serve: they answer alike, and take changes by any door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import pytest

from registry import outcomes
from registry.values.site import QUERY, TCP, Interface, Server, Site, encode_site
from registry.values.value import Value
from resolver.client import Administration, Client, Endpoint
from tests.support.counting import counted, difference
from tests.support.doors import (
    Sockets,
    by_handle,
    by_json_api,
    by_rest,
    fresh,
    in_bulk,
    secret_key,
)
from tests.support.everywhere import PROTOCOLS, ask, codes, values_of
from tests.support.processes import (
    Node,
    Topology,
    free_base,
    idnode,
    serve,
)
from tests.support.worked import DOORS, running


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with running(tmp_path_factory.mktemp("worked"), "--processes", 2) as topology:
        yield topology
        ended = topology.process.stop()
        assert (ended.status, ended.err) == (0, "draining\n")


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
