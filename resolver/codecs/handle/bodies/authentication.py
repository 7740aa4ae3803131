"""Bodies of authentication (RFC 3652 section 3.5): challenge, answer, verification, IDIS login."""

from __future__ import annotations

from typing import NamedTuple

from registry.values.wire import WireReader, string, u32


class ChallengeAnswer(NamedTuple):
    """Who answers (handle and index name the key), with which kind of key, and the answer."""

    auth_type: bytes
    user_handle: bytes
    user_index: int
    answer: bytes


class VerifyRequest(NamedTuple):
    """An answer that another server asks the holder of a secret key to check."""

    user_handle: bytes
    user_index: int
    nonce: bytes
    request_digest: bytes
    answer: bytes


class Login(NamedTuple):
    """The log-in of a CAICT client: the value that holds its key."""

    handle: bytes
    key_index: int


def encode_challenge(nonce: bytes) -> bytes:
    """A challenge behind its request digest."""
    return string(nonce)


def decode_challenge(body: bytes) -> bytes:
    return WireReader(body).string("nonce")


def encode_challenge_answer(answer: ChallengeAnswer) -> bytes:
    return (
        string(answer.auth_type)
        + string(answer.user_handle)
        + u32(answer.user_index)
        + string(answer.answer)
    )


def decode_challenge_answer(body: bytes) -> ChallengeAnswer:
    reader = WireReader(body)
    return ChallengeAnswer(
        reader.string("authentication type"),
        reader.string("user handle"),
        reader.u32("user index"),
        reader.string("answer"),
    )


def encode_verify_request(request: VerifyRequest) -> bytes:
    return (
        string(request.user_handle)
        + u32(request.user_index)
        + string(request.nonce)
        + string(request.request_digest)
        + string(request.answer)
    )


def decode_verify_request(body: bytes) -> VerifyRequest:
    reader = WireReader(body)
    return VerifyRequest(
        reader.string("user handle"),
        reader.u32("user index"),
        reader.string("nonce"),
        reader.string("request digest"),
        reader.string("answer"),
    )


def encode_verify_reply(valid: bool) -> bytes:
    return bytes([valid])


def decode_verify_reply(body: bytes) -> bool:
    return WireReader(body).u8("verdict") == 1


def encode_login(login: Login) -> bytes:
    return string(login.handle) + u32(login.key_index)


def decode_login(body: bytes) -> Login:
    reader = WireReader(body)
    return Login(reader.string("handle"), reader.u32("key index"))
