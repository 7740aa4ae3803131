"""Reading a value back from the character-strings of its TXT record (docs/dns.md)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from registry.errors import DecodeError
from registry.values.value import (
    DEFAULT_PERMISSIONS,
    DEFAULT_TTL,
    TTL_ABSOLUTE,
    TTL_RELATIVE,
    Value,
)

_U32 = 0xFFFF_FFFF


def read_txt(strings: Sequence[bytes]) -> Value:
    """The value in a TXT record: `name=octets` strings, the last of them its data (continued).

    Raises DecodeError; its offset is the number of the string at fault.
    """
    members: dict[bytes, bytes] = {}
    for number, string in enumerate(strings):
        name, equals, content = string.partition(b"=")
        if not equals:
            raise DecodeError("a string of the TXT record is no name=value", number)
        if name in (b"data", b"data64"):
            whole = b"".join((content, *strings[number + 1 :]))
            return _value(members, whole if name == b"data" else _base64(whole, number))
        members[name] = content
    raise DecodeError("the TXT record has no data", len(strings))


def _value(members: dict[bytes, bytes], data: bytes) -> Value:
    absolute = b"expires" in members
    return Value(
        index=_number(members, b"index", None),
        type=members.get(b"type", b""),
        data=data,
        ttl_type=TTL_ABSOLUTE if absolute else TTL_RELATIVE,
        ttl=_number(members, b"expires" if absolute else b"ttl", DEFAULT_TTL),
        timestamp=_number(members, b"timestamp", 0),
        permissions=_permissions(members),
    )


def _number(members: dict[bytes, bytes], name: bytes, default: int | None) -> int:
    text = members.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isdigit() or len(text) > 10 or (number := int(text)) > _U32:
        raise DecodeError(f"{name.decode()} in the TXT record is no 32-bit number")
    return number


def _permissions(members: dict[bytes, bytes]) -> int:
    text = members.get(b"permissions")
    if text is None:
        return DEFAULT_PERMISSIONS
    if len(text) != 4 or text.strip(b"01"):
        raise DecodeError("permissions in the TXT record are not four binary digits")
    return int(text, 2)


def _base64(text: bytes, number: int) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise DecodeError("data64 in the TXT record is not base64", number) from None
