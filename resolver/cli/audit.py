"""`idnode audit`: `verify` says whether the audit log of a node is whole, and what is stored."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

import click

from registry.audit.accounting import check_rows
from registry.audit.log import Checkpoint, Finding, verify
from registry.audit.witness import holds, read_checkpoints
from registry.errors import DecodeError, StorageUnavailable
from registry.storage.books import SqlBooks, look_into
from registry.values.key_objects import PublicKeyObject, load_public_key
from registry.values.site import decode_site
from resolver.cli.audit_log import log
from resolver.cli.errors import DONE, NEGATIVE
from resolver.cli.output import print_json
from resolver.cli.running import data_option
from resolver.data_directory import DataDirectory


class Report(NamedTuple):
    """What was looked at of a node, and everything that is wrong with it."""

    node: str
    entries: int
    checkpoints: int
    witnessed: int
    findings: list[Finding]


@click.group()
def audit() -> None:
    """Read and check the account that nodes keep of every change."""


audit.add_command(log)


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
    directory = DataDirectory(data)
    stores = {name: directory.store_url(name) for name in directory.stored_nodes()}
    for name in names:
        if name not in stores:
            raise click.BadParameter(f"{data} has no node {name!r}", param_hint="--node")
    if not stores:
        raise click.UsageError(f"{data} has no store of a node")
    brought = [each for path in witnesses for each in _brought(path)]
    sound = True
    for name in names or stores:
        key = _key(directory.node_path(name) / "site.bin")
        sound &= _show(asyncio.run(_report(name, key, stores, brought)), as_json)
    return DONE if sound else NEGATIVE


def _brought(path: Path) -> list[Checkpoint]:
    try:
        return read_checkpoints(path.read_bytes())
    except DecodeError as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="--witness") from None


async def _report(
    name: str, key: PublicKeyObject, stores: dict[str, str], brought: list[Checkpoint]
) -> Report:
    """Hold one node's log against its rows, and against what all nodes keep of it."""
    kept = [each for each in brought if each.node == name]
    for other in stores.keys() - {name}:
        kept += await look_into(stores[other], lambda books: books.checkpoints(name))

    def look(books: SqlBooks) -> Report:
        own = books.checkpoints(name)
        checkpoints = list(dict.fromkeys([*own, *kept]))
        findings = [*verify(books.entries(), checkpoints, lambda each: holds(each, key))]
        findings += check_rows(books)
        return Report(name, books.count(), len(own), len(kept), findings)

    return await look_into(stores[name], look)


def _key(path: Path) -> PublicKeyObject:
    try:
        return load_public_key(decode_site(path.read_bytes()).servers[0].public_key)
    except (OSError, DecodeError) as error:
        raise StorageUnavailable(f"the key of the node cannot be read: {error}") from None


def _show(report: Report, as_json: bool) -> bool:
    name, entries, checkpoints, witnessed, findings = report
    if as_json:
        print_json(report._asdict() | {"findings": [finding._asdict() for finding in findings]})
        return not findings
    for finding in findings:
        click.echo(f"{name}: entry {finding.sequence}: {finding.fault}: {finding.detail}")
    seen = f"{entries:,} entries, {checkpoints:,} checkpoints, {witnessed:,} kept by a witness"
    click.echo(f"{name}: {seen}: {'whole' if not findings else f'{len(findings)} findings'}")
    return not findings
