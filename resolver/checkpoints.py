"""A node's checkpoints: signed now and then, kept beside the log, handed to the node above.

An attacker who can rewrite the log cannot make the witness forget what it said before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from registry.audit.ledger import Ledger
from registry.audit.log import Checkpoint, Head
from registry.audit.witness import KEPT, CheckpointForm, sign
from registry.errors import Refusal
from registry.http import checkpoints
from resolver.transports.http_client import NoReply, fetch

_log = logging.getLogger(__name__)

#: A checkpoint is due after so many entries, or so many seconds if there are any.
ENTRIES: Final = 1000
SECONDS: Final = 60.0
#: Seconds for which what came of an idempotency key is remembered.
REMEMBERED: Final = 86_400
#: Seconds that the witness has to reply.
_PATIENCE: Final = 2.0


class Checkpoints:
    """Makes the checkpoints of one node. `witness` is the HTTP address of the node above, if any.

    To be made where an event loop runs, and closed by `aclose`, which makes the last one.
    """

    def __init__(
        self,
        node: str,
        prefix: str | None,
        ledger: Ledger,
        key: Callable[[], RSAPrivateKey],
        witness: str | None,
        last: Checkpoint | None,
    ) -> None:
        self._node = node
        self._prefix = prefix
        self._ledger = ledger
        self._key = key
        self._witness = witness
        self._last = last
        self._handed_over = last is None
        self._kept: list[int] = []
        self._due = asyncio.Event()
        ledger.subscribe(self._follow)
        self._task = asyncio.create_task(self._work(), name=f"checkpoints of {node}")

    def _follow(self, head: Head) -> None:
        done = 0 if self._last is None else self._last.sequence
        if head.sequence - done >= ENTRIES:
            self._due.set()

    async def _work(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SECONDS):
                    await self._due.wait()
            self._due.clear()
            await self.make()

    async def make(self) -> None:
        """Sign a checkpoint if the log has grown, and hand the newest one over."""
        head = self._ledger.head
        done = 0 if self._last is None else self._last.sequence
        try:
            if head is None or head.sequence > done:
                await self._sign()
        except Refusal as refusal:
            _log.warning("no checkpoint of %s could be kept: %s", self._node, refusal)
        if self._last is not None and not self._handed_over:
            await self._hand_over(self._last)

    async def _sign(self) -> None:
        async with self._ledger.begin() as writing:
            if self._last is not None and writing.head.sequence <= self._last.sequence:
                return
            draft = Checkpoint(self._node, *writing.head, writing.time)
            self._last = await asyncio.to_thread(lambda: sign(draft, self._key()))
            await writing.transaction.add_checkpoint(self._last)
            await writing.transaction.forget_outcomes(writing.time // 1000 - REMEMBERED)
            self._kept.append(self._last.sequence)
            if len(self._kept) > KEPT:
                await writing.transaction.forget_checkpoints(self._node, self._kept.pop(0) + 1)
        self._handed_over = False

    async def _hand_over(self, checkpoint: Checkpoint) -> None:
        if self._witness is None or self._prefix is None:
            self._handed_over = True
            return
        form = checkpoints.HandedOver(self._prefix, CheckpointForm.of(checkpoint))
        url = self._witness + checkpoints.PATH
        try:
            document = msgspec.to_builtins(form)
            reply = await fetch("POST", url, timeout=_PATIENCE, document=document)
        except NoReply as error:
            _log.info("the witness of %s does not answer: %s", self._node, error)
            return
        self._handed_over = reply.status == 204
        if not self._handed_over:
            _log.error("the witness refuses a checkpoint of %s: %s", self._node, reply.body)

    async def aclose(self) -> None:
        """Make the last checkpoint and end."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.make()
