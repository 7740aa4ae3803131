"""What identifiers are found by: a keyed digest of each of their values.

A term is a signed number of 64 bits, 48 of a digest of the data and below them 16 of one of the
type, so that the terms with the same data lie side by side. The key keeps strangers from choosing
values that share a term. Whatever is found by a term is held against the record itself.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from registry.values.value import PUBLIC_READ, bounds

KEY_SIZE: Final = 16
_DATA_SIZE: Final = 6
_TYPE_SIZE: Final = 2


class TermRange(NamedTuple):
    """Terms from `first` to `last`, both included."""

    first: int
    last: int


def is_searched(type_: bytes, permissions: int) -> bool:
    """Whether identifiers are found by a value: it is public, and administers nothing."""
    return bool(permissions & PUBLIC_READ) and type_[:3].upper() != b"HS_"


def terms_of(record: bytes, key: bytes) -> set[int]:
    """The terms of a stored record."""
    terms = set()
    for start, type_end, data_end in bounds(record):
        type_ = record[start + 18 : type_end]
        if is_searched(type_, record[start + 13]):
            digest = _of_data(record[type_end + 4 : data_end], key) + _of_type(type_, key)
            terms.add(int.from_bytes(digest, "big", signed=True))
    return terms


def term_range(data: bytes, type_: bytes | None, key: bytes) -> TermRange:
    """The terms of values with these data, of one type or of any."""
    digest = _of_data(data, key)
    ends = (b"\0" * _TYPE_SIZE, b"\xff" * _TYPE_SIZE)
    if type_ is not None:
        ends = (_of_type(type_, key),) * 2
    return TermRange(*(int.from_bytes(digest + end, "big", signed=True) for end in ends))


def _of_data(data: bytes, key: bytes) -> bytes:
    return blake2b(data, digest_size=_DATA_SIZE, key=key).digest()


@lru_cache(maxsize=4096)
def _of_type(type_: bytes, key: bytes) -> bytes:
    return blake2b(type_.upper(), digest_size=_TYPE_SIZE, key=key).digest()
