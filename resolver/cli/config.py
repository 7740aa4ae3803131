"""`idnode config`: hold a topology file against the rules before anything is started from it."""

from __future__ import annotations

import click

from resolver.cli.errors import Unsafe
from resolver.cli.output import print_json
from resolver.topology import Topology, TopologyError, endpoints, load
from resolver.topology.loading import read


def load_topology(source: str | None) -> Topology:
    """The topology in a file or of a built-in name (default `sichuan`). Raises Unsafe, exit 2."""
    try:
        return load(source)
    except TopologyError as error:
        raise Unsafe(str(error)) from None


@click.group()
def config() -> None:
    """Check a topology file, or begin one."""


@config.command()
@click.argument("name")
def show(name: str) -> None:
    """Print the topology NAME, such as `minimal`, as it is written: to make another of it."""
    try:
        text, _ = read(name)
    except TopologyError as error:
        raise Unsafe(str(error)) from None
    click.echo(text, nl=False)


@config.command()
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print the nodes and their endpoints.")
def check(file: str, as_json: bool) -> None:
    """Check the topology in FILE (or a built-in one by name) and say everything that is wrong."""
    topology = load_topology(file)
    if as_json:
        print_json(_summary(topology))
        return
    hosted = sum(len(node.hosted) for node in topology.nodes)
    click.echo(
        f"{file}: {topology.name} is a valid topology of {len(topology.nodes)} nodes"
        f" and {hosted} hosted enterprises"
    )


def _summary(topology: Topology) -> dict[str, object]:
    nodes = [
        {
            "name": node.name,
            "role": node.role,
            "prefix": node.prefix,
            **endpoints(topology, node)._asdict(),
        }
        for node in topology.nodes
    ]
    return {"name": topology.name, "zone": topology.zone, "nodes": nodes}
