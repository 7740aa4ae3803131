"""The answers to a batch: what is sent from slot i goes to where the datagram there came from."""

from __future__ import annotations

import ctypes
import struct
from array import array
from collections.abc import Sequence
from typing import Final

from resolver.transports.arrivals import Arrivals
from resolver.transports.message_vectors import Header, Iovec, column
from resolver.transports.slots import NAME, NAME_SIZES, STEP, Field, Slots

#: Octets of an answer, all its packets one after another; and of nearly all answers. Slots are
#: cleared before they are filled, which takes as long as they are.
SLOT: Final = 4096
_SHORT: Final = 1024


class _Laid:
    """Answers in slots of one length. `ids` are their fields for the id, one for each packet."""

    def __init__(self, family: int, room: int, places: Sequence[Field]) -> None:
        self._slots = slots = Slots(room)
        for message in slots.messages:
            message.header.name_size = NAME_SIZES[family]
        self.octets = slots.block.octets
        self.step = slots.step
        self.sizes = column(slots.iovecs, Iovec, Iovec.length.offset, "Q")
        self.address = ctypes.addressof(slots.messages)
        self.ids = [slots.field(place) for place in places if place.at + place.size <= room]
        self._packing: dict[int, struct.Struct] = {}

    def go_to(self, arrivals: Arrivals) -> None:
        self._slots.point(Header.name, arrivals.names, NAME)

    def fill(self, first: int, replies: Sequence[bytes], sizes: array[int]) -> None:
        count = len(replies)
        packing = self._packing.get(count)
        if packing is None:
            packing = self._packing[count] = self._packing_of(count)
        packing.pack_into(self.octets, first * self.step, *replies)
        self.sizes[first : first + count] = sizes

    def _packing_of(self, count: int) -> struct.Struct:
        room = self._slots.room
        return struct.Struct(f"{room}s{self.step - room}x" * (count - 1) + f"{room}s")


class Answers:
    """`segment` octets make a packet, where that is not 0; each has the id of the request."""

    def __init__(self, family: int, id_field: Field | None, segment: int) -> None:
        places = []
        if id_field is not None:
            starts = range(id_field.at, SLOT if segment else id_field.at + 1, segment or 1)
            places = [id_field._replace(at=at) for at in starts]
        self._segment = segment or SLOT
        self._short, self._long = _Laid(family, _SHORT, places), _Laid(family, SLOT, places)
        self._laid = self._short

    def go_to(self, arrivals: Arrivals) -> None:
        """Answer this batch from now on."""
        self._short.go_to(arrivals)
        self._long.go_to(arrivals)

    def lay_out(self, first: int, replies: Sequence[bytes], ids: memoryview | None) -> None:
        """Have these to be sent from slot `first` on, each with the id that stands there in `ids`.

        None is longer than SLOT.
        """
        sizes = array("Q", map(len, replies))
        longest = max(sizes)
        self._laid = laid = self._short if longest <= _SHORT else self._long
        laid.fill(first, replies, sizes)
        if ids is not None:
            end = first + len(replies)
            for place in laid.ids[: 1 + (longest - 1) // self._segment]:
                place[first:end] = ids[first:end]

    def message(self, slot: int) -> ctypes.c_void_p:
        """Where the kernel finds a slot and those behind it."""
        return ctypes.c_void_p(self._laid.address + slot * STEP)

    def octets(self, slot: int) -> bytes:
        """What is sent from a slot."""
        start = slot * self._laid.step
        return bytes(self._laid.octets[start : start + self._laid.sizes[slot]])
