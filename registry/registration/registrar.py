"""Registration: the one way by which identifiers change.

Changes that wait at the same time are decided in their order and become durable in one commit; each
caller hears its own verdict, and only after that commit.
"""

from __future__ import annotations

import asyncio
import copy
import logging
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

from registry.accounts.account import Account, Token
from registry.audit.ledger import Ledger, Writing
from registry.audit.log import Actor, Event, Note
from registry.clock import Clock
from registry.errors import Draining, Overloaded, Refusal
from registry.prefixes.tree import PrefixTree
from registry.quotas.metering import Metering
from registry.registration.changes import Change
from registry.registration.grouping import (
    Asked,
    Decided,
    Done,
    Once,
    Receipt,
    Seal,
    Stored,
    Verdict,
    count_deltas,
    count_registrations,
    decide_group,
    seal_group,
    settle_group,
)
from registry.registration.loading import Added, Group, Loader
from registry.registration.sealing import Sealer
from registry.schemes.handle import Key
from registry.storage.interface import Reads, Row, Store, Transaction
from registry.templates.enforcement import Templating

_log = logging.getLogger(__name__)

#: Most changes in one commit: more would hold up the first of them without saving anything.
GROUP_SIZE: Final = 256
#: Most changes waiting; at 2,000 a second the last of them waits two seconds.
QUEUE_SIZE: Final = 4096
#: Rows of a bulk load in one commit.
BATCH_SIZE: Final = 2000


class _Pending(NamedTuple):
    asked: Asked
    verdict: asyncio.Future[Done | Receipt]


