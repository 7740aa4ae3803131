"""Diffie-Hellman key exchange for sessions (RFC 3652 section 3.7, mode 4).

The client offers its public key (DH_PUB_KEY as in HS_PUBKEY, with the group it chose), the server
answers with 4 octets for the algorithm and its own public key in the same group. Only AES is
spoken: whoever wants DES (all peers below 2.4) is refused. Keys serve one exchange each; the
private ones are drawn in `draw_exchange_key` alone.

    client: own = draw_exchange_key(); sends own.octets; complete_exchange(own, reply_data) -> key
    server: accept_exchange(public_key, version) -> (reply_data, key)
    Both raise DecodeError. The session key has 32 octets.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from registry.errors import DecodeError
from registry.values.key import PublicKey, decode_public_key, encode_public_key
from registry.values.wire import WireReader, u32
from resolver.codecs.handle.versions import Version, at_least

#: The encryption algorithm in a set-up reply; 1 is DES, 2 triple DES.
AES: Final = 3
KEY_SIZE: Final = 32


class Group(NamedTuple):
    """A prime and a generator."""

    prime: int
    generator: int


#: Group 14 of RFC 3526, for our own offers; the reference client offers group 2 (1024 bits).
GROUP: Final = Group(
    int(
        "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74"
        "020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f1437"
        "4fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
        "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf05"
        "98da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb"
        "9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b"
        "e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf695581718"
        "3995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff",
        16,
    ),
    2,
)

_AES_SINCE: Final = Version(2, 4)
_PRIME_BITS: Final = range(1024, 4097)
#: Twice the strength of AES-128.
_SECRET_BITS: Final = 256


@dataclass(frozen=True, slots=True)
class ExchangeKey:
    """A key pair for one exchange; `octets` is its public part as peers get it."""

    group: Group
    secret: int = field(repr=False)

    @property
    def octets(self) -> bytes:
        prime, generator = self.group
        public = pow(generator, self.secret, prime)
        return encode_public_key(PublicKey("DH", {"y": public, "p": prime, "g": generator}))


class AcceptedExchange(NamedTuple):
    """What the server answers (`SessionSetupReply.data`), and the key it shares with the client."""

    reply_data: bytes
    session_key: bytes


def draw_exchange_key(group: Group = GROUP) -> ExchangeKey:
    """A new key pair."""
    return ExchangeKey(group, (1 << _SECRET_BITS) | secrets.randbits(_SECRET_BITS))


def accept_exchange(public_key: bytes, version: Version) -> AcceptedExchange:
    """The server's side: the public key of a session set-up, and the version of the reply to it.

    Raises DecodeError.
    """
    if not at_least(version, _AES_SINCE):
        raise DecodeError(f"sessions of protocol {version} would be encrypted with DES")
    group, public = _decode_public(public_key)
    own = draw_exchange_key(group)
    return AcceptedExchange(u32(AES) + own.octets, _shared_key(own, public))


def complete_exchange(own: ExchangeKey, reply_data: bytes) -> bytes:
    """The session key on the client's side. Raises DecodeError."""
    algorithm = WireReader(reply_data).u32("encryption algorithm")
    if algorithm != AES:
        raise DecodeError(f"encryption algorithm {algorithm}: only AES ({AES}) is spoken")
    group, public = _decode_public(reply_data[4:])
    if group != own.group:
        raise DecodeError("the server's key is of another group than ours", 4)
    return _shared_key(own, public)


def _decode_public(data: bytes) -> tuple[Group, int]:
    """The group and the public number of a peer, where they are worth computing with.

    Whether the prime is one is not asked: whoever offers another harms only a session of its own,
    and the certified reply lets it see whether its offer came as it was sent.
    """
    key = decode_public_key(data)
    if key.kty != "DH":
        raise DecodeError(f"a DH key is expected, not one for {key.kty}", 4)
    public, prime, generator = (key.numbers[member] for member in ("y", "p", "g"))
    if prime.bit_length() not in _PRIME_BITS or prime % 2 == 0:
        raise DecodeError(f"a DH group of {prime.bit_length()} bits is not accepted")
    if not (1 < generator < prime - 1 and 1 < public < prime - 1):
        raise DecodeError("the DH key lies outside of its group")
    return Group(prime, generator), public


def _shared_key(own: ExchangeKey, public: int) -> bytes:
    """The first 32 octets of the shared number, without leading zeros unless it is too short."""
    prime = own.group.prime
    shared = pow(public, own.secret, prime)
    if shared in (0, 1, prime - 1):
        raise DecodeError("the DH key generates too small a group")
    size = max(KEY_SIZE, (shared.bit_length() + 7) // 8)
    return shared.to_bytes(size, "big")[:KEY_SIZE]
