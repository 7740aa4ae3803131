"""Reading the JSON form of values: members with their type and range checked, octets in text."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from registry.errors import InvalidValue

MAX_U32: Final = 0xFFFF_FFFF
_REQUIRED: Final = object()


class Members:
    """A JSON object whose members are asked for by name.

    Every method raises InvalidValue with the path of the member (`data.value.servers[0].address`)
    as its field. A member that is missing or null yields `default`; without one it is refused.
    """

    __slots__ = ("_members", "path")

    def __init__(self, members: object, path: str = "") -> None:
        if not isinstance(members, dict):
            raise InvalidValue(f"{path or 'value'}: an object is expected", field=path or None)
        self._members = members
        self.path = path

    def at(self, name: str) -> str:
        """The path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def refuse(self, name: str, message: str) -> InvalidValue:
        """The refusal to raise over a member."""
        path = self.at(name)
        return InvalidValue(f"{path}: {message}", field=path)

    def get(self, name: str, default: object = _REQUIRED) -> object:
        """The member as it is."""
        member = self._members.get(name)
        if member is not None:
            return member
        if default is _REQUIRED:
            raise self.refuse(name, "the member is missing")
        return default

    def text(self, name: str, default: object = _REQUIRED) -> str:
        """A string that can be written in UTF-8."""
        member = self.get(name, default)
        if not isinstance(member, str):
            raise self.refuse(name, "a string is expected")
        if not member.isascii():
            try:
                member.encode()
            except UnicodeEncodeError:
                raise self.refuse(name, "a lone surrogate is no character") from None
        return member

    def number(
        self, name: str, low: int = 0, high: int = MAX_U32, default: object = _REQUIRED
    ) -> int:
        """A whole number from `low` to `high`."""
        member = self.get(name, default)
        if not isinstance(member, int) or isinstance(member, bool):
            raise self.refuse(name, "a whole number is expected")
        if not low <= member <= high:
            raise self.refuse(name, f"a number from {low} to {high} is expected")
        return member

    def flag(self, name: str, default: object = _REQUIRED) -> bool:
        """true or false."""
        member = self.get(name, default)
        if not isinstance(member, bool):
            raise self.refuse(name, "true or false is expected")
        return member

    def objects(self, name: str, default: object = _REQUIRED) -> list[Members]:
        """A list of objects."""
        return read_objects(self.get(name, default), self.at(name))


def read_objects(members: object, path: str) -> list[Members]:
    """A JSON list of objects that lies at `path`. Raises InvalidValue."""
    if not isinstance(members, list):
        raise InvalidValue(f"{path}: a list is expected", field=path)
    return [Members(member, f"{path}[{place}]") for place, member in enumerate(members)]


def octets_from_base64(text: str) -> bytes:
    """Octets from either alphabet of RFC 4648, with or without padding. Raises ValueError."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    return binascii.a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)


def octets_to_base64(octets: bytes) -> str:
    """The padded form with the alphabet of RFC 4648 section 4."""
    return base64.b64encode(octets).decode("ascii")
