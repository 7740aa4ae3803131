"""Which ports a node has: blocks of ten, node i from `base_port + 10*i`, or from its own base."""

from __future__ import annotations

from typing import Final, NamedTuple

from resolver.topology.model import NodeSpec, Topology

BLOCK: Final = 10


class Ports(NamedTuple):
    """A node's port numbers; `handle` and `dns` are UDP and TCP."""

    handle: int
    http: int
    dns: int
    https: int
    metrics: int


class Endpoints(NamedTuple):
    """Where a node is reached, as the ready file writes it: `host:port` or a URL."""

    handle: str
    http: str
    dns: str
    https: str
    metrics: str


def base_of(head: Topology, index: int, node: NodeSpec) -> int:
    """The first number of the block of the node at `index` of the file; nothing listens on it."""
    return head.base_port + BLOCK * index if node.base_port is None else node.base_port


def ports(topology: Topology, node: NodeSpec) -> Ports:
    """The node's ports: Handle +1, HTTP +2, DNS +3, HTTPS +4, metrics and health +5."""
    base = base_of(topology, topology.nodes.index(node), node)
    return Ports(*range(base + 1, base + 1 + len(Ports._fields)))


def endpoints(topology: Topology, node: NodeSpec) -> Endpoints:
    """The node's addresses, an IPv6 host in brackets."""
    host = f"[{node.host}]" if ":" in node.host else node.host
    numbers = ports(topology, node)
    return Endpoints(
        handle=f"{host}:{numbers.handle}",
        http=f"http://{host}:{numbers.http}",
        dns=f"{host}:{numbers.dns}",
        https=f"https://{host}:{numbers.https}",
        metrics=f"http://{host}:{numbers.metrics}",
    )
