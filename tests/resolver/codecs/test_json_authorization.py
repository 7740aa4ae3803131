from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError, InvalidCredential
from registry.values.wire import string, u32
from resolver.codecs.json_api.authorization import (
    Basic,
    Login,
    Unreadable,
    read_administrator,
    read_authorization,
    read_verification,
)

PROOF = {
    "id": "301:88.1/A",
    "type": "HS_SECKEY",
    "alg": "SHA1",
    "cnonce": "AQ==",
    "signature": "Ag==",
}


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.mark.parametrize(
    ("pair", "read"),
    [
        ("301%3A0.NA/88.1000:secret", Basic(b"0.NA/88.1000", 301, b"secret")),
        ("301%3A0.NA%2F88.1000:se:cret", Basic(b"0.NA/88.1000", 301, b"se:cret")),
        ("0.NA/88.1000:x", Basic(b"0.NA/88.1000", 0, b"x")),
        ("301%3A88.1/%E8%AE%BE%20:", Basic("88.1/设 ".encode(), 301, b"")),
    ],
)
def test_basic(pair, read):
    assert read_authorization(basic(pair)) == read
    assert read_authorization(basic(pair).replace("Basic", " bASIC  ")) == read


def test_the_parameters_of_a_login():
    text = r'Handle sessionId = "a\"b" , ID="301%3A88.1/A",alg=SHA-1, clientCert="True"'
    login = read_authorization(text)
    assert isinstance(login, Login)
    assert login.members["id"] == "301:88.1/A"
    assert (login.session_id, login.proves, login.certificate) == ('a"b', True, True)


@pytest.mark.parametrize(
    "text",
    ["", "Basic", "Basic ?", basic("no colon"), "Bearer x", "Handle", "Handle x", 'Handle x="'],
)
def test_what_cannot_be_read(text):
    assert read_authorization(text) == Unreadable()


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({}, b"\x02\x02"),
        ({"alg": "sha"}, b"\x02\x02"),
        ({"alg": "SHA-256"}, b"\x03\x02"),
        ({"alg": "HMAC-SHA1"}, b"\x12\x02"),
        (
            {"alg": "PBKDF2WithHmacSHA1", "salt": "AA==", "iterations": "9", "length": "160"},
            b"\x22" + string(b"\0") + u32(9) + u32(160) + string(b"\x02"),
        ),
        ({"type": "hs_pubkey", "alg": "SHA-256"}, string(b"SHA256") + string(b"\x02")),
    ],
)
def test_proofs_in_their_binary_form(more, answer):
    proof, nonce = Login({**PROOF, **more}).proof()
    assert proof.answer == answer
    assert (proof.user_handle, proof.user_index, nonce) == (b"88.1/A", 301, b"\x01")


@pytest.mark.parametrize(
    "more",
    [{"alg": "SHA3"}, {"type": "HS_X"}, {"signature": "?"}, {"cnonce": "?"}]
    + [
        {"alg": "PBKDF2HmacSHA1", "salt": "", "iterations": count, "length": "1"}
        for count in ("x", "-1")
    ],
)
def test_proofs_that_cannot_be_read(more):
    with pytest.raises(InvalidCredential):
        Login({**PROOF, **more}).proof()


@pytest.mark.parametrize("name", PROOF)
def test_proofs_need_all_their_parts(name):
    members = {other: text for other, text in PROOF.items() if other != name}
    with pytest.raises(InvalidCredential, match="Missing"):
        Login(members).proof()


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (b"300:a/b", (b"a/b", 300)),
        (b"a/b:c", (b"a/b:c", 0)),
        (b"99999999999:a", (b"99999999999:a", 0)),
        (b":a", (b":a", 0)),
    ],
)
def test_administrators(text, read):
    assert read_administrator(text) == read


words = st.text(max_size=20)


@given(words | st.builds("Handle {}={}".format, words, words) | st.builds("Basic {}".format, words))
def test_any_header_is_read_or_not(text):
    read = read_authorization(text)
    if isinstance(read, Login):
        with suppress(InvalidCredential):
            read.proof()


@given(st.dictionaries(st.sampled_from(sorted(PROOF)), words))
def test_any_proof_is_read_or_refused(members):
    with suppress(InvalidCredential):
        Login({**PROOF, **members}).proof()


names = st.sampled_from(["nonce", "cnonce", "alg", "signature", "salt", "iterations", "length"])


@given(st.binary(max_size=20), st.dictionaries(names, st.lists(st.binary(), min_size=1)))
def test_any_verification_is_read_or_refused(named, params):
    with suppress(DecodeError):
        read_verification(named, {"nonce": [b"AA=="], "cnonce": [b"AA=="], **params})
