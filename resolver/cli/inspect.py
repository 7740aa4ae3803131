"""`idnode inspect`: take a packet, a value or an identifier apart."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
import msgspec

from resolver.cli.errors import DONE, Negative
from resolver.cli.output import print_json
from resolver.inspection import KINDS, TEXT_KINDS, Fault, inspect_hex, inspect_line
from resolver.inspection import inspect as inspect_octets


@click.command()
@click.argument("kind", required=False, type=click.Choice(list(KINDS)))
@click.argument("value", required=False)
@click.option("--jsonl", is_flag=True, help="A JSON object a line from standard input.")
def inspect(kind: str | None, value: str | None, jsonl: bool) -> int:
    """Take VALUE apart as a KIND: hexadecimal for what is octets, text for what is text.

    VALUE "-" reads standard input. With --jsonl each line {"kind": K, "hex": H} or {"kind": K,
    "text": T} is answered by one line.
    """
    if jsonl:
        if kind is not None:
            raise click.UsageError("--jsonl takes no KIND: each line names its own")
        return _lines()
    if kind is None or value is None:
        raise click.UsageError("KIND and VALUE are needed, or --jsonl")
    try:
        print_json(_reader(kind)(_given(value)))
    except Fault as fault:
        place = "" if fault.offset is None else f" at octet {fault.offset}"
        raise Negative(f"{kind}: {fault.message}{place} ({fault.code})") from None
    return DONE


def _lines() -> int:
    for line in sys.stdin.buffer:
        click.echo(msgspec.json.encode(inspect_line(line)))
    return DONE


def _given(value: str) -> str:
    if value != "-":
        return value
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape").removesuffix("\n")


def _reader(kind: str) -> Callable[[str], dict[str, object]]:
    if kind in TEXT_KINDS:
        return lambda text: inspect_octets(kind, text.encode("utf-8", "surrogateescape"))
    return lambda text: inspect_hex(kind, text)
