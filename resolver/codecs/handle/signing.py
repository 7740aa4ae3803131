"""Certified replies: a message with an HS_SIGNED credential by the site's key (RFC 3652 2.2.4).

The signature covers what `credential.covered_octets` gives for the version of the message itself;
errors are signed like any reply. DSA keys have SHA-256 only from protocol 2.11 on.

    sign_message(message, key) -> Message
    verify_message(message, key) -> bool                             raises DecodeError
    signature_hash(key, version) -> bytes
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric import dsa

from registry.values.key_objects import PrivateKeyObject, PublicKeyObject
from registry.values.key_signature import SHA1, SHA256, make_signature, signature_holds
from resolver.codecs.handle.credential import (
    SIGNED,
    Credential,
    covered_octets,
    decode_credential,
    encode_credential,
)
from resolver.codecs.handle.message import Message
from resolver.codecs.handle.versions import OWN, SHA256_SINCE, Version, at_least

_DSA_SHA256_SINCE: Final = OWN
#: What the type was called before it said nothing about the key.
_OLD_SIGNED: Final = b"HS_DSAPUBKEY"


def signature_hash(key: PrivateKeyObject, version: Version) -> bytes:
    """The name of the hash that peers of a version know with this kind of key."""
    since = _DSA_SHA256_SINCE if isinstance(key, dsa.DSAPrivateKey) else SHA256_SINCE
    return SHA256 if at_least(version, since) else SHA1


def sign_message(message: Message, key: PrivateKeyObject, counter: int = 0) -> Message:
    """The message, final but for its credential, with one by this key."""
    name = signature_hash(key, message.version)
    signature = make_signature(key, name, covered_octets(message, counter))
    credential = Credential(SIGNED, name, signature, counter)
    return replace(message, credential=encode_credential(credential))


def verify_message(message: Message, key: PublicKeyObject) -> bool:
    """Whether the owner of the key signed the message; False for one that nobody signed.

    Raises DecodeError where the credential is malformed or names an unknown hash.
    """
    if not message.credential:
        return False
    credential = decode_credential(message.credential)
    if credential.type not in (SIGNED, _OLD_SIGNED):
        return False
    covered = covered_octets(message, credential.counter)
    return signature_holds(key, credential.hash_name, credential.signature, covered)
