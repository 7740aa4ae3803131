"""Merkle tree hashes (RFC 6962 section 2.1): one digest over many rows, and proofs of single ones.

A batch of a bulk load has one entry in the audit log; its digest is the root over the batch's rows,
so that each row can be shown to have been in it, and none can be changed or left out unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
_sha256: Final = hashlib.sha256
#: The root over nothing.
EMPTY: Final = hashlib.sha256(b"").digest()


def leaf_hash(row: bytes) -> bytes:
    """The hash of one row."""
    return hashlib.sha256(_LEAF + row).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, 32 octets."""
    if not leaves:
        return EMPTY
    level = list(leaves)
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes beside the way from a leaf up to the root. Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} of {len(leaves)}")
    level, path = list(leaves), []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        level = _next_level(level)
        index //= 2
    return path


def proves(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether the path shows that the leaf hash was at `index` of `size` leaves under the root."""
    if not 0 <= index < size:
        return False
    found, last, left = leaf, size - 1, list(path)
    while last > 0:
        if index % 2 or index < last:
            if not left:
                return False
            beside = left.pop(0)
            found = _pair(beside, found) if index % 2 else _pair(found, beside)
        index //= 2
        last //= 2
    return not left and found == expected


def _next_level(level: list[bytes]) -> list[bytes]:
    """Pairs become nodes; one left over at the end goes up as it is."""
    pairs = zip(level[::2], level[1::2], strict=False)
    paired = [_sha256(_NODE + left + right).digest() for left, right in pairs]
    return paired + level[-1:] if len(level) % 2 else paired


def _pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
