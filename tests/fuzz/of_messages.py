"""Decoders of the Handle protocol: messages, bodies, proofs, sessions, packets, streams."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from registry.errors import DecodeError
from registry.values.key_objects import load_public_key
from resolver.codecs.handle import fast
from resolver.codecs.handle.answering import decode_query
from resolver.codecs.handle.answers import verify_key_answer, verify_secret_answer
from resolver.codecs.handle.asking import Question
from resolver.codecs.handle.bodies import administration, authentication, digest, resolution
from resolver.codecs.handle.bodies import sessions as setups
from resolver.codecs.handle.credential import decode_credential, encode_credential
from resolver.codecs.handle.describe import describe_message
from resolver.codecs.handle.envelope import (
    ENCRYPTED,
    FramingError,
    decode_envelope,
    encode_envelope,
)
from resolver.codecs.handle.fragments import PATIENCE, Limits, Reassembler, split_message
from resolver.codecs.handle.framing import MessageStream
from resolver.codecs.handle.key_exchange import (
    ExchangeKey,
    Group,
    accept_exchange,
    complete_exchange,
)
from resolver.codecs.handle.message import decode_message, encode_message, peek_message, seal
from resolver.codecs.handle.protection import (
    add_mac,
    check_mac,
    decrypt_message,
    encrypt_message,
)
from resolver.codecs.handle.signing import verify_message
from resolver.codecs.handle.versions import OWN, Version
from resolver.query import Values
from tests.fuzz.invariants import Run, Target, in_pieces, only, stable
from tests.fuzz.seeds import bodies, documents, octets

_SESSION_KEY = bytes(range(32))
_NONCE, _DIGEST = bytes(16), bytes(32)
_SITE_KEY = load_public_key(octets("public_keys", "handle_binary_hex")[0])
_SMALL = Limits(messages=4, octets_per_source=4_096)


def read_message(data: bytes) -> None:
    """A message that can be read at all can be shown, peeked at, and answered."""
    with suppress(DecodeError):
        peek_message(data)
        describe_message(data)
    with suppress(DecodeError):
        message = decode_message(data)
        assert peek_message(data).request_id == message.request_id
        decode_query(message)
        verify_message(message, _SITE_KEY)


def read_fast(data: bytes) -> None:
    """What the short way reads, the long way reads alike."""
    plain = fast.decode_plain_resolve(data)
    if plain is None:
        return
    message = decode_message(data)
    request = resolution.decode_resolve_request(message.body)
    assert (plain.handle, plain.indexes, plain.types) == request
    assert plain.op_flags == message.op_flags
    assert plain.suggested_version == message.suggested_version
    reply = fast.encode_plain_reply(data, plain, bytes(4), serial=1, expiration=0)
    assert decode_message(reply).request_id == message.request_id
    for key in (fast.cache_key(data), fast.stream_cache_key(data)):
        assert fast.decode_plain_resolve(key) == plain


def read_reply(data: bytes) -> None:
    """A reply to a question of ours has values in order, refers, or refuses."""
    with suppress(DecodeError):
        message = decode_message(data)
        question = Question(b"88.1000/abc", message.request_id)
        answer = question.read(data, 1_800_000_000.0)
        if isinstance(answer, Values):
            assert answer.ttl >= 0


def read_session_message(data: bytes) -> None:
    """What was sealed can be opened, and what cannot be opened says always the same."""
    with suppress(DecodeError):
        message = decode_message(data)
        opened = decrypt_message(encrypt_message(message, _SESSION_KEY, bytes(16)), _SESSION_KEY)
        assert replace(opened, envelope_flags=message.envelope_flags) == message
        check_mac(message, _SESSION_KEY)
        assert check_mac(add_mac(message, _SESSION_KEY, 7), _SESSION_KEY) == 7


def open_message(data: bytes) -> None:
    """An encrypted message is opened or refused in the same words."""
    sealed = seal(decode_message(_PLAIN), data, ENCRYPTED)
    said = ""
    try:
        decrypt_message(sealed, _SESSION_KEY)
    except FramingError:
        assert len(data) < 24
    except DecodeError as error:
        said = str(error)
    assert said in ("", "the message cannot be decrypted with the key of its session")


def read_digest(data: bytes) -> None:
    """The digest in front of a body is cut off without loss."""
    for version in (Version(2, 0), OWN):
        with suppress(DecodeError):
            found, rest = digest.split_digest(data, version)
            assert digest.encode_digest(found) + rest == data


def check_secret(data: bytes) -> None:
    """An answer to a challenge is right, wrong, or refused."""
    for version in (Version(2, 0), OWN):
        with suppress(DecodeError):
            assert not verify_secret_answer(b"no such secret", _NONCE, _DIGEST, data, version)


def check_key(data: bytes) -> None:
    """A signature over a challenge is right, wrong, or refused."""
    with suppress(DecodeError):
        assert not verify_key_answer(_SITE_KEY, _NONCE, _DIGEST, data)


def exchange(data: bytes) -> None:
    """Both sides of a key exchange end in a key or a refusal, whatever they are offered."""
    with suppress(DecodeError):
        assert len(accept_exchange(data, OWN).session_key) == 32
    with suppress(DecodeError):
        assert len(complete_exchange(_OWN_KEY, data)) == 32


def reassemble(data: bytes) -> None:
    """Packets make a message of the length they announce, or are refused; none is kept for good."""
    reassembler = Reassembler(_SMALL)
    for packet in data.split(b"\xff\xfe\xfd"):
        with suppress(FramingError):
            whole = reassembler.feed("source", packet, 0.0)
            assert whole is None or len(whole) == 20 + decode_envelope(whole).length
        assert len(reassembler) <= _SMALL.messages
    reassembler.expire(PATIENCE + 1)
    assert len(reassembler) == 0


def split(data: bytes) -> None:
    """A message split into packets comes out whole, in whatever order and number they arrive."""
    message = data[:2] + b"\x02\x0b" + data[2:14].ljust(12, b"\0")
    message += max(len(data), 24).to_bytes(4, "big") + data.ljust(24, b"\0")
    packets = split_message(message)
    reassembler = Reassembler()
    order = sorted(range(len(packets)), key=lambda at: data[at % len(data)] if data else 0)
    fed = [reassembler.feed(1, packets[at], 0.0) for at in order] if len(packets) > 1 else []
    assert not fed or fed[-1] == message[:12] + bytes(4) + message[16:]


def stream(data: bytes) -> None:
    """A stream is cut into the same messages whatever pieces it comes in."""
    whole, pieces = MessageStream(), MessageStream()
    found = whole.feed(data)
    assert [each for piece in in_pieces(data) for each in pieces.feed(piece)] == found
    assert str(whole.failure) == str(pieces.failure)
    with suppress(FramingError):
        whole.finish()
        assert b"".join(found) == data


_BODIES: dict[str, tuple[Run, list[bytes]]] = {
    "resolve": (
        stable(resolution.decode_resolve_request, resolution.encode_resolve_request),
        bodies(1),
    ),
    "record": (
        stable(resolution.decode_resolve_reply, resolution.encode_resolve_reply),
        bodies(1, replies=True),
    ),
    "referral": (
        stable(resolution.decode_referral, resolution.encode_referral),
        bodies(1, replies=True),
    ),
    "error": (only(resolution.decode_error, DecodeError), bodies(1, 100, replies=True)),
    "handle": (
        stable(administration.decode_handle, administration.encode_handle),
        bodies(2, 101, 105, 300),
    ),
    "handles": (
        stable(administration.decode_handles, administration.encode_handles),
        bodies(105, 302, replies=True),
    ),
    "values": (
        stable(administration.decode_values_request, administration.encode_values_request),
        bodies(100, 102, 104),
    ),
    "indexes": (
        stable(administration.decode_remove_request, administration.encode_remove_request),
        bodies(103),
    ),
    "challenge": (
        stable(authentication.decode_challenge, authentication.encode_challenge),
        bodies(100, 101, replies=True),
    ),
    "answer": (
        stable(authentication.decode_challenge_answer, authentication.encode_challenge_answer),
        bodies(200),
    ),
    "verify": (
        stable(authentication.decode_verify_request, authentication.encode_verify_request),
        bodies(201),
    ),
    "verdict": (
        stable(authentication.decode_verify_reply, authentication.encode_verify_reply),
        bodies(201, replies=True),
    ),
    "login": (stable(authentication.decode_login, authentication.encode_login), bodies(2001)),
    "session": (
        stable(setups.decode_session_setup, setups.encode_session_setup),
        bodies(400),
    ),
    "session-reply": (
        stable(setups.decode_session_setup_reply, setups.encode_session_setup_reply),
        bodies(400, replies=True),
    ),
    "session-key": (stable(setups.decode_session_key, setups.encode_session_key), bodies(402)),
    "digest": (read_digest, bodies(1, 100, replies=True)),
}

_MESSAGES = octets("messages", "hex") + octets("signed_messages", "hex")
_PLAIN = _MESSAGES[0]
_OFFERS = octets("key_exchanges", "public_key_hex", "peer_key_hex")
_OWN_KEY = ExchangeKey(Group((1 << 1024) - 105, 2), 12_345)
_PACKETS = [
    b"\xff\xfe\xfd".join(bytes.fromhex(packet) for packet in case["request_packets_hex"])
    for case in documents("wire_udp")
]

TARGETS = {
    "envelope": Target(stable(decode_envelope, encode_envelope), [_PLAIN[:20]]),
    "message": Target(stable(decode_message, encode_message), _MESSAGES),
    "message-shown": Target(read_message, _MESSAGES),
    "message-fast": Target(read_fast, _MESSAGES),
    "reply": Target(read_reply, _MESSAGES),
    "credential": Target(
        stable(decode_credential, encode_credential),
        [each[4:] for each in octets("signed_messages", "credential_hex")],
    ),
    "session-message": Target(read_session_message, octets("credentials", "hex")),
    "encrypted": Target(open_message, [bytes(48), bytes(16) + _PLAIN]),
    "secret-answer": Target(check_secret, octets("challenge_answers", "answer_hex"), cost=60),
    "key-answer": Target(check_key, octets("challenge_answers", "answer_hex")),
    "key-exchange": Target(
        exchange, [*_OFFERS, *(bytes(3) + b"\x03" + each for each in _OFFERS)], cost=60
    ),
    "fragments": Target(reassemble, _PACKETS),
    "packets": Target(split, [*_MESSAGES, bytes(1_500)]),
    "stream": Target(stream, octets("wire_tcp", "request_hex")),
    **{f"body-{name}": Target(run, seeds) for name, (run, seeds) in _BODIES.items()},
}
