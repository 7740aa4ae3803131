"""Histograms in the V2 encoding of HdrHistogram, which its libraries and plotters read.

A header, the counts as ZigZag LEB128 with runs of empty buckets as one negative number, zlib, and
base64. The buckets are the same as ours: lowest value 1 ns, three digits, highest value one hour.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Final

from load_tests.histogram import LONGEST, Histogram

_COOKIE: Final = 0x1C849313
_COMPRESSED_COOKIE: Final = 0x1C849314
#: Cookie, length of the counts, offset, digits, lowest, highest, ratio of values to units.
_HEADER: Final = struct.Struct(">IIIIqqd")
_COMPRESSED: Final = struct.Struct(">II")
_DIGITS: Final = 3


def encode(histogram: Histogram) -> str:
    """The base64 text of a histogram."""
    counts = bytearray()
    following = 0
    for bucket, count in histogram.ascending():
        if count:
            if empty := bucket - following:
                counts += _zigzag(-empty)
            counts += _zigzag(count)
            following = bucket + 1
    header = _HEADER.pack(_COOKIE, len(counts), 0, _DIGITS, 1, LONGEST, 1.0)
    packed = zlib.compress(header + bytes(counts))
    return base64.b64encode(_COMPRESSED.pack(_COMPRESSED_COOKIE, len(packed)) + packed).decode()


def _zigzag(number: int) -> bytes:
    """A signed number in groups of seven bits, the ninth octet with eight."""
    rest = (number << 1 ^ number >> 63) & 0xFFFF_FFFF_FFFF_FFFF
    octets = bytearray()
    while rest >= 0x80 and len(octets) < 8:
        octets.append(rest & 0x7F | 0x80)
        rest >>= 7
    octets.append(rest)
    return bytes(octets)
