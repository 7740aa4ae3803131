"""A sector node with two enterprises, and somebody of every role: on the node, in one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp
from cryptography.hazmat.primitives.asymmetric import ed25519

from registry.accounts.account import AccountKey, Token, issue_account, new_key
from registry.accounts.keys import write_key
from registry.authorisation import Principal, Role
from registry.enterprises.enterprise import Enterprise, EnterpriseState
from registry.http.endpoints import Endpoint
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.life import PrefixState
from registry.storage.backends import open_store
from registry.storage.interface import ACTIVE, Row
from registry.templates.template import Carrier, Item, State, Template, Title
from registry.values.value import Value, encode_record
from tests.support.administered import administered_nodes
from tests.support.enterprises import form
from tests.support.management import Management

SECTOR: Final = "88.1000"
#: What only those of an enterprise, and staff, may ever see of it.
MARK: Final = "marked-{}"
RECORD: Final = encode_record([Value(1, b"DESC", b"bottled")])


class Place(NamedTuple):
    """Whose something is: the node itself (without an enterprise), or a tenant."""

    name: str
    prefix: str
    enterprise: str
    #: An account there, a token of it and a key.
    account: str
    token: str = ""
    key: str = ""


class Actor(NamedTuple):
    """Somebody with a token."""

    token: str
    principal: Principal


NODE: Final = Place("node", SECTOR, "", "clerk-of-node")
OWN: Final = Place("own", "88.1000.21", "E921", "clerk-of-own")
OTHER: Final = Place("other", "88.1000.22", "E922", "clerk-of-other")
_STAFF: Final = (Role.OPERATOR, Role.AUDITOR, Role.READ_ONLY)
_TENANTS: Final = (
    Role.ENTERPRISE_OPERATOR,
    Role.ENTERPRISE_APP,
    Role.READ_ONLY,
    Role.TRAINEE,
)


class Tenants(NamedTuple):
    """The node while it runs: its table, whom there is, and what belongs to whom."""

    node: Management
    endpoints: Sequence[Endpoint]
    actors: dict[str, Actor]
    places: list[Place]


@asynccontextmanager
async def tenants(directory: Path) -> AsyncIterator[Tenants]:
    """Everything there is to ask about, on a node that runs."""
    async with administered_nodes(directory, "bench"):
        pass
    actors, places = await _settled(directory / "data" / "bench" / "node.db")
    async with (
        administered_nodes(directory, "bench") as (running,),
        aiohttp.ClientSession() as session,
    ):
        node = Management(session, running.http, {})
        yield Tenants(node, running.node.endpoints, actors, places)


async def _settled(path: Path) -> tuple[dict[str, Actor], list[Place]]:
    """Put everything into the store."""
    store = await open_store(f"sqlite:///{path}")
    issued: dict[str, Any] = {}
    for role in _STAFF:
        issued[f"{role.value} of the node"] = issue_account(f"staff-{role.value}", role, SECTOR)
    for role in _TENANTS:
        name = f"{role.value} of an enterprise"
        issued[name] = issue_account(f"own-{role.value}", role, "", OWN.enterprise)
    lone = issue_account("lone", Role.ENTERPRISE_OPERATOR, "88.1000.23")
    issued["operator of another prefix"] = lone
    places = [NODE, OWN, OTHER]
    async with store.begin() as transaction:
        await transaction.home([OWN.prefix, OTHER.prefix])
        for place in (OWN, OTHER):
            await transaction.file(_business(place))
        for index, place in enumerate(places):
            places[index] = await _inhabited(transaction, place)
        for each in issued.values():
            await transaction.add_accounts([each.account], [each.app_key])
    found = {}
    for name, each in issued.items():
        principal = await store.reads.principal(each.app_key.digest, 1)
        assert principal is not None
        found[name] = Actor(each.token, principal)
    await store.close()
    return found, places


def _business(place: Place) -> list[Any]:
    """An enterprise with an active prefix."""
    members = form(int(place.enterprise[1:]))
    described = Enterprise(
        place.enterprise, EnterpriseState.ACCEPTED, 1, members.certificate_code, members, 1000
    )
    return [
        described,
        Allocation(place.prefix, place.enterprise, PrefixState.ACTIVE, Hosting.HOSTED, 1000),
    ]


async def _inhabited(transaction: Any, place: Place) -> Place:
    """An account with a token and a key, an identifier and a template, all of them marked."""
    mark = MARK.format(place.name)
    role = Role.ENTERPRISE_APP if place.enterprise else Role.AUDITOR
    prefix = "" if place.enterprise else place.prefix
    issued = issue_account(place.account, role, prefix, place.enterprise)
    token: Token = issued.app_key._replace(label=mark)
    public = write_key(ed25519.Ed25519PrivateKey.generate().public_key())
    key: AccountKey = new_key(place.account, mark, public, 1)
    await transaction.add_accounts([issued.account], [token])
    item = Item(2000, mark)
    draft = Template(
        place.prefix, "CASK", 1, State.DRAFT, Title(), "C1512", Carrier.OTHER, "", (item,), 1, 1
    )
    await transaction.file([key, draft])
    await transaction.insert([Row(place.prefix, mark.upper(), RECORD, ACTIVE, 1, 1)])
    return place._replace(token=token.id, key=key.id)
