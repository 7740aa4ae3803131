"""`/v1/audit/checkpoints`: what the nodes below say of their audit logs, kept as their witness.

A checkpoint is believed by its signature alone, with the key that the node's own prefix record
gives here.
"""

from __future__ import annotations

import logging
from typing import Final

import msgspec
from aiohttp import web

from registry.audit import Checkpoint
from registry.child_keys import child_key
from registry.errors import (
    AuthenticationFailed,
    CheckpointContradicts,
    DecodeError,
    InvalidValue,
    Refusal,
)
from registry.http.problem import refusal_problem
from registry.storage.interface import Store
from registry.witness import KEPT, CheckpointForm, holds, is_new, write_checkpoints

_log = logging.getLogger(__name__)

PATH: Final = "/v1/audit/checkpoints"


class HandedOver(msgspec.Struct, forbid_unknown_fields=True):
    """A checkpoint and the prefix of the node that signed it."""

    prefix: str
    checkpoint: CheckpointForm


class CheckpointRoutes:
    """POST hands a checkpoint over (204); GET `?node=NAME` shows those that are kept."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(PATH, self._post)
        app.router.add_get(PATH, self._get)

    async def _get(self, request: web.Request) -> web.Response:
        kept = await self._store.reads.checkpoints(request.query.get("node", ""))
        return web.json_response(write_checkpoints(kept))

    async def _post(self, request: web.Request) -> web.Response:
        try:
            handed = _decode(await request.read())
            checkpoint = handed.checkpoint.checkpoint()
            key = await child_key(self._store.reads, handed.prefix, checkpoint.node)
            if key is None or not holds(checkpoint, key):
                raise AuthenticationFailed("the checkpoint is not signed by a node below this one")
            await self._keep(checkpoint)
        except Refusal as refusal:
            status, headers, body = refusal_problem(refusal, instance=request.raw_path)
            return web.Response(status=status, headers=headers, body=body)
        return web.Response(status=204)

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


def _decode(body: bytes) -> HandedOver:
    try:
        return msgspec.json.decode(body, type=HandedOver)
    except msgspec.ValidationError as error:
        raise InvalidValue(str(error)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(f"the body is not the JSON asked for: {error}") from None
