"""A batch of datagrams that came: their octets, from where, and when."""

from __future__ import annotations

import socket
import struct
from collections.abc import Hashable, Sequence
from operator import add
from typing import Any, Final

from resolver.transports.message_vectors import Header, Message, column
from resolver.transports.slots import BATCH, NAME, NAME_SIZES, Block, Field, Slots

#: Octets of a datagram that is read whole.
ROOM: Final = 4096
#: A struct cmsghdr with a struct timespec, which is when the kernel took the datagram in.
_STAMP: Final = 32
_MAX_HOSTS: Final = 4096
#: Most views of slots that are kept, one for each slot and size that came.
_MAX_VIEWS: Final = 4096
_SIZE_BITS: Final = 16
_PORT: Final = struct.Struct(">2xH")

Address = tuple[Any, ...]


class _Hosts(dict[Hashable, str]):
    """The hosts that lately sent something, by the number or numbers of their address."""

    def __init__(self, family: int) -> None:
        self._family = family
        self._packed = struct.Struct("=QQ" if family == socket.AF_INET6 else "=I")

    def __missing__(self, number: Any) -> str:
        if len(self) >= _MAX_HOSTS:
            self.clear()
        numbers = number if isinstance(number, tuple) else (number,)
        host = self[number] = socket.inet_ntop(self._family, self._packed.pack(*numbers))
        return host


class _Views(dict[int, memoryview]):
    """The first octets of slots, by slot and size: (slot << _SIZE_BITS) + size."""

    def __init__(self, slots: Slots) -> None:
        self._octets = memoryview(slots.block.octets)
        self._step = slots.step

    def __missing__(self, place: int) -> memoryview:
        if len(self) >= _MAX_VIEWS:
            self.clear()
        slot, size = divmod(place, 1 << _SIZE_BITS)
        start = slot * self._step
        # Of a datagram that did not fit there is nothing that could be used.
        view = self[place] = self._octets[start : start + size if size <= ROOM else start]
        return view


class Arrivals:
    """`count` of its slots are in use, those from `first` on are to be answered.

    Datagrams that are longer than ROOM count as empty.
    """

    def __init__(self, family: int) -> None:
        self.first = self.count = 0
        self._family = family
        self._hosts = _Hosts(family)
        self._names, self._stamps = Block(BATCH * NAME), Block(BATCH * _STAMP)
        self._slots = slots = Slots(ROOM)
        slots.point(Header.name, self._names.address, NAME)
        slots.point(Header.control, self._stamps.address, _STAMP)
        for message in slots.messages:
            message.header.name_size = NAME_SIZES[family]
            message.header.control_size = _STAMP
        self.messages = slots.messages
        self.names = self._names.address
        self._sizes = column(self.messages, Message, Message.octets.offset, "I")
        self._seconds = self._stamps.column(16, _STAMP, "Q")
        self._nanoseconds = self._stamps.column(24, _STAMP, "Q")
        if family == socket.AF_INET6:
            self._senders = [self._names.column(at, NAME, "Q") for at in (8, 16)]
        else:
            self._senders = [self._names.column(4, NAME, "I")]
        self._views = _Views(slots)
        self._columns: dict[Field, memoryview] = {}
        #: The fields that have zeros now, each with what stood there.
        self._masked: list[tuple[memoryview, memoryview]] = []

    def came(self, slot: int) -> float:
        """When the kernel took a datagram in (Unix seconds)."""
        return self._seconds[slot] + self._nanoseconds[slot] * 1e-9

    def older_than(self, moment: float) -> int:
        """How many of them, the first ones, came before a moment."""
        slots = range(self.count)
        if self.count and self.came(slots[-1]) < moment:
            return self.count
        return next((slot for slot in slots if self.came(slot) >= moment), self.count)

    # --- octets ---

    def mask(self, fields: Sequence[Field]) -> list[memoryview]:
        """Put zeros in place of these fields until `unmask`; what stood there, by field."""
        count, columns = self.count, self._columns
        self._masked = []
        for field in fields:
            place = columns.get(field)
            if place is None:
                place = columns[field] = self._slots.field(field)
            used = place[:count]
            stood = memoryview(used.tobytes()).cast(field.form)
            used[:] = _ZEROS[field.size][:count]
            self._masked.append((used, stood))
        return [stood for _, stood in self._masked]

    def unmask(self) -> None:
        """Have everything as it came."""
        for used, stood in self._masked:
            used[:] = stood
        self._masked = []

    def datagrams(self) -> list[bytes]:
        """The octets of those to be answered."""
        first, count, view = self.first, self.count, self._views.__getitem__
        places = map(add, self._sizes[first:count].tolist(), _STARTS[first:count])
        return [*map(memoryview.tobytes, map(view, places))]

    def datagram(self, slot: int) -> bytes:
        """The octets of one."""
        return self._views[_STARTS[slot] + self._sizes[slot]].tobytes()

    # --- senders ---

    def hosts(self) -> list[str]:
        """The address of each sender, without its port, of those to be answered."""
        return [*map(self._hosts.__getitem__, self._numbers())]

    def distinct_hosts(self) -> set[str]:
        """All these addresses."""
        return {*map(self._hosts.__getitem__, set(self._numbers()))}

    def address(self, slot: int) -> Address:
        """Where a datagram came from, as the functions of `socket` have it."""
        name = bytes(self._names.octets[slot * NAME : (slot + 1) * NAME])
        (port,) = _PORT.unpack_from(name)
        if self._family == socket.AF_INET:
            return (socket.inet_ntop(socket.AF_INET, name[4:8]), port)
        flow, scope = struct.unpack_from(">I", name, 4)[0], struct.unpack_from("=I", name, 24)[0]
        return (socket.inet_ntop(socket.AF_INET6, name[8:24]), port, flow, scope)

    def _numbers(self) -> list[Any]:
        columns = [column[self.first : self.count].tolist() for column in self._senders]
        return columns[0] if len(columns) == 1 else [*zip(*columns, strict=True)]


_STARTS: Final = [slot << _SIZE_BITS for slot in range(BATCH)]
_ZEROS: Final = {
    field.size: memoryview(bytes(BATCH * field.size)).cast(field.form)
    for field in (Field(0, 2), Field(0, 4))
}
