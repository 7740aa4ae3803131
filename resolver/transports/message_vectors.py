"""The structures of recvmmsg(2) and sendmmsg(2), for whoever sends and receives in batches."""

from __future__ import annotations

import ctypes
import struct
from typing import Any, Literal


class Iovec(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_uint64))


class Header(ctypes.Structure):
    """struct msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("iovecs", ctypes.c_void_p),
        ("iovec_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class Message(ctypes.Structure):
    """struct mmsghdr: a header and the number of octets received."""

    _fields_ = (("header", Header), ("octets", ctypes.c_uint32))


def column(
    array: Any, record: type[ctypes.Structure], offset: int, form: Literal["I", "Q"]
) -> memoryview:
    """One field of an array of structures as a sequence of integers."""
    width = struct.calcsize(form)
    numbers = memoryview(array).cast("B").cast(form)
    return numbers[offset // width :: ctypes.sizeof(record) // width]
