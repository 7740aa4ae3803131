"""The message header (RFC 3652 section 2.2): 24 octets in front of every body, and its op flags.

op code 4, response code 4, op flags 4, site serial 2, recursion count 1, reserved 1, expiration 4,
body length 4.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

SIZE: Final = 24

#: The reply comes from a server that is responsible itself; a request wants such a one.
AT: Final = 0x80000000
#: The reply is to be signed.
CT: Final = 0x40000000
#: The reply is to be encrypted.
ENC: Final = 0x20000000
#: The server may ask others.
REC: Final = 0x10000000
#: A signed reply may be authenticated with a cached key.
CA: Final = 0x08000000
#: More replies to the same request follow.
CN: Final = 0x04000000
#: Keep the connection open.
KC: Final = 0x02000000
#: Only values that the public may read.
PO: Final = 0x01000000
#: The reply is to begin with a digest of the request.
RD: Final = 0x00800000
# Beyond the RFC:
#: A create may replace what is there.
OVERWRITE: Final = 0x00400000
#: The server is to choose the suffix.
MINT: Final = 0x00200000
#: A prefix referral is not wanted.
DO_NOT_REFER: Final = 0x00100000
#: The CAICT clients' request for trusted resolution, and its mark in the reply.
TRUSTED_QUERY: Final = 0x00000002
TRUSTED_RESULT: Final = 0x00000001

#: Name to bit, in the order of the bits.
OP_FLAGS: Final[dict[str, int]] = {
    "AT": AT,
    "CT": CT,
    "ENC": ENC,
    "REC": REC,
    "CA": CA,
    "CN": CN,
    "KC": KC,
    "PO": PO,
    "RD": RD,
    "OVERWRITE": OVERWRITE,
    "MINT": MINT,
    "DO_NOT_REFER": DO_NOT_REFER,
    "TRUSTED_QUERY": TRUSTED_QUERY,
    "TRUSTED_RESULT": TRUSTED_RESULT,
}

#: The site serial of a client that knows none.
NO_SERIAL: Final = 0xFFFF
_LAYOUT: Final = struct.Struct(">IIIHBBII")


class Header(NamedTuple):
    """The fields of a header. `expiration` is a Unix time."""

    op_code: int
    response_code: int
    op_flags: int
    site_serial: int
    recursion_count: int
    reserved: int
    expiration: int
    body_length: int


def decode_header(data: bytes, offset: int = 0) -> Header:
    """The 24 octets at `offset`, which must be there."""
    return Header._make(_LAYOUT.unpack_from(data, offset))


def encode_header(header: Header) -> bytes:
    """The 24 octets."""
    return _LAYOUT.pack(*header)


def flag_names(op_flags: int) -> list[str]:
    """The names of the flags that are set."""
    return [name for name, bit in OP_FLAGS.items() if op_flags & bit]
