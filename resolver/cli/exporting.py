"""`idnode export`: the identifiers of a prefix as lines that `idnode import` reads."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import IO, Final

import click

from registry.bulk.written import line_of
from registry.schemes import handle
from registry.storage.backends import open_reads
from registry.storage.interface import is_counted
from resolver.cli.errors import DONE, Negative
from resolver.cli.meter import Meter
from resolver.cli.output import note
from resolver.cli.running import data_option
from resolver.data_directory import DataDirectory

#: Rows that are read at a time.
_PAGE: Final = 2000


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
@data_option
@click.option("--prefix", required=True, help="The prefix whose identifiers are written.")
@click.option("--node", "node_name", metavar="NAME", help="Default: the node of its account.")
def export(file: Path | None, data: Path, prefix: str, node_name: str | None) -> int:
    """Write all active identifiers of a prefix to FILE, or to standard output, as NDJSON.

    The node may run meanwhile. The administrator of the prefix is left out. FILE can be read by its
    owner only: values may be secrets.
    """
    prefix = handle.parse(f"{prefix}/").prefix
    directory = DataDirectory(data)
    accounts = directory.read_credentials().accounts
    node = node_name or next((each.node for each in accounts if each.prefix == prefix), None)
    if node is None:
        raise Negative(f"no node of {data} homes {prefix}: name one with --node")
    url = directory.store_url(node)
    if file is None:
        count = asyncio.run(_write(url, prefix, sys.stdout.buffer))
    else:
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(made, "wb") as out:
            count = asyncio.run(_write(url, prefix, out))
    note(f"{count:,} identifiers of {prefix}")
    return DONE


async def _write(url: str, prefix: str, out: IO[bytes]) -> int:
    reads, count = await open_reads(url), 0
    try:
        with Meter("identifiers", (await reads.counts()).get(prefix)) as meter:
            async for row in reads.scan(prefix, _PAGE):
                if is_counted(row.prefix, row.suffix):
                    out.write(line_of(row) + b"\n")
                    count += 1
                    if count % _PAGE == 0:
                        meter.reach(count)
    finally:
        await reads.close()
    return count
