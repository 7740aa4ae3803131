"""Many datagrams with one system call: recvmmsg(2) and sendmmsg(2) on Linux."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from resolver.transports.answers import Answers
from resolver.transports.arrivals import Address, Arrivals
from resolver.transports.slots import BATCH, Field
from resolver.transports.source_filter import hold_back

AVAILABLE: Final = sys.platform == "linux"

#: Batches that are kept for the next time that one has to be set aside.
_MAX_SPARE: Final = 32
_UDP_SEGMENT: Final = 103
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("=9I")
#: SK_MEMINFO_RMEM_ALLOC, …_RCVBUF and …_DROPS.
_HELD, _ROOM, _DROPS = 0, 1, 8


class _Kind(NamedTuple):
    """What the memory for a socket depends on."""

    family: int
    id_field: Field | None
    segment: int


class _Memory:
    """The slots for sockets of one kind: a batch, the answers to it, batches to spare."""

    def __init__(self, kind: _Kind) -> None:
        self._family = kind.family
        self._spare: list[Arrivals] = []
        self.batch = Arrivals(kind.family)
        self.answers = Answers(*kind)
        self.answers.go_to(self.batch)

    def set_aside(self) -> Arrivals:
        """Have the next batch come into other memory than the last one, which is returned."""
        batch = self.batch
        self._use(self._spare.pop() if self._spare else Arrivals(self._family))
        return batch

    def take_up(self, batch: Arrivals) -> None:
        """Have a batch that was set aside in hand again."""
        self.release(self.batch)
        self._use(batch)

    def release(self, batch: Arrivals) -> None:
        """Forget a batch that was set aside."""
        if len(self._spare) < _MAX_SPARE:
            self._spare.append(batch)

    def _use(self, batch: Arrivals) -> None:
        self.batch = batch
        self.answers.go_to(batch)


class _Shared(threading.local):
    """A thread serves one socket at a time, so that those of one kind use the same memory."""

    def __init__(self) -> None:
        self._of: dict[_Kind, _Memory] = {}

    def of(self, kind: _Kind) -> _Memory:
        if kind not in self._of:
            self._of[kind] = _Memory(kind)
        return self._of[kind]


_shared: Final = _Shared()


class BatchSocket:
    """A socket as `datagram_socket` makes it. After `receive` all is about its `batch`.

    `masked` are the fields in which repeats of a request differ, the first is its id. What is
    longer than `segment`, where that is not 0, goes out as datagrams of that size and a last
    shorter one.
    """

    def __init__(
        self, bound: socket.socket, masked: Sequence[Field] = (), segment: int = 0
    ) -> None:
        self._socket = bound
        self._fd = bound.fileno()
        libc = ctypes.CDLL(None, use_errno=True)
        self._recvmmsg, self._sendmmsg = libc.recvmmsg, libc.sendmmsg
        self.segment = segment if segment and self._segments(segment) else 0
        self._masked = tuple(masked)
        id_field = masked[0] if masked else None
        self._memory = _shared.of(_Kind(bound.family, id_field, self.segment))
        #: The ids of the batch in hand, once it is masked.
        self._ids: memoryview | None = None

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def batch(self) -> Arrivals:
        """The datagrams in hand."""
        return self._memory.batch

    def fileno(self) -> int:
        return self._fd

    def receive(self) -> int:
        """How many datagrams have come, at most BATCH."""
        batch = self._memory.batch
        flags = socket.MSG_DONTWAIT | socket.MSG_TRUNC
        count = self._recvmmsg(self._fd, batch.messages, BATCH, flags, None)
        if count < 0:
            code = ctypes.get_errno()
            # Connections are not, so that the only other errors are those of the program itself.
            if code not in (errno.EAGAIN, errno.EINTR, errno.ECONNREFUSED):
                raise OSError(code, os.strerror(code))
            count = 0
        batch.first, batch.count = 0, count
        return int(count)

    def set_aside(self) -> Arrivals:
        """The batch in hand, which stays as it is until it is taken up or released."""
        return self._memory.set_aside()

    def take_up(self, batch: Arrivals) -> None:
        """Have a batch in hand again that was set aside."""
        self._memory.take_up(batch)

    def release(self, batch: Arrivals) -> None:
        """A batch that was set aside is not needed."""
        self._memory.release(batch)

    def masked(self) -> list[bytes]:
        """The datagrams to be answered, with zeros for what is masked. The batch stays masked."""
        batch = self.batch
        stood = batch.mask(self._masked)
        self._ids = stood[0] if stood else None
        return batch.datagrams()

    def lay_out(self, replies: Sequence[bytes]) -> None:
        """Make ready the answers to a batch that was masked: empty where there is none."""
        self._memory.answers.lay_out(self.batch.first, replies, self._ids)

    def send(self, first: int, end: int) -> int:
        """Send slots `first` to `end`; how many of them could not be sent."""
        failed = 0
        answers = self._memory.answers
        while first < end:
            at = answers.message(first)
            sent = self._sendmmsg(self._fd, at, end - first, socket.MSG_DONTWAIT)
            if sent <= 0:
                failed += not self._send_cut(first)
                sent = 1
            first += sent
        return failed

    def _send_cut(self, slot: int) -> bool:
        """Send a slot in datagrams of its own: not every way out lets the kernel cut one."""
        octets, address = self._memory.answers.octets(slot), self.batch.address(slot)
        if not self.segment or len(octets) <= self.segment:
            return False
        pieces = [octets[at : at + self.segment] for at in range(0, len(octets), self.segment)]
        return sum(self.send_to(piece, address) for piece in pieces) == len(pieces)

    @property
    def lost(self) -> int:
        """Datagrams that were not let in: there was no room, or they were held back."""
        return self._memory_info()[_DROPS]

    @property
    def fill(self) -> float:
        """How much of its room is taken by what it holds."""
        info = self._memory_info()
        return info[_HELD] / info[_ROOM]

    def _memory_info(self) -> tuple[int, ...]:
        info = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        return _MEMINFO.unpack(info)

    def send_to(self, packet: bytes, address: Address) -> bool:
        """Send one datagram to anywhere; whether that could be done."""
        try:
            self._socket.sendto(packet, socket.MSG_DONTWAIT, address)
        except OSError:
            return False
        return True

    def resize(self, octets: int) -> None:
        """Hold no more than that in the kernel."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)

    def hold_back(self, shares: Mapping[str, float]) -> None:
        """Let in only that share of what these hosts send. Raises OSError."""
        hold_back(self._socket, shares)

    def close(self) -> None:
        self._socket.close()

    def _segments(self, size: int) -> bool:
        """Have the kernel cut what is longer (UDP_SEGMENT); whether it will."""
        try:
            self._socket.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, size)
        except OSError:
            return False
        return True
