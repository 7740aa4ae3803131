"""One upload from its first line to its last: read, batched, committed, answered while it goes.

While a batch is committed the next one is read, and no more than that: a sender that is faster than
the store waits, and memory stays the same however long the upload is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec

from registry import outcomes
from registry.bulk.batches import (
    Batch,
    Registers,
    committed_line,
    decide,
    error_members,
    verdict_lines,
)
from registry.bulk.lines import MAX_LINE, LineSplitter
from registry.bulk.rows import RefusedRow, RowReader, too_long
from registry.clock import Clock
from registry.errors import Refusal

#: Lines that are read in one go, about a millisecond: others, who resolve, have a turn in between.
AT_ONCE: Final = 400
#: Seconds that lines may wait for others to be committed with.
LINGER: Final = 0.1
#: Seconds without an octet after which a sender is given up.
PATIENCE: Final = 60.0


class UploadCut(Refusal):
    """The sender stopped before the end. What was committed stays."""

    outcome = outcomes.MALFORMED


class Upload:
    """Takes lines until they end; `accepted`, `rejected`, `committed_through` tell what is durable.

    `answer` sends octets to whoever uploads.
    """

    def __init__(
        self,
        reader: RowReader,
        store: Registers,
        clock: Clock,
        answer: Callable[[bytes], Awaitable[None]],
    ) -> None:
        self.accepted = 0
        self.refusals: Counter[str] = Counter()
        self.committed_through = 0
        self._reader = reader
        self._store = store
        self._clock = clock
        self._answer = answer
        self._splitter = LineSplitter()
        self._batch = Batch(0)
        self._commit: asyncio.Task[None] | None = None

    async def run(self, read: Callable[[], Awaitable[bytes]]) -> None:
        """Take all that `read` gives, until b"".

        Raises the Refusal that ended the upload before its end, and what `answer` raises.
        """
        try:
            try:
                while octets := await self._next(read):
                    await self._take(self._splitter.feed(octets))
            except UploadCut:
                await self._finish()
                raise
            await self._take(self._splitter.finish())
            await self._finish()
        finally:
            await self._abandon()

    @property
    def rejected(self) -> int:
        """How many rows were refused, by the words of `refusals`."""
        return self.refusals.total()

    def summary(self, refusal: Refusal | None = None) -> bytes:
        """The last line of the answer, with what ended the upload if it was not its end."""
        members: dict[str, Any] = {
            "accepted": self.accepted,
            "rejected": self.rejected,
            "committed_through": self.committed_through,
        }
        if refusal is not None:
            error = error_members(refusal)
            members["error"] = {**error, "retryable": refusal.outcome.retryable}
        return msgspec.json.encode(members) + b"\n"

    async def _next(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """The octets that come next. Lines that would wait too long for them are committed."""
        if len(self._batch):
            try:
                async with asyncio.timeout(LINGER):
                    return await read()
            except TimeoutError:
                await self._hand_over()
        try:
            async with asyncio.timeout(PATIENCE):
                return await read()
        except TimeoutError:
            raise UploadCut(f"nothing came for {PATIENCE:g} s") from None

    async def _take(self, lines: Sequence[bytes | None]) -> None:
        self._reader.now = int(self._clock.now())
        at = 0
        while at < len(lines):
            end = at + min(self._batch.room, AT_ONCE)
            for line in lines[at:end]:
                self._add(line)
            at = end
            if self._batch.full:
                await self._hand_over()
            await asyncio.sleep(0)

    def _add(self, line: bytes | None) -> None:
        try:
            if not line or line.isspace():
                self._add_odd(line)
            else:
                self._batch.add(self._reader.read(line))
        except RefusedRow as refused:
            self._batch.refuse(refused)

    def _add_odd(self, line: bytes | None) -> None:
        if line is None:
            raise too_long(MAX_LINE)
        self._batch.skip()

    async def _hand_over(self) -> None:
        """Have the batch committed once the one before it is; raises what became of that."""
        await self._settled()
        batch, self._batch = self._batch, Batch(self._batch.last_line)
        self._commit = asyncio.create_task(self._decide(batch))

    async def _finish(self) -> None:
        if len(self._batch):
            await self._hand_over()
        await self._settled()

    async def _settled(self) -> None:
        if self._commit is not None:
            commit, self._commit = self._commit, None
            await commit

    async def _abandon(self) -> None:
        """Wait for a commit under way, whatever became of the upload."""
        if self._commit is not None:
            await asyncio.wait([self._commit])
            if not self._commit.cancelled():
                self._commit.exception()

    async def _decide(self, batch: Batch) -> None:
        """Commit one batch and answer for it."""
        refused = await decide(batch, self._store)
        self.refusals.update(verdict.refusal.outcome.slug for verdict in refused)
        self.accepted += batch.rows - len(refused)
        self.committed_through = batch.last_line
        await self._answer(verdict_lines(refused) + committed_line(batch.last_line))
