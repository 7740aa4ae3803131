"""Rights on a sector node that rest on records of the node above it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from registry.clock import ManualClock
from registry.membership import Identity
from registry.rights import bootstrap_administrator
from registry.schemes.handle import Key
from registry.values.admin import Admin, encode_admin
from registry.values.value import ADMIN_READ, ADMIN_WRITE, Reference, Value
from registry.values.vlist import encode_vlist
from resolver.administration.far_records import FOUND_TTL
from resolver.codecs.handle.bodies.administration import (
    RemoveRequest,
    ValuesRequest,
    encode_handle,
    encode_remove_request,
    encode_values_request,
)
from resolver.codecs.handle.bodies.resolution import ResolveRequest, encode_resolve_request
from resolver.codecs.handle.codes import OpCode
from tests.support.administered import Administered, Client, administered_nodes

SECTOR, ABOVE = "88.1000", "88"
HIDDEN = ADMIN_READ | ADMIN_WRITE
URL = Value(1, b"URL", b"https://new.example/")
DEPUTY = Identity(Key(SECTOR, "DEPUTY"), 300)
KEY = b"the key of the deputy"


def put(handle: str, *given: Value) -> bytes:
    return encode_values_request(ValuesRequest(handle.encode(), given))


def admin(handle: str, index: int) -> Value:
    return Value(101, b"HS_ADMIN", encode_admin(Admin(handle.encode(), index)))


def group(*members: tuple[str, int]) -> Value:
    references = [Reference(handle.encode(), index) for handle, index in members]
    return Value(200, b"HS_VLIST", encode_vlist(references))


class Nodes(NamedTuple):
    """The sector node, the one above it, and the clock that both go by."""

    sector: Administered
    above: Administered
    clock: ManualClock

    async def chief(self, prefix: str, op_code: int, body: bytes) -> int:
        """What the first administrator of a prefix gets for a request to the prefix's node."""
        node = self.sector if prefix == SECTOR else self.above
        key = node.admins[prefix].secret.encode()
        return await _ask(node, op_code, body, bootstrap_administrator(prefix), key)

    async def deputy(self, op_code: int, body: bytes, key: bytes = KEY) -> int:
        """What the second administrator of the sector gets on the sector node."""
        return await _ask(self.sector, op_code, body, DEPUTY, key)


async def _ask(node: Administered, op_code: int, body: bytes, who: Identity, key: bytes) -> int:
    async with Client.to(node.address) as client:
        request = client.request(op_code, body)
        return (await client.administer(request, who, key)).response_code


@pytest_asyncio.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Nodes]:
    clock = ManualClock()
    names = ("root", "national", "bench")
    async with administered_nodes(tmp_path, *names, clock=clock) as (_, above, sector):
        made = Nodes(sector, above, clock)
        key = Value(300, b"HS_SECKEY", KEY, permissions=HIDDEN)
        assert await made.chief(SECTOR, OpCode.CREATE_HANDLE, put(str(DEPUTY.handle), key)) == 1
        yield made


@pytest.mark.parametrize(
    ("prefix", "handle"), [(ABOVE, f"0.NA/{SECTOR}"), (SECTOR, f"{SECTOR}/ADMIN")]
)
async def test_a_prefix_gets_a_second_administrator(nodes: Nodes, prefix: str, handle: str):
    """By its record, which lies with the parent, or beside the first administrator's key."""
    new = put(f"{SECTOR}/NEW", URL)
    assert await nodes.deputy(OpCode.CREATE_HANDLE, new, b"wrong") == 403
    assert await nodes.deputy(OpCode.CREATE_HANDLE, new) == 400
    appoint = put(handle, admin(str(DEPUTY.handle), DEPUTY.index))
    assert await nodes.chief(prefix, OpCode.ADD_VALUES, appoint) == 1
    nodes.clock.advance(FOUND_TTL)
    assert await nodes.deputy(OpCode.CREATE_HANDLE, new) == 1
    listing = encode_handle(f"0.NA/{SECTOR}".encode())
    assert await nodes.deputy(OpCode.LIST_HANDLES, listing) == 1
    assert await nodes.deputy(OpCode.LIST_HOMED_PREFIXES, listing) == 400

    dismiss = encode_remove_request(RemoveRequest(handle.encode(), (101,)))
    assert await nodes.chief(prefix, OpCode.REMOVE_VALUES, dismiss) == 1
    nodes.clock.advance(FOUND_TTL)
    gone = encode_handle(f"{SECTOR}/NEW".encode())
    assert await nodes.deputy(OpCode.DELETE_HANDLE, gone) == 400


async def test_groups_on_other_nodes_are_followed(nodes: Nodes):
    """The record names a group above; a member of that is another, which leads back here."""
    secret = Value(2, b"NOTE", b"for administrators", permissions=HIDDEN)
    record = put(f"{SECTOR}/SHARED", URL, secret, admin(f"{ABOVE}/GROUP", 200))
    assert await nodes.chief(SECTOR, OpCode.CREATE_HANDLE, record) == 1
    circle = put(f"{ABOVE}/GROUP", group((f"{ABOVE}/GROUP", 200), (f"{SECTOR}/TEAM", 200)))
    assert await nodes.chief(ABOVE, OpCode.CREATE_HANDLE, circle) == 1
    reading = encode_resolve_request(ResolveRequest(f"{SECTOR}/SHARED".encode()))
    changed = put(f"{SECTOR}/SHARED", Value(1, b"URL", b"https://changed.example/"))
    for op_code, body in ((OpCode.RESOLVE, reading), (OpCode.MODIFY_VALUES, changed)):
        assert await nodes.deputy(op_code, body) == 400

    team = put(f"{SECTOR}/TEAM", group((str(DEPUTY.handle), 300), (f"{ABOVE}/GROUP", 200)))
    assert await nodes.chief(SECTOR, OpCode.CREATE_HANDLE, team) == 1
    for op_code, body in ((OpCode.RESOLVE, reading), (OpCode.MODIFY_VALUES, changed)):
        assert await nodes.deputy(op_code, body) == 1
    assert await nodes.deputy(OpCode.CREATE_HANDLE, put(f"{SECTOR}/NEW", URL)) == 400
