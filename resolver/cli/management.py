"""The management API (/v1) as sub-commands use it: which node, which token, what came of it."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import click
import msgspec

from resolver.cli.errors import Negative, NobodyAnswered
from resolver.cli.register import Door, as_option, find_door, reason, token_of
from resolver.cli.running import data_option

_Function = TypeVar("_Function", bound=Callable[..., object])


def management_options(function: _Function) -> _Function:
    """Where to ask and who asks, the same for all sub-commands about the business of a node."""
    options = (
        data_option,
        click.option("--node", "node_name", metavar="NAME", help="The node to ask."),
        click.option("--via", metavar="URL", help="The http(s) URL of the node to ask."),
        click.option("--token", envvar="IDNODE_TOKEN", help="Default: from the data directory."),
        as_option,
        click.option("--timeout", type=click.FloatRange(min=0.01), default=30.0, show_default=True),
        click.option("--json", "as_json", is_flag=True, help="Print the reply as JSON."),
    )
    for option in reversed(options):
        function = option(function)
    return function


class Management:
    """One node's management API under one token."""

    def __init__(self, door: Door, seconds: float) -> None:
        self._door = door
        self._seconds = seconds

    @classmethod
    def of(
        cls,
        prefix: str,
        data: Path,
        node_name: str | None = None,
        via: str | None = None,
        token: str | None = None,
        acting: str | None = None,
        timeout: float = 30.0,
    ) -> Management:
        """The node that homes a prefix, and the token for it; what is given goes before that."""
        token = token or (token_of(data, acting) if acting else None)
        return cls(find_door(data, prefix, node_name, via, token), timeout)

    def of_nobody(self) -> Management:
        """The same node without a token."""
        return Management(self._door._replace(token=""), self._seconds)

    def ask(self, method: str, path: str, document: Any = None, **query: Any) -> dict[str, Any]:
        """What the node answers. Raises Negative for a refusal, NobodyAnswered."""
        given = {name: value for name, value in query.items() if value not in (None, "")}
        url = f"{self._door.url.rstrip('/')}{path}" + (f"?{urlencode(given)}" if given else "")
        return asyncio.run(self._ask(method, url, document))

    def listed(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        cursor = ""
        while True:
            page = self.ask("GET", path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page.get("next_cursor", "")
            if not cursor:
                return

    async def _ask(self, method: str, url: str, document: Any) -> dict[str, Any]:
        from resolver.transports.http_client import NoReply, fetch

        token = self._door.token
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            reply = await fetch(
                method, url, timeout=self._seconds, headers=headers, document=document
            )
        except NoReply as error:
            known = "nothing was done" if not error.sent else "it is not known what was done"
            raise NobodyAnswered(f"nobody answered, {known}: {error}") from None
        if reply.status >= 300:
            raise Negative(reason(reply.status, reply.document()))
        return reply.document()


def read_document(file: Path) -> dict[str, Any]:
    """What a file says, TOML or (by its name) JSON. Raises click.UsageError."""
    octets = file.read_bytes()
    try:
        if file.suffix == ".json":
            found = msgspec.json.decode(octets)
        else:
            found = tomllib.loads(octets.decode())
    except (msgspec.DecodeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise click.UsageError(f"{file} holds no members with names")
    return found


def segment(text: str) -> str:
    """One segment of a path."""
    return quote(text, safe="")
