"""A whole node administered by the administrators that its credentials file names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa

from registry.rights import bootstrap_administrator
from registry.values.admin import Admin, encode_admin
from registry.values.key_objects import dump_public_key
from registry.values.value import ADMIN_READ, ADMIN_WRITE, Value, decode_record
from resolver.codecs.handle.bodies.administration import (
    ValuesRequest,
    decode_handles,
    encode_handle,
    encode_values_request,
)
from resolver.codecs.handle.bodies.resolution import (
    ResolveRequest,
    decode_resolve_reply,
    encode_resolve_request,
)
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.framing import MessageStream
from resolver.codecs.handle.header import CT, PO
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.signing import verify_message
from resolver.server_keys import server_key
from tests.support.administered import Administered, Client, administered_node, administered_nodes

SECTOR, HOSTED = "88.1000", "88.1000.7"
URL = Value(1, b"URL", b"https://new.example/")
TUNNEL = {"Content-Type": "application/x-hdl-message"}


@pytest_asyncio.fixture
async def node(tmp_path: Path) -> AsyncIterator[Administered]:
    async with administered_node(tmp_path) as running:
        yield running


def create(name: str) -> bytes:
    return encode_values_request(ValuesRequest(name.encode(), (URL,)))


def secret(node: Administered, prefix: str) -> bytes:
    return node.admins[prefix].secret.encode()


async def test_an_enterprise_administers_its_own_and_no_more(node: Administered):
    who, key = bootstrap_administrator(HOSTED), secret(node, HOSTED)
    async with Client.to(node.address) as client:
        for name, code in ((f"{HOSTED}/BOT-1", 1), (f"{SECTOR}/BOT-1", 400)):
            request = client.request(OpCode.CREATE_HANDLE, create(name))
            assert (await client.administer(request, who, key)).response_code == code
        resolve = encode_resolve_request(ResolveRequest(f"{HOSTED}/BOT-1".encode()))
        assert (await client.ask(OpCode.RESOLVE, resolve, op_flags=PO)).response_code == 1


async def test_who_runs_the_node_administers_all_of_it(node: Administered):
    who, key = bootstrap_administrator(SECTOR), secret(node, SECTOR)
    async with Client.to(node.address) as client:
        session = await client.set_up(who)
        request = session.protect(client.request(OpCode.CREATE_HANDLE, create(f"{HOSTED}/X")))
        challenge = await client.say(request)
        answer = client.answer(request, challenge, who, key)
        assert (await client.say(answer)).response_code == 1
        homed = session.protect(client.request(OpCode.LIST_HOMED_PREFIXES, encode_handle(b"/")))
        found = decode_handles((await client.say(homed)).body)
        assert found == (b"0.NA/88.1000", b"0.NA/88.1000.7")


async def test_a_certified_reply_is_signed_with_the_published_key(
    node: Administered, tmp_path: Path
):
    key = server_key(tmp_path / "data" / "bench").public_key()
    async with Client.to(node.address) as client:
        reply = await client.ask(OpCode.SITE_INFO, encode_handle(b"/"), op_flags=CT)
        assert verify_message(reply, key)


async def tunnelled(node: Administered, body: bytes, path: str = "/") -> list[Message]:
    """The messages that come back through the HTTP tunnel."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(node.http + path, data=body, headers=TUNNEL) as reply,
    ):
        assert (reply.status, reply.content_type) == (200, TUNNEL["Content-Type"])
        return [decode_message(one) for one in MessageStream().feed(await reply.read())]


async def test_the_tunnel_takes_whole_dialogues_on_any_path(node: Administered):
    who, key = bootstrap_administrator(SECTOR), secret(node, SECTOR)
    async with Client.to(node.address) as client:
        request = client.request(OpCode.LIST_HANDLES, encode_handle(b"0.NA/88.1000"))
        (challenge,) = await tunnelled(node, encode_message(request))
        assert challenge.response_code == 402
        answer = encode_message(client.answer(request, challenge, who, key))
        (listed,) = await tunnelled(node, b"\n" + answer, f"/api/handles/{SECTOR}/x")
        assert decode_handles(listed.body) == (b"88.1000/ADMIN",)


async def test_lists_come_through_the_tunnel_in_one_body(node: Administered):
    who, key = bootstrap_administrator(HOSTED), secret(node, HOSTED)
    async with Client.to(node.address) as client:
        session = await client.set_up(who)
        for number in range(60):
            body = create(f"{HOSTED}/BOT-{number}")
            request = session.protect(client.request(OpCode.CREATE_HANDLE, body))
            reply = await client.say(request)
            if reply.response_code == 402:
                reply = await client.say(client.answer(request, reply, who, key))
            assert reply.response_code == 1
        listing = client.request(OpCode.LIST_HANDLES, encode_handle(f"0.NA/{HOSTED}".encode()))
        messages = await tunnelled(node, encode_message(session.protect(listing)))
        assert [len(decode_handles(one.body)) for one in messages] == [50, 11]


