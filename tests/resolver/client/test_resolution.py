"""Questions to nodes on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from registry import outcomes
from registry.clock import SystemClock
from registry.errors import InvalidIdentifier
from registry.schemes.handle import parse
from registry.values.key_objects import dump_public_key
from registry.values.site import ADMIN, QUERY, TCP, UDP, Interface, Server, Site
from registry.values.value import Value
from resolver.client import Client, Denied, Endpoint, SecretKey
from resolver.codecs.handle.bodies.resolution import decode_resolve_request
from resolver.codecs.handle.fragments import split_message
from resolver.codecs.handle.framing import MessageStream
from resolver.codecs.handle.header import AT, KC, PO
from resolver.codecs.handle.message import decode_message
from resolver.query import Query, Refused, Values
from resolver.recursion.driver import Recursor
from resolver.transports.outbound import ExchangeFailed, Silent, Unreachable, Unusable
from resolver.transports.tcp import TcpServer
from resolver.transports.udp import UdpServer
from tests.support.administered import administered_node
from tests.support.fake_network import Node, serve
from tests.support.playbook import referral, values

HOST = "127.0.0.1"
QUICK = (("udp", 0.05), ("udp", 0.05), ("tcp", 5.0))
IDENTIFIER = "88.901.7/BOT-000001"


class NodeOnSockets:
    """A node on a UDP and a TCP port of the same number, and the requests it got."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.requests: list[tuple[str, bytes]] = []
        self.silent_udp = False
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[NodeOnSockets]:
        tcp = TcpServer(lambda data, _: self._tcp(data), MessageStream, lambda _: None)
        await tcp.bind(HOST, 0)
        self.port = tcp.port
        udp = await UdpServer.bind(lambda data, _: self._udp(data), HOST, self.port)
        try:
            yield self
        finally:
            await udp.drain(0)
            await tcp.drain(0)

    def _udp(self, data: bytes) -> Sequence[bytes] | None:
        self.requests.append(("udp", data))
        reply = None if self.silent_udp else serve(self.node, data)
        return None if reply is None else split_message(reply)

    def _tcp(self, data: bytes) -> bytes | None:
        self.requests.append(("tcp", data))
        return serve(self.node, data)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(HOST, self.port)

    @property
    def site(self) -> Site:
        interfaces = (Interface(QUERY, UDP, self.port), Interface(ADMIN | QUERY, TCP, self.port))
        return Site((Server(1, HOST, b"key of the node", interfaces),))


@asynccontextmanager
async def node(answer: Node = lambda _: values()) -> AsyncIterator[NodeOnSockets]:
    async with NodeOnSockets(answer).running() as running:
        yield running


async def test_udp_first():
    async with node() as server:
        answer = await Client().resolve(IDENTIFIER, server.endpoint)
    assert isinstance(answer, Values)
    assert answer.record == values().record
    assert [protocol for protocol, _ in server.requests] == ["udp"]


async def test_a_silent_node_is_asked_again_then_over_tcp():
    async with node() as server:
        server.silent_udp = True
        answer = await Client(rounds=QUICK).resolve(IDENTIFIER, server.endpoint)
    assert isinstance(answer, Values)
    assert [protocol for protocol, _ in server.requests] == ["udp", "udp", "tcp"]
    ids = {decode_message(request).request_id for _, request in server.requests}
    assert len(ids) == 3
    assert decode_message(server.requests[-1][1]).op_flags & KC


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
async def test_one_protocol_if_asked_for(protocol):
    async with node() as server:
        await Client().resolve(IDENTIFIER, server.endpoint, protocol=protocol)
    assert [used for used, _ in server.requests] == [protocol]


async def test_the_selection_goes_along():
    async with node() as server:
        await Client().resolve(
            IDENTIFIER.lower(), server.endpoint, types=[b"URL"], indexes=[7], public_only=False
        )
    request = decode_message(server.requests[0][1])
    asked = decode_resolve_request(request.body)
    assert asked == (IDENTIFIER.lower().encode(), (7,), (b"URL",))
    assert not request.op_flags & PO


async def test_sites_in_place_of_an_endpoint():
    async with node() as server:
        assert isinstance(await Client().resolve(IDENTIFIER, [server.site]), Values)


async def test_refusals_and_referrals_are_answers():
    async with node(lambda _: Refused(outcomes.NOT_FOUND, "no such bottle")) as server:
        answer = await Client().resolve(IDENTIFIER, server.endpoint)
        assert answer == Refused(outcomes.NOT_FOUND, "no such bottle")
        server.node = lambda _: referral("88", server.site)
        assert await Client().resolve(IDENTIFIER, server.endpoint) == referral("88", server.site)


async def test_nobody_answers():
    async with node(lambda _: None) as server:
        with pytest.raises(Silent):
            await Client(rounds=QUICK[:2]).resolve(IDENTIFIER, server.endpoint)
    with pytest.raises(ExchangeFailed):  # now the port is closed
        await Client(rounds=QUICK).resolve(IDENTIFIER, server.endpoint)
    with pytest.raises(Unreachable):
        await Client().resolve(IDENTIFIER, [])


