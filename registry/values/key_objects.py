"""Keys that can sign and verify: `cryptography` objects from and to the Handle binary forms.

A private key is its type's name and its numbers, as in `registry.values.key` but without the two
zero octets; a key file is the method of its encryption (4 octets, 1 for none) and the key. DH keys
sign nothing and stay numbers.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from registry.errors import DecodeError
from registry.values.key import (
    PublicKey,
    decode_public_key,
    encode_public_key,
    read_number,
    write_number,
)
from registry.values.wire import WireReader, string, u32

PublicKeyObject = rsa.RSAPublicKey | dsa.DSAPublicKey
PrivateKeyObject = rsa.RSAPrivateKey | dsa.DSAPrivateKey

_RSA_PRIVATE: Final = b"RSA_PRIVCRT_KEY"
_DSA_PRIVATE: Final = b"DSA_PRIV_KEY"
_PRIVATE_MEMBERS: Final = {
    _RSA_PRIVATE: ("n", "e", "d", "p", "q", "dp", "dq", "qi"),
    _DSA_PRIVATE: ("x", "p", "q", "g"),
}
_NOT_ENCRYPTED: Final = 1


def load_public_key(data: bytes) -> PublicKeyObject:
    """The key in the data of an HS_PUBKEY value. Raises DecodeError, also for an unusable key."""
    key = decode_public_key(data)
    numbers = key.numbers
    if key.kty == "DH":
        raise DecodeError("a DH key cannot verify a signature", 4)
    try:
        if key.kty == "RSA":
            return rsa.RSAPublicNumbers(numbers["e"], numbers["n"]).public_key()
        group = dsa.DSAParameterNumbers(numbers["p"], numbers["q"], numbers["g"])
        return dsa.DSAPublicNumbers(numbers["y"], group).public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DecodeError(f"unusable {key.kty} key: {error}") from None


def dump_public_key(key: PublicKeyObject) -> bytes:
    """The key as the data of an HS_PUBKEY value."""
    return encode_public_key(public_numbers(key))


def public_numbers(key: PublicKeyObject) -> PublicKey:
    """The numbers of a key."""
    numbers = key.public_numbers()
    if isinstance(numbers, rsa.RSAPublicNumbers):
        return PublicKey("RSA", {"n": numbers.n, "e": numbers.e})
    group = numbers.parameter_numbers
    return PublicKey("DSA", {"y": numbers.y, "p": group.p, "q": group.q, "g": group.g})


def load_private_key(data: bytes) -> PrivateKeyObject:
    """The key in the Handle binary form. Raises DecodeError, also for numbers that do not agree."""
    reader = WireReader(data)
    name = reader.string("key type")
    members = _PRIVATE_MEMBERS.get(name)
    if members is None:
        raise DecodeError(f"private key type {name[:40]!r} is not known", 4)
    numbers = {member: read_number(reader, f"key member {member}") for member in members}
    reader.finish("private key")
    try:
        return _rsa_private(numbers) if name == _RSA_PRIVATE else _dsa_private(numbers)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DecodeError(f"unusable private key: {error}") from None


def _rsa_private(numbers: dict[str, int]) -> rsa.RSAPrivateKey:
    return rsa.RSAPrivateNumbers(
        p=numbers["p"],
        q=numbers["q"],
        d=numbers["d"],
        dmp1=numbers["dp"],
        dmq1=numbers["dq"],
        iqmp=numbers["qi"],
        public_numbers=rsa.RSAPublicNumbers(numbers["e"], numbers["n"]),
    ).private_key()


def _dsa_private(numbers: dict[str, int]) -> dsa.DSAPrivateKey:
    p, q, g, x = (numbers[member] for member in "pqgx")
    if p < 2:
        raise ValueError("the modulus is too small")
    public = dsa.DSAPublicNumbers(pow(g, x, p), dsa.DSAParameterNumbers(p, q, g))
    return dsa.DSAPrivateNumbers(x, public).private_key()


def dump_private_key(key: PrivateKeyObject) -> bytes:
    """The key in the Handle binary form."""
    numbers = key.private_numbers()
    if isinstance(numbers, rsa.RSAPrivateNumbers):
        public = numbers.public_numbers
        primes = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
        return _private_form(_RSA_PRIVATE, (public.n, public.e, numbers.d, *primes))
    group = numbers.public_numbers.parameter_numbers
    return _private_form(_DSA_PRIVATE, (numbers.x, group.p, group.q, group.g))


def _private_form(name: bytes, numbers: tuple[int, ...]) -> bytes:
    return string(name) + b"".join(map(write_number, numbers))


def load_key_file(data: bytes) -> PrivateKeyObject:
    """The private key in the octets of a key file that is not encrypted. Raises DecodeError."""
    if WireReader(data).u32("key file encryption") != _NOT_ENCRYPTED:
        raise DecodeError("the key file is encrypted")
    try:
        return load_private_key(data[4:])
    except DecodeError as error:
        raise DecodeError(error.message, error.offset + 4) from None


def dump_key_file(key: PrivateKeyObject) -> bytes:
    """The octets of a key file that is not encrypted."""
    return u32(_NOT_ENCRYPTED) + dump_private_key(key)
