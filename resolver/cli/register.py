"""`idnode register`: put an identifier on the node that homes its prefix."""

from __future__ import annotations

import asyncio
import base64
import binascii
import sys
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import click

from registry.schemes import handle
from registry.schemes.handle import ancestors
from resolver.cli.errors import DONE, Negative, NobodyAnswered
from resolver.cli.output import note, print_json
from resolver.cli.running import RunningNode, data_option, home_prefix, read_running
from resolver.data_directory import Account, DataDirectory


class ValueArgument(click.ParamType[dict[str, Any]]):
    """INDEX:TYPE=DATA as a value in JSON form.

    DATA is text, or `@FILE` (`@-` for standard input), `hex:…`, `base64:…`; `text:…` is taken as it
    stands behind the colon.
    """

    name = "INDEX:TYPE=DATA"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        head, equals, data = str(value).partition("=")
        index, colon, type_ = head.partition(":")
        if not (equals and colon and type_ and index.isascii() and index.isdigit()):
            self.fail(f"{value!r} is not INDEX:TYPE=DATA, as in 1:URL=https://example.org/", param)
        try:
            return {"index": int(index), "type": type_, "data": _data(data)}
        except (ValueError, OSError) as error:
            self.fail(f"{head}: {error}", param)


def _data(text: str) -> str | dict[str, str]:
    """The data as the JSON API takes it. Raises ValueError, OSError."""
    if text.startswith("@"):
        return _content(text[1:])
    kind, _, rest = text.partition(":")
    if kind == "text":
        return rest
    if kind == "hex":
        return {"format": "hex", "value": bytes.fromhex(rest).hex()}
    if kind == "base64":
        try:
            base64.b64decode(rest, validate=True)
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from None
        return {"format": "base64", "value": rest}
    return text


def _content(path: str) -> str | dict[str, str]:
    octets = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return {"format": "base64", "value": base64.b64encode(octets).decode()}


class Door(NamedTuple):
    """Where to register, under which token, and what to call it."""

    url: str
    token: str
    name: str


as_option = click.option(
    "--as", "acting", metavar="USERNAME", help="The account of credentials.json to act as."
)


@click.command()
@click.argument("identifier")
@data_option
@click.option(
    "--set",
    "values",
    type=ValueArgument(),
    multiple=True,
    required=True,
    help="A value; DATA may be @FILE, hex:…, base64:… or text:… Repeat for more.",
)
@click.option("--ttl", type=click.IntRange(0, 2**31 - 1), help="Seconds, for all values.")
@click.option("--overwrite", is_flag=True, help="Replace the identifier if it exists.")
@click.option("--node", "node_name", metavar="NAME", help="The node to register with.")
@click.option("--via", metavar="URL", help="The http(s) URL of the node to register with.")
@click.option("--token", envvar="IDNODE_TOKEN", help="Default: from the data directory.")
@as_option
@click.option("--json", "as_json", is_flag=True, help="Print the reply as JSON.")
@click.option("--timeout", type=click.FloatRange(min=0.01), default=30.0, show_default=True)
def register(
    identifier: str,
    data: Path,
    values: tuple[dict[str, Any], ...],
    ttl: int | None,
    overwrite: bool,
    node_name: str | None,
    via: str | None,
    token: str | None,
    acting: str | None,
    as_json: bool,
    timeout: float,
) -> int:
    """Register IDENTIFIER with the values given; it is durable when the command says so."""
    prefix = home_prefix(handle.parse(identifier))
    token = token or (token_of(data, acting) if acting else None)
    door = find_door(data, prefix, node_name, via, token)
    if ttl is not None:
        values = tuple({**value, "ttl": ttl} for value in values)
    document = {"values": values, "overwrite": overwrite}
    status, reply = asyncio.run(_put(door, identifier, document, timeout))
    if status not in (200, 201):
        raise Negative(f"{identifier}: {reason(status, reply)}")
    if as_json:
        print_json(reply)
    else:
        done = "registered" if status == 201 else "replaced"
        click.echo(f"{identifier} {done} on {door.name}; it is durable")
        note(f"Try: idnode resolve {identifier}")
    return DONE


async def _put(
    door: Door, identifier: str, document: dict[str, Any], seconds: float
) -> tuple[int, dict[str, Any]]:
    from resolver.transports.http_client import NoReply, fetch

    url = f"{door.url.rstrip('/')}/v1/identifiers/{quote(identifier, safe='')}"
    headers = {"Authorization": f"Bearer {door.token}"}
    try:
        reply = await fetch("PUT", url, timeout=seconds, headers=headers, document=document)
    except NoReply as error:
        if not error.sent:
            raise NobodyAnswered(f"nobody answered, nothing was registered: {error}") from None
        raise NobodyAnswered(
            f"it is not known whether {identifier} was registered: {error};"
            f" see with `idnode resolve {identifier} --fresh`"
        ) from None
    return reply.status, reply.document()


def reason(status: int, problem: dict[str, Any]) -> str:
    """A problem document (RFC 9457) as one line, its fields below."""
    said = problem.get("detail") or problem.get("title") or f"HTTP status {status}"
    lines = [f"{said} ({problem.get('code', status)})"]
    if responsible := problem.get("responsible"):
        lines.append(f"  responsible: {responsible}")
    lines += [
        f"  {error.get('pointer', '')} {error.get('detail', '')}".rstrip()
        for error in problem.get("errors") or ()
    ]
    return "\n".join(lines)


def find_door(
    data: Path, prefix: str, node_name: str | None, via: str | None, token: str | None
) -> Door:
    """The node that homes the prefix and the token to use there."""
    accounts = DataDirectory(data).read_credentials().accounts
    if via is not None:
        return Door(via, token or _token(accounts, prefix, None, data), via)
    running = read_running(data)
    node = running.named(node_name) if node_name else _home(running.nodes, accounts, prefix)
    if node is None:
        raise Negative(f"no node of the running topology homes {prefix}: name one with --node")
    return Door(node.http, token or _token(accounts, prefix, node.name, data), str(node))


def token_of(data: Path, username: str) -> str:
    """The token of an account in credentials.json. Raises click.UsageError."""
    directory = DataDirectory(data)
    for account in directory.read_credentials().accounts:
        if account.username == username:
            return account.token
    raise click.BadParameter(f"{directory.credentials_path} has no {username}", param_hint="--as")


def _home(nodes: list[RunningNode], accounts: list[Account], prefix: str) -> RunningNode | None:
    """The node of the longest prefix, its own or one it hosts, that the given one lies under."""
    by_name = {node.name: node for node in nodes}
    by_prefix = {
        account.prefix: by_name[account.node] for account in accounts if account.node in by_name
    }
    by_prefix |= {node.prefix: node for node in nodes if node.prefix}
    return next((by_prefix[above] for above in ancestors(prefix) if above in by_prefix), None)


def _token(accounts: list[Account], prefix: str, node: str | None, data: Path) -> str:
    by_prefix = {account.prefix: account for account in accounts if node in (None, account.node)}
    for above in ancestors(prefix):
        if above in by_prefix:
            return by_prefix[above].token
    where = DataDirectory(data).credentials_path
    raise click.UsageError(f"{where} has no token for {prefix}: give one with --token")
