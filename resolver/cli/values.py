"""A value's data on one line that a person can read, from its JSON form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from rich.table import Table

from resolver.cli.output import cell, table

_MAX_BASE64: Final = 120


def values_table(values: Iterable[dict[str, Any]]) -> Table:
    """Index, type, TTL and data of values in JSON form."""
    made = table(["index", "type", "ttl", "data"], right=["index", "ttl"], keep=["index", "ttl"])
    for value in values:
        ttl = str(value.get("ttl", ""))
        made.add_row(*map(cell, (value["index"], value["type"], ttl, shown(value["data"]))))
    return made


def shown(data: Any) -> str:
    """The data as one line: text as it is, typed data in short."""
    if not isinstance(data, dict):
        return str(data)
    return _SHOWN.get(data.get("format", ""), _as_it_is)(data.get("value"))


def _as_it_is(value: Any) -> str:
    return str(value)


def _admin(value: dict[str, Any]) -> str:
    return f"{value['index']}:{value['handle']} may {value['permissions']}"


def _vlist(value: list[dict[str, Any]]) -> str:
    return ", ".join(f"{entry['index']}:{entry['handle']}" for entry in value)


def _key(value: dict[str, Any]) -> str:
    return f"{value.get('kty', '?')} public key"


def _site(value: dict[str, Any]) -> str:
    kind = "primary" if value["primarySite"] else "mirror"
    return f"{kind} site: " + "; ".join(map(_server, value["servers"]))


def _server(server: dict[str, Any]) -> str:
    doors = [f"{entry['protocol']} {entry['port']}" for entry in server["interfaces"]]
    return f"{server['address']} {', '.join(doors)}"


def _octets(value: str) -> str:
    """Base64, cut where it would fill the screen."""
    if len(value) <= _MAX_BASE64:
        return f"base64 {value}"
    return f"base64 {value[:_MAX_BASE64]}… (cut; --json shows all)"


_SHOWN: Final[dict[str, Callable[[Any], str]]] = {
    "admin": _admin,
    "vlist": _vlist,
    "key": _key,
    "site": _site,
    "base64": _octets,
}
