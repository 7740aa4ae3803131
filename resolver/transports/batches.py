"""Many datagrams with one system call: recvmmsg(2) and sendmmsg(2) on Linux.

The buffers are laid out once. Message i of a batch is in slot i, and what is sent from slot i goes
to where the message in slot i came from: addresses are never touched unless somebody asks.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
import threading
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

from resolver.transports.message_vectors import Header, Iovec, Message, column

AVAILABLE: Final = sys.platform == "linux"
#: Datagrams of one system call; octets of one that comes, and of one that goes.
BATCH: Final = 64
ROOM: Final = 4096
SLOT: Final = 4096

_NAME: Final = 32  # room for a sockaddr_in6
_NAME_SIZES: Final[dict[int, int]] = {socket.AF_INET: 16, socket.AF_INET6: 28}
_PORT: Final = struct.Struct(">2xH")
_UDP_SEGMENT: Final = 103
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("=9I")
_DROPS: Final = 8  # SK_MEMINFO_DROPS
_MAX_NAMES: Final = 4096
_FORMS: Final[dict[int, Literal["H", "I"]]] = {2: "H", 4: "I"}
_ZEROS: Final = {size: memoryview(bytes(BATCH * size)).cast(form) for size, form in _FORMS.items()}

Address = tuple[Any, ...]


_STEP: Final = ctypes.sizeof(Message)


class _Direction:
    """The slots of one direction, and the structures that the kernel reads of them."""

    def __init__(self, slot: int, names: int, name_size: int) -> None:
        self.octets = bytearray(BATCH * slot)
        self._pinned = (ctypes.c_char * len(self.octets)).from_buffer(self.octets)
        base = ctypes.addressof(self._pinned)
        self._iovecs = (Iovec * BATCH)(*(Iovec(base + i * slot, slot) for i in range(BATCH)))
        first = ctypes.addressof(self._iovecs)
        headers = (
            Header(names + i * _NAME, name_size, first + i * ctypes.sizeof(Iovec), 1)
            for i in range(BATCH)
        )
        self.messages = (Message * BATCH)(*map(Message, headers))
        self.first = ctypes.addressof(self.messages)
        self._slot = slot
        #: Octets to send from slot i, and received into it.
        self.to_send = column(self._iovecs, Iovec, Iovec.length.offset, "Q")
        self.received = column(self.messages, Message, Message.octets.offset, "I")

    def fields(self, field: Field) -> memoryview:
        """One field of all slots as a sequence of integers."""
        numbers = memoryview(self.octets).cast(_FORMS[field.size])
        return numbers[field.at // field.size :: self._slot // field.size]

    def taken(self, count: int) -> list[bytes]:
        """The octets in the first slots; of what did not fit into one, nothing."""
        slot, octets = self._slot, memoryview(self.octets)
        sizes = self.received[:count].tolist()
        return [
            bytes(octets[start : start + size]) if size <= slot else b""
            for start, size in zip(range(0, count * slot, slot), sizes, strict=True)
        ]


class _Buffers:
    """The buffers for sockets of one address family."""

    def __init__(self, family: int) -> None:
        self.names = bytearray(BATCH * _NAME)
        self._pinned = (ctypes.c_char * len(self.names)).from_buffer(self.names)
        self.senders = memoryview(self.names).cast("I")[1 :: _NAME // 4]
        names, size = ctypes.addressof(self._pinned), _NAME_SIZES[family]
        self.incoming = _Direction(ROOM, names, size)
        self.outgoing = _Direction(SLOT, names, size)


class _Shared(threading.local):
    """A thread serves one socket at a time, so that all of its sockets use the same buffers."""

    def __init__(self) -> None:
        self._of: dict[int, _Buffers] = {}

    def of(self, family: int) -> _Buffers:
        if family not in self._of:
            self._of[family] = _Buffers(family)
        return self._of[family]


_shared: Final = _Shared()


class Field(NamedTuple):
    """Some octets of a datagram: 2 or 4 of them, at a multiple of that."""

    at: int
    size: Literal[2, 4]


class _Hosts(dict[int, str]):
    """The hosts that lately sent something, by the number that stands for their address."""

    def __init__(self, family: int) -> None:
        self._family = family
        self._size = 16 if family == socket.AF_INET6 else 4

    def __missing__(self, number: int) -> str:
        if len(self) >= _MAX_NAMES:
            self.clear()
        packed = number.to_bytes(self._size, sys.byteorder)
        host = self[number] = socket.inet_ntop(self._family, packed)
        return host


class BatchSocket:
    """A bound socket. After `receive` everything is about the datagrams of that batch.

    `masked` are the fields in which repeats of a request differ, the first is its id. What is
    longer than `segment`, where that is not 0, goes out as datagrams of that size and a last
    shorter one.
    """

    def __init__(
        self, bound: socket.socket, masked: Sequence[Field] = (), segment: int = 0
    ) -> None:
        self._socket = bound
        self._fd = bound.fileno()
        self._buffers = buffers = _shared.of(bound.family)
        self._hosts = _Hosts(bound.family)
        self._ipv6 = bound.family == socket.AF_INET6
        libc = ctypes.CDLL(None, use_errno=True)
        self._recvmmsg, self._sendmmsg = libc.recvmmsg, libc.sendmmsg
        self.outgoing = buffers.outgoing.octets
        #: Octets of the answer in each slot of `outgoing`; slot i begins at i * SLOT.
        self.sizes = buffers.outgoing.to_send
        self.segment = segment if segment and self._segments(segment) else 0
        self._masks = [buffers.incoming.fields(field) for field in masked]
        ids = [Field(at, masked[0].size) for at in self._places(masked)] if masked else []
        self._ids = [buffers.outgoing.fields(field) for field in ids]

    def _places(self, masked: Sequence[Field]) -> range:
        """Where the packets of an answer have the id."""
        return range(masked[0].at, SLOT if self.segment else masked[0].at + 1, self.segment or 1)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def fileno(self) -> int:
        return self._fd

    def receive(self) -> int:
        """How many datagrams have come, at most BATCH."""
        incoming = self._buffers.incoming
        flags = socket.MSG_DONTWAIT | socket.MSG_TRUNC
        count = self._recvmmsg(self._fd, incoming.messages, BATCH, flags, None)
        if count >= 0:
            return int(count)
        code = ctypes.get_errno()
        # Connections are not, so that the only other errors are those of the program itself.
        if code not in (errno.EAGAIN, errno.EINTR, errno.ECONNREFUSED):
            raise OSError(code, os.strerror(code))
        return 0

    def masked(self, count: int) -> list[bytes]:
        """The datagrams with zeros for what is masked."""
        whole = [mask[:count].tobytes() for mask in self._masks]
        for mask in self._masks:
            mask[:count] = _ZEROS[mask.itemsize][:count]
        datagrams = self._buffers.incoming.taken(count)
        for mask, octets in zip(self._masks, whole, strict=True):
            mask[:count] = memoryview(octets).cast("B").cast(_FORMS[mask.itemsize])
        return datagrams

    def datagram(self, slot: int) -> bytes:
        """A datagram as it came; nothing of one that is longer than ROOM."""
        incoming = self._buffers.incoming
        start, size = slot * ROOM, incoming.received[slot]
        return bytes(incoming.octets[start : start + size]) if size <= ROOM else b""

    def set_ids(self, count: int) -> None:
        """Give the answers in the first slots, in all their packets, the ids of their requests."""
        if self._masks:
            asked = self._masks[0][:count]
            for ids in self._ids[: 1 + max(self.sizes[:count]) // (self.segment or SLOT)]:
                ids[:count] = asked

    def hosts(self, count: int) -> list[str]:
        """The address of each sender, without its port."""
        if not self._ipv6:
            return [*map(self._hosts.__getitem__, self._buffers.senders[:count].tolist())]
        names, hosts = bytes(self._buffers.names), self._hosts
        order: Literal["little", "big"] = sys.byteorder
        starts = range(8, count * _NAME, _NAME)
        return [hosts[int.from_bytes(names[at : at + 16], order)] for at in starts]

    def address(self, slot: int) -> Address:
        """Where a datagram came from, as the functions of `socket` have it."""
        name = bytes(self._buffers.names[slot * _NAME : (slot + 1) * _NAME])
        (port,) = _PORT.unpack_from(name)
        if not self._ipv6:
            return (socket.inet_ntop(socket.AF_INET, name[4:8]), port)
        host = socket.inet_ntop(socket.AF_INET6, name[8:24])
        flow, scope = int.from_bytes(name[4:8], "big"), int.from_bytes(name[24:28], sys.byteorder)
        return (host, port, flow, scope)

    def send(self, first: int, end: int) -> int:
        """Send slots `first` to `end`; how many of them could not be sent."""
        failed = 0
        start = self._buffers.outgoing.first
        while first < end:
            at = ctypes.c_void_p(start + first * _STEP)
            sent = self._sendmmsg(self._fd, at, end - first, socket.MSG_DONTWAIT)
            if sent <= 0:
                failed += not self._send_cut(first)
                sent = 1
            first += sent
        return failed

    def _send_cut(self, slot: int) -> bool:
        """Send a slot in datagrams of its own: not every way out lets the kernel cut one."""
        start, size = slot * SLOT, self.sizes[slot]
        if not self.segment or size <= self.segment:
            return False
        octets, address = bytes(self.outgoing[start : start + size]), self.address(slot)
        pieces = [octets[at : at + self.segment] for at in range(0, size, self.segment)]
        return sum(self.send_to(piece, address) for piece in pieces) == len(pieces)

    @property
    def lost(self) -> int:
        """Datagrams that came and found no room in this socket."""
        info = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        return int(_MEMINFO.unpack(info)[_DROPS])

    def send_to(self, packet: bytes, address: Address) -> bool:
        """Send one datagram to anywhere; whether that could be done."""
        try:
            self._socket.sendto(packet, socket.MSG_DONTWAIT, address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()

    def _segments(self, size: int) -> bool:
        """Have the kernel cut what is longer (UDP_SEGMENT); whether it will."""
        try:
            self._socket.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, size)
        except OSError:
            return False
        return True
