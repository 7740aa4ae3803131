"""Bodies of sessions (RFC 3652 section 3.7): set-up by the four key exchange modes, session key.

Set-up request and reply end in two zero octets: the peers' encoder reserves 4 octets for the
2-octet mode. They are written here too and not asked for when reading.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from registry.errors import DecodeError
from registry.values.wire import WireReader, string, u16, u32

CLIENT_KEY, SERVER_KEY, HANDLE_KEY, DIFFIE_HELLMAN = 1, 2, 3, 4
_SPARE: Final = bytes(2)


class SessionSetup(NamedTuple):
    """A wish for a session of `timeout` seconds.

    `public_key` is there in the modes CLIENT_KEY (RSA) and DIFFIE_HELLMAN, `key_handle` and
    `key_index` in the mode HANDLE_KEY.
    """

    mode: int
    timeout: int
    identity_handle: bytes
    identity_index: int
    public_key: bytes = b""
    key_handle: bytes = b""
    key_index: int = 0


class SessionSetupReply(NamedTuple):
    """`data` by mode: the encrypted session key, the server's key, or algorithm 4 and a DH key."""

    mode: int
    data: bytes


def encode_session_setup(setup: SessionSetup) -> bytes:
    return (
        u16(setup.mode)
        + u32(setup.timeout)
        + string(setup.identity_handle)
        + u32(setup.identity_index)
        + _encode_exchange(setup)
        + _SPARE
    )


def _encode_exchange(setup: SessionSetup) -> bytes:
    if setup.mode in (CLIENT_KEY, DIFFIE_HELLMAN):
        return string(setup.public_key)
    if setup.mode == HANDLE_KEY:
        return string(setup.key_handle) + u32(setup.key_index)
    return b""


def decode_session_setup(body: bytes) -> SessionSetup:
    reader = WireReader(body)
    setup = SessionSetup(
        reader.u16("mode"),
        reader.u32("timeout"),
        reader.string("identity handle"),
        reader.u32("identity index"),
    )
    if setup.mode in (CLIENT_KEY, DIFFIE_HELLMAN):
        return setup._replace(public_key=reader.string("public key"))
    if setup.mode == HANDLE_KEY:
        return setup._replace(
            key_handle=reader.string("exchange key handle"),
            key_index=reader.u32("exchange key index"),
        )
    if setup.mode != SERVER_KEY:
        raise DecodeError(f"unknown key exchange mode {setup.mode}", 0)
    return setup


def encode_session_setup_reply(reply: SessionSetupReply) -> bytes:
    return u16(reply.mode) + string(reply.data) + _SPARE


def decode_session_setup_reply(body: bytes) -> SessionSetupReply:
    reader = WireReader(body)
    return SessionSetupReply(reader.u16("mode"), reader.string("key exchange data"))


def encode_session_key(encrypted_key: bytes) -> bytes:
    return string(encrypted_key)


def decode_session_key(body: bytes) -> bytes:
    return WireReader(body).string("session key")
