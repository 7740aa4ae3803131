"""Keeping the index of values: it follows the audit log, behind everybody who writes.

What single changes touched stands in the log itself; which identifiers a batch has is remembered
until the index has them. A store without an index gets one made from all that is stored.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from registry.audit.ledger import Ledger
from registry.audit.log import Head
from registry.errors import Refusal
from registry.schemes.handle import Key
from registry.search.terms import KEY_SIZE, terms_of
from registry.storage.interface import Row, Store
from registry.storage.search_interface import ALL, Entered, Progress

_log = logging.getLogger(__name__)

#: Identifiers of one step, more or less: its commit takes some 20 ms.
STEP: Final = 4000
#: Identifiers whose terms are made before others get a turn: 1 to 2 ms.
_AT_ONCE: Final = 64
#: Seconds in which changes gather before the index follows.
_GATHERING: Final = 0.2
#: Seconds after which a step that failed is tried again.
_PATIENCE: Final = 1.0
#: For each second of work, seconds of rest: while others write, and else.
_REST_BESIDE_WRITERS: Final = 19
_REST: Final = 3


class Indexer:
    """Keeps the index of a store. To be made where an event loop runs; see `start`."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self._work_waits = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        #: The last entry of the audit log that the index has, 0 until it has been made.
        self.through = 0
        ledger.subscribe(self._hear)

    async def start(self) -> None:
        """Follow the log from now on, while others rest; `aclose` ends it.

        Raises StorageUnavailable, OutcomeUnknown.
        """
        if await self._store.reads.search_progress() is None:
            await self._begin()
        self._work_waits.set()
        self._task = asyncio.create_task(self._follow_log(), name="indexer")

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def catch_up(self) -> None:
        """Bring the index to where the log is, without rest."""
        while await self._step():
            pass

    def _hear(self, _head: Head) -> None:
        self._work_waits.set()

    async def _follow_log(self) -> None:
        said = ""
        while True:
            await self._work_waits.wait()
            await asyncio.sleep(_GATHERING)
            self._work_waits.clear()
            try:
                await self._catch_up_with_rests()
                said = ""
            except Refusal as refusal:
                if str(refusal) != said:
                    said = str(refusal)
                    _log.warning("the index of values stays behind: %s", said)
                self._work_waits.set()
                await asyncio.sleep(_PATIENCE)

    async def _catch_up_with_rests(self) -> None:
        clock = asyncio.get_running_loop().time
        began, head = clock(), self._ledger.head
        while await self._step():
            others = self._ledger.head != head
            await asyncio.sleep((_REST_BESIDE_WRITERS if others else _REST) * (clock() - began))
            began, head = clock(), self._ledger.head

    async def _step(self) -> bool:
        """Whether there was something to do, and it is done. Raises StorageUnavailable."""
        progress = await self._store.reads.search_progress()
        if progress is None:
            await self._begin()
            return True
        if progress.at is not None:
            await self._take_in_stored(progress, progress.at)
            return True
        self.through = progress.through
        return await self._take_in_told(progress)

    async def _begin(self) -> None:
        """Begin to make the index from what is stored."""
        async with self._store.begin() as transaction:
            await transaction.drop_search_index()
            through = (await transaction.audit_head()).sequence
            progress = Progress(secrets.token_bytes(KEY_SIZE), through, Key("", ""))
            await transaction.set_search_progress(progress)

    async def _take_in_stored(self, progress: Progress, at: Key) -> None:
        rows = await self._store.reads.listed(ALL.behind(at), None, STEP)
        # What was changed since the index was begun is told of.
        old = [row for row in rows if row.entry <= progress.through]
        terms = await _terms(old, progress.key, is_new=True)
        reached = rows[-1].key if len(rows) == STEP else None
        await self._write(progress, progress._replace(at=reached), terms)

    async def _take_in_told(self, progress: Progress) -> bool:
        keys: dict[Key, None] = {}
        reads, through = self._store.reads, progress.through
        for entry in await reads.told(through, STEP):
            if entry.is_batch:
                suffixes = await reads.batch(entry.sequence)
                if suffixes is None:
                    _log.warning("a batch was not remembered for the index, which is made anew")
                    await self._begin()
                    return True
                keys.update(dict.fromkeys(Key(entry.subject, suffix) for suffix in suffixes))
            elif entry.key is not None:
                keys[entry.key] = None
            through = entry.sequence
            if len(keys) >= STEP:
                break
        if through == progress.through:
            return False
        terms = await _terms(await reads.rows([*keys]), progress.key, is_new=False)
        await self._write(progress, progress._replace(through=through), terms)
        return True

    async def _write(self, was: Progress, progress: Progress, terms: Sequence[Entered]) -> None:
        """Add terms, unless somebody else was faster."""
        async with self._store.begin() as transaction:
            if await transaction.search_progress() != was:
                return
            await transaction.enter(terms)
            await transaction.set_search_progress(progress)
        self.through = progress.through if progress.at is None else 0


async def _terms(rows: Sequence[Row], key: bytes, *, is_new: bool) -> list[Entered]:
    """The terms of identifiers; those of the first version of one cannot be there yet."""
    found: list[Entered] = []
    for start in range(0, len(rows), _AT_ONCE):
        for row in rows[start : start + _AT_ONCE]:
            first = is_new or row.version == 1
            found += [Entered(term, row.key, first) for term in terms_of(row.record, key)]
        await asyncio.sleep(0)
    return found
