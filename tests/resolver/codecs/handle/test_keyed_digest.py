from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.wire import WireReader
from resolver.codecs.handle.keyed_digest import (
    HMAC_SHA256,
    MAX_ROUNDS,
    PBKDF2_HMAC_SHA1,
    SHA1,
    Stretching,
    code_of,
    keyed_digest,
    stretched_digest,
)
from tests.support.handle_vectors import case_id, cases

DIGESTS = cases("keyed_digests")
PLAIN = [case for case in DIGESTS if case["code"] != PBKDF2_HMAC_SHA1]
STRETCHED = [case for case in DIGESTS if case["code"] == PBKDF2_HMAC_SHA1]


@pytest.mark.parametrize("case", PLAIN, ids=case_id)
def test_digests_are_those_of_the_library(case: dict[str, Any]) -> None:
    secret, data = case["secret"].encode(), bytes.fromhex(case["data_hex"])

    assert keyed_digest(case["code"], secret, data).hex() == case["digest_hex"]


@pytest.mark.parametrize("case", STRETCHED, ids=case_id)
def test_stretched_digests_are_those_of_the_library(case: dict[str, Any]) -> None:
    reader = WireReader(bytes.fromhex(case["digest_hex"]))
    stretching = Stretching(reader.string("salt"), reader.u32("rounds"), reader.u32("bits"))
    secret, data = case["secret"].encode(), bytes.fromhex(case["data_hex"])

    assert stretched_digest(secret, data, stretching) == reader.string("digest")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (b"\x02", SHA1),
        (b"SHA1", SHA1),
        (b"SHA-1", SHA1),
        (b"HMAC-SHA256", HMAC_SHA256),
        (b"HmacSHA256", HMAC_SHA256),
        (b"PBKDF2-HMAC-SHA1", PBKDF2_HMAC_SHA1),
        (b"PBKDF2WithHmacSHA1", PBKDF2_HMAC_SHA1),
    ],
)
def test_a_form_has_an_octet_and_words(name: bytes, code: int) -> None:
    assert code_of(name) == code


@pytest.mark.parametrize("name", [b"", b"SHA-512", b"--"])
def test_other_words_are_refused(name: bytes) -> None:
    with pytest.raises(DecodeError, match="not known"):
        code_of(name)


@given(st.integers(0, 255), st.binary(max_size=80), st.binary(max_size=40))
def test_every_code_gives_a_digest_or_is_refused(code: int, secret: bytes, data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert len(keyed_digest(code, secret, data)) in (16, 20, 32)


@pytest.mark.parametrize(
    ("iterations", "bits"), [(0, 160), (1, 0), (1, 7), (1, 161), (MAX_ROUNDS + 1, 160)]
)
def test_stretching_without_sense_or_measure_is_refused(iterations: int, bits: int) -> None:
    with pytest.raises(DecodeError, match="PBKDF2"):
        stretched_digest(b"secret", b"", Stretching(b"salt", iterations, bits))


def test_long_keys_count_as_often_as_they_cost() -> None:
    half = Stretching(b"salt", MAX_ROUNDS // 2, 320)

    assert len(stretched_digest(b"secret", b"", half)) == 20
    with pytest.raises(DecodeError, match="costs too much"):
        stretched_digest(b"secret", b"", half._replace(bits=328))
