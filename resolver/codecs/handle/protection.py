"""Messages of a session: the HS_MAC credential, and encryption with AES-128-CBC (PKCS5 padding).

A MAC is made with the whole session key. From protocol 2.7 on it is an HMAC-SHA256 over
`credential.covered_octets`, before a SHA-1 with the key at both ends; counters are covered from
2.6 on. An encrypted message has the ENCRYPTED bit in its envelope and, in place of header, body and
credential, 16 octets of initial vector and their cipher text under the first 16 octets of the key.
`key_exchange` agrees upon the key; which counters were seen is for the session to know.

    add_mac(message, session_key, counter) -> Message
    check_mac(message, session_key) -> int | None                    raises DecodeError
    encrypt_message(message, session_key) -> bytes
    decrypt_message(data, session_key) -> Message                    raises DecodeError
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from registry.errors import DecodeError
from resolver.codecs.handle import envelope as envelopes
from resolver.codecs.handle.credential import (
    MAC,
    Credential,
    covered_octets,
    decode_credential,
    encode_credential,
)
from resolver.codecs.handle.envelope import ENCRYPTED
from resolver.codecs.handle.keyed_digest import SHA1, code_of, keyed_digest
from resolver.codecs.handle.message import (
    Message,
    decode_payload,
    encode_payload,
    seal,
    whole_envelope,
)
from resolver.codecs.handle.versions import SHA256_SINCE, Version, at_least

_NAMES_SINCE: Final = Version(2, 6)
_MISPLACED_SINCE: Final = Version(2, 5)
_BLOCK: Final = 16
_CIPHER_KEY: Final = 16
_NOT_OURS: Final = "the message cannot be decrypted with the key of its session"


def add_mac(message: Message, session_key: bytes, counter: int) -> Message:
    """The message, final but for its credential, with a MAC; counters begin with 1."""
    name = _mac_name(message.version)
    credential = Credential(MAC, name, _mac(message, session_key, counter, name), counter)
    return replace(message, credential=encode_credential(credential))


def check_mac(message: Message, session_key: bytes) -> int | None:
    """The counter of a message whose MAC holds, None for a wrong MAC or none at all.

    Raises DecodeError where the credential is malformed or names an unknown digest.
    """
    if not message.credential:
        return None
    credential = decode_credential(message.credential)
    if credential.type != MAC:
        return None
    expected = _mac(message, session_key, credential.counter, credential.hash_name)
    return credential.counter if hmac.compare_digest(expected, credential.signature) else None


def _mac_name(version: Version) -> bytes:
    """The name of the digest, as peers of a version write it."""
    if at_least(version, SHA256_SINCE):
        return b"HMAC-SHA256"
    return b"SHA1" if at_least(version, _NAMES_SINCE) else bytes([SHA1])


def _mac(message: Message, key: bytes, counter: int, name: bytes) -> bytes:
    code = code_of(name)
    if not at_least(message.version, _MISPLACED_SINCE) or at_least(message.version, SHA256_SINCE):
        return keyed_digest(code, key, covered_octets(message, counter))
    if code != SHA1:
        raise DecodeError(f"a MAC of protocol {message.version} is made with SHA-1")
    # Peers of 2.5 and 2.6 write everything behind the key over it, from its fifth octet on.
    misplaced = key[:4] + message.header_and_body + key + bytes(len(key) + 10)
    return hashlib.sha1(misplaced, usedforsecurity=False).digest()


def encrypt_message(message: Message, session_key: bytes, initial: bytes | None = None) -> bytes:
    """The octets of a message, encrypted; the 16 octets `initial` are drawn at random unless given.

    The message's own envelope flags are kept.
    """
    initial = secrets.token_bytes(_BLOCK) if initial is None else initial
    padder = padding.PKCS7(AES.block_size).padder()
    padded = padder.update(encode_payload(message)) + padder.finalize()
    encryptor = _cipher(session_key, initial).encryptor()
    return seal(message, initial + encryptor.update(padded) + encryptor.finalize(), ENCRYPTED)


def decrypt_message(data: bytes, session_key: bytes) -> Message:
    """An encrypted message that arrived whole, its ENCRYPTED bit still set. Check its MAC next.

    Raises FramingError as `decode_message`, DecodeError where it is not encrypted or the key does
    not open it: always with the same words, so that nobody learns from them about the padding.
    """
    envelope = whole_envelope(data)
    if not envelope.encrypted:
        raise DecodeError("the message is not encrypted", 2)
    try:
        payload = _decrypt(session_key, data[envelopes.SIZE :])
        return decode_payload(envelope, payload)
    except (DecodeError, ValueError):
        raise DecodeError(_NOT_OURS, envelopes.SIZE) from None


def _decrypt(session_key: bytes, data: bytes) -> bytes:
    """The plain text. Raises ValueError for wrong sizes and padding."""
    decryptor = _cipher(session_key, data[:_BLOCK]).decryptor()
    padded = decryptor.update(data[_BLOCK:]) + decryptor.finalize()
    unpadder = padding.PKCS7(AES.block_size).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _cipher(session_key: bytes, initial: bytes) -> Cipher[CBC]:
    return Cipher(AES(session_key[:_CIPHER_KEY]), CBC(initial))
