"""Digests of values: over the encoded value without its first 8 octets, index and timestamp."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from registry.errors import DecodeError
from registry.trust.claims import Digest, Digests
from registry.values.value import PUBLIC_READ, Span, scan, type_matches

SHA_256: Final = "SHA-256"
SIGNATURE: Final = b"HS_SIGNATURE"
CERTIFICATE: Final = b"HS_CERT"
_NOT_DIGESTED: Final = 8

Digested: TypeAlias = tuple[Span, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The values of a record by what a signature's digests say of them: indexes, ascending.

    An index that two values share is under each verdict that one of them gets.
    """

    verified: tuple[int, ...] = ()
    bad: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    unsigned: tuple[int, ...] = ()


def ought_to_be_signed(span: Span) -> bool:
    """Whether a record is only whole if a signature covers the value.

    Signatures do not sign each other. What the public may not read is left out too: the digest of a
    short secret would give it away.
    """
    return bool(span.permissions & PUBLIC_READ) and not type_matches(SIGNATURE, span.type)


def digest_values(record: bytes) -> list[Digested]:
    """The values of a well-formed record, each with its digest."""
    return [(span, _digest(record, span)) for span in scan(record)]


def digests_of(record: bytes) -> Digests:
    """The digests that a signature of the record needs: of all values that ought to be signed."""
    values = digest_values(record)
    wanted = [Digest(span.index, digest) for span, digest in values if ought_to_be_signed(span)]
    return Digests(SHA_256, tuple(wanted))


def compare(values: Sequence[Digested], claimed: Digests) -> Comparison:
    """Hold the values of a record against digests. Raises DecodeError for digests of no use."""
    if claimed.alg != SHA_256:
        raise DecodeError(f"digest algorithm {claimed.alg[:20]!r} is not accepted")
    wanted = {entry.index: entry.digest for entry in claimed.digests}
    if len(wanted) != len(claimed.digests):
        raise DecodeError("an index has two digests")
    covered = [(span.index, digest) for span, digest in values if span.index in wanted]
    others = [span for span, _ in values if span.index not in wanted]
    return Comparison(
        verified=ascending(index for index, digest in covered if digest == wanted[index]),
        bad=ascending(index for index, digest in covered if digest != wanted[index]),
        missing=ascending(wanted.keys() - {index for index, _ in covered}),
        unsigned=ascending(span.index for span in others if ought_to_be_signed(span)),
    )


def ascending(indexes: Iterable[int]) -> tuple[int, ...]:
    """Indexes in order, each once."""
    return tuple(sorted(set(indexes)))


def _digest(record: bytes, span: Span) -> str:
    octets = record[span.start + _NOT_DIGESTED : span.end]
    return base64.b64encode(hashlib.sha256(octets).digest()).decode("ascii")
