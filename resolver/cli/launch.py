"""What `up`, `serve` and the processes that they start are told: what is to run, and where."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from resolver.cli.errors import Unsafe
from resolver.cli.running import data_option
from resolver.data_directory import DataDirectory
from resolver.topology import NodeSpec, Topology, TopologyError, load, with_base_port

DEFAULT_SEED = 1000


class Launch(NamedTuple):
    """A topology by its name or file, and what the command line says about it.

    `seed` is the number of identifiers for each sector node that has none; `workers` and
    `base_port` replace what the topology says.
    """

    topology: str | None
    data: Path
    seed: int
    base_port: int | None
    workers: int | None

    @property
    def directory(self) -> DataDirectory:
        return DataDirectory(self.data)

    def load(self) -> Topology:
        """The topology as it is to run. Raises Unsafe."""
        try:
            chosen = load(self.topology)
            if self.base_port is not None:
                chosen = with_base_port(chosen, self.base_port)
        except TopologyError as error:
            raise Unsafe(str(error)) from None
        if self.workers is None:
            return chosen
        nodes = (msgspec.structs.replace(node, workers=self.workers) for node in chosen.nodes)
        return msgspec.structs.replace(chosen, nodes=tuple(nodes))

    def command(self) -> list[str]:
        """The command of a process for some of its nodes; their names follow."""
        said = {
            "--topology": self.topology,
            "--data": os.fspath(self.data),
            "--seed": self.seed,
            "--base-port": self.base_port,
            "--workers": self.workers,
        }
        command = [sys.executable, "-m", "resolver.cli", "worker"]
        for option, value in said.items():
            command += [] if value is None else [option, str(value)]
        return command


def launch_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options that the command gets as one `launch`; it names the topology itself."""

    @functools.wraps(function)
    def launched(**given: Any) -> Any:
        launch = Launch(**{name: given.pop(name) for name in Launch._fields})
        return function(launch=launch, **given)

    for option in (
        click.option("--base-port", type=click.IntRange(1, 65_000), help="First port of all."),
        click.option(
            "--workers",
            type=click.IntRange(1, 64),
            help="Processes that serve each node's ports, whatever the topology says.",
        ),
        click.option(
            "--seed",
            type=click.IntRange(0),
            default=DEFAULT_SEED,
            show_default=True,
            help="Identifiers for each sector node that has none.",
        ),
        data_option,
    ):
        launched = option(launched)
    return launched


def named(topology: Topology, name: str) -> NodeSpec:
    """The node of that name. Raises Unsafe."""
    try:
        return topology.node(name)
    except KeyError:
        names = ", ".join(node.name for node in topology.nodes)
        raise Unsafe(f"{topology.name} has no node {name!r}; it has {names}") from None
