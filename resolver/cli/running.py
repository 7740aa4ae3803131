"""Finding the running topology by its data directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from registry.schemes.handle import Key, ancestors, parent
from resolver.cli.errors import NobodyAnswered
from resolver.data_directory import DataDirectory

_Function = TypeVar("_Function", bound=Callable[..., Any])


class RunningNode(msgspec.Struct, frozen=True):
    """A node as the ready file names it; `handle` and `dns` are host:port, the others URLs."""

    name: str
    role: str
    handle: str
    http: str
    prefix: str | None = None
    https: str | None = None
    dns: str | None = None
    metrics: str | None = None
    identifiers: int | None = None

    def __str__(self) -> str:
        if self.role == self.name or not self.prefix:
            return f"node {self.name} (hdl://{self.handle}, {self.http})"
        return f"{self.role} node {self.name} (hdl://{self.handle}, {self.http})"


class RunningTopology(msgspec.Struct, frozen=True):
    """What DIR/running.json says."""

    nodes: list[RunningNode]
    console: str | None = None

    def recursive(self) -> RunningNode:
        """The recursive node, or the root where there is none. Raises NobodyAnswered."""
        for role in ("recursive", "root"):
            for node in self.nodes:
                if node.role == role:
                    return node
        raise NobodyAnswered("the running topology has no recursive node: name a node with --via")

    def named(self, name: str) -> RunningNode:
        """The node of that name. Raises click.UsageError."""
        for node in self.nodes:
            if node.name == name:
                return node
        names = ", ".join(node.name for node in self.nodes)
        raise click.BadParameter(f"no node {name!r}; there are {names}", param_hint="--node")

    def homing(self, prefix: str) -> RunningNode | None:
        """The node whose prefix is the longest that the given one lies under."""
        by_prefix = {node.prefix: node for node in self.nodes if node.prefix}
        return next((by_prefix[above] for above in ancestors(prefix) if above in by_prefix), None)


def default_data() -> Path:
    """$IDNODE_DATA, else idnode under $XDG_STATE_HOME or ~/.local/state."""
    if given := os.environ.get("IDNODE_DATA"):
        return Path(given)
    state = os.environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "idnode"


def data_option(function: _Function) -> _Function:
    """`--data DIR`, the same for all commands about a running topology or its data."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path, file_okay=False),
        default=default_data,
        show_default="$IDNODE_DATA, else ~/.local/state/idnode",
        help="The data directory of the topology.",
    )(function)


def read_ready(data: Path) -> dict[str, Any]:
    """The ready file of the topology that runs on `data`, as it is. Raises NobodyAnswered."""
    directory = DataDirectory(data)
    try:
        found = directory.running()
    except (OSError, msgspec.DecodeError, KeyError, TypeError) as error:
        raise NobodyAnswered(f"cannot read {directory.running_path}: {error}") from None
    if found is None:
        raise NobodyAnswered(_start_one(data))
    return found


def read_running(data: Path) -> RunningTopology:
    """The topology that runs on `data`. Raises NobodyAnswered."""
    try:
        return msgspec.convert(read_ready(data), RunningTopology)
    except msgspec.ValidationError as error:
        raise NobodyAnswered(f"cannot read {DataDirectory(data).running_path}: {error}") from None


def home_prefix(key: Key) -> str:
    """The prefix whose node holds the identifier: a prefix record lies with the parent."""
    if not key.is_prefix_record:
        return key.prefix
    return parent(key.suffix) or key.suffix


def _start_one(data: Path) -> str:
    command = "idnode up" if data == default_data() else f"idnode up --data {data}"
    return f"no running topology at {data}: start one with `{command}`"
