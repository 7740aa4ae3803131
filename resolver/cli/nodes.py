"""`idnode nodes`: what runs, and where."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from resolver.cli.output import cell, print_json, show, table
from resolver.cli.running import RunningNode, data_option, read_ready, read_running

PORTS = ("handle", "http", "dns", "https", "metrics")


@click.command()
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print the ready file.")
def nodes(data: Path, as_json: bool) -> None:
    """Show the running topology's nodes and endpoints."""
    if as_json:
        print_json(read_ready(data))
        return
    running = read_running(data)
    hosts = {_host(node.handle) for node in running.nodes}
    together = len(hosts) == 1
    made = table(
        ["node", "role", "prefix", *([] if together else ["host"]), *PORTS, "records"],
        right=[*PORTS, "records"],
        keep=["role", "prefix", *PORTS, "records"],
    )
    for node in running.nodes:
        made.add_row(*map(cell, _row(node, together)))
    where = f"All on {hosts.pop()}; the columns are ports." if together else "Columns are ports."
    show(made, where)
    if running.console:
        show(f"Console: {running.console}")


def _row(node: RunningNode, together: bool) -> list[str]:
    endpoints = msgspec.structs.asdict(node)
    return [
        node.name,
        node.role,
        node.prefix or "-",
        *([] if together else [_host(node.handle)]),
        *(_port(endpoints[name]) for name in PORTS),
        "-" if node.identifiers is None else str(node.identifiers),
    ]


def _host(address: str) -> str:
    return address.rpartition(":")[0]


def _port(address: str | None) -> str:
    if not address:
        return "-"
    found = urlsplit(address).port if "//" in address else address.rpartition(":")[2]
    return str(found or "-")
