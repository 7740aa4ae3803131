"""What a whole record comes to, and records that differ in data and times only.

What production lines register is alike: the same values with the same types, data of the same
lengths. The shape of a record is all of it but the data and timestamps of its values. A record of a
shape seen before is compared with it as one number and taken apart by one call of `struct`, in
place of several steps of Python for each value. Records are trusted.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from registry.values.value import TTL_ABSOLUTE, bounds

_U32: Final = struct.Struct(">I")
_HEAD: Final = struct.Struct(">8xBIBI")  # TTL type, TTL, permissions, length of the type
_TIME_AT, _TTL_TYPE_AT = 4, 8
#: Most shapes remembered, most of them that records of one length may have, and the longest record
#: looked at.
_MAX_SHAPES: Final = 1024
_MAX_OF_LENGTH: Final = 8
_MAX_OCTETS: Final = 4096
#: A shape is learnt from one of so many records that have none: not all are worth it.
_LEARN_ONE_OF: Final = 16


class Survey(NamedTuple):
    """What all values of a record have in common, without decoding them.

    `permissions` are those that every value gives, `ttl` is the least time to live in seconds.
    """

    permissions: int
    ttl: int


class Shape:
    """The shape of a record whose values have relative TTLs and no references.

    `survey` is that of all records of this shape.
    """

    def __init__(self, record: bytes) -> None:
        self.survey = _survey(record, 0.0)
        mask, form, last = bytearray(b"\xff" * len(record)), ">", 0
        for start, type_end, data_end in bounds(record):
            time, data = start + _TIME_AT, type_end + 4
            form += f"{time - last}xI{data - time - 4}x{data_end - data}s"
            mask[time : time + 4] = bytes(4)
            mask[data:data_end] = bytes(data_end - data)
            last = data_end
        self._mask = int.from_bytes(mask, "big")
        self._fixed = int.from_bytes(record, "big") & self._mask
        self._unpack = struct.Struct(f"{form}{len(record) - last}x").unpack

    def fits(self, number: int) -> bool:
        """Whether a record of the same length has this shape; it is given as one big number."""
        return number & self._mask == self._fixed

    def differences(self, record: bytes) -> tuple[int | bytes, ...]:
        """What is its own in a record of this shape: timestamp and data of each value, in turns."""
        return self._unpack(record)


class _Shapes:
    """The shapes that were seen lately, by the length of their records."""

    def __init__(self) -> None:
        self._known: dict[int, list[Shape]] = {}
        self._number = 0
        self._unlike = 0
        #: What was found last, for who answers with a record asks several times.
        self._last: bytes | None = None
        self._found: Shape | None = None

    def of(self, record: bytes) -> Shape | None:
        if record is self._last:
            return self._found
        shape = self._of(record)
        if shape is not None:
            self._last, self._found = record, shape
        return shape

    def _of(self, record: bytes) -> Shape | None:
        known = self._known.get(len(record))
        if known is not None:
            number = int.from_bytes(record, "big")
            for shape in known:
                if shape.fits(number):
                    return shape
        self._unlike += 1
        if self._unlike % _LEARN_ONE_OF == 0 and _has_shape(record):
            self._learn(record)
        return None

    def _learn(self, record: bytes) -> None:
        if self._number >= _MAX_SHAPES:
            self._known.clear()
            self._number = 0
        of_length = self._known.setdefault(len(record), [])
        if len(of_length) >= _MAX_OF_LENGTH:
            del of_length[0]
            self._number -= 1
        of_length.append(Shape(record))
        self._number += 1


#: The shape of a record, None if it is not known.
shape_of: Final = _Shapes().of


def survey(record: bytes, now: float) -> Survey:
    """The survey of a stored record at a Unix time (of none: all permissions, 0)."""
    shape = shape_of(record)
    return _survey(record, now) if shape is None else shape.survey


def ends(record: bytes) -> bool:
    """Whether the TTL of a value of a stored record ends at a fixed time."""
    return shape_of(record) is None and not _are_relative(record, bounds(record))


def smallest_ttl(record: bytes, now: float) -> int:
    """The least time to live of the values of a stored record, in seconds from `now` (none: 0)."""
    return survey(record, now).ttl


def _survey(record: bytes, now: float) -> Survey:
    head, unpack = _HEAD.unpack_from, _U32.unpack_from
    permissions, least, offset = 0xF, None, 4
    for _ in range(unpack(record)[0]):
        ttl_type, ttl, given, type_length = head(record, offset)
        offset += 18 + type_length
        offset += 4 + unpack(record, offset)[0]
        references = unpack(record, offset)[0]
        offset += 4
        for _ in range(references):
            offset += 8 + unpack(record, offset)[0]
        if ttl_type == TTL_ABSOLUTE:
            ttl = max(0, ttl - int(now))
        if least is None or ttl < least:
            least = ttl
        permissions &= given
    return Survey(permissions, least or 0)


def _has_shape(record: bytes) -> bool:
    """Whether a record is short, and no value has references or a TTL that ends at a fixed time."""
    if len(record) > _MAX_OCTETS:
        return False
    found = bounds(record)
    without_references = [4, *(data_end + 4 for _, _, data_end in found)]
    if [*(start for start, _, _ in found), len(record)] != without_references:
        return False
    return _are_relative(record, found)


def _are_relative(record: bytes, found: list[tuple[int, int, int]]) -> bool:
    return all(record[start + _TTL_TYPE_AT] != TTL_ABSOLUTE for start, _, _ in found)
