"""Parameters of HTTP requests as octets: from queries, forms and JSON bodies alike."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

from registry import json_text
from registry.errors import DecodeError

MAX_INDEX: Final = 0xFFFF_FFFF
_TRUE: Final = frozenset((b"", b"1", b"on", b"true", b"yes"))

#: Each name's values in the order given.
Params = dict[str, list[bytes]]


def read_form(text: bytes) -> Params:
    """Parameters of a query or form, percent-decoded; a bare name has the value b""."""
    params: Params = {}
    for pair in text.split(b"&"):
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        if name:
            params.setdefault(as_text(unquote_to_bytes(name)), []).append(unquote_to_bytes(value))
    return params


def read_json(body: bytes) -> Params:
    """The members of a JSON object as parameters; a list repeats, what is no scalar is left out.

    Raises DecodeError.
    """
    members = json_text.read_json(body)
    if not isinstance(members, dict):
        return {}
    params: Params = {}
    for name, given in members.items():
        listed = given if isinstance(given, list) else [given]
        params[name] = [_scalar(item) for item in listed if isinstance(item, str | int | bool)]
    return params


def _scalar(item: str | int | bool) -> bytes:
    text = item if isinstance(item, str) else str(item).lower()
    return text.encode("utf-8", "replace")


def read_index(text: bytes) -> int:
    if text.isdigit() and len(text) <= 10 and (index := int(text)) <= MAX_INDEX:
        return index
    raise DecodeError(f"index is no whole number from 0 to {MAX_INDEX}: {as_text(text[:40])!r}")


def read_count(params: Params, name: str) -> int | None:
    """A whole number from 0 on; None where it is missing or negative, which peers take for that."""
    text = params.get(name, [b"-1"])[-1]
    if text.startswith(b"-") and text[1:].isdigit():
        return None
    if text.isdigit() and len(text) <= 10:
        return int(text)
    raise DecodeError(f"{name} is no whole number: {as_text(text[:40])!r}")


def read_flag(params: Params, name: str, *, default: bool) -> bool:
    given = params.get(name)
    return given[-1].lower() in _TRUE if given else default


def as_octets(text: str) -> bytes:
    """Request targets may hold octets beyond ASCII, which servers hand on as surrogates."""
    return text.encode("utf-8", "surrogateescape")


def as_text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
