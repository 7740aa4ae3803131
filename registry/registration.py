"""Registration: the one way by which identifiers change.

Changes that wait at the same time are decided in their order and become durable in one commit; each
caller hears its own verdict, and only after that commit.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from registry.changes import Change, check_size, decide
from registry.clock import Clock
from registry.errors import Draining, InvalidValue, Overloaded, PrefixNotHomed, Refusal
from registry.prefix_tree import PrefixTree
from registry.schemes.handle import Key
from registry.storage.interface import ACTIVE, Row, Store, Transaction, is_counted

_log = logging.getLogger(__name__)

#: Most changes in one commit: more would hold up the first of them without saving anything.
GROUP_SIZE: Final = 256
#: Most changes waiting; at 2,000 a second the last of them waits two seconds.
QUEUE_SIZE: Final = 4096
#: Rows of a bulk load in one commit.
BATCH_SIZE: Final = 2000


class Done(NamedTuple):
    """A change that is durable: the identifier before and after it, None where there is none."""

    before: Row | None
    after: Row | None

    @property
    def created(self) -> bool:
        return self.before is None


#: Makes a record one that also has the node's own signature: identifier, record, Unix time.
Seal: TypeAlias = Callable[[Key, bytes, int], bytes]


class _Pending(NamedTuple):
    change: Change
    verdict: asyncio.Future[Done]


class Decided(NamedTuple):
    """The verdict on each change of a group, and the rows it leaves (None: the row is gone)."""

    verdicts: list[Done | Refusal]
    rows: dict[Key, Row | None]


def decide_group(
    changes: Sequence[Change],
    stored: Mapping[Key, Row],
    now: int,
    homes: Callable[[Key], bool],
) -> Decided:
    """Decide changes in order, each on what those before it left; a refused one leaves nothing."""
    verdicts: list[Done | Refusal] = []
    rows: dict[Key, Row | None] = {}
    for change in changes:
        key = change.key
        before = rows[key] if key in rows else stored.get(key)
        try:
            if not homes(key):
                raise PrefixNotHomed(key.prefix)
            after = decide(change, before, now)
        except Refusal as refusal:
            verdicts.append(refusal)
        else:
            rows[key] = after
            verdicts.append(Done(before, after))
    return Decided(verdicts, rows)


def seal_group(changes: Sequence[Change], decided: Decided, seal: Seal, now: int) -> Decided:
    """The same with the rows sealed. Pure but slow: it may run in a thread.

    Where there is no room for the signature, all changes of the identifier are refused: those that
    came first were never seen by anybody.
    """
    rows: dict[Key, Row | None] = {}
    refused: dict[Key, Refusal] = {}
    for key, row in decided.rows.items():
        try:
            rows[key] = row and _sealed(row, seal, now)
        except InvalidValue as refusal:
            refused[key] = refusal
    verdicts: list[Done | Refusal] = []
    for change, verdict in zip(changes, decided.verdicts, strict=True):
        if isinstance(verdict, Done) and change.key in refused:
            verdicts.append(copy.copy(refused[change.key]))
        elif isinstance(verdict, Done) and verdict.after is decided.rows[change.key]:
            verdicts.append(Done(verdict.before, rows[change.key]))
        else:
            verdicts.append(verdict)
    return Decided(verdicts, rows)


def _sealed(row: Row, seal: Seal, now: int) -> Row:
    record = seal(row.key, row.record, now)
    check_size(record)
    return row._replace(record=record)


def count_deltas(stored: Mapping[Key, Row], rows: Mapping[Key, Row | None]) -> dict[str, int]:
    """By how much the statistics of each prefix change when `rows` replace `stored`."""
    deltas: dict[str, int] = {}
    for key, row in rows.items():
        if is_counted(*key):
            delta = _counts_as(row) - _counts_as(stored.get(key))
            deltas[key.prefix] = deltas.get(key.prefix, 0) + delta
    return deltas


class Registrar:
    """Takes changes from any number of callers and commits them in groups.

    With `seal`, what is submitted is stored as that makes of it; bulk loads are stored as they are.
    To be made where an event loop runs, and closed by `aclose`.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        seal: Seal | None = None,
        group_size: int = GROUP_SIZE,
        queue_size: int = QUEUE_SIZE,
    ) -> None:
        self._store = store
        self._clock = clock
        self._seal = seal
        self._group_size = group_size
        self._queue_size = queue_size
        self._queue: deque[_Pending] = deque()
        self._work_waits = asyncio.Event()
        self._closing = False
        self._homed = PrefixTree(store.lookup.homed_prefixes())
        self._unsubscribe = store.subscribe(self._follow)
        self._task = asyncio.create_task(self._work(), name="registrar")

    async def submit(self, change: Change) -> Done:
        """Make the change; returns when it is durable.

        Raises the Refusal that `decide` gives, PrefixNotHomed, Overloaded or Draining (nothing was
        done), StorageUnavailable (nothing was done) or OutcomeUnknown. A caller that is cancelled
        does not know whether its change was made.
        """
        if self._closing:
            raise Draining()
        if len(self._queue) >= self._queue_size:
            raise Overloaded("too many changes wait already")
        pending = _Pending(change, asyncio.get_running_loop().create_future())
        self._queue.append(pending)
        self._work_waits.set()
        return await pending.verdict

    async def load(self, prefix: str, records: Iterable[tuple[str, bytes]]) -> int:
        """Add new identifiers of a homed prefix in large commits; how many were added.

        `records` gives canonical suffixes and well-formed records. Identifiers that exist are left
        as they are, so that a load which was cut off can simply be repeated. Raises PrefixNotHomed,
        StorageUnavailable, OutcomeUnknown; the batches committed before stay.
        """
        remaining = iter(records)
        added = 0
        while batch := list(islice(remaining, BATCH_SIZE)):
            now = int(self._clock.now())
            async with self._store.begin() as transaction:
                rows = [Row(prefix, suffix, record, ACTIVE, 1, now) for suffix, record in batch]
                added += await self._add(transaction, rows)
        return added

    async def aclose(self) -> None:
        """Take no more changes and settle those that wait."""
        self._closing = True
        self._work_waits.set()
        await self._task
        self._unsubscribe()

    def _follow(self, _keys: Sequence[Key], homed_changed: bool) -> None:
        if homed_changed:
            self._homed = PrefixTree(self._store.lookup.homed_prefixes())

    async def _work(self) -> None:
        while self._queue or not self._closing:
            await self._work_waits.wait()
            self._work_waits.clear()
            while group := self._next_group():
                await self._settle(group)

    def _next_group(self) -> list[_Pending]:
        """Those who waited longest; who gave up waiting is left out."""
        group: list[_Pending] = []
        while self._queue and len(group) < self._group_size:
            pending = self._queue.popleft()
            if not pending.verdict.done():
                group.append(pending)
        return group

    async def _settle(self, group: Sequence[_Pending]) -> None:
        """Tell everybody in the group how their change ended.

        If the commit fails, the refused are told so too: their verdict may rest on a change that
        was not made.
        """
        verdicts: Sequence[Done | Refusal]
        try:
            verdicts = await self._commit([pending.change for pending in group])
        except Refusal as refusal:
            verdicts = [copy.copy(refusal) for _ in group]
        except Exception:
            _log.exception("a group of changes failed")
            verdicts = [Refusal("the change could not be processed") for _ in group]
        for pending, verdict in zip(group, verdicts, strict=True):
            if pending.verdict.done():
                continue
            if isinstance(verdict, Refusal):
                pending.verdict.set_exception(verdict)
            else:
                pending.verdict.set_result(verdict)

    async def _commit(self, changes: Sequence[Change]) -> Sequence[Done | Refusal]:
        """Decide and write in one transaction: all that must not come apart is written here."""
        async with self._store.begin() as transaction:
            stored = await transaction.rows([change.key for change in changes])
            now = int(self._clock.now())
            decided = decide_group(changes, stored, now, self._homed.homes)
            if self._seal is not None:
                decided = await asyncio.to_thread(seal_group, changes, decided, self._seal, now)
            await _write(transaction, stored, decided.rows)
        return decided.verdicts

    async def _add(self, transaction: Transaction, rows: Sequence[Row]) -> int:
        for row in rows:
            if not self._homed.homes(row.key):
                raise PrefixNotHomed(row.prefix)
        counted = [row for row in rows if is_counted(row.prefix, row.suffix)]
        others = [row for row in rows if not is_counted(row.prefix, row.suffix)]
        new = await transaction.insert_missing(counted)
        await transaction.count({rows[0].prefix: new})
        return new + await transaction.insert_missing(others)


async def _write(
    transaction: Transaction, stored: Mapping[Key, Row], rows: Mapping[Key, Row | None]
) -> None:
    """Make the stored rows those that the group leaves, set-wise, with the statistics."""
    left = [row for row in rows.values() if row is not None]
    await transaction.insert([row for row in left if row.key not in stored])
    await transaction.update([row for row in left if row.key in stored])
    await transaction.delete([key for key, row in rows.items() if row is None and key in stored])
    await transaction.count(count_deltas(stored, rows))


def _counts_as(row: Row | None) -> int:
    return 1 if row is not None and row.state == ACTIVE else 0
