"""`idnode sample`: identifiers that exist, read from the stores in the data directory."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from itertools import chain, zip_longest
from pathlib import Path
from urllib.parse import quote

import click

from registry.errors import InvalidIdentifier
from registry.schemes.dns_name import DEFAULT_ZONE, to_name
from registry.schemes.handle import PREFIX_RECORDS, Key
from registry.storage.backends import open_reads
from registry.storage.interface import Reads
from resolver.cli.errors import DONE, NEGATIVE, NobodyAnswered
from resolver.cli.output import note
from resolver.cli.running import data_option, read_running
from resolver.data_directory import DataDirectory

#: With --seed the sample is drawn from one so many times as large.
_POOL = 4


@click.command()
@data_option
@click.option("--count", type=click.IntRange(min=1), required=True, help="How many.")
@click.option("--sector", metavar="PREFIX", help="Only what is homed on the node of this prefix.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["plain", "dnsperf", "urls"]),
    default="plain",
    help="Identifiers, `NAME TXT` lines, or URLs of the recursive node.",
)
@click.option("--seed", type=int, help="Draw at random with this seed.")
@click.option("--zone", default=DEFAULT_ZONE, show_default=True, help="The DNS zone.")
def sample(
    data: Path, count: int, sector: str | None, form: str, seed: int | None, zone: str
) -> int:
    """List identifiers that exist, spread over the nodes of the topology."""
    write = _writer(form, zone, data)
    drawn = asyncio.run(draw(data, count, sector, seed))
    lines = [line for key in drawn if (line := write(key)) is not None]
    for line in lines:
        click.echo(line)
    if len(lines) < count:
        where = f"on the node of {sector}" if sector else f"in {data}"
        note(f"idnode: {count} asked for, {len(lines)} found {where}")
        return NEGATIVE
    return DONE


async def draw(data: Path, count: int, sector: str | None, seed: int | None) -> list[Key]:
    """Up to `count` keys: the nodes take turns, or with a seed as chance has it."""
    wanted = count if seed is None else count * _POOL
    async with AsyncExitStack() as stack:
        stores = [store async for store in _stores(data, stack)]
        if sector is not None:
            stores = [store for store in stores if sector in await store.homed_prefixes()]
        totals = [await _total(store) for store in stores]
        shares = _shares(totals, wanted)
        drawn = [
            await store.sample(share) for store, share in zip(stores, shares, strict=True) if share
        ]
    if seed is not None:
        chance = random.Random(seed)
        pool = list(chain.from_iterable(drawn))
        return chance.sample(pool, min(count, len(pool)))
    return [key for turn in zip_longest(*drawn) for key in turn if key is not None]


async def _stores(data: Path, stack: AsyncExitStack) -> AsyncIterator[Reads]:
    """The stores of all nodes, closed by the stack. Raises NobodyAnswered where there are none."""
    directory = DataDirectory(data)
    names = directory.stored_nodes()
    if not names:
        raise NobodyAnswered(f"no node has data in {data}: start a topology with `idnode up`")
    for name in names:
        store = await open_reads(directory.store_url(name))
        stack.push_async_callback(store.close)
        yield store


async def _total(store: Reads) -> int:
    """How many identifiers a store can give (what it homes itself, prefix records left out)."""
    counts = await store.counts()
    return sum(count for prefix, count in counts.items() if prefix != PREFIX_RECORDS)


def _shares(totals: list[int], wanted: int) -> list[int]:
    """How many to take of each, as even as the totals let it be."""
    shares = [0] * len(totals)
    while left := min(wanted, sum(totals)) - sum(shares):
        open_ = [i for i, total in enumerate(totals) if shares[i] < total]
        for position, i in enumerate(open_):
            fair = left // len(open_) + (position < left % len(open_))
            shares[i] = min(totals[i], shares[i] + fair)
    return shares


def _writer(form: str, zone: str, data: Path) -> Callable[[Key], str | None]:
    """What writes the line of a key, None for one that has no such line."""
    if form == "dnsperf":
        return lambda key: _dnsperf(key, zone)
    if form == "urls":
        base = read_running(data).recursive().http
        return lambda key: f"{base}/api/handles/{quote(str(key), safe='/')}"
    return str


def _dnsperf(key: Key, zone: str) -> str | None:
    try:
        return f"{to_name(key, zone)} TXT"
    except InvalidIdentifier:
        return None
