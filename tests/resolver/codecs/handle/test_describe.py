from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.site import Attribute, Site, encode_site
from resolver.codecs.handle.bodies.authentication import (
    Login,
    VerifyRequest,
    encode_challenge,
    encode_login,
    encode_verify_request,
)
from resolver.codecs.handle.bodies.sessions import SessionSetupReply, encode_session_setup_reply
from resolver.codecs.handle.codes import OpCode, ResponseCode
from resolver.codecs.handle.describe import describe_message
from resolver.codecs.handle.envelope import ENCRYPTED
from resolver.codecs.handle.header import OP_FLAGS
from resolver.codecs.handle.message import Message, encode_message, seal
from resolver.codecs.handle.reply import reply_to
from tests.support.handle_vectors import case_id, cases

#: Members of the cases that say how the octets were made.
MADE_WITH = {
    "request_hex",
    "signature_algorithm",
    "server_public_key_hex",
    "session_key_hex",
    "session_counter",
}


def body_of(message: Message) -> Any:
    return describe_message(encode_message(message))["body"]


@pytest.mark.parametrize("case", cases("messages"), ids=case_id)
def test_messages_of_the_library_are_described_in_full(case: dict[str, Any]) -> None:
    described = describe_message(bytes.fromhex(case["hex"]))

    assert described["message"] == case["message"]
    wanted = {name: value for name, value in case["body"].items() if name not in MADE_WITH}
    assert described["body"] == wanted


@pytest.mark.parametrize("case", cases("signed_messages"), ids=case_id)
def test_a_credential_is_described(case: dict[str, Any]) -> None:
    described: Any = describe_message(bytes.fromhex(case["hex"]))

    assert described["message"] == case["message"]
    assert described["body"]["handle"] == case["body"]["handle"]
    credential = described["credential"]
    assert credential["session_counter"] == case["body"].get("session_counter", 0)
    assert case["credential_hex"].endswith(credential["signature_hex"])


@pytest.mark.parametrize("case", cases("wire_tcp"), ids=case_id)
def test_captured_replies_are_described(case: dict[str, Any]) -> None:
    if case["response_messages"] != 1:
        pytest.skip("more than one message")
    described: Any = describe_message(bytes.fromhex(case["response_hex"]))

    assert described["message"]["response_code"] == case["response_header"]["response_code"]
    assert "body_hex" not in described["body"]


def test_a_challenge_has_the_digest_and_the_nonce() -> None:
    request = Message(OpCode.DELETE_HANDLE, body=b"\0\0\0\x0488/x")
    body = body_of(
        reply_to(
            request,
            ResponseCode.AUTHENTICATION_NEEDED,
            encode_challenge(b"n" * 16),
            serial=1,
            now=0,
            session_id=4,
        )
    )

    assert body["nonce_hex"] == "6e" * 16
    assert body["request_digest_alg"] == 3
    assert len(body["request_digest_hex"]) == 64


def test_verification_and_its_verdict() -> None:
    request = VerifyRequest(b"88/A", 300, b"n", b"d", b"a")
    message = Message(OpCode.VERIFY_CHALLENGE, body=encode_verify_request(request))

    assert body_of(message) == {
        "user_handle": "88/A",
        "user_index": 300,
        "nonce_hex": "6e",
        "request_digest_hex": "64",
        "signed_response_hex": "61",
    }
    assert body_of(replace(message, response_code=1, body=b"\1")) == {"valid": True}
    assert body_of(replace(message, response_code=1, body=b"\0")) == {"valid": False}


def test_session_replies_and_idis_logins() -> None:
    reply = encode_session_setup_reply(SessionSetupReply(4, b"\0\0\0\3key"))
    login = encode_login(Login(b"88/A", 300))

    assert body_of(Message(OpCode.SESSION_SETUP, 1, reply)) == {
        "mode": 4,
        "data_hex": "000000036b6579",
    }
    assert body_of(Message(OpCode.IDIS_LOGIN_KEY, body=login)) == {
        "user_handle": "88/A",
        "user_index": 300,
    }


def test_the_reply_to_a_create_names_the_handle_if_it_says_one() -> None:
    assert body_of(Message(OpCode.CREATE_HANDLE, 1, b"\0\0\0\x0488/x")) == {"handle": "88/x"}
    assert body_of(Message(OpCode.CREATE_HANDLE, 1)) == {}


def test_an_unusual_hash_option_of_a_site_is_shown() -> None:
    site: Any = body_of(Message(OpCode.SITE_INFO, 1, encode_site(Site((), hash_option=0))))["site"]

    assert site["hashOption"] == 0


def test_site_texts_that_are_not_utf8_are_refused() -> None:
    site = Site((), attributes=(Attribute(b"desc", b"\xff"),))
    with pytest.raises(DecodeError, match="UTF-8"):
        body_of(Message(OpCode.SITE_INFO, 1, encode_site(site)))


def test_bodies_of_unknown_kinds_are_octets() -> None:
    described: Any = describe_message(encode_message(Message(999, body=b"\x01")))

    assert described["body"] == {"body_hex": "01"}
    assert described["names"] == {"op_code": "999", "response_code": "request"}


def test_of_an_encrypted_message_the_envelope_is_shown() -> None:
    data = seal(Message(1, session_id=5), bytes(32), ENCRYPTED)

    assert describe_message(data) == {
        "message": {
            "major": 2,
            "minor": 11,
            "suggest_major": 2,
            "suggest_minor": 11,
            "session_id": 5,
            "request_id": 0,
            "encrypted": True,
        },
        "body": {"encrypted_hex": "00" * 32},
    }


def test_every_op_flag_has_its_own_bit() -> None:
    assert len({*OP_FLAGS.values()}) == len(OP_FLAGS)
    assert all(bit.bit_count() == 1 for bit in OP_FLAGS.values())


@given(
    st.sampled_from([*OpCode]),
    st.sampled_from([0, 1, 1, 2, 302, 402]),
    st.binary(max_size=100),
    st.sampled_from([0, OP_FLAGS["RD"]]),
)
def test_arbitrary_bodies_raise_nothing_but_decode_errors(
    op_code: int, response_code: int, body: bytes, flags: int
) -> None:
    with contextlib.suppress(DecodeError):
        body_of(Message(op_code, response_code, body, op_flags=flags))
