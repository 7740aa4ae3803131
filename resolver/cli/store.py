"""`idnode store`: moving a node's store to another database, backing it up and putting it back."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from registry.storage.backends import backend_name, open_snapshot, open_store, shown, sqlite_path
from registry.storage.copying import CopyRefused, Part, copy
from registry.storage.interface import StoreNotUsable
from registry.storage.sql import SqlStore
from registry.storage.sqlite_backup import BackupRefused, back_up, restore
from resolver.cli.errors import DONE, Negative, Unsafe
from resolver.cli.meter import Meter
from resolver.cli.output import show, table
from resolver.cli.running import data_option
from resolver.data_directory import DataDirectory, DirectoryInUse


@click.group()
def store() -> None:
    """Move, back up and restore the stores of nodes.

    A store is named by its node, or by a URL: sqlite:///FILE or postgresql://HOST/DATABASE.
    """


@store.command("copy")
@click.argument("source")
@click.argument("target")
@data_option
def copy_command(source: str, target: str, data: Path) -> int:
    """Copy the store SOURCE into the empty store TARGET, and prove that they are equal.

    Nodes that are named must not run. A copy that was cut off is finished by the same command.
    """
    directory = DataDirectory(data)
    with ExitStack() as stack, _explained():
        origin, goal = (_locked(stack, directory, named) for named in (source, target))
        parts = asyncio.run(_copy(origin, goal))
    rows = table(("part", "rows", "SHA-256"), right=("rows",))
    for part in parts:
        rows.add_row(str(part), str(part.rows), part.digest[:16])
    show(rows)
    total = sum(part.rows for part in parts)
    click.echo(f"{total:,} rows are the same in {shown(origin)} and {shown(goal)}")
    return DONE


@store.command()
@click.argument("node")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@data_option
def backup(node: str, file: Path, data: Path) -> int:
    """Write the SQLite store of NODE to FILE, while the node runs or not."""
    with _explained():
        digest = back_up(_file_of(DataDirectory(data), node), file)
    click.echo(f"{file} is the store of {node} as it was just now, SHA-256 {digest}")
    return DONE


@store.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("node")
@data_option
def restore_command(file: Path, node: str, data: Path) -> int:
    """Make FILE, a backup, the store of NODE, which has none and does not run."""
    directory = DataDirectory(data)
    with ExitStack() as stack, _explained():
        url = _locked(stack, directory, node, fresh=True)
        digest = restore(file, sqlite_path(url))
    click.echo(f"{node} has the store of {file} now, SHA-256 {digest}")
    return DONE


async def _copy(source: str, target: str) -> list[Part]:
    into = await open_store(target)
    assert isinstance(into, SqlStore)
    try:
        with Meter("rows") as meter:
            async with open_snapshot(source) as connection:
                told = partial(_tell, meter)
                return await copy(connection, into, shown(source), told)
    finally:
        await into.close()


def _tell(meter: Meter, of: str, rows: int) -> None:
    meter.reach(rows, f"rows of {of}")


def _locked(stack: ExitStack, data: DataDirectory, named: str, *, fresh: bool = False) -> str:
    """The URL of a store; a node that is named is kept from running."""
    if "://" in named:
        return named
    if not fresh and named not in data.stored_nodes():
        raise Negative(f"no node {named!r} has a store in {data.path}")
    stack.enter_context(data.lock_node(named, "idnode store"))
    return data.store_url(named)


def _file_of(data: DataDirectory, named: str) -> Path:
    url = data.store_url(named)
    if backend_name(url) != "sqlite":
        raise Negative(
            f"{named} is on PostgreSQL: back it up with pg_basebackup or pg_dump, or copy it with"
            f" `idnode store copy {named} sqlite:///FILE`"
        )
    path = sqlite_path(url)
    if not path.exists():
        raise Negative(f"no node {named!r} has a store in {data.path}")
    return path


class _explained:  # noqa: N801 - reads as a word in a with statement
    """Turns what can go wrong into one line and an exit status."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case DirectoryInUse():
                raise Negative(f"{error}: stop it first") from None
            case CopyRefused() | BackupRefused():
                raise Negative(str(error)) from None
            case StoreNotUsable():
                raise Unsafe(str(error)) from None
