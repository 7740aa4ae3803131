"""A node that is administered over the wire, in the process of the test, on free ports."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from resolver.data_directory import DataDirectory, HandleAdmin
from resolver.node import Node
from resolver.topology.loading import parse, with_base_port
from tests.support.processes import free_base
from tests.support.recorded_server import TOPOLOGY

SECTOR = "88.1000"
HOSTED = "88.1000.7"


class Administered(NamedTuple):
    """A running sector node, its Handle and HTTP ports, the secrets of its administrators."""

    node: Node
    host: str
    port: int
    http: str
    admins: dict[str, HandleAdmin]


@asynccontextmanager
async def administered_node(directory: Path) -> AsyncIterator[Administered]:
    """The sector node `bench`, with its own and one hosted prefix and nothing registered."""
    base = free_base(4)
    topology = with_base_port(parse(TOPOLOGY, "recorded.toml"), base)
    data = DataDirectory(directory / "data")
    spec = next(spec for spec in topology.nodes if spec.name == "bench")
    node = Node(topology, spec, data)
    await node.start(seed=0)
    try:
        entry = node.ready_entry()
        host, _, port = entry["handle"].rpartition(":")
        admins = {admin.prefix: admin for admin in data.read_credentials().handle_admins}
        yield Administered(node, host, int(port), entry["http"], admins)
    finally:
        await asyncio.wait_for(node.drain(), 10)
