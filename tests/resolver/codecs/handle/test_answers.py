from __future__ import annotations

import contextlib
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, rsa
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.key_objects import PrivateKeyObject, load_public_key
from registry.values.wire import string, u32
from resolver.codecs.handle.answers import (
    SALT_SIZE,
    make_key_answer,
    make_secret_answer,
    verify_key_answer,
    verify_secret_answer,
)
from resolver.codecs.handle.bodies.digest import digest_request
from resolver.codecs.handle.versions import OWN, Version
from tests.support.handle_vectors import about, case_id, cases
from tests.support.recorded_flows import FLOWS, Challenge, admin_key, challenges

ANSWERS = cases("challenge_answers")
BY_SECRET = [case for case in ANSWERS if case["auth_type"] == "HS_SECKEY"]
BY_KEY = [case for case in ANSWERS if case["auth_type"] == "HS_PUBKEY"]
RECORDED = [(flow, challenge) for flow in FLOWS for challenge in challenges(flow)]
IDS = [challenge.case for _, challenge in RECORDED]
SALT = bytes(range(SALT_SIZE))
VERSIONS = [Version(5, 0), *(Version(2, minor) for minor in range(12)), Version(3, 0)]


@cache
def keys() -> tuple[PrivateKeyObject, ...]:
    return rsa.generate_private_key(65537, 1024), dsa.generate_private_key(1024)


def given_to(case: dict[str, Any]) -> tuple[bytes, bytes]:
    return bytes.fromhex(case["nonce_hex"]), bytes.fromhex(case["request_digest_hex"])


def version_of(case: dict[str, Any]) -> Version:
    return Version(2, case["protocol_minor"])


def salt_in(answer: bytes) -> bytes:
    return answer[5:21]


@pytest.mark.parametrize("case", ANSWERS, ids=case_id)
def test_challenges_hold_the_digest_of_their_version(case: dict[str, Any]) -> None:
    digest = digest_request(bytes.fromhex(case["request_header_and_body_hex"]), version_of(case))

    assert digest.algorithm == case["request_digest_alg"]
    assert digest.octets.hex() == case["request_digest_hex"]


@pytest.mark.parametrize("case", BY_SECRET, ids=case_id)
def test_secret_answers_of_the_library_hold_and_are_made_again(case: dict[str, Any]) -> None:
    secret, answer = case["secret_key"].encode(), bytes.fromhex(case["answer_hex"])
    nonce, digest = given_to(case)
    version = version_of(case)

    assert verify_secret_answer(secret, nonce, digest, answer, version)
    assert not verify_secret_answer(secret + b"!", nonce, digest, answer, version)
    assert not verify_secret_answer(secret, nonce[::-1], digest, answer, version)
    assert make_secret_answer(secret, nonce, digest, version, salt_in(answer)) == answer


@pytest.mark.parametrize("case", BY_KEY, ids=case_id)
def test_key_answers_of_the_library_hold(case: dict[str, Any]) -> None:
    key = load_public_key(bytes.fromhex(case["public_key_hex"]))
    answer = bytes.fromhex(case["answer_hex"])
    nonce, digest = given_to(case)

    assert verify_key_answer(key, nonce, digest, answer)
    assert not verify_key_answer(key, nonce[::-1], digest, answer)
    assert not verify_key_answer(keys()[0].public_key(), nonce, digest, answer)


@pytest.mark.parametrize(("flow", "challenge"), RECORDED, ids=IDS)
def test_recorded_answers_are_judged_as_they_were(flow: str, challenge: Challenge) -> None:
    _, request, nonce, digest, answering, given = challenge

    assert digest_request(request.header_and_body, request.spoken_version) == digest
    if given.auth_type == b"HS_PUBKEY":
        key = admin_key(flow)
        assert given.user_index == 300
        assert verify_key_answer(key.public_key(), nonce, digest.octets, given.answer)
        made = make_key_answer(key, nonce, digest.octets, answering.version)
        assert made == given.answer
        return
    secret = about(flow)["keys"]["secret_key"].encode()
    held = verify_secret_answer(secret, nonce, digest.octets, given.answer, answering.version)
    assert given.user_index == 301
    assert held is ("wrong" not in challenge.case)
    if held:
        salt = salt_in(given.answer)
        made = make_secret_answer(secret, nonce, digest.octets, answering.version, salt)
        assert made == given.answer


