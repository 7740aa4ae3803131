"""What HS_SIGNATURE and HS_CERT say: JSON claims (RFC 7519) with the Handle system's own members.

Members stand in the order in which the Handle.Net library writes them. Times are Unix seconds; one
that is missing sets no bound.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from registry.errors import DecodeError, InvalidIdentifier, InvalidValue
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key, parse
from registry.values.json_members import MAX_U32, Members
from registry.values.key import PublicKey, encode_public_key, public_key_from_json
from registry.values.key_objects import PublicKeyObject, load_public_key

_INDEXED: Final = re.compile(r"([0-9]{1,10}):(.+)", re.DOTALL)


class ValueName(NamedTuple):
    """A value of an identifier, written `300:0.NA/88`; index 0 is the identifier as a whole."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody needs here
    key: Key

    def __str__(self) -> str:
        return f"{self.index}:{self.key}"


class Digest(msgspec.Struct, frozen=True):
    """The digest of the value at `index`, in base64."""

    index: int
    digest: str


class Digests(msgspec.Struct, frozen=True):
    """Digests of a record's values, made by the algorithm `alg` (only SHA-256 is read)."""

    alg: str
    digests: tuple[Digest, ...]


class Permission(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a certificate's subject may sign: `perm` names a scope that starts at `handle`."""

    handle: str | None = None
    perm: str


class SignatureClaims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Claims of an HS_SIGNATURE: `iss` vouches for values of `sub`.

    `chain` says where the certificate of `iss` lies, then perhaps that of its issuer, and so on.
    """

    digests: Digests
    chain: tuple[str, ...] = ()
    iss: str
    sub: str
    exp: int | float | None = None
    nbf: int | float | None = None
    iat: int | float | None = None


class CertificateClaims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Claims of an HS_CERT: `iss` says that `sub` has this key and these permissions."""

    perms: tuple[Permission, ...]
    chain: tuple[str, ...] = ()
    public_key: dict[str, Any] = msgspec.field(name="publicKey")
    iss: str
    sub: str
    exp: int | float | None = None
    nbf: int | float | None = None
    iat: int | float | None = None


Claims = SignatureClaims | CertificateClaims
_Claims = TypeVar("_Claims", SignatureClaims, CertificateClaims)


def encode_claims(claims: Claims) -> bytes:
    """The payload of a JWS."""
    return msgspec.json.encode(claims)


def decode_claims(payload: bytes, kind: type[_Claims]) -> _Claims:
    """The claims in the payload of a JWS; members not known are passed over. Raises DecodeError."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"the claims cannot be read: {error}") from None


def public_key(claims: CertificateClaims) -> tuple[PublicKey, PublicKeyObject]:
    """The key of a certificate, as numbers and for use. Raises DecodeError."""
    try:
        numbers = public_key_from_json(Members(claims.public_key, "publicKey"))
        return numbers, load_public_key(encode_public_key(numbers))
    except InvalidValue as error:
        raise DecodeError(str(error)) from None


def value_name(text: str, rules: HandleRules = DEFAULT_RULES) -> ValueName:
    """What `300:0.NA/88`, or an identifier alone, names. Raises DecodeError."""
    indexed = _INDEXED.fullmatch(text)
    index, name = (int(indexed[1]), indexed[2]) if indexed else (0, text)
    if index > MAX_U32:
        raise DecodeError(f"index {index} does not fit 32 bits")
    try:
        return ValueName(index, parse(name, rules))
    except InvalidIdentifier as error:
        raise DecodeError(f"{name[:80]!r} is no identifier: {error.message}") from None
