"""The recorded administrative exchanges of `tests/vectors/handle`, decrypted and paired.

A flow file holds cases, a case exchanges in the order they were made; a challenge is an exchange
whose reply is a 402, its answer the next request on the same session.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from resolver.codecs.handle.bodies.authentication import (
    ChallengeAnswer,
    decode_challenge,
    decode_challenge_answer,
)
from resolver.codecs.handle.bodies.digest import RequestDigest, split_digest
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.envelope import decode_envelope
from resolver.codecs.handle.message import Message, decode_message
from resolver.codecs.handle.protection import decrypt_message
from tests.support.handle_vectors import about, cases

FLOWS = ("flow_challenge", "flow_session")


class Recorded(NamedTuple):
    """One message: its octets, what is in them, and the key of its session where there is one."""

    case: str
    octets: bytes
    message: Message
    session_key: bytes | None


class Challenge(NamedTuple):
    """A challenge and what was answered to it; `request` is what was asked before."""

    case: str
    request: Message
    nonce: bytes
    digest: RequestDigest
    answering: Message
    answer: ChallengeAnswer


def recorded(flow: str) -> list[Recorded]:
    """Every message of a flow file, requests and replies in turn."""
    return [
        _read(case, exchange[side]["hex"])
        for case in cases(flow)
        for exchange in case["exchanges"]
        for side in ("request", "response")
    ]


def challenges(flow: str) -> Iterator[Challenge]:
    """Every challenge of a flow file that was answered."""
    messages = [one.message for one in recorded(flow)]
    names = [one.case for one in recorded(flow)]
    for place, message in enumerate(messages):
        if message.op_code != OpCode.CHALLENGE_ANSWER or message.is_reply:
            continue
        request, reply = messages[place - 2 : place]
        digest, rest = split_digest(reply.body, reply.version)
        answer = decode_challenge_answer(message.body)
        yield Challenge(names[place], request, decode_challenge(rest), digest, message, answer)


def admin_key(flow: str) -> RSAPrivateKey:
    """The key pair of the administrator 300:0.NA/88.1000."""
    der = bytes.fromhex(about(flow)["keys"]["admin_private_key_pkcs8_der_hex"])
    key = load_der_private_key(der, None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _read(case: dict[str, Any], text: str) -> Recorded:
    octets = bytes.fromhex(text)
    envelope = decode_envelope(octets)
    key = _session_keys(case).get(envelope.session_id)
    if not envelope.encrypted:
        return Recorded(case["id"], octets, decode_message(octets), key)
    assert key is not None
    return Recorded(case["id"], octets, decrypt_message(octets, key), key)


def _session_keys(case: dict[str, Any]) -> dict[int, bytes]:
    keys = {int(session): bytes.fromhex(key) for session, key in case.get("sessions", {}).items()}
    if "session_key_hex" in case:
        keys[case["session_id"]] = bytes.fromhex(case["session_key_hex"])
    return keys
