"""Administering a real node over real sockets: every way of proof, every operation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa

from load_tests.bench_session import session_creates
from registry import outcomes
from registry.membership import Identity
from registry.schemes.handle import parse
from registry.values.admin import ALL_PERMISSIONS, Admin, encode_admin
from registry.values.key_objects import dump_public_key
from registry.values.site import Server, Site, encode_site
from registry.values.value import ADMIN_READ, ADMIN_WRITE, Value
from resolver.client import (
    Administration,
    Client,
    ConnectionLost,
    Denied,
    Endpoint,
    Mode,
    PrivateKey,
    SecretKey,
    Silent,
    Unreachable,
    Unusable,
)
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.envelope import ENCRYPTED
from tests.support.administered import administered_node, desk
from tests.support.relay import Relay, relay

PREFIX = "88.1000"
BOTTLE = f"{PREFIX}/BOTTLE-1"
URL = Value(1, b"URL", b"https://example.org/1")
EMAIL = Value(2, b"EMAIL", b"a@example.org")
HIDDEN = Value(3, b"COST", b"17", permissions=ADMIN_READ | ADMIN_WRITE)
WRONG = SecretKey(f"{PREFIX}/ADMIN", 300, b"not this")
NO_PORT = 1


class Place:
    """The node: its endpoint, and the key of its administrator."""

    def __init__(self, endpoint: Endpoint, key: SecretKey) -> None:
        self.endpoint = endpoint
        self.key = key

    @property
    def through_http(self) -> Endpoint:
        return self.endpoint._replace(port=NO_PORT)


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with administered_node(tmp_path) as node:
        admin = node.admins[PREFIX]
        endpoint = Endpoint(*node.address, urlsplit(node.http).port)
        yield Place(endpoint, SecretKey(admin.handle, admin.index, admin.secret.encode()))


def contents(values: tuple[Value, ...]) -> dict[int, bytes]:
    return {value.index: value.data for value in values}


@asynccontextmanager
async def private_key(place: Place) -> AsyncIterator[PrivateKey]:
    """An administrator of one identifier, with a key pair of its own."""
    key = rsa.generate_private_key(65537, 2048)
    owner = f"{PREFIX}/OWNER"
    async with Client().administer(place.endpoint, place.key) as server:
        await server.create(owner, [Value(300, b"HS_PUBKEY", dump_public_key(key.public_key()))])
        grant = encode_admin(Admin(owner.encode(), 300, ALL_PERMISSIONS))
        await server.create(BOTTLE, [URL, Value(100, b"HS_ADMIN", grant)])
    yield PrivateKey(owner, 300, key)


@asynccontextmanager
async def relayed(place: Place, **options: Any) -> AsyncIterator[tuple[Administration, Relay]]:
    """A session through a relay that keeps connections."""
    async with relay(place.endpoint[:2]) as (between, port):
        endpoint = Endpoint("127.0.0.1", port)
        async with Client().administer(endpoint, place.key, **options) as server:
            yield server, between


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("encrypted", [False, True])
async def test_every_operation(place, mode, encrypted):
    async with Client().administer(
        place.endpoint, place.key, mode=mode, encrypted=encrypted
    ) as server:
        assert await server.create(BOTTLE, [URL, HIDDEN]) == BOTTLE
        await server.add_values(BOTTLE, [EMAIL])
        await server.modify_values(BOTTLE, [Value(2, b"EMAIL", b"b@example.org")])
        assert contents(await server.values(BOTTLE)) == {1: URL.data, 2: b"b@example.org", 3: b"17"}
        assert contents(await server.values(BOTTLE, indexes=[3])) == {3: b"17"}
        await server.remove_values(BOTTLE, [2, 3])
        await server.add_values(
            BOTTLE, [Value(1, b"URL", b"https://example.org/2")], overwrite=True
        )
        assert contents(await server.values(BOTTLE)) == {1: b"https://example.org/2"}
        assert await server.create(BOTTLE, [EMAIL], overwrite=True) == BOTTLE
        minted = await server.create(f"{PREFIX}/", [URL], mint=True)
        assert minted.startswith(f"{PREFIX}/")
        listed = [name async for name in server.identifiers(PREFIX)]
        assert {BOTTLE, minted.upper()} <= set(listed)
        await server.delete(BOTTLE)
        with pytest.raises(Denied) as refused:
            await server.values(BOTTLE)
        assert refused.value.outcome is outcomes.NOT_FOUND


@pytest.mark.parametrize("mode", [Mode.SESSION, Mode.CHALLENGE])
async def test_through_the_http_tunnel(place, mode):
    async with Client().administer(place.through_http, place.key, mode=mode) as server:
        names = [f"{PREFIX}/B-{number:03}" for number in range(120)]
        await asyncio.gather(*(server.create(name, [URL]) for name in names))
        assert set(names) <= {name async for name in server.identifiers(PREFIX)}


async def test_nobody_at_the_port(place):
    nowhere = Endpoint("127.0.0.1", NO_PORT)
    with pytest.raises(Unreachable):
        async with Client().administer(nowhere, place.key):
            raise AssertionError("nobody is there")
    with pytest.raises(Unreachable):
        await Client().site_info(nowhere)


@pytest.mark.parametrize("mode", [Mode.SESSION, Mode.CHALLENGE])
async def test_the_key_of_an_owner(place, mode):
    async with private_key(place) as key:
        async with Client().administer(place.endpoint, key, mode=mode) as server:
            await server.modify_values(BOTTLE, [Value(1, b"URL", b"https://example.org/9")])
            with pytest.raises(Denied) as refused:
                await server.create(f"{PREFIX}/OTHER", [URL])
        assert refused.value.code == outcomes.INVALID_ADMIN.handle


async def test_refusals_tell_code_outcome_and_words(place):
    async with Client().administer(place.endpoint, place.key) as server:
        await server.create(BOTTLE, [URL])
        with pytest.raises(Denied, match=r"exists.*response code 101") as exists:
            await server.create(BOTTLE, [URL])
        with pytest.raises(Denied, match="Index conflict for 1") as taken:
            await server.add_values(BOTTLE, [URL])
        with pytest.raises(Denied) as elsewhere:
            await server.create("99.1/X", [URL])
    found = [denied.value.outcome for denied in (exists, taken, elsewhere)]
    assert found == [outcomes.ALREADY_EXISTS, outcomes.VALUE_EXISTS, outcomes.NOT_RESPONSIBLE]


@pytest.mark.parametrize("mode", [Mode.SESSION, Mode.CHALLENGE])
async def test_a_wrong_key(place, mode):
    async with Client().administer(place.endpoint, WRONG, mode=mode) as server:
        for _ in range(2):
            with pytest.raises(Denied) as refused:
                await server.create(BOTTLE, [URL])
            assert refused.value.code == outcomes.AUTHENTICATION_FAILED.handle


async def test_a_wrong_key_at_the_log_in(place):
    with pytest.raises(Denied) as refused:
        async with Client().administer(place.endpoint, WRONG, mode=Mode.LOGIN):
            raise AssertionError("nobody logs in like this")
    assert refused.value.code == outcomes.AUTHENTICATION_FAILED.handle


async def test_without_a_key(place):
    async with Client().administer(place.endpoint) as server:
        with pytest.raises(Denied) as refused:
            await server.create(BOTTLE, [URL])
        assert refused.value.outcome is outcomes.AUTHENTICATION_NEEDED
        assert server.site == await Client().site_info(place.endpoint)


async def test_many_requests_before_the_session_is_proved(place):
    async with Client().administer(place.endpoint, place.key) as server:
        names = [f"{PREFIX}/B-{number}" for number in range(64)]
        assert await asyncio.gather(*(server.create(name, [URL]) for name in names)) == names


async def test_a_list_that_is_not_read_to_its_end(place):
    async with Client().administer(place.endpoint, place.key) as server:
        await asyncio.gather(
            *(server.create(f"{PREFIX}/B-{number}", [URL]) for number in range(101))
        )
        async for _ in server.identifiers(PREFIX):
            break
        assert len([name async for name in server.identifiers(PREFIX)]) > 100


async def test_a_list_that_is_refused(place):
    async with Client().administer(place.endpoint, WRONG) as server:
        with pytest.raises(Denied):
            [name async for name in server.identifiers(PREFIX)]


@pytest.mark.parametrize("mode", [Mode.SESSION, Mode.CHALLENGE])
async def test_a_server_that_closes_after_each_reply(place, mode):
    async with relay(place.endpoint[:2], once=True) as (counted, port):
        endpoint = Endpoint("127.0.0.1", port)
        async with Client().administer(endpoint, place.key, mode=mode) as server:
            names = [f"{PREFIX}/B-{number}" for number in range(10)]
            assert await asyncio.gather(*(server.create(name, [URL]) for name in names)) == names
    assert counted.connections > 10


async def test_one_connection_where_it_is_kept(place):
    async with relayed(place) as (server, between):
        for number in range(5):
            await server.create(f"{PREFIX}/B-{number}", [URL])
    assert between.connections == 1


async def test_a_connection_that_is_lost_with_a_request_under_way(place):
    async with relayed(place) as (server, between):
        await server.create(BOTTLE, [URL])
        between.change = lambda reply: None
        with pytest.raises(ConnectionLost):
            await server.delete(BOTTLE)
        between.change = lambda reply: reply
        with pytest.raises(Denied) as refused:
            await server.values(BOTTLE)
    assert refused.value.outcome is outcomes.NOT_FOUND  # so it was done
    assert between.connections == 2


async def test_a_reply_that_was_changed_on_its_way(place):
    async with relayed(place) as (server, between):
        await server.create(BOTTLE, [URL])
        between.change = lambda reply: reply.replace(b"example.org", b"example.com")
        with pytest.raises(Unusable, match="prove"):
            await server.values(BOTTLE)


async def test_a_session_that_somebody_else_would_set_up(place):
    """The key in the reply is signed: changing an octet of it ends the attempt."""

    def spoil(reply: bytes) -> bytes:
        if int.from_bytes(reply[20:24], "big") != OpCode.SESSION_SETUP:
            return reply
        return reply[:200] + bytes([reply[200] ^ 1]) + reply[201:]

    async with relay(place.endpoint[:2], change=spoil) as (_, port):
        with pytest.raises(Unusable, match="not signed"):
            async with Client().administer(Endpoint("127.0.0.1", port), place.key):
                raise AssertionError("the reply was changed")


async def test_what_is_said_is_hidden_if_so_wished(place):
    said: list[bytes] = []

    def look(reply: bytes) -> bytes:
        said.append(reply)
        return reply

    async with relayed(place, encrypted=True) as (server, between):
        between.change = look
        await server.create(BOTTLE, [URL])
    assert said
    assert all(reply[2] & ENCRYPTED for reply in said)


async def test_a_server_that_says_nothing(place):
    async with relayed(place, seconds=1.0) as (server, between):
        await server.create(BOTTLE, [URL])
        between.change = lambda reply: b""
        with pytest.raises(Silent):
            await server.values(BOTTLE)


async def test_garbage_from_a_server(place):
    async with relayed(place) as (server, between):
        await server.create(BOTTLE, [URL])
        between.change = lambda reply: b"HTTP/1.1 400 Bad Request, as it were\r\n\r\n"
        with pytest.raises(Unusable):
            await server.values(BOTTLE)


async def test_a_session_that_the_server_forgets(tmp_path):
    owner, secret = parse(f"{PREFIX}/OWNER"), b"of the owner"
    records = {owner: [Value(300, b"HS_SECKEY", secret)]}
    async with desk(tmp_path, records, [PREFIX], [Identity(owner, 300)]) as node:
        own = Server(1, node.address[0], dump_public_key(node.key.public_key()), ())
        node.front.responder.site = encode_site(Site((own,)))
        key = SecretKey(str(owner), 300, secret)
        async with Client().administer(Endpoint(*node.address), key) as server:
            await server.create(BOTTLE, [URL])
            node.clock.advance(3601)
            names = [f"{PREFIX}/B-{number}" for number in range(8)]
            assert await asyncio.gather(*(server.create(name, [URL]) for name in names)) == names


async def test_the_benchmark(place):
    rate = await session_creates(place.endpoint, place.key, count=200)
    assert rate > 0
