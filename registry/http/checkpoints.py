"""`/v1/audit/checkpoints`: what the nodes below say of their audit logs, kept as their witness.

A checkpoint is believed by its signature alone, with the key that the node's own prefix record
gives here.
"""

from __future__ import annotations

import logging
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from registry.audit.log import Checkpoint
from registry.audit.witness import KEPT, CheckpointForm, holds, is_new, write_checkpoints
from registry.errors import AuthenticationFailed, CheckpointContradicts
from registry.http.endpoints import Call, Endpoint, Reply
from registry.prefixes.child_keys import child_key
from registry.storage.interface import Store

_log = logging.getLogger(__name__)

PATH: Final = "/v1/audit/checkpoints"


class HandedOver(msgspec.Struct, forbid_unknown_fields=True):
    """A checkpoint and the prefix of the node that signed it."""

    prefix: Annotated[str, Meta(pattern="^[0-9A-Za-z.-]{1,255}$")]
    checkpoint: CheckpointForm


class NodeQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Whose checkpoints are asked for, by the node's name."""

    node: Annotated[str, Meta(pattern="^[a-z0-9-]{0,63}$")] = ""


class Checkpoints(msgspec.Struct):
    """What is kept of a node, oldest first."""

    checkpoints: list[CheckpointForm]


class WitnessedCheckpoints:
    """Takes the checkpoints of other nodes, and shows those that are kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                PATH,
                "read-checkpoints",
                "The checkpoints of a node's audit log that are kept here",
                self._show,
                None,
                query=NodeQuery,
                answers={200: Checkpoints},
                tag="audit",
            ),
            Endpoint(
                "POST",
                PATH,
                "hand-over-checkpoint",
                "Hand over a checkpoint; its signature says whose it is",
                self._take,
                None,
                body=HandedOver,
                answers={204: None},
                tag="audit",
            ),
        ]

    async def _show(self, call: Call) -> Reply:
        return Reply(body=write_checkpoints(await self._store.reads.checkpoints(call.query.node)))

    async def _take(self, call: Call) -> Reply:
        handed: HandedOver = call.body
        checkpoint = handed.checkpoint.checkpoint()
        key = await child_key(self._store.reads, handed.prefix, checkpoint.node)
        if key is None or not holds(checkpoint, key):
            raise AuthenticationFailed("the checkpoint is not signed by a node below this one")
        await self._keep(checkpoint)
        return Reply(204)

    async def _keep(self, checkpoint: Checkpoint) -> None:
        node = checkpoint.node
        async with self._store.begin() as transaction:
            known = await self._store.reads.checkpoints(node)
            try:
                if not is_new(known, checkpoint):
                    return
            except CheckpointContradicts as contradiction:
                _log.error("the audit log of node %s was tampered with: %s", node, contradiction)
                raise
            await transaction.add_checkpoint(checkpoint)
            if len(known) >= KEPT:
                await transaction.forget_checkpoints(node, known[1 - KEPT].sequence)
