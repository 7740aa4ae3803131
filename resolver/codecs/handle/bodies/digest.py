"""The digest of the request at the head of a reply's body (RFC 3652 section 2.2.3, flag RD).

An octet for the algorithm and the digest of the request's header and body as they came. Before
protocol 2.1 it is a bare MD5, given here as algorithm 0.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from registry.errors import DecodeError
from registry.values.wire import WireReader
from resolver.codecs.handle.versions import (
    NAMED_DIGEST_SINCE,
    SHA256_SINCE,
    Version,
    at_least,
)

BARE_MD5, MD5, SHA1, SHA256 = 0, 1, 2, 3
#: Algorithm to the name of its hash and the octets of its digest.
_HASHES: Final[dict[int, tuple[str, int]]] = {
    BARE_MD5: ("md5", 16),
    MD5: ("md5", 16),
    SHA1: ("sha1", 20),
    SHA256: ("sha256", 32),
}


class RequestDigest(NamedTuple):
    """One of the algorithms above and the octets it gave."""

    algorithm: int
    octets: bytes


def digest_algorithm(version: Version) -> int:
    """The algorithm a peer of this version understands."""
    if at_least(version, SHA256_SINCE):
        return SHA256
    return SHA1 if at_least(version, NAMED_DIGEST_SINCE) else BARE_MD5


def digest_request(header_and_body: bytes, version: Version) -> RequestDigest:
    """The digest of a request in a reply of this version."""
    return digest_with(digest_algorithm(version), header_and_body)


def digest_with(algorithm: int, header_and_body: bytes) -> RequestDigest:
    """The digest of a request by one of the algorithms above."""
    name, _ = _HASHES[algorithm]
    hashed = hashlib.new(name, header_and_body, usedforsecurity=False)
    return RequestDigest(algorithm, hashed.digest())


def encode_digest(digest: RequestDigest) -> bytes:
    """The digest as a reply's body begins with it."""
    if digest.algorithm == BARE_MD5:
        return digest.octets
    return bytes([digest.algorithm]) + digest.octets


def split_digest(body: bytes, version: Version) -> tuple[RequestDigest, bytes]:
    """The digest at the head of a body of this version, and the rest. Raises DecodeError."""
    reader = WireReader(body)
    algorithm = BARE_MD5
    if at_least(version, NAMED_DIGEST_SINCE):
        algorithm = reader.u8("digest algorithm")
        if algorithm not in _HASHES or algorithm == BARE_MD5:
            raise DecodeError(f"unknown digest algorithm {algorithm}", 0)
    _, size = _HASHES[algorithm]
    octets = reader.take(size, "request digest")
    return RequestDigest(algorithm, octets), body[reader.offset :]