async def test_what_is_no_message_is_said_in_one(node: Administered):
    for body, request_id in ((b"", 0xFFFFFFFF), (b"\x02\x0b" * 12, 0x020B020B)):
        (reply,) = await tunnelled(node, body)
        assert (reply.response_code, reply.request_id) == (4, request_id)
    async with Client.to(node.address) as client:
        reply = client.request(OpCode.RESOLVE, response_code=1)
        assert (await tunnelled(node, encode_message(reply)))[0].response_code == 4


async def test_only_a_connection_can_be_logged_in(node: Administered):
    async with Client.to(node.address) as client:
        body = encode_handle(b"88.1000/ADMIN") + (300).to_bytes(4, "big")
        request = client.request(OpCode.IDIS_LOGIN_KEY, body)
        assert (await tunnelled(node, encode_message(request)))[0].response_code == 5


async def test_keys_kept_on_another_node_are_asked_for_there(tmp_path: Path):
    """The administrator of a sector changes the sector's prefix record on the national node."""
    who = bootstrap_administrator(SECTOR)
    note = encode_values_request(
        ValuesRequest(b"0.NA/88.1000", (Value(7, b"NOTE", b"by the sector"),))
    )
    async with (
        administered_nodes(tmp_path, "root", "national", "bench") as (_, national, bench),
        Client.to(national.address) as client,
    ):
        for key, code in ((b"wrong", 403), (secret(bench, SECTOR), 1)):
            request = client.request(OpCode.ADD_VALUES, note)
            assert (await client.administer(request, who, key)).response_code == code
        request = client.request(OpCode.ADD_VALUES, note)
        stranger = who._replace(index=0)
        reply = await client.administer(request, stranger, secret(bench, SECTOR))
        assert reply.response_code == 403


async def test_public_keys_kept_on_another_node_are_fetched_certified(tmp_path: Path):
    who = bootstrap_administrator(SECTOR)
    signer = who._replace(index=301)
    key = rsa.generate_private_key(65537, 2048)
    public = Value(301, b"HS_PUBKEY", dump_public_key(key.public_key()))
    chief = Value(101, b"HS_ADMIN", encode_admin(Admin(b"88.1000/ADMIN", 301)))
    async with administered_nodes(tmp_path, "root", "national", "bench") as (_, national, bench):
        mine = secret(bench, SECTOR)
        async with Client.to(bench.address) as client:
            body = encode_values_request(ValuesRequest(b"88.1000/ADMIN", (public,)))
            request = client.request(OpCode.ADD_VALUES, body)
            assert (await client.administer(request, who, mine)).response_code == 1
        async with Client.to(national.address) as client:
            body = encode_values_request(ValuesRequest(b"0.NA/88.1000", (chief,)))
            request = client.request(OpCode.ADD_VALUES, body)
            assert (await client.administer(request, who, mine)).response_code == 1
            body = encode_values_request(ValuesRequest(b"0.NA/88.1000", (replace(URL, index=9),)))
            request = client.request(OpCode.ADD_VALUES, body)
            assert (await client.administer(request, signer, key)).response_code == 1


async def test_restricted_values_of_computed_identifiers_are_read_by_who_may(node: Administered):
    who, key = bootstrap_administrator(SECTOR), secret(node, SECTOR)
    inside = b'<template delimiter="@"><foreach><value/></foreach></template>'
    copies = b"<namespace>" + inside + b"</namespace>"
    hidden = Value(2, b"NOTE", b"for administrators", permissions=ADMIN_READ | ADMIN_WRITE)
    registered = {"": Value(5, b"HS_NAMESPACE", copies), "BATCH": hidden}
    resolve = encode_resolve_request(ResolveRequest(f"{SECTOR}/Batch@1".encode()))
    async with Client.to(node.address) as client:
        for suffix, value in registered.items():
            body = encode_values_request(ValuesRequest(f"{SECTOR}/{suffix}".encode(), (URL, value)))
            request = client.request(OpCode.CREATE_HANDLE, body)
            assert (await client.administer(request, who, key)).response_code == 1
        public = await client.ask(OpCode.RESOLVE, resolve, op_flags=PO)
        read = await client.administer(client.request(OpCode.RESOLVE, resolve), who, key)
        other = client.request(OpCode.RESOLVE, resolve)
        stranger = bootstrap_administrator(HOSTED)
        assert (await client.administer(other, stranger, secret(node, HOSTED))).response_code == 400
    seen = [decode_resolve_reply(reply.body) for reply in (public, read)]
    assert [name for name, _ in seen] == [f"{SECTOR}/Batch@1".encode()] * 2
    assert [[one.index for one in decode_record(record)] for _, record in seen] == [[1], [1, 2]]
