"""A signed request is believed as it was signed, now, and by no other key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import AuthenticationFailed
from registry.provisioning.signature import WINDOW, Request, check, claimed, sign

NOW = 1_700_000_000
KEY = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
REQUEST = Request("POST", "/ntn/v1/commands", b'{"command":"poll"}')
SIGNED = sign(REQUEST, "88.901", KEY, NOW)


def test_what_was_signed_is_believed():
    claim = claimed(SIGNED, NOW)
    assert claim == ("88.901", NOW)
    check(SIGNED, REQUEST, claim, KEY.public_key())


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST._replace(method="PUT"),
        REQUEST._replace(path="/ntn/v1/prefixes"),
        REQUEST._replace(body=REQUEST.body + b" "),
    ],
    ids=["method", "path", "body"],
)
def test_another_request_is_not(request_):
    with pytest.raises(AuthenticationFailed):
        check(SIGNED, request_, claimed(SIGNED, NOW), KEY.public_key())


@pytest.mark.parametrize(
    "key",
    [OTHER.public_key(), None, ec.generate_private_key(ec.SECP256R1()).public_key()],
    ids=["another", "none", "of another kind"],
)
def test_another_key_is_not_believed(key):
    with pytest.raises(AuthenticationFailed):
        check(SIGNED, REQUEST, claimed(SIGNED, NOW), key)


def test_another_name_is_not_believed():
    headers = {**SIGNED, "Signature-Input": SIGNED["Signature-Input"].replace("88.901", "88.902")}
    with pytest.raises(AuthenticationFailed):
        check(headers, REQUEST, claimed(headers, NOW), KEY.public_key())


@pytest.mark.parametrize("off", [-WINDOW - 1, WINDOW + 1])
def test_another_time_is_not_believed(off):
    claimed(SIGNED, NOW + WINDOW)
    with pytest.raises(AuthenticationFailed):
        claimed(SIGNED, NOW + off)


@given(st.text(), st.text())
def test_nothing_else_is_read(given_input, given_signature):
    headers = {"Signature-Input": given_input, "Signature": given_signature}
    with pytest.raises(AuthenticationFailed):
        check(headers, REQUEST, claimed(headers, NOW), KEY.public_key())
