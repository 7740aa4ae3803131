"""HS_PUBKEY: public keys as numbers, in the Handle binary form and in a JSON form like RFC 7517.

The binary form: name string, 2 zero octets, then the numbers, each a length and a big-endian
integer with a leading zero octet where its highest bit is set. RSA keys end with an empty string.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from registry.errors import DecodeError
from registry.values.json_members import Members, octets_from_base64, octets_to_base64
from registry.values.wire import WireReader, string


class _Layout(NamedTuple):
    """How keys of one type are written: members in their order, octets after them."""

    name: bytes
    wire: tuple[str, ...]
    json: tuple[str, ...]
    tail: bytes


_LAYOUTS: Final[dict[str, _Layout]] = {
    "RSA": _Layout(b"RSA_PUB_KEY", ("e", "n"), ("n", "e"), bytes(4)),
    "DSA": _Layout(b"DSA_PUB_KEY", ("q", "p", "g", "y"), ("y", "p", "q", "g"), b""),
    "DH": _Layout(b"DH_PUB_KEY", ("y", "p", "g"), ("y", "p", "g"), b""),
}
_TYPE_OF_NAME: Final = {layout.name: kty for kty, layout in _LAYOUTS.items()}
_RESERVED: Final = bytes(2)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: `kty` is RSA (numbers n, e), DSA (y, p, q, g) or DH (y, p, g)."""

    kty: str
    numbers: Mapping[str, int]


def write_number(number: int) -> bytes:
    """A number from 0 up as a length and octets whose highest bit is clear."""
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))


def read_number(reader: WireReader, what: str) -> int:
    """A number as `write_number` makes it; leading zeros do not matter. Raises DecodeError."""
    return int.from_bytes(reader.string(what), "big")


def encode_public_key(key: PublicKey) -> bytes:
    """The data of an HS_PUBKEY value."""
    layout = _LAYOUTS[key.kty]
    numbers = b"".join(write_number(key.numbers[member]) for member in layout.wire)
    return string(layout.name) + _RESERVED + numbers + layout.tail


def decode_public_key(data: bytes) -> PublicKey:
    """The key in the data of an HS_PUBKEY value. Raises DecodeError.

    The empty string at the end of an RSA key may be missing; other left-over octets are refused.
    """
    reader = WireReader(data)
    name = reader.string("key type")
    kty = _TYPE_OF_NAME.get(name)
    if kty is None:
        raise DecodeError(f"key type {name[:40]!r} is not known", 4)
    reader.take(len(_RESERVED), "key flags")
    layout = _LAYOUTS[kty]
    numbers = {member: read_number(reader, f"key member {member}") for member in layout.wire}
    if layout.tail and data.endswith(layout.tail, reader.offset):
        reader.take(len(layout.tail), "end of key")
    reader.finish("key")
    return PublicKey(kty, numbers)


def public_key_to_json(key: PublicKey) -> dict[str, object]:
    """`kty` and the numbers in base64url without padding."""
    form: dict[str, object] = {"kty": key.kty}
    for member in _LAYOUTS[key.kty].json:
        number = key.numbers[member]
        octets = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
        form[member] = octets_to_base64(octets).rstrip("=").replace("+", "-").replace("/", "_")
    return form


def public_key_from_json(members: Members) -> PublicKey:
    """The key in a JSON form. Raises InvalidValue."""
    kty = members.text("kty").upper()
    if kty not in _LAYOUTS:
        raise members.refuse("kty", f"one of {', '.join(_LAYOUTS)} is expected")
    return PublicKey(
        kty, {member: _number_from_json(members, member) for member in _LAYOUTS[kty].wire}
    )


def _number_from_json(members: Members, member: str) -> int:
    try:
        return int.from_bytes(octets_from_base64(members.text(member)), "big")
    except ValueError:
        raise members.refuse(member, "not base64url") from None
