"""Checkpoints: signed by the node, refused by a witness that knows better."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, rsa

from registry.audit.log import Checkpoint
from registry.audit.witness import holds, is_new, read_checkpoints, sign, write_checkpoints
from registry.errors import CheckpointContradicts, DecodeError

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def at(sequence: int, time: int, octet: int = 0) -> Checkpoint:
    return Checkpoint("tea", sequence, bytes([octet]) * 32, time, b"signed")


def test_a_signature_covers_every_member():
    checkpoint = sign(at(5, 100), KEY)
    assert holds(checkpoint, KEY.public_key())
    for change in (
        {"node": "cars"},
        {"sequence": 6},
        {"time": 101},
        {"hash": bytes(32)[1:] + b"x"},
    ):
        assert not holds(checkpoint._replace(**change), KEY.public_key())
    other = dsa.generate_private_key(1024).public_key()
    assert not holds(checkpoint, other)


@pytest.mark.parametrize(
    ("checkpoint", "new"),
    [(at(5, 100), False), (at(5, 300), False), (at(8, 300), True), (at(6, 150), True)],
)
def test_what_goes_with_what_is_known(checkpoint, new):
    assert is_new([at(5, 100), at(7, 200)], checkpoint) is new


@pytest.mark.parametrize(
    "checkpoint", [at(5, 100, octet=1), at(7, 300, octet=1), at(6, 300), at(4, 201), at(8, 150)]
)
def test_what_contradicts_is_refused(checkpoint):
    with pytest.raises(CheckpointContradicts):
        is_new([at(5, 100), at(7, 200)], checkpoint)


def test_the_file_of_a_witness():
    kept = [sign(at(5, 100), KEY), sign(at(7, 200), KEY)]
    assert read_checkpoints(json.dumps(write_checkpoints(kept)).encode()) == kept


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"checkpoints": [1]}',
        b'{"": [{"node": "a", "sequence": 1, "hash": "0g", "time": 1, "signature": ""}]}',
        b'{"": [{"node": "a", "sequence": 1, "hash": "00", "time": 1, "signature": ""}]}',
    ],
)
def test_a_file_that_is_none(content):
    with pytest.raises(DecodeError):
        read_checkpoints(content)
