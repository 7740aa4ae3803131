from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.value import Reference, Value, encode_record
from resolver.codecs.handle.bodies import (
    administration,
    authentication,
    digest,
    resolution,
    sessions,
)
from resolver.codecs.handle.versions import Version
from tests.support.handle_vectors import case_id, cases

U8, U32 = st.integers(0, 255), st.integers(0, 0xFFFFFFFF)
short = st.binary(max_size=12)
indexes = st.lists(U32, max_size=4).map(tuple)
values = st.builds(
    Value,
    index=U32,
    type=short,
    data=short,
    ttl_type=U8,
    ttl=U32,
    timestamp=U32,
    permissions=U8,
    references=st.lists(st.builds(Reference, short, U32), max_size=2).map(tuple),
)
records = st.lists(values, max_size=3).map(encode_record)
exchanges = st.one_of(
    st.tuples(st.sampled_from([sessions.CLIENT_KEY, sessions.DIFFIE_HELLMAN]), short),
    st.tuples(st.just(sessions.SERVER_KEY)),
    st.tuples(st.just(sessions.HANDLE_KEY), st.just(b""), short, U32),
)
setups = st.tuples(exchanges, U32, short, U32).map(
    lambda drawn: sessions.SessionSetup(drawn[0][0], *drawn[1:], *drawn[0][1:])
)

#: Name of a body, what may stand in it, how it is written and read.
CODECS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "resolve request": (
        st.builds(
            resolution.ResolveRequest, short, indexes, st.lists(short, max_size=3).map(tuple)
        ),
        resolution.encode_resolve_request,
        resolution.decode_resolve_request,
    ),
    "resolve reply": (
        st.builds(resolution.ResolveReply, short, records),
        resolution.encode_resolve_reply,
        resolution.decode_resolve_reply,
    ),
    "referral": (
        st.builds(resolution.Referral, short, st.none() | records),
        resolution.encode_referral,
        resolution.decode_referral,
    ),
    "error": (st.text(max_size=12), resolution.encode_error, resolution.decode_error),
    "handle": (short, administration.encode_handle, administration.decode_handle),
    "values request": (
        st.builds(administration.ValuesRequest, short, st.lists(values, max_size=3).map(tuple)),
        administration.encode_values_request,
        administration.decode_values_request,
    ),
    "remove request": (
        st.builds(administration.RemoveRequest, short, indexes),
        administration.encode_remove_request,
        administration.decode_remove_request,
    ),
    "handles": (
        st.lists(short, max_size=4).map(tuple),
        administration.encode_handles,
        administration.decode_handles,
    ),
    "challenge": (short, authentication.encode_challenge, authentication.decode_challenge),
    "challenge answer": (
        st.builds(authentication.ChallengeAnswer, short, short, U32, short),
        authentication.encode_challenge_answer,
        authentication.decode_challenge_answer,
    ),
    "verify request": (
        st.builds(authentication.VerifyRequest, short, U32, short, short, short),
        authentication.encode_verify_request,
        authentication.decode_verify_request,
    ),
    "verify reply": (
        st.booleans(),
        authentication.encode_verify_reply,
        authentication.decode_verify_reply,
    ),
    "login": (
        st.builds(authentication.Login, short, U32),
        authentication.encode_login,
        authentication.decode_login,
    ),
    "session setup": (setups, sessions.encode_session_setup, sessions.decode_session_setup),
    "session setup reply": (
        st.builds(sessions.SessionSetupReply, st.integers(0, 0xFFFF), short),
        sessions.encode_session_setup_reply,
        sessions.decode_session_setup_reply,
    ),
    "session key": (short, sessions.encode_session_key, sessions.decode_session_key),
}
bodies = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)


@bodies
@given(data=st.data())
def test_every_body_survives_the_wire(codec: Any, data: st.DataObject) -> None:
    strategy, encode, decode = codec
    body = data.draw(strategy)

    assert decode(encode(body)) == body


@bodies
@given(octets=st.binary(max_size=80))
def test_arbitrary_octets_raise_nothing_but_decode_errors(codec: Any, octets: bytes) -> None:
    _, encode, decode = codec
    with contextlib.suppress(DecodeError):
        assert decode(encode(decode(octets))) == decode(octets)


@bodies
@given(data=st.data(), octet=U8)
def test_a_damaged_body_raises_nothing_but_decode_errors(
    codec: Any, data: st.DataObject, octet: int
) -> None:
    strategy, encode, decode = codec
    octets = bytearray(encode(data.draw(strategy)))
    if octets:
        octets[data.draw(st.integers(0, len(octets) - 1))] = octet
    with contextlib.suppress(DecodeError):
        decode(bytes(octets))


@pytest.mark.parametrize("name", sorted(CODECS.keys() - {"referral"}))
@given(data=st.data())
def test_octets_behind_a_body_do_not_matter(name: str, data: st.DataObject) -> None:
    strategy, encode, decode = CODECS[name]
    body = data.draw(strategy)

    assert decode(encode(body) + b"\0more") == body


def test_an_error_without_text_still_has_a_length() -> None:
    assert resolution.encode_error() == bytes(4)
    assert resolution.decode_error(b"") == ""


def test_an_error_text_of_odd_octets_is_shown_all_the_same() -> None:
    assert resolution.decode_error(b"\0\0\0\x02a\xff") == "a\ufffd"


def test_an_absent_list_of_values_is_not_an_empty_one() -> None:
    assert resolution.decode_referral(b"\0\0\0\0") == (b"", None)
    assert resolution.decode_referral(b"\0\0\0\0" + bytes(4)) == (b"", bytes(4))


def test_session_bodies_end_in_two_zero_octets() -> None:
    setup = sessions.SessionSetup(sessions.SERVER_KEY, 3600, b"88/a", 300)

    assert sessions.encode_session_setup(setup).hex() == "000200000e100000000438382f610000012c0000"
    assert sessions.encode_session_setup_reply(sessions.SessionSetupReply(2, b"k")).endswith(
        b"k\0\0"
    )


def test_an_unknown_mode_of_key_exchange_is_refused() -> None:
    with pytest.raises(DecodeError, match="mode 9"):
        sessions.decode_session_setup(b"\0\x09" + bytes(12))


@pytest.mark.parametrize("case", cases("challenge_answers"), ids=case_id)
def test_the_request_digest_follows_the_version(case: dict[str, Any]) -> None:
    version = Version(2, case["protocol_minor"])
    covered = bytes.fromhex(case["request_header_and_body_hex"])
    made = digest.digest_request(covered, version)

    assert made.octets.hex() == case["request_digest_hex"]
    assert made.algorithm == case["request_digest_alg"]
    assert digest.split_digest(digest.encode_digest(made) + b"rest", version) == (made, b"rest")


def test_a_digest_may_be_md5_though_nobody_here_sends_it() -> None:
    octets = hashlib.md5(b"x", usedforsecurity=False).digest()

    assert digest.split_digest(b"\x01" + octets, Version(2, 11)) == ((digest.MD5, octets), b"")


@pytest.mark.parametrize("head", [b"", b"\0", b"\x04", b"\x03short"])
def test_a_digest_that_is_none_is_refused(head: bytes) -> None:
    with pytest.raises(DecodeError):
        digest.split_digest(head, Version(2, 11))


@given(st.binary(max_size=60), st.integers(0, 6), st.integers(0, 12))
def test_arbitrary_octets_are_a_digest_or_refused(octets: bytes, major: int, minor: int) -> None:
    version = Version(major, minor)
    with contextlib.suppress(DecodeError):
        found, rest = digest.split_digest(octets, version)
        assert digest.encode_digest(found) + rest == octets
