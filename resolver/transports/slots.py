"""The memory of batches: a slot for each datagram that comes, and one for the answer to each.

All is laid out once, and the kernel reads and writes it in place: recvmmsg(2), sendmmsg(2).
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

from resolver.transports.message_vectors import Header, Iovec, Message, column

#: Datagrams of one system call; octets of one that comes, and of one that goes.
BATCH: Final = 64
ROOM: Final = 4096
SLOT: Final = 4096

#: From one message to the next.
STEP: Final = ctypes.sizeof(Message)
_NAME: Final = 32  # room for a sockaddr_in6
_NAME_SIZES: Final[dict[int, int]] = {socket.AF_INET: 16, socket.AF_INET6: 28}
_PORT: Final = struct.Struct(">2xH")
#: A struct cmsghdr with a struct timespec, which is when the kernel took the datagram in.
_STAMP: Final = 32
_MAX_HOSTS: Final = 4096
_FORMS: Final[dict[int, Literal["H", "I"]]] = {2: "H", 4: "I"}
_ZEROS: Final = {size: memoryview(bytes(BATCH * size)).cast(form) for size, form in _FORMS.items()}

Address = tuple[Any, ...]


class Field(NamedTuple):
    """Some octets of a datagram: 2 or 4 of them, at a multiple of that."""

    at: int
    size: Literal[2, 4]


class _Block:
    """Zeroed memory that stays where it is."""

    def __init__(self, size: int) -> None:
        self.octets = bytearray(size)
        self._pinned = (ctypes.c_char * size).from_buffer(self.octets)
        self.address = ctypes.addressof(self._pinned)

    def column(self, at: int, step: int, form: Literal["H", "I", "Q"]) -> memoryview:
        """The integers at `at` in every `step` octets."""
        width = struct.calcsize(form)
        return memoryview(self.octets).cast(form)[at // width :: step // width]


class _Vectors:
    """A slot of `size` octets for each message of a batch, and what the kernel reads of them."""

    def __init__(self, size: int) -> None:
        self.block = _Block(BATCH * size)
        base = self.block.address
        self.iovecs = (Iovec * BATCH)(*(Iovec(base + i * size, size) for i in range(BATCH)))
        first = ctypes.addressof(self.iovecs)
        heads = (Header(iovecs=first + i * ctypes.sizeof(Iovec), iovec_count=1) for i in _EACH)
        self.messages = (Message * BATCH)(*map(Message, heads))
        self._size = size

    def set(self, field: Any, base: int, step: int) -> None:
        """Have a pointer of each header point into other memory."""
        pointers = column(self.messages, Message, field.offset, "Q")
        for i in _EACH:
            pointers[i] = base + i * step

    def field(self, field: Field) -> memoryview:
        """One field of all slots as a sequence of integers."""
        return self.block.column(field.at, self._size, _FORMS[field.size])


_EACH: Final = range(BATCH)


class _Hosts(dict[int, str]):
    """The hosts that lately sent something, by the number that stands for their address."""

    def __init__(self, family: int) -> None:
        self._family = family
        self._size = 16 if family == socket.AF_INET6 else 4

    def __missing__(self, number: int) -> str:
        if len(self) >= _MAX_HOSTS:
            self.clear()
        packed = number.to_bytes(self._size, sys.byteorder)
        host = self[number] = socket.inet_ntop(self._family, packed)
        return host


class Arrivals:
    """A batch of datagrams: what came, from where, and when. `count` of its slots are in use."""

    def __init__(self, family: int) -> None:
        self.count = 0
        self._ipv6 = family == socket.AF_INET6
        self._hosts = _Hosts(family)
        self._names, self._stamps = _Block(BATCH * _NAME), _Block(BATCH * _STAMP)
        self._vectors = vectors = _Vectors(ROOM)
        vectors.set(Header.name, self._names.address, _NAME)
        vectors.set(Header.control, self._stamps.address, _STAMP)
        for message in vectors.messages:
            message.header.name_size = _NAME_SIZES[family]
            message.header.control_size = _STAMP
        self.messages = vectors.messages
        self.names = self._names.address
        self._octets = vectors.block.octets
        self._sizes = column(self.messages, Message, Message.octets.offset, "I")
        self._seconds = self._stamps.column(16, _STAMP, "Q")
        self._nanoseconds = self._stamps.column(24, _STAMP, "Q")
        self._senders = self._names.column(4, _NAME, "I")
        self._fields: dict[tuple[Field, ...], list[memoryview]] = {}

    def came(self, slot: int) -> float:
        """When the kernel took a datagram in (Unix seconds)."""
        return self._seconds[slot] + self._nanoseconds[slot] * 1e-9

    def older_than(self, moment: float) -> int:
        """How many of them, the first ones, came before a moment."""
        slots = range(self.count)
        if self.count and self.came(slots[-1]) < moment:
            return self.count
        return next((slot for slot in slots if self.came(slot) >= moment), self.count)

    def fields(self, fields: tuple[Field, ...]) -> list[memoryview]:
        """Each of these fields, of all slots, as a sequence of integers."""
        found = self._fields.get(fields)
        if found is None:
            found = self._fields[fields] = [self._vectors.field(field) for field in fields]
        return found

    def masked(self, fields: tuple[Field, ...]) -> list[bytes]:
        """The datagrams with zeros for these fields; nothing of one that is longer than ROOM."""
        masks, count = self.fields(fields), self.count
        whole = [mask[:count].tobytes() for mask in masks]
        for mask in masks:
            mask[:count] = _ZEROS[mask.itemsize][:count]
        octets = memoryview(self._octets)
        sizes = self._sizes[:count].tolist()
        datagrams = [
            bytes(octets[start : start + size]) if size <= ROOM else b""
            for start, size in zip(range(0, count * ROOM, ROOM), sizes, strict=True)
        ]
        for mask, kept in zip(masks, whole, strict=True):
            mask[:count] = memoryview(kept).cast("B").cast(_FORMS[mask.itemsize])
        return datagrams

    def datagram(self, slot: int) -> bytes:
        """A datagram as it came; nothing of one that is longer than ROOM."""
        start, size = slot * ROOM, self._sizes[slot]
        return bytes(self._octets[start : start + size]) if size <= ROOM else b""

    def hosts(self) -> list[str]:
        """The address of each sender, without its port."""
        count = self.count
        if not self._ipv6:
            return [*map(self._hosts.__getitem__, self._senders[:count].tolist())]
        names, hosts = bytes(self._names.octets), self._hosts
        order: Literal["little", "big"] = sys.byteorder
        starts = range(8, count * _NAME, _NAME)
        return [hosts[int.from_bytes(names[at : at + 16], order)] for at in starts]

    def address(self, slot: int) -> Address:
        """Where a datagram came from, as the functions of `socket` have it."""
        name = bytes(self._names.octets[slot * _NAME : (slot + 1) * _NAME])
        (port,) = _PORT.unpack_from(name)
        if not self._ipv6:
            return (socket.inet_ntop(socket.AF_INET, name[4:8]), port)
        host = socket.inet_ntop(socket.AF_INET6, name[8:24])
        flow, scope = int.from_bytes(name[4:8], "big"), int.from_bytes(name[24:28], sys.byteorder)
        return (host, port, flow, scope)


class Answers:
    """The answers to a batch: what is sent from slot i goes to where the datagram there came from.

    `sizes` are the octets in each slot of `octets`, where slot i begins at i * SLOT.
    """

    def __init__(self, family: int) -> None:
        self._vectors = vectors = _Vectors(SLOT)
        for message in vectors.messages:
            message.header.name_size = _NAME_SIZES[family]
        self.octets = vectors.block.octets
        self.sizes = column(vectors.iovecs, Iovec, Iovec.length.offset, "Q")
        self.first = ctypes.addressof(vectors.messages)

    def go_to(self, arrivals: Arrivals) -> None:
        """Answer this batch from now on."""
        self._vectors.set(Header.name, arrivals.names, _NAME)

    def fields(self, fields: Sequence[Field]) -> list[memoryview]:
        """Each of these fields, of all slots, as a sequence of integers."""
        return [self._vectors.field(field) for field in fields]
