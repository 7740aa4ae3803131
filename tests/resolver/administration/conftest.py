"""A front-end on sockets that homes 88.901, with administrators whose keys the tests know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa

from registry.rights import bootstrap_administrator
from registry.schemes.handle import Key
from registry.values.admin import Admin, AdminPermission, encode_admin
from registry.values.key_objects import dump_public_key
from registry.values.value import ADMIN_READ, ADMIN_WRITE, PUBLIC_READ, PUBLIC_WRITE, Value
from tests.support.administered import Client, Place, desk

PREFIX = "88.901"
SECRET = b"a secret that only administrators read"
SIGNING_KEY = rsa.generate_private_key(65537, 2048)
HIDDEN = ADMIN_READ | ADMIN_WRITE


def admin(name: str, index: int, permissions: int = 0xFFF) -> Value:
    data = encode_admin(Admin(name.encode(), index, AdminPermission(permissions)))
    return Value(100, b"HS_ADMIN", data)


RECORDS = {
    Key(PREFIX, "ADMIN"): [
        Value(300, b"HS_SECKEY", SECRET, permissions=HIDDEN),
        Value(301, b"HS_PUBKEY", dump_public_key(SIGNING_KEY.public_key())),
    ],
    Key(PREFIX, "READER"): [Value(300, b"HS_SECKEY", b"reader", permissions=HIDDEN)],
    Key(PREFIX, "OPEN"): [
        Value(1, b"NOTE", b"old", permissions=HIDDEN | PUBLIC_READ | PUBLIC_WRITE),
        Value(2, b"URL", b"https://x.example/"),
    ],
    Key(PREFIX, "HALF"): [
        Value(1, b"URL", b"https://x.example/"),
        Value(2, b"NOTE", b"for administrators", permissions=HIDDEN),
        admin(f"{PREFIX}/READER", 300, AdminPermission.READ_VALUE),
    ],
    Key("0.NA", PREFIX): [admin(f"{PREFIX}/ADMIN", 0)],
}


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    chief = bootstrap_administrator(PREFIX)
    async with desk(tmp_path, RECORDS, [PREFIX, "0.NA"], [chief]) as made:
        yield made


@pytest_asyncio.fixture
async def client(place: Place) -> AsyncIterator[Client]:
    async with Client.to(place.address) as made:
        yield made
