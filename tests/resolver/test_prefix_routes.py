"""Where enterprise prefixes are served: what is sent leads to hosts of the topology only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from registry.clock import ManualClock
from registry.errors import InvalidValue
from registry.http.prefix_views import Route
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.life import PrefixState
from registry.values.key_objects import dump_public_key
from registry.values.site import QUERY, TCP, Interface, Server, Site, decode_site, encode_site
from registry.values.site_json import site_to_json
from resolver.data_directory import DataDirectory
from resolver.key_hierarchy import node_signer
from resolver.prefix_routes import PrefixRoutes
from resolver.topology import Topology, load, ports
from tests.support.console_blocks import ROOT

KEY = dump_public_key(rsa.generate_private_key(65537, 2048).public_key())
SERVER = Server(1, "127.0.0.1", KEY, (Interface(QUERY, TCP, 2641),))
SITE = Site((SERVER,))


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load(str(ROOT / "configs" / "minimal.toml"))


@pytest.fixture
def routes(topology: Topology, tmp_path: Path) -> PrefixRoutes:
    spec = topology.node("baijiu")
    signer = node_signer(spec, DataDirectory(tmp_path))
    return PrefixRoutes(topology, spec, SITE, signer, ManualClock())


def on(**changes: Any) -> Callable[[Topology], Site]:
    return lambda topology: Site((replace(SERVER, **changes),))


def own_port(topology: Topology) -> Site:
    port = ports(topology, topology.node("baijiu")).handle
    return Site((replace(SERVER, interfaces=(Interface(QUERY, TCP, port),)),))


WRONG: dict[str, Callable[[Topology], Site]] = {
    "no server": lambda topology: Site(()),
    "too many servers": lambda topology: Site((SERVER,) * 9),
    "another host": on(address="192.0.2.1"),
    "metadata of a cloud": on(address="169.254.169.254"),
    "any address": on(address="0.0.0.0"),
    "a port of the system": on(interfaces=(Interface(QUERY, TCP, 25),)),
    "the sector node itself": own_port,
    "no key": on(public_key=b"none"),
}


async def test_a_site_is_taken_as_it_is_sent(routes):
    site = await routes.read(Route(site=site_to_json(SITE)))
    assert decode_site(site) == SITE


@pytest.mark.parametrize("case", WRONG)
async def test_a_site_that_cannot_be_an_enterprises(routes, topology, case):
    site = encode_site(WRONG[case](topology))
    with pytest.raises(InvalidValue) as refused:
        await routes.read(Route(site=site_to_json(decode_site(site))))
    assert refused.value.field.startswith("site")


@pytest.mark.parametrize(
    "route",
    [
        Route(),
        Route(site={}, url="http://127.0.0.1:2642"),
        Route(url="http://127.0.0.1:1"),
        Route(url="http://192.0.2.1"),
        Route(url="http://localhost:2642"),
        Route(url="http://127.0.0.1:2642@192.0.2.1/"),
        Route(url="file:///etc/passwd"),
        Route(site={"servers": "x"}),
    ],
)
async def test_a_route_that_cannot_be_read(routes, route):
    with pytest.raises(InvalidValue):
        await routes.read(route)


def test_what_a_record_holds(routes):
    hosted = Allocation("88.901.55", "E1", PrefixState.ACTIVE, Hosting.HOSTED, 0)
    types = [value.type for value in routes.record_of(hosted, None)]
    assert types == [b"HS_SITE", b"HS_ADMIN"]
    own = hosted._replace(hosting=Hosting.SELF_HOSTED, site=encode_site(SITE))
    values = routes.record_of(own, None)
    assert [value.type for value in values[:3]] == [b"HS_SITE", b"HS_SITE.PREFIX", b"HS_ADMIN"]
    assert values[0].data == values[1].data == own.site
    assert [value.index for value in values] == [1, 2, 100, 300, 400]


async def test_nobody_answers(routes):
    closed = Site((replace(SERVER, interfaces=(Interface(QUERY, TCP, 1),)),))
    assert not await routes.answers("88.901.55", encode_site(closed))
