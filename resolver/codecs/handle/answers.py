"""Answers to a challenge (RFC 3652 section 3.5.1): proof of a secret key or of a private key.

Both prove it over nonce and request digest. HS_SECKEY: an octet for the form of
`keyed_digest` and the digest, for PBKDF2 (22h) salt string, iterations 4, bits 4, digest string;
before protocol 2.1 a bare MD5. HS_PUBKEY: hash name string and signature string.

`request_digest` has no octet for its algorithm in front; `version` is that of the message which
carries the answer.

    make_secret_answer(secret, nonce, request_digest, version, salt) -> bytes
    verify_secret_answer(secret, nonce, request_digest, answer, version) -> bool   or DecodeError
    make_key_answer(key, nonce, request_digest, version) -> bytes
    verify_key_answer(key, nonce, request_digest, answer) -> bool                  or DecodeError
"""

from __future__ import annotations

import hmac
from typing import Final

from registry.values.key_objects import PrivateKeyObject, PublicKeyObject
from registry.values.key_signature import make_signature, signature_holds
from registry.values.wire import WireReader, string, u32
from resolver.codecs.handle.keyed_digest import (
    MD5,
    PBKDF2_HMAC_SHA1,
    SHA1,
    Stretching,
    keyed_digest,
    stretched_digest,
)
from resolver.codecs.handle.signing import signature_hash
from resolver.codecs.handle.versions import NAMED_DIGEST_SINCE, SHA256_SINCE, Version, at_least

#: The types of values that hold keys.
SECRET_KEY, PUBLIC_KEY = b"HS_SECKEY", b"HS_PUBKEY"
#: Octets of the salt for `make_secret_answer`.
SALT_SIZE: Final = 16


def make_secret_answer(
    secret: bytes, nonce: bytes, request_digest: bytes, version: Version, salt: bytes
) -> bytes:
    """The answer that peers of a version expect; only from 2.7 on it needs the (random) salt."""
    challenge = nonce + request_digest
    if not at_least(version, NAMED_DIGEST_SINCE):
        return keyed_digest(MD5, secret, challenge)
    if not at_least(version, SHA256_SINCE):
        return bytes([SHA1]) + keyed_digest(SHA1, secret, challenge)
    stretching = Stretching(salt)
    digest = stretched_digest(secret, challenge, stretching)
    parameters = string(salt) + u32(stretching.iterations) + u32(stretching.bits)
    return bytes([PBKDF2_HMAC_SHA1]) + parameters + string(digest)


def verify_secret_answer(
    secret: bytes, nonce: bytes, request_digest: bytes, answer: bytes, version: Version
) -> bool:
    """Whether the answer comes from who knows the secret; nobody knows an empty one.

    Raises DecodeError where it is malformed, of an unknown form or too expensive to check. May take
    a tenth of a second of computing.
    """
    challenge = nonce + request_digest
    if at_least(version, NAMED_DIGEST_SINCE):
        expected, given = _secret_digests(secret, challenge, answer)
    else:
        expected, given = keyed_digest(MD5, secret, challenge), answer
    return hmac.compare_digest(expected, given) and bool(secret)


def _secret_digests(secret: bytes, challenge: bytes, answer: bytes) -> tuple[bytes, bytes]:
    """The digest that the answer should have, and the one it has."""
    reader = WireReader(answer)
    code = reader.u8("digest code")
    if code != PBKDF2_HMAC_SHA1:
        return keyed_digest(code, secret, challenge), answer[1:]
    stretching = Stretching(
        reader.string("salt"), reader.u32("iterations"), reader.u32("key length")
    )
    given = reader.string("digest")
    reader.finish("answer")
    return stretched_digest(secret, challenge, stretching), given


def make_key_answer(
    key: PrivateKeyObject, nonce: bytes, request_digest: bytes, version: Version
) -> bytes:
    """The answer by a private key, with the hash that peers of a version know."""
    name = signature_hash(key, version)
    return string(name) + string(make_signature(key, name, nonce + request_digest))


def verify_key_answer(
    key: PublicKeyObject, nonce: bytes, request_digest: bytes, answer: bytes
) -> bool:
    """Whether the answer comes from the owner of the key.

    Raises DecodeError where it is malformed or names an unknown hash.
    """
    reader = WireReader(answer)
    name = reader.string("hash name")
    signature = reader.string("signature")
    reader.finish("answer")
    return signature_holds(key, name, signature, nonce + request_digest)
