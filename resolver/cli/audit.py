"""`idnode audit verify`: whether the audit log of a node is whole, and says what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from registry.accounting import check_rows
from registry.audit import Checkpoint, Finding, verify
from registry.errors import DecodeError, StorageUnavailable
from registry.storage.sqlite_books import SqliteBooks
from registry.values.key_objects import PublicKeyObject, load_public_key
from registry.values.site import decode_site
from registry.witness import holds, read_checkpoints
from resolver.cli.errors import DONE, NEGATIVE
from resolver.cli.output import print_json
from resolver.cli.running import data_option


@click.group()
def audit() -> None:
    """Check the account that nodes keep of every change."""


@audit.command(name="verify")
@data_option
@click.option("--node", "names", metavar="NAME", multiple=True, help="Default: every node.")
@click.option(
    "--witness",
    "witnesses",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="Checkpoints kept elsewhere, as GET /v1/audit/checkpoints?node=NAME gives them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a node.")
def verify_logs(
    data: Path, names: tuple[str, ...], witnesses: tuple[Path, ...], as_json: bool
) -> int:
    """Walk the whole audit log of nodes, running or stopped, and name everything that is wrong.

    The checkpoints that the other nodes of the data directory keep as witnesses are taken in.
    """
    stores = {path.parent.name: path for path in sorted(data.glob("*/node.db"))}
    for name in names:
        if name not in stores:
            raise click.BadParameter(f"{data} has no node {name!r}", param_hint="--node")
    if not stores:
        raise click.UsageError(f"{data} has no store of a node")
    brought = [each for path in witnesses for each in _brought(path)]
    sound = True
    for name in names or stores:
        reports = list(_check(name, stores, brought))
        sound &= _show(name, reports, as_json)
    return DONE if sound else NEGATIVE


def _brought(path: Path) -> list[Checkpoint]:
    try:
        return read_checkpoints(path.read_bytes())
    except DecodeError as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--witness") from None


def _check(
    name: str, stores: dict[str, Path], brought: list[Checkpoint]
) -> Iterator[Finding | dict[str, int]]:
    """The findings about one node, and last what was looked at."""
    kept = [each for each in brought if each.node == name]
    for other in stores.keys() - {name}:
        with SqliteBooks.open(stores[other]) as books:
            kept += books.checkpoints(name)
    key = _key(stores[name].with_name("site.bin"))
    with SqliteBooks.open(stores[name]) as books:
        own = books.checkpoints(name)
        checkpoints = list(dict.fromkeys([*own, *kept]))
        yield from verify(books.entries(), checkpoints, lambda each: holds(each, key))
        yield from check_rows(books)
        entries = sum(1 for _ in books.entries())
    yield {"entries": entries, "checkpoints": len(own), "witnessed": len(kept)}


def _key(path: Path) -> PublicKeyObject:
    try:
        return load_public_key(decode_site(path.read_bytes()).servers[0].public_key)
    except (OSError, DecodeError) as error:
        raise StorageUnavailable(f"the key of the node cannot be read: {error}") from None


def _show(name: str, reports: list[Any], as_json: bool) -> bool:
    *findings, looked_at = reports
    if as_json:
        members = [finding._asdict() for finding in findings]
        print_json({"node": name, **looked_at, "findings": members})
        return not findings
    for finding in findings:
        click.echo(f"{name}: entry {finding.sequence}: {finding.fault}: {finding.detail}")
    seen = (
        f"{looked_at['entries']:,} entries, {looked_at['checkpoints']:,} checkpoints,"
        f" {looked_at['witnessed']:,} kept by a witness"
    )
    click.echo(f"{name}: {seen}: {'whole' if not findings else f'{len(findings)} findings'}")
    return not findings
