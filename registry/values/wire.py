"""Reading and writing the primitives of RFC 3652 section 2.1: big-endian integers and strings."""

from __future__ import annotations

import struct
from typing import Final

from registry.errors import DecodeError

_U16: Final = struct.Struct(">H")
_U32: Final = struct.Struct(">I")

#: Most elements an array may announce (values, references, servers…); the Java peers allow no more.
MAX_ELEMENTS: Final = 1_048_576


class WireReader:
    """A cursor over `data[offset:end]` whose steps raise `DecodeError` instead of overrunning."""

    __slots__ = ("data", "end", "offset")

    def __init__(self, data: bytes, offset: int = 0, end: int | None = None) -> None:
        self.data = data
        self.offset = offset
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        """Octets not read yet."""
        return self.end - self.offset

    def take(self, count: int, what: str) -> bytes:
        """The next `count` octets; `what` names them in the error."""
        start = self.offset
        stop = start + count
        if count < 0 or stop > self.end:
            raise DecodeError(f"{what}: {count} octets announced, {self.left} left", start)
        self.offset = stop
        return self.data[start:stop]

    def u8(self, what: str) -> int:
        return self.take(1, what)[0]

    def u16(self, what: str) -> int:
        return int(_U16.unpack(self.take(2, what))[0])

    def u32(self, what: str) -> int:
        return int(_U32.unpack(self.take(4, what))[0])

    def string(self, what: str) -> bytes:
        """A 4-octet length and that many octets."""
        return self.take(self.u32(f"{what} length"), what)

    def count(self, what: str, element_size: int) -> int:
        """A 4-octet number of elements, refused at once where that many cannot follow."""
        start = self.offset
        number = self.u32(f"{what} count")
        if number > MAX_ELEMENTS or number * element_size > self.left:
            raise DecodeError(
                f"{what}: {number} elements announced, {self.left} octets left", start
            )
        return number

    def finish(self, what: str) -> None:
        """Refuse left-over octets."""
        if self.offset != self.end:
            raise DecodeError(f"{what}: {self.left} octets left over", self.offset)


def u16(number: int) -> bytes:
    return _U16.pack(number)


def u32(number: int) -> bytes:
    return _U32.pack(number)


def string(data: bytes) -> bytes:
    """A 4-octet length and the octets."""
    return _U32.pack(len(data)) + data
