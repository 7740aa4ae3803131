"""A topology on its way in: what of a file has the right shape, not yet known to make sense."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from resolver.topology.model import NodeSpec, Topology


class Home(NamedTuple):
    """A prefix, the key that gives it and the node that homes it."""

    key: str
    prefix: str
    node: NodeSpec
    hosted: bool


@dataclass(frozen=True)
class Draft:
    """`head` is the file without its nodes, `nodes` those of the right shape with their places.

    `broken` names the nodes that are not among them: they may be referred to all the same.
    """

    head: Topology
    nodes: tuple[tuple[int, NodeSpec], ...]
    broken: frozenset[str] = field(default=frozenset())

    @cached_property
    def by_name(self) -> dict[str, NodeSpec]:
        """The nodes by name, the first of each name."""
        found: dict[str, NodeSpec] = {}
        for _, node in self.nodes:
            found.setdefault(node.name, node)
        return found

    @cached_property
    def prefixes(self) -> tuple[Home, ...]:
        """Every prefix of the file, in its order."""
        found = []
        for index, node in self.nodes:
            if node.prefix is not None:
                found.append(Home(f"node[{index}].prefix", node.prefix, node, hosted=False))
            for place, hosted in enumerate(node.hosted):
                key = f"node[{index}].hosted[{place}].prefix"
                found.append(Home(key, hosted.prefix, node, hosted=True))
        return tuple(found)
