"""`idnode resolve`: ask a node, over any of its protocols, and show what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from rich.table import Table

from registry.schemes import handle
from registry.schemes.dns_name import DEFAULT_ZONE
from resolver.cli.ask import Question, Resolution, ask, trace
from resolver.cli.errors import DONE, NEGATIVE, NobodyAnswered
from resolver.cli.output import cell, note, print_json, show, table
from resolver.cli.running import data_option, home_prefix, read_running
from resolver.cli.values import values_table, verified_table

if TYPE_CHECKING:
    from registry.trust.verification import Report


@click.command()
@click.argument("identifier")
@data_option
@click.option("--via", metavar="URL", help="hdl://, hdl+udp://, hdl+tcp://, http(s)://, dns://")
@click.option("--type", "types", multiple=True, metavar="T", help="Only values of this type.")
@click.option(
    "--index", "indexes", multiple=True, type=click.IntRange(0, 2**32 - 1), help="Only this index."
)
@click.option("--trace", "traced", is_flag=True, help="Show whom the recursive node asked.")
@click.option("--fresh", is_flag=True, help="Bypass the caches.")
@click.option("--verify", is_flag=True, help="Check the signatures, up to a trust root.")
@click.option(
    "--trust-root",
    "trust_roots",
    multiple=True,
    metavar="[ID=]FILE",
    help="Believe this key (PEM, JWK, HS_PUBKEY data) at ID, not the topology's at 0.0/0.0.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the Handle JSON API's form.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.01), default=10.0, show_default=True, help="Seconds."
)
@click.option("--zone", default=DEFAULT_ZONE, show_default=True, help="The zone, for dns://.")
def resolve(
    identifier: str,
    data: Path,
    via: str | None,
    types: tuple[str, ...],
    indexes: tuple[int, ...],
    traced: bool,
    fresh: bool,
    verify: bool,
    trust_roots: tuple[str, ...],
    as_json: bool,
    timeout: float,
    zone: str,
) -> int:
    """Resolve IDENTIFIER, via the recursive node of the running topology unless --via is given."""
    key = handle.parse(identifier)
    question = Question(identifier, indexes, types, fresh, timeout, zone)
    report = None
    if verify:
        if traced or fresh:
            raise click.UsageError("--verify goes with neither --trace nor --fresh")
        found, report = _resolve_verified(question, data, via, trust_roots)
    else:
        found = _resolve(question, data, via, traced)
    if as_json:
        print_json(_document(identifier, found, report))
    else:
        _show(identifier, found, report)
    if found.positive:
        return DONE if report is None else _judged(identifier, report)
    who = found.responsible or _responsible(data, home_prefix(key), found.message)
    note(f"idnode: {identifier}: {found.reason}" + (f"; responsible: {who}" if who else ""))
    return NEGATIVE


def _resolve(question: Question, data: Path, via: str | None, traced: bool) -> Resolution:
    if via is None:
        node = read_running(data).recursive()
        via = node.http if traced or question.fresh else f"hdl://{node.handle}"
        traced = traced or question.fresh
    if not traced:
        try:
            return ask(via, question)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--via") from None
    if urlsplit(via).scheme not in ("http", "https"):
        reason = "with --trace, the http:// or https:// URL of a recursive node is needed"
        raise click.BadParameter(reason, param_hint="--via")
    return asyncio.run(trace(via, question))


def _resolve_verified(
    question: Question, data: Path, via: str | None, trust_roots: Sequence[str]
) -> tuple[Resolution, Report | None]:
    from resolver.cli.trust import known_roots, resolve_verified

    roots = known_roots(data, trust_roots)
    where = via or f"hdl://{read_running(data).recursive().handle}"
    try:
        return asyncio.run(resolve_verified(where, question, roots))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--via") from None


def _judged(identifier: str, report: Report) -> int:
    from resolver.cli.trust import complaints

    if report.trusted:
        return DONE
    note("\n  ".join((f"idnode: {identifier} is not verified:", *complaints(report))))
    return NEGATIVE


def _document(identifier: str, found: Resolution, report: Report | None) -> dict[str, Any]:
    members: dict[str, Any] = {"responseCode": found.code, "handle": identifier}
    members["values"] = found.values
    if found.message:
        members["message"] = found.message
    if found.trace is not None:
        members["trace"] = found.trace
    if report is not None:
        from registry.trust.verification import report_members

        members["verification"] = report_members(report)
    return members


def _show(identifier: str, found: Resolution, report: Report | None) -> None:
    if found.trace:
        show(trace_table(found.trace))
    if report is not None:
        from resolver.cli.trust import verdicts

        show(identifier, verified_table(found.values, verdicts(report)))
    elif found.positive:
        show(identifier, values_table(found.values))


def trace_table(hops: list[dict[str, Any]]) -> Table:
    made = table(
        ["hop", "role", "endpoint", "protocol", "question", "response", "ms"],
        right=["hop", "ms"],
        keep=["hop", "role", "protocol", "ms"],
    )
    for number, hop in enumerate(hops, 1):
        ms = "cache" if hop.get("cached") else f"{hop.get('ms') or 0:.1f}"
        names = ("role", "endpoint", "protocol", "question", "response")
        made.add_row(*map(cell, (number, *(hop.get(name) or "-" for name in names), ms)))
    return made


def _responsible(data: Path, prefix: str, said: str) -> str | None:
    """The node of the running topology that should know, unless the answer has said so."""
    try:
        node = read_running(data).homing(prefix)
    except NobodyAnswered:
        return None
    return None if node is None or node.name in said else str(node)