@pytest.mark.parametrize("version", VERSIONS, ids=str)
def test_what_is_answered_here_is_understood_here(version: Version) -> None:
    answer = make_secret_answer("密钥".encode(), b"nonce", b"digest", version, SALT)

    assert verify_secret_answer("密钥".encode(), b"nonce", b"digest", answer, version)
    assert not verify_secret_answer(b"other", b"nonce", b"digest", answer, version)
    for key in keys():
        answer = make_key_answer(key, b"nonce", b"digest", version)
        assert verify_key_answer(key.public_key(), b"nonce", b"digest", answer)
        assert not verify_key_answer(key.public_key(), b"nonce", b"other", answer)


def test_dsa_signs_with_sha_256_for_peers_of_211_only() -> None:
    rsa_key, dsa_key = keys()

    for version, key, name in [
        (Version(2, 6), rsa_key, b"SHA1"),
        (Version(2, 7), rsa_key, b"SHA-256"),
        (Version(2, 10), dsa_key, b"SHA1"),
        (Version(2, 11), dsa_key, b"SHA-256"),
    ]:
        assert make_key_answer(key, b"", b"", version).startswith(string(name))


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_hash_may_be_named_by_its_octet(code: int) -> None:
    key = keys()[0]
    names = {1: b"MD5", 2: b"SHA-1", 3: b"SHA256"}
    answer = make_key_answer(key, b"n", b"d", Version(2, 6 if code == 2 else 11))
    signature = answer[answer.index(b"\0\0\0\x80") :]
    octet, word = (string(name) + signature for name in (bytes([code]), names[code]))

    for form in (octet, word):
        assert verify_key_answer(key.public_key(), b"n", b"d", form) is (code != 1)


def test_nobody_knows_an_empty_secret() -> None:
    for version in VERSIONS:
        answer = make_secret_answer(b"", b"nonce", b"digest", version, SALT)
        assert not verify_secret_answer(b"", b"nonce", b"digest", answer, version)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\x00" + bytes(16),
        b"\x04" + bytes(32),
        b"\x22",
        b"\x22" + string(SALT) + u32(10000) + u32(160),
        b"\x22" + string(SALT) + u32(10000) + u32(160) + string(bytes(20)) + b"more",
        b"\x22" + string(SALT) + u32(0) + u32(160) + string(bytes(20)),
        b"\x22" + string(SALT) + u32(0xFFFFFFFF) + u32(160) + string(bytes(20)),
        b"\x22" + string(SALT) + u32(1) + u32(0xFFFFFFF8) + string(bytes(20)),
    ],
)
def test_malformed_and_too_expensive_secret_answers_are_refused(answer: bytes) -> None:
    with pytest.raises(DecodeError):
        verify_secret_answer(b"secret", b"nonce", b"digest", answer, OWN)


@pytest.mark.parametrize(
    "answer",
    [b"", string(b"SHA-256"), string(b"SHA-512") + string(b""), string(b"SHA1") * 2 + b"more"],
)
def test_malformed_key_answers_are_refused(answer: bytes) -> None:
    with pytest.raises(DecodeError):
        verify_key_answer(keys()[0].public_key(), b"nonce", b"digest", answer)


answers = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda code, rest: bytes([code]) + rest, st.integers(0, 255), st.binary()),
    st.builds(
        lambda salt, rounds, bits, mac: b"\x22" + string(salt) + rounds + bits + string(mac),
        st.binary(max_size=20),
        st.integers(0, 300).map(u32),
        st.integers(0, 400).map(u32),
        st.binary(max_size=24),
    ),
    st.builds(
        lambda name, signature: string(name) + string(signature),
        st.sampled_from([b"SHA1", b"SHA-256", b"MD5", b"\x01", b"\x02", b"\x03", b"?"]),
        st.binary(max_size=140),
    ),
)


@given(answers, st.sampled_from(VERSIONS))
def test_arbitrary_answers_are_wrong_or_refused(answer: bytes, version: Version) -> None:
    with contextlib.suppress(DecodeError):
        assert not verify_secret_answer(b"secret", b"nonce", b"digest", answer, version)
    for key in keys():
        with contextlib.suppress(DecodeError):
            assert not verify_key_answer(key.public_key(), b"nonce", b"digest", answer)
