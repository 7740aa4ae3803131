from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.key import PublicKey, decode_public_key, encode_public_key
from registry.values.wire import u32
from resolver.codecs.handle.bodies.digest import split_digest
from resolver.codecs.handle.bodies.sessions import (
    DIFFIE_HELLMAN,
    decode_session_setup,
    decode_session_setup_reply,
)
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.key_exchange import (
    AES,
    GROUP,
    KEY_SIZE,
    ExchangeKey,
    Group,
    accept_exchange,
    complete_exchange,
    draw_exchange_key,
)
from resolver.codecs.handle.versions import OWN, Version
from tests.support.handle_vectors import case_id, cases
from tests.support.recorded_flows import Recorded, recorded

SETUPS = [one for one in recorded("flow_session") if one.message.op_code == OpCode.SESSION_SETUP]


def dh(public: int, prime: int = GROUP.prime, generator: int = GROUP.generator) -> bytes:
    return encode_public_key(PublicKey("DH", {"y": public, "p": prime, "g": generator}))


@pytest.mark.parametrize("case", cases("key_exchanges"), ids=case_id)
def test_keys_come_out_as_with_the_library(case: dict[str, Any]) -> None:
    public = bytes.fromhex(case["public_key_hex"])
    numbers = decode_public_key(public).numbers
    group = Group(numbers["p"], numbers["g"])
    own = ExchangeKey(group, int(case["private_hex"], 16))

    assert own.octets == public
    key = complete_exchange(own, u32(AES) + bytes.fromhex(case["peer_key_hex"]))
    assert key.hex() == case["session_key_hex"]


@pytest.mark.parametrize("one", SETUPS[::2], ids=lambda one: one.case)
def test_recorded_offers_are_accepted(one: Recorded) -> None:
    setup = decode_session_setup(one.message.body)

    assert setup.mode == DIFFIE_HELLMAN
    accepted = accept_exchange(setup.public_key, one.message.spoken_version)
    ours = decode_public_key(accepted.reply_data[4:]).numbers
    theirs = decode_public_key(setup.public_key).numbers
    assert (ours["p"], ours["g"]) == (theirs["p"], theirs["g"])
    assert len(accepted.session_key) == KEY_SIZE


@pytest.mark.parametrize("one", SETUPS[1::2], ids=lambda one: one.case)
def test_recorded_replies_complete_an_exchange(one: Recorded) -> None:
    _, rest = split_digest(one.message.body, one.message.version)
    reply = decode_session_setup_reply(rest)
    numbers = decode_public_key(reply.data[4:]).numbers
    own = draw_exchange_key(Group(numbers["p"], numbers["g"]))

    assert len(complete_exchange(own, reply.data)) == KEY_SIZE


def test_both_sides_come_to_the_same_key_and_another_each_time() -> None:
    own = draw_exchange_key()
    first, second = accept_exchange(own.octets, OWN), accept_exchange(own.octets, OWN)

    assert complete_exchange(own, first.reply_data) == first.session_key
    assert complete_exchange(own, second.reply_data) == second.session_key
    assert first.session_key != second.session_key
    assert str(own.secret) not in repr(own)


@pytest.mark.parametrize("version", [Version(2, 3), Version(2, 0), Version(5, 0)], ids=str)
def test_peers_that_want_des_are_refused(version: Version) -> None:
    with pytest.raises(DecodeError, match="DES"):
        accept_exchange(draw_exchange_key().octets, version)


@pytest.mark.parametrize("algorithm", [0, 1, 2, 4])
def test_servers_that_want_des_are_refused(algorithm: int) -> None:
    own = draw_exchange_key()

    with pytest.raises(DecodeError, match="only AES"):
        complete_exchange(own, u32(algorithm) + own.octets)


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (dh(0), "outside"),
        (dh(1), "outside"),
        (dh(GROUP.prime - 1), "outside"),
        (dh(GROUP.prime), "outside"),
        (dh(2, generator=1), "outside"),
        (dh(2, generator=GROUP.prime - 1), "outside"),
        (dh(2, prime=GROUP.prime + 1), "2048 bits is not accepted"),
        (dh(2, prime=(1 << 768) - 1), "768 bits"),
        (dh(2, prime=(1 << 8192) - 1), "8192 bits"),
        (encode_public_key(PublicKey("RSA", {"n": 15, "e": 3})), "DH key is expected"),
        # No prime: every high power of 3 is 0 there.
        (dh(3, prime=3**700), "too small a group"),
        (b"", "key type"),
    ],
)
def test_offers_that_give_no_secret_are_refused(offer: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        accept_exchange(offer, OWN)


def test_a_server_must_stay_in_the_group_of_the_offer() -> None:
    other = draw_exchange_key(Group(GROUP.prime, 3))

    with pytest.raises(DecodeError, match="another group"):
        complete_exchange(draw_exchange_key(), u32(AES) + other.octets)


@given(st.one_of(st.binary(max_size=60), st.integers(0, 1 << 2048).map(dh)))
def test_arbitrary_octets_raise_nothing_but_decode_errors(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        assert len(complete_exchange(ExchangeKey(GROUP, 5), u32(AES) + data)) == KEY_SIZE
    with contextlib.suppress(DecodeError):
        complete_exchange(ExchangeKey(GROUP, 5), data)
