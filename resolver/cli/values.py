"""A value's data on one line that a person can read, from its JSON form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from rich.table import Table

from resolver.cli.output import cell, table

_MAX_BASE64: Final = 120
#: Types whose data is base64 that nobody reads.
_SIGNED_TYPES: Final = ("HS_SIGNATURE", "HS_CERT")
_COLUMNS: Final = ("index", "type", "ttl", "data")
_RIGHT: Final = ("index", "ttl")


def values_table(values: Iterable[dict[str, Any]]) -> Table:
    """Index, type, TTL and data of values in JSON form."""
    made = table(_COLUMNS, right=_RIGHT, keep=_RIGHT)
    for value in values:
        made.add_row(*map(cell, _row(value)))
    return made


def verified_table(values: Iterable[dict[str, Any]], verdicts: Mapping[int, str]) -> Table:
    """The same with a verdict by each value; those that are missing follow."""
    made = table([*_COLUMNS[:-1], "trust", _COLUMNS[-1]], right=_RIGHT, keep=[*_RIGHT, "trust"])
    for value in values:
        *columns, data = _row(value)
        made.add_row(*map(cell, (*columns, verdicts.get(value["index"], "-"), data)))
    for index, verdict in verdicts.items():
        if verdict == "missing":
            made.add_row(*map(cell, (index, "-", "-", verdict, "-")))
    return made


def _row(value: dict[str, Any]) -> tuple[object, ...]:
    data = shown(value["data"])
    if value["type"].upper() in _SIGNED_TYPES and len(data) > _MAX_BASE64:
        data = f"{data[:_MAX_BASE64]}… (cut; --json shows all)"
    return value["index"], value["type"], value.get("ttl", ""), data


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
