"""What a topology file says, as read-only structs with the look-ups that everything else needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from registry.schemes import handle
from registry.schemes.handle import HandleRules

Role = Literal["recursive", "root", "national", "sector", "enterprise"]


class Title(msgspec.Struct, frozen=True):
    """A name in both languages."""

    en: str
    zh: str


class Hosted(msgspec.Struct, frozen=True):
    """An enterprise whose prefix is homed on its sector node."""

    prefix: str
    title: Title


class NodeSpec(msgspec.Struct, frozen=True):
    """One node as its `[[node]]` table says.

    `base_port` overrides the block that the node's place in the file gives it, `store` (a database
    URL) the SQLite file in the data directory; `store_read` is a read replica of a PostgreSQL
    `store`, which answers resolutions. `workers` processes serve its ports. `product` names the
    family of seeded records.
    """

    name: str
    role: Role
    title: Title
    prefix: str | None = None
    parent: str | None = None
    host: str = "127.0.0.1"
    base_port: int | None = None
    industry: str | None = None  # GB/T 4754-2017 class, e.g. "C1512"
    prefecture: str | None = None  # GB/T 2260 code, e.g. "511500"
    operator: Title | None = None
    product: str | None = None
    hosted: tuple[Hosted, ...] = ()
    store: str | None = None
    store_read: str | None = None
    workers: int = 1
    settings: dict[str, str | int | float | bool] = {}

    @property
    def homed(self) -> tuple[str, ...]:
        """The prefixes this node answers for: its own first, then the hosted ones."""
        own = () if self.prefix is None else (self.prefix,)
        return own + tuple(hosted.prefix for hosted in self.hosted)

    @property
    def searched(self) -> bool:
        """Whether the node keeps an index of values: the setting `search`, true if not given."""
        return self.settings.get("search", True) is True

    @property
    def signs(self) -> bool:
        """Whether the node signs what is registered with it: the setting `sign`."""
        return self.settings.get("sign") is True

    @property
    def audits_manually(self) -> bool:
        """Whether audits of prefixes wait for a national node's operator: `audit = "manual"`."""
        return self.settings.get("audit") == "manual"


class Topology(msgspec.Struct, frozen=True):
    """A whole topology in file order. Node i has the ports from `base_port + 10*i`.

    `load` guarantees one recursive node, which stands first, one root, and a tree below it.
    `seed` goes into every generated record: the same seed gives the same records.
    """

    name: str
    title: Title
    nodes: tuple[NodeSpec, ...] = msgspec.field(name="node")
    zone: str = "id.test"
    base_port: int = 2640
    seed: int = 2021
    rules: HandleRules = HandleRules()

    @property
    def recursive(self) -> NodeSpec:
        """The node that clients ask."""
        return self.nodes[0]

    @property
    def root(self) -> NodeSpec:
        """The node that homes the records of national prefixes."""
        return next(node for node in self.nodes if node.role == "root")

    def node(self, name: str) -> NodeSpec:
        """The node of that name. Raises KeyError."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def children(self, name: str) -> tuple[NodeSpec, ...]:
        """The nodes directly below the named one, in file order."""
        return tuple(node for node in self.nodes if node.parent == name)

    def home_of(self, prefix: str) -> NodeSpec | None:
        """The node that homes exactly this prefix, None if none does."""
        return next((node for node in self.nodes if prefix in node.homed), None)

    def parent_of(self, prefix: str) -> NodeSpec | None:
        """The node that homes the prefix record `0.NA/<prefix>`: the home of the prefix above."""
        above = handle.parent(prefix)
        return self.root if above is None else self.home_of(above)

    def product_of(self, node: NodeSpec) -> str | None:
        """The family of a node's seeded records: its own, or the nearest one above it.

        Never None for sector and enterprise nodes.
        """
        above = self._above(node)
        return next((each.product for each in above if each.product), None)

    def prefecture_of(self, node: NodeSpec) -> str | None:
        """Where a node's records come from, found in the same way."""
        above = self._above(node)
        return next((each.prefecture for each in above if each.prefecture), None)

    def _above(self, node: NodeSpec) -> Iterator[NodeSpec]:
        """The node and all above it, nearest first."""
        yield node
        while node.parent is not None:
            node = self.node(node.parent)
            yield node
