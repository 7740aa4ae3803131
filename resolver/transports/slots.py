"""The memory of batches: a slot for each datagram of a system call, laid out once.

The kernel reads and writes it in place: recvmmsg(2), sendmmsg(2).
"""

from __future__ import annotations

import ctypes
import socket
import struct
from typing import Any, Final, Literal, NamedTuple

from resolver.transports.message_vectors import Header, Iovec, Message, column

#: Datagrams of one system call.
BATCH: Final = 64
#: From one message to the next, and from one address to the next: room for a sockaddr_in6.
STEP: Final = ctypes.sizeof(Message)
NAME: Final = 32
NAME_SIZES: Final[dict[int, int]] = {socket.AF_INET: 16, socket.AF_INET6: 28}
#: Octets between slots. Where slots are a power of two apart, a processor's cache has the same few
#: places for the beginnings of all of them.
_GAP: Final = 64
_FORMS: Final[dict[int, Literal["H", "I"]]] = {2: "H", 4: "I"}


class Field(NamedTuple):
    """Some octets of a datagram: 2 or 4 of them, at a multiple of that."""

    at: int
    size: Literal[2, 4]

    @property
    def form(self) -> Literal["H", "I"]:
        """The code of `struct` for it."""
        return _FORMS[self.size]


class Block:
    """Zeroed memory that stays where it is."""

    def __init__(self, size: int) -> None:
        self.octets = bytearray(size)
        self._pinned = (ctypes.c_char * size).from_buffer(self.octets)
        self.address = ctypes.addressof(self._pinned)

    def column(self, at: int, step: int, form: Literal["H", "I", "Q"]) -> memoryview:
        """The integers at `at` in every `step` octets."""
        width = struct.calcsize(form)
        return memoryview(self.octets).cast(form)[at // width :: step // width]


class Slots:
    """A slot of `room` octets for each message of a batch, and what the kernel reads of them.

    Slot i begins at i * `step`.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.step = room + _GAP
        self.block = Block(BATCH * self.step)
        base = self.block.address
        self.iovecs = (Iovec * BATCH)(*(Iovec(base + i * self.step, room) for i in _EACH))
        first = ctypes.addressof(self.iovecs)
        heads = (Header(iovecs=first + i * ctypes.sizeof(Iovec), iovec_count=1) for i in _EACH)
        self.messages = (Message * BATCH)(*map(Message, heads))

    def point(self, pointer: Any, base: int, step: int) -> None:
        """Have a pointer of each header point into other memory."""
        pointers = column(self.messages, Message, pointer.offset, "Q")
        for i in _EACH:
            pointers[i] = base + i * step

    def field(self, field: Field) -> memoryview:
        """One field of all slots as a sequence of integers."""
        return self.block.column(field.at, self.step, field.form)


_EACH: Final = range(BATCH)
