"""A connected UDP socket that sends and receives many datagrams with one system call (Linux).

sendmmsg(2) and recvmmsg(2) on buffers that are laid out once: message i of a batch has slot i of
one long buffer. Per datagram nothing is left to do but to fill the slot and its length in.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from typing import Final

from resolver.transports.message_vectors import Header, Iovec, Message, column

#: Datagrams of one system call, and octets of one datagram.
BATCH: Final = 64
SLOT: Final = 2048
#: Room for the replies of a moment in which the generator is not scheduled.
_RECEIVE_BUFFER: Final = 1 << 22
_SO_MEMINFO: Final = 55
_MEMINFO: Final = struct.Struct("=9I")
_DROPS: Final = 8  # SK_MEMINFO_DROPS


class _Batch:
    """The slots of one direction, and the structures that the kernel reads of them."""

    def __init__(self) -> None:
        self.octets = bytearray(BATCH * SLOT)
        self._pinned = (ctypes.c_char * len(self.octets)).from_buffer(self.octets)
        base = ctypes.addressof(self._pinned)
        self._iovecs = (Iovec * BATCH)(*(Iovec(base + i * SLOT, SLOT) for i in range(BATCH)))
        first = ctypes.addressof(self._iovecs)
        self.messages = (Message * BATCH)(
            *(
                Message(Header(iovecs=first + i * ctypes.sizeof(Iovec), iovec_count=1))
                for i in range(BATCH)
            )
        )
        #: Octets that slot i holds: to be sent, and as received.
        self.to_send = column(self._iovecs, Iovec, Iovec.length.offset, "Q")
        self.received = column(self.messages, Message, Message.octets.offset, "I")


class BatchSocket:
    """Datagrams to and from one address.

    Fill `outgoing` (slot i begins at i * SLOT) and `lengths[i]`, then `send`. After `receive` the
    datagrams are in `incoming`, their lengths in `sizes`.
    """

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._socket.setblocking(False)
        self._socket.connect((host, port))
        self._fd = self._socket.fileno()
        libc = ctypes.CDLL(None, use_errno=True)
        self._sendmmsg, self._recvmmsg = libc.sendmmsg, libc.recvmmsg
        self._out, self._in = _Batch(), _Batch()
        self.outgoing, self.lengths = self._out.octets, self._out.to_send
        self.incoming, self.sizes = self._in.octets, self._in.received
        #: ICMP errors that the kernel handed back: nobody listens there.
        self.refused = 0

    def fileno(self) -> int:
        return self._fd

    def send(self, first: int, end: int) -> int:
        """Send slots `first` to `end`; how many went out before the socket was full."""
        message = ctypes.byref(self._out.messages, first * ctypes.sizeof(Message))
        return self._result(self._sendmmsg(self._fd, message, end - first, socket.MSG_DONTWAIT))

    def receive(self) -> int:
        """How many datagrams have come, at most BATCH."""
        return self._result(
            self._recvmmsg(self._fd, self._in.messages, BATCH, socket.MSG_DONTWAIT, None)
        )

    @property
    def drops(self) -> int:
        """Datagrams that the kernel threw away for want of room in this socket."""
        info = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        return int(_MEMINFO.unpack(info)[_DROPS])

    def close(self) -> None:
        self._socket.close()

    def _result(self, count: int) -> int:
        if count >= 0:
            return count
        code = ctypes.get_errno()
        if code == errno.ECONNREFUSED:
            self.refused += 1
        elif code not in (errno.EAGAIN, errno.EINTR, errno.ENOBUFS):
            raise OSError(code, os.strerror(code))
        return 0
