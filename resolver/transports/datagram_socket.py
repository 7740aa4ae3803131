"""UDP sockets: how much they hold for a server that is busy, and when each datagram came."""

from __future__ import annotations

import socket
import struct
import sys
from typing import Final

#: Octets asked for. Linux grants twice that and counts 768 or more for a short datagram: room for
#: some 5,000, 30 ms of requests at 160,000 a second. What is held longer only grows old.
RECEIVE_BUFFER: Final = 1 << 21
#: Seconds after which nobody waits for an answer any more: by then clients have asked again.
DEADLINE: Final = 1.0

#: Linux's options for the size of packets: "don't fragment", and pay no heed to what routers tell.
_IP_MTU_DISCOVER: Final = 10
_IPV6_MTU_DISCOVER: Final = 23
_PROBE: Final = 3
#: Linux's SO_TIMESTAMPNS; the datagram's time comes as a struct timespec.
_SO_TIMESTAMPNS: Final = 35
_TIMESPEC: Final = struct.Struct("@ql")
#: Room for the ancillary data that `came` reads.
ANCILLARY: Final = socket.CMSG_SPACE(_TIMESPEC.size)


def bound_socket(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket that receives what is sent there, or with `shared` its share of that.

    Raises OSError if the port is taken, by others than those who share it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            _send_whole(sock)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _send_whole(sock: socket.socket) -> None:
    """Have no router cut what is sent, whatever it says of the path (RFC 9715 section 3.1)."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _PROBE)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PROBE)


def came(ancillary: list[tuple[int, int, bytes]], now: float) -> float:
    """When a datagram was taken in by the kernel (Unix seconds); `now` if that is not told."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS) and len(data) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return float(seconds + nanoseconds * 1e-9)
    return now
