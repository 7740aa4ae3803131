"""Holding datagrams of some sources back in the kernel, where that costs next to nothing.

A classic BPF program on the socket (SO_ATTACH_FILTER, Linux) lets a share of a source's datagrams
in, by chance, and counts the others among those that found no room.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Iterator, Mapping
from typing import Final

_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
#: struct sock_filter: operation, jumps if true and if false, operand.
_INSTRUCTION: Final = struct.Struct("=HBBI")
_LOAD, _EQUAL, _GREATER, _RETURN = 0x20, 0x15, 0x25, 0x06
#: Addresses of words that are not in the UDP datagram: its IP header, and a random number.
_NETWORK: Final = 0x1_0000_0000 - 0x100000
_RANDOM: Final = 0x1_0000_0000 - 0x1000 + 56
#: Where an IP header has the source's address, by the length of that.
_SOURCE_AT: Final = {4: 12, 16: 8}
_ALL: Final = 0xFFFFFFFF
_LET_IN, _KEEP_OUT = _INSTRUCTION.pack(_RETURN, 0, 0, _ALL), _INSTRUCTION.pack(_RETURN, 0, 0, 0)


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def hold_back(sock: socket.socket, shares: Mapping[str, float]) -> None:
    """Let in only that share (0 to 1) of the datagrams of each of these hosts, all of the others'.

    Raises OSError if the kernel will not.
    """
    if not shares:
        sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        return
    instructions = [*(each for one in shares.items() for each in _thinned(*one)), _LET_IN]
    program = _Program(len(instructions), b"".join(instructions))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, bytes(program))


def _thinned(host: str, share: float) -> Iterator[bytes]:
    """What is done to datagrams of a host; those of others get to what comes next."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    packed = socket.inet_pton(family, host)
    left = 2 * (len(packed) // 4) + 4
    for at in range(0, len(packed), 4):
        left -= 2
        yield _INSTRUCTION.pack(_LOAD, 0, 0, _NETWORK + _SOURCE_AT[len(packed)] + at)
        yield _INSTRUCTION.pack(_EQUAL, 0, left, int.from_bytes(packed[at : at + 4], "big"))
    yield _INSTRUCTION.pack(_LOAD, 0, 0, _RANDOM)
    yield _INSTRUCTION.pack(_GREATER, 1, 0, min(_ALL, int(share * _ALL)))
    yield _LET_IN
    yield _KEEP_OUT