class Registrar:
    """Takes changes from any number of callers and commits them in groups.

    With `seal`, every record is stored as that makes of it. Where the store is `indexed` for
    searching, what is added in bulk is remembered for the index.
    To be made where an event loop runs, and closed by `aclose`.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        seal: Seal | None = None,
        indexed: bool = False,
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
        self.ledger = Ledger(store, clock)
        self._homed: PrefixTree | None = None
        self._sealer = None if seal is None else Sealer(seal)
        self._loader = Loader(
            store, self.ledger, self._homed_prefixes, self._sealer, clock, indexed=indexed
        )
        self._homed_changes = 0
        self._unsubscribe = store.subscribe(self._follow)
        self._task = asyncio.create_task(self._work(), name="registrar")

    @property
    def reads(self) -> Reads:
        """What is committed."""
        return self._store.reads

    async def submit(self, change: Change, actor: Actor) -> Done:
        """Make the change; returns when it is durable.

        Raises the Refusal that `decide` gives, PrefixNotHomed, Overloaded or Draining (nothing was
        done), StorageUnavailable (nothing was done) or OutcomeUnknown. A caller that is cancelled
        does not know whether its change was made.
        """
        done = await self._settled(Asked(change, actor))
        assert isinstance(done, Done)
        return done

    async def submit_once(self, change: Change, actor: Actor, once: Once) -> Receipt:
        """The same under an idempotency key: made before, it is not made again.

        So whoever does not know what came of a request finds out by repeating it. A change that was
        refused is not remembered. Raises IdempotencyMismatch if the key came with another request.
        """
        verdict = await self._settled(Asked(change, actor, once))
        return verdict.receipt if isinstance(verdict, Done) else verdict

    @property
    def seals(self) -> bool:
        """Whether records get the node's own signature."""
        return self._seal is not None

    async def add(self, groups: Sequence[Group], actor: Actor) -> list[Added]:
        """Add new identifiers, at most about BATCH_SIZE, in one commit; by group, what was not.

        Those that were there are left as they are. Raises PrefixNotHomed, Draining,
        StorageUnavailable (nothing was added) or OutcomeUnknown.
        """
        if self._closing:
            raise Draining()
        return await self._loader.add(groups, actor)

    async def load(self, prefix: str, records: Iterable[tuple[str, bytes]], actor: Actor) -> int:
        """Add new identifiers of a homed prefix in large commits; how many were added.

        `records` gives canonical suffixes and well-formed records. Identifiers that exist are left
        as they are, so that a load which was cut off can simply be repeated. Raises what `add`
        does, and InvalidValue for a record without room for the signature; the batches committed
        before stay.
        """
        remaining = iter(records)
        added = 0
        while batch := list(islice(remaining, BATCH_SIZE)):
            suffixes, contents = zip(*batch, strict=True)
            (of_batch,) = await self.add([Group(prefix, suffixes, contents)], actor)
            for refusal in of_batch.refused.values():
                raise refusal
            added += len(batch) - len(of_batch.there)
        return added

    async def home(self, prefixes: Sequence[str], actor: Actor) -> None:
        """Answer for these prefixes from now on; those homed already stay so."""
        async with self.ledger.begin() as writing:
            await writing.transaction.home(prefixes)
            for prefix in prefixes:
                writing.note(Note(Event.PREFIX_HOMED, actor, prefix))

    async def unhome(self, prefixes: Sequence[str], actor: Actor) -> None:
        """Answer for these prefixes no longer; their identifiers stay stored."""
        async with self.ledger.begin() as writing:
            await writing.transaction.unhome(prefixes)
            for prefix in prefixes:
                writing.note(Note(Event.PREFIX_UNHOMED, actor, prefix))

    async def appoint(
        self,
        accounts: Sequence[Account],
        tokens: Sequence[Token],
        administrators: Sequence[Asked],
    ) -> None:
        """Add accounts, tokens of theirs and the records of administrators, all or none."""
        async with self.ledger.begin() as writing:
            await writing.transaction.add_accounts(accounts, tokens)
            for account, asked in zip(accounts, administrators, strict=True):
                writing.note(Note(Event.ACCOUNT_CREATED, asked.actor, account.username))
            await self.include(writing, administrators, sealed=False)

    async def include(
        self, writing: Writing, changes: Sequence[Asked], *, sealed: bool = True
    ) -> None:
        """Make changes in a transaction that is under way. Raises the first Refusal of one."""
        for verdict in await self._decide(writing, changes, sealed=sealed):
            if isinstance(verdict, Refusal):
                raise verdict

    async def aclose(self) -> None:
        """Take no more changes and settle those that wait."""
        self._closing = True
        self._work_waits.set()
        await self._task
        self._unsubscribe()
        if self._sealer is not None:
            self._sealer.close()

    def _follow(self, _keys: Sequence[Key] | None, homed_changed: bool) -> None:
        if homed_changed:
            self._homed = None
            self._homed_changes += 1

    async def _homed_prefixes(self) -> PrefixTree:
        """What the node homes, read anew after a change of that."""
        if self._homed is not None:
            return self._homed
        changes = self._homed_changes
        tree = PrefixTree(await self._store.reads.homed_prefixes())
        if changes == self._homed_changes:
            self._homed = tree
        return tree

    async def _settled(self, asked: Asked) -> Done | Receipt:
        if self._closing:
            raise Draining()
        if len(self._queue) >= self._queue_size:
            raise Overloaded("too many changes wait already")
        pending = _Pending(asked, asyncio.get_running_loop().create_future())
        self._queue.append(pending)
        self._work_waits.set()
        return await pending.verdict

    async def _work(self) -> None:
        while self._queue or not self._closing:
            await self._work_waits.wait()
            self._work_waits.clear()
            while group := self._next_group():
                await self._settle(group)

    def _next_group(self) -> list[_Pending]:
        """Those who waited longest; who gave up waiting is left out.

        A second request with the same idempotency key waits for what comes of the first.
        """
        group: list[_Pending] = []
        keys: set[bytes] = set()
        while self._queue and len(group) < self._group_size:
            once = self._queue[0].asked.once
            if once is not None and once.key in keys:
                break
            pending = self._queue.popleft()
            if not pending.verdict.done():
                group.append(pending)
                keys.update(() if once is None else (once.key,))
        return group

    async def _settle(self, group: Sequence[_Pending]) -> None:
        """Tell everybody in the group how their change ended.

        If the commit fails, the refused are told so too: their verdict may rest on a change that
        was not made.
        """
        verdicts: Sequence[Verdict]
        try:
            async with self.ledger.begin() as writing:
                verdicts = await self._decide(writing, [pending.asked for pending in group])
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

    async def _decide(
        self, writing: Writing, group: Sequence[Asked], *, sealed: bool = True
    ) -> Sequence[Verdict]:
        """Decide and write: all that must not come apart is written in this one transaction."""
        transaction, now = writing.transaction, writing.time // 1000
        stored = await _stored(transaction, group)
        homes = (await self._homed_prefixes()).homes
        templating = Templating(transaction, homes)
        wanted = ((asked.actor.name, asked.change.key.prefix) for asked in group)
        metering = await Metering.of(self._store.reads, transaction, wanted)

        def decide() -> Decided:
            return decide_group(group, stored, now, homes, templating.judge(), metering.meter())

        decided = await self._store.gather(decide, for_change=True)
        while await templating.read(decided.steps):
            decided = await self._store.gather(decide, for_change=True)
        if sealed and self._seal is not None:
            decided = await asyncio.to_thread(seal_group, group, decided, self._seal, now)
        await templating.settle(decided.rows)
        settled = settle_group(group, decided, now, writing.note)
        await _write(transaction, stored.rows, settled.rows)
        await transaction.archive(settled.archive)
        await transaction.keep_outcomes(settled.outcomes)
        if metering.limits:
            count_registrations(group, settled.verdicts, meter := metering.meter())
            await metering.settle(meter)
        return settled.verdicts


async def _stored(transaction: Transaction, group: Sequence[Asked]) -> Stored:
    """What the group is decided on."""
    keys = [asked.change.key for asked in group]
    rows = await transaction.rows(keys)
    absent = [key for key in keys if key not in rows]
    versions = await transaction.last_versions(absent) if absent else {}
    once = [asked.once.key for asked in group if asked.once is not None]
    return Stored(rows, versions, await transaction.outcomes(once) if once else {})


async def _write(
    transaction: Transaction, stored: Mapping[Key, Row], rows: Mapping[Key, Row | None]
) -> None:
    """Make the stored rows those that the group leaves, set-wise, with the statistics."""
    left = [row for row in rows.values() if row is not None]
    await transaction.insert([row for row in left if row.key not in stored])
    await transaction.update([row for row in left if row.key in stored])
    await transaction.delete([key for key, row in rows.items() if row is None and key in stored])
    await transaction.count(count_deltas(stored, rows))