async def test_what_is_no_identifier():
    with pytest.raises(InvalidIdentifier):
        await Client().resolve("/", Endpoint(HOST, 1))


async def test_a_walk_over_real_sockets():
    async with (
        node() as sector,
        node(lambda _: referral("88.901", sector.site)) as national,
        node(lambda _: referral("88", national.site)) as root,
    ):
        recursor = Recursor((root.site,), Client().ask, SystemClock())
        answer = await recursor.resolve(Query(IDENTIFIER.encode(), parse(IDENTIFIER)))
    assert isinstance(answer, Values)
    assert answer.record == values().record
    assert recursor.stats.queries == 3


async def test_a_reply_whose_packets_get_lost_comes_over_tcp():
    long = values("https://example.org/" + "x" * 2000)

    class LosesPackets(NodeOnSockets):
        def _udp(self, data: bytes) -> Sequence[bytes] | None:
            packets = super()._udp(data)
            return None if packets is None else packets[1:]

    async with LosesPackets(lambda _: long).running() as server:
        answer = await Client(rounds=QUICK).resolve(IDENTIFIER, server.endpoint)
    assert isinstance(answer, Values)
    assert answer.record == long.record
    assert [protocol for protocol, _ in server.requests] == ["udp", "tcp"]


async def test_through_the_http_tunnel_where_nothing_else_answers(tmp_path):
    async with administered_node(tmp_path) as node:
        http = urlsplit(node.http).port
        endpoint = Endpoint(HOST, 1, http)
        answer = await Client().resolve("88.1000/ADMIN", endpoint)
    assert isinstance(answer, Values)


@pytest.mark.parametrize("protocol", ["udp", "tcp", "http"])
async def test_certified_answers(tmp_path, protocol):
    async with administered_node(tmp_path) as node:
        admin = node.admins["88.1000"]
        key = SecretKey(admin.handle, admin.index, admin.secret.encode())
        client, endpoint = Client(), Endpoint(*node.address, urlsplit(node.http).port)
        async with client.administer(endpoint, key) as server:
            await server.create("88.1000/X", [Value(1, b"URL", b"https://example.org/")])
        site = await client.site_info(endpoint)
        answer = await client.resolve("88.1000/X", [site], protocol=protocol, certified=True)
        assert isinstance(answer, Values)
        other = dump_public_key(rsa.generate_private_key(65537, 2048).public_key())
        false = replace(site, servers=(replace(site.servers[0], public_key=other),))
        with pytest.raises(ExchangeFailed):
            await Client(rounds=[(protocol, 0.3)]).resolve("88.1000/X", [false], certified=True)
        with pytest.raises(Unusable, match="key is not known"):
            await client.resolve("88.1000/X", endpoint, certified=True)


async def test_a_fresh_answer_is_asked_for():
    async with node() as server:
        await Client().resolve(IDENTIFIER, server.endpoint, fresh=True)
    assert decode_message(server.requests[0][1]).op_flags & AT


async def test_the_server_of_an_identifier_is_found_by_walking():
    async with (
        node(lambda _: Refused(outcomes.NOT_FOUND)) as sector,
        node(lambda _: referral("88.901", sector.site)) as national,
        node(lambda _: referral("88", national.site)) as root,
    ):
        found = await Client().find("88.901.7/NEW", [root.site])
    assert found == Endpoint(HOST, sector.port, None, b"key of the node")


async def test_the_record_of_a_prefix_is_administered_where_its_parent_is():
    async with (
        node(lambda _: Refused(outcomes.NOT_FOUND)) as national,
        node(lambda _: referral("88", national.site)) as root,
    ):
        found = await Client().find("0.NA/88.901", [root.site])
    assert found.port == national.port
    async with node(lambda _: Refused(outcomes.NOT_FOUND)) as root:
        assert (await Client().find("0.NA/88", [root.site])).port == root.port


async def test_the_server_of_an_identifier_by_itself(tmp_path):
    async with administered_node(tmp_path) as served:
        endpoint = Endpoint(*served.address)
        found = await Client().find("88.1000/NEW", endpoint)
        assert found[:2] == endpoint[:2]
        assert found.public_key
        with pytest.raises(Denied) as refused:
            await Client().find("99.1/NEW", endpoint)
    assert refused.value.outcome is outcomes.NOT_RESPONSIBLE


async def test_nobody_administers():
    async with node() as server:
        site = Site((Server(1, HOST, b"", (Interface(QUERY, UDP, server.port),)),))
        with pytest.raises(Unreachable, match="administers"):
            await Client().find(IDENTIFIER, [site])
        mirror = replace(server.site, flags=0)
        with pytest.raises(Unreachable, match="administers"):
            await Client().find(IDENTIFIER, [mirror])
