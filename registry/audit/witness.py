"""Checkpoints of audit logs: signed by the node, kept by the node above it as a witness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Meta

from registry.audit.log import Checkpoint
from registry.errors import CheckpointContradicts, DecodeError
from registry.values.key_objects import PublicKeyObject

#: Checkpoints of one node that are kept; at one a minute, those of a week.
KEPT: Final = 10_000
_MAX: Final = (1 << 63) - 1


class CheckpointForm(msgspec.Struct, forbid_unknown_fields=True):
    """A checkpoint in JSON: octets in hexadecimal digits, time in Unix milliseconds."""

    node: str
    sequence: Annotated[int, Meta(ge=1, le=_MAX)]
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    time: Annotated[int, Meta(ge=0, le=_MAX)]
    signature: Annotated[str, Meta(pattern="^([0-9a-f]{2})*$")]

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> CheckpointForm:
        """The form of a checkpoint."""
        node, sequence, octets, time, signature = checkpoint
        return cls(node, sequence, octets.hex(), time, signature.hex())

    def checkpoint(self) -> Checkpoint:
        """The checkpoint. Raises DecodeError."""
        try:
            octets, signature = bytes.fromhex(self.hash), bytes.fromhex(self.signature)
        except ValueError as error:
            raise DecodeError(f"a checkpoint is not in hexadecimal digits: {error}") from None
        if not (0 < self.sequence < 1 << 63 and 0 <= self.time < 1 << 63 and len(octets) == 32):
            raise DecodeError("a number or the hash of a checkpoint is out of range")
        return Checkpoint(self.node, self.sequence, octets, self.time, signature)


def read_checkpoints(content: bytes) -> list[Checkpoint]:
    """The checkpoints in a witness's file, as `GET /v1/audit/checkpoints` gives it.

    Raises DecodeError.
    """
    try:
        document: dict[str, list[CheckpointForm]] = msgspec.json.decode(
            content, type=dict[str, list[CheckpointForm]]
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a witness's file: {error}") from None
    return [form.checkpoint() for forms in document.values() for form in forms]


def write_checkpoints(checkpoints: Sequence[Checkpoint]) -> dict[str, Any]:
    """The document of a witness's file."""
    return {"checkpoints": [msgspec.to_builtins(CheckpointForm.of(each)) for each in checkpoints]}


def sign(checkpoint: Checkpoint, key: RSAPrivateKey) -> Checkpoint:
    """The checkpoint with the node's signature (RSASSA-PKCS1-v1_5 with SHA-256)."""
    signature = key.sign(checkpoint.signed_octets, PKCS1v15(), SHA256())
    return checkpoint._replace(signature=signature)


def holds(checkpoint: Checkpoint, key: PublicKeyObject) -> bool:
    """Whether the signature is one by that key."""
    if not isinstance(key, RSAPublicKey):
        return False
    try:
        key.verify(checkpoint.signature, checkpoint.signed_octets, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def is_new(known: Sequence[Checkpoint], checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint says something that those known of its node, oldest first, do not.

    Raises CheckpointContradicts for one that cannot be true beside them: another hash for the same
    entry, or a log that has become shorter.
    """
    for other in known:
        if other.sequence == checkpoint.sequence:
            if other.hash != checkpoint.hash:
                raise CheckpointContradicts(f"entry {other.sequence} had another hash before")
            return False
    for other in known:
        if (other.sequence - checkpoint.sequence) * (other.time - checkpoint.time) < 0:
            raise CheckpointContradicts(
                f"the log had {other.sequence} entries at {other.time}"
                f" and {checkpoint.sequence} at {checkpoint.time}"
            )
    return True
