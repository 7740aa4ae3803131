"""What every SQL backend shares: set-wise statements, one writer, honest failures."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import chain, groupby
from typing import Any, Final, TypeVar

from sqlalchemy import Select, Table, bindparam, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from registry.accounts.account import Account, Token
from registry.audit.log import (
    GENESIS,
    START,
    Checkpoint,
    Entry,
    Head,
    Sealed,
    entry_hash,
)
from registry.errors import OutcomeUnknown, Refusal, StorageUnavailable
from registry.quotas.quota import RegistrationLimit
from registry.schemes.handle import Key
from registry.storage import dossiers as files
from registry.storage.change_feed import ChangeFeed
from registry.storage.dossiers import WHOLE, D, Dossier, Page
from registry.storage.interface import (
    Ended,
    KeptOutcome,
    Lookup,
    Reads,
    Row,
    StoreNotUsable,
    Subscriber,
    Transaction,
    keys_of,
)
from registry.storage.limits import registration_limits
from registry.storage.schema import (
    ACCOUNTS,
    ANSWERED_CHALLENGES,
    AUDIT_CHECKPOINTS,
    AUDIT_LOG,
    HOMED_PREFIXES,
    IDEMPOTENCY_KEYS,
    IDENTIFIER_HISTORY,
    IDENTIFIERS,
    NODE_FACTS,
    PREFIX_STATISTICS,
    TOKENS,
)
from registry.storage.searching import SearchWrites

T = TypeVar("T")

_log = logging.getLogger(__name__)

_BY_KEY: Final = (IDENTIFIERS.c.prefix == bindparam("p"), IDENTIFIERS.c.suffix == bindparam("s"))
_UPDATE: Final = (
    update(IDENTIFIERS).where(*_BY_KEY).values({name: bindparam(name) for name in Row._fields[2:]})
)
_DELETE: Final = delete(IDENTIFIERS).where(*_BY_KEY)
_COUNT: Final = (
    update(PREFIX_STATISTICS)
    .where(PREFIX_STATISTICS.c.prefix == bindparam("p"))
    .values(identifiers=PREFIX_STATISTICS.c.identifiers + bindparam("delta"))
)
_UNHOME: Final = delete(HOMED_PREFIXES).where(HOMED_PREFIXES.c.prefix == bindparam("p"))
_AUDIT_END: Final = (
    f"SELECT {', '.join(Entry._fields)}, hash FROM audit_log ORDER BY sequence DESC LIMIT 2"
)
_FORGET_OUTCOMES: Final = delete(IDEMPOTENCY_KEYS).where(
    IDEMPOTENCY_KEYS.c.created < bindparam("before")
)
#: Another process of the node may have made the same one.
_ADD_CHECKPOINT: Final = text(
    f"INSERT INTO audit_checkpoints ({', '.join(Checkpoint._fields)})"
    f" VALUES ({', '.join(f':{name}' for name in Checkpoint._fields)}) ON CONFLICT DO NOTHING"
)
_FORGET_CHECKPOINTS: Final = delete(AUDIT_CHECKPOINTS).where(
    AUDIT_CHECKPOINTS.c.node == bindparam("n"), AUDIT_CHECKPOINTS.c.sequence < bindparam("before")
)
_FORGET_TOKENS: Final = delete(TOKENS).where(
    TOKENS.c.expires > 0, TOKENS.c.expires < bindparam("before")
)
_FORGET_CHALLENGES: Final = delete(ANSWERED_CHALLENGES).where(
    ANSWERED_CHALLENGES.c.expires < bindparam("before")
)
_FORGET_FACT: Final = delete(NODE_FACTS).where(NODE_FACTS.c.key == bindparam("k"))


class SqlTransaction(SearchWrites):
    """A transaction on an open connection, in statements that every backend understands."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.changed: list[Key] = []
        self.homed_changed = False

    @abstractmethod
    async def rows(self, keys: Sequence[Key]) -> dict[Key, Row]: ...

    async def insert(self, rows: Sequence[Row]) -> None:
        if rows:
            await self._insert(rows)
            self.changed += [row.key for row in rows]

    async def _insert(self, rows: Sequence[Row]) -> None:
        await self._connection.execute(insert(IDENTIFIERS), [row._asdict() for row in rows])

    async def update(self, rows: Sequence[Row]) -> None:
        if rows:
            parameters = [row._asdict() | {"p": row.prefix, "s": row.suffix} for row in rows]
            await self._connection.execute(_UPDATE, parameters)
            self.changed += [row.key for row in rows]

    async def delete(self, keys: Sequence[Key]) -> None:
        if keys:
            parameters = [{"p": key.prefix, "s": key.suffix} for key in keys]
            await self._connection.execute(_DELETE, parameters)
            self.changed += keys

    async def insert_missing(self, rows: Sequence[Row]) -> list[Row]:
        if not rows:
            return []
        run = self._connection.exec_driver_sql
        await run("SAVEPOINT adding")
        added = list(rows)
        if await self._insert_new(added) < len(rows):
            # Which of them were there already is asked only if some were.
            await run("ROLLBACK TO adding")
            there = await self.rows([row.key for row in rows])
            added = list({row.key: row for row in reversed(rows) if row.key not in there}.values())
            added.reverse()
            await self._insert_new(added)
        await run("RELEASE adding")
        self.changed += keys_of(added)
        return added

    @abstractmethod
    async def _insert_new(self, rows: Sequence[Row]) -> int:
        """Add the rows that are not there; how many those were."""

    async def archive(self, rows: Sequence[Ended]) -> None:
        if rows:
            parameters = [row._asdict() for row in rows]
            await self._connection.execute(insert(IDENTIFIER_HISTORY), parameters)

    @abstractmethod
    async def last_versions(self, keys: Sequence[Key]) -> dict[Key, int]: ...

    async def audit_head(self) -> Head:
        rows: list[Any] = list(await self._connection.exec_driver_sql(_AUDIT_END))
        found = [Sealed(Entry(*row[:-1]), row[-1]) for row in rows]
        if not found:
            return START
        (entry, end), previous = found[0], found[1].hash if len(found) > 1 else GENESIS
        if entry_hash(entry, previous) != end:
            raise StoreNotUsable(
                f"entry {entry.sequence}, the last one of the audit log, was changed;"
                " `idnode audit verify` tells more"
            )
        return Head(entry.sequence, end)

    async def append_audit(self, entries: Sequence[Sealed]) -> None:
        if entries:
            parameters = [
                entry._asdict() | {"hash": end, "scope": entry.scope} for entry, end in entries
            ]
            await self._connection.execute(insert(AUDIT_LOG), parameters)

    async def outcomes(self, keys: Sequence[bytes]) -> dict[bytes, KeptOutcome]:
        asked = select(IDEMPOTENCY_KEYS).where(IDEMPOTENCY_KEYS.c.key.in_(keys))
        return {row[0]: KeptOutcome(*row) for row in await self._all(asked)}

    async def keep_outcomes(self, outcomes: Sequence[KeptOutcome]) -> None:
        if outcomes:
            rows = [outcome._asdict() for outcome in outcomes]
            await self._connection.execute(insert(IDEMPOTENCY_KEYS), rows)

    async def forget_outcomes(self, before: int) -> None:
        await self._connection.execute(_FORGET_OUTCOMES, {"before": before})

    async def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        await self._connection.execute(_ADD_CHECKPOINT, checkpoint._asdict())

    async def forget_checkpoints(self, node: str, before: int) -> None:
        await self._connection.execute(_FORGET_CHECKPOINTS, {"n": node, "before": before})

    async def _all(self, query: Select[Any]) -> list[Any]:
        return list(await self._connection.execute(query))

    async def count(self, deltas: Mapping[str, int]) -> None:
        parameters = [{"p": prefix, "delta": delta} for prefix, delta in deltas.items() if delta]
        if parameters:
            await self._connection.execute(_COUNT, parameters)

    async def home(self, prefixes: Sequence[str]) -> None:
        # The statistics of a prefix outlive its being homed here, as its identifiers do.
        for table in (HOMED_PREFIXES, PREFIX_STATISTICS):
            known = set(await self._connection.scalars(select(table.c.prefix)))
            new = [prefix for prefix in dict.fromkeys(prefixes) if prefix not in known]
            await self._add_prefixes(table, new)
        self.homed_changed = True

    async def _add_prefixes(self, table: Table, prefixes: Sequence[str]) -> None:
        zeros = {"identifiers": 0} if table is PREFIX_STATISTICS else {}
        if prefixes:
            rows = [{"prefix": prefix} | zeros for prefix in prefixes]
            await self._connection.execute(insert(table), rows)

    async def unhome(self, prefixes: Sequence[str]) -> None:
        if prefixes:
            await self._connection.execute(_UNHOME, [{"p": prefix} for prefix in prefixes])
            self.homed_changed = True

    async def set_fact(self, key: str, value: str) -> None:
        await self.forget_fact(key)
        await self._connection.execute(insert(NODE_FACTS), {"key": key, "value": value})

    async def forget_fact(self, key: str) -> None:
        await self._connection.execute(_FORGET_FACT, {"k": key})

    @property
    def connection(self) -> AsyncConnection:
        """What the transaction runs on, for statements that only copying has."""
        return self._connection

    async def load(self, table: Table, rows: Sequence[Sequence[Any]]) -> None:
        """Put rows as they are into a table, in the order of its columns."""
        if rows:
            names = table.columns.keys()
            parameters = [dict(zip(names, row, strict=True)) for row in rows]
            await self._connection.execute(insert(table), parameters)

    async def add_accounts(self, accounts: Sequence[Account], tokens: Sequence[Token]) -> None:
        if accounts:
            rows = [account._asdict() | {"role": account.role.value} for account in accounts]
            await self._connection.execute(insert(ACCOUNTS), rows)
        if tokens:
            await self._connection.execute(insert(TOKENS), [token._asdict() for token in tokens])

    async def registration_limits(
        self, accounts: Sequence[str], prefixes: Sequence[str]
    ) -> list[RegistrationLimit]:
        return await registration_limits(self._connection, accounts, prefixes)

    async def forget_tokens(self, before: int) -> None:
        for statement in (_FORGET_TOKENS, _FORGET_CHALLENGES):
            await self._connection.execute(statement, {"before": before})

    async def dossiers(
        self, kind: type[D], page: Page = WHOLE, **having: str | int | bytes
    ) -> list[D]:
        query = files.finding(kind, tuple(having), len(page.after))
        rows = await self._run(query, files.parameters(having, page))
        return files.dossiers_of(kind, list(rows))

    async def dossiers_with(self, kind: type[D], keys: Sequence[Sequence[Any]]) -> list[D]:
        rows: list[Any] = []
        for start in range(0, len(keys), files.AT_ONCE):
            some = keys[start : start + files.AT_ONCE]
            rows += await self._run(files.fetching(kind, len(some)), tuple(chain(*some)))
        return files.dossiers_of(kind, rows)

    async def file(self, dossiers: Sequence[Dossier]) -> None:
        for kind, some in groupby(dossiers, type):
            await self._run(files.filing(kind), [*map(files.row_of, some)])

    async def discard(self, dossiers: Sequence[Dossier]) -> None:
        for kind, some in groupby(dossiers, type):
            await self._run(files.discarding(kind), [*map(files.key_of, some)])

    async def _run(
        self, statement: str, parameters: tuple[Any, ...] | list[tuple[Any, ...]]
    ) -> Any:
        """Run a statement that has `?` for its parameters, for each in a list of those."""
        return await self._connection.exec_driver_sql(statement, parameters)

    async def announce(self) -> None:
        """Let other processes know of the changes when, and only if, the commit is done."""


class SqlStore(ABC):
    """A store on a SQLAlchemy engine whose pool holds the one connection that writes."""

    def __init__(self, engine: AsyncEngine, lookup: Lookup, reads: Reads) -> None:
        self._engine = engine
        self._lookup = lookup
        self._reads = reads
        self._feed = ChangeFeed()
        self._one_writer = asyncio.Lock()

    @property
    def lookup(self) -> Lookup:
        return self._lookup

    @property
    def reads(self) -> Reads:
        return self._reads

    async def gather(self, decide: Callable[[], T], *, for_change: bool = False) -> T:
        return decide()

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        return self._feed.subscribe(subscriber)

    def figures(self) -> dict[str, float]:
        """See `Store.figures`; a database of its own is watched by tools of its own."""
        return {}

    async def close(self) -> None:
        """Wait for the transaction under way, then close every connection."""
        async with self._one_writer:
            await self._reads.close()
            await self._engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        async with self._one_writer:
            connection = self._engine.connect()
            try:
                await self._start(connection)
                transaction = self._transaction(connection)
                yield transaction
                await transaction.announce()
            except BaseException as error:
                await _undisturbed(self._give_up(connection, error))
                raise
            await _undisturbed(self._commit(connection, transaction))

    async def _start(self, connection: AsyncConnection) -> None:
        """Begin the transaction, once nobody else writes."""
        await connection.start()
        await connection.begin()

    async def _give_up(self, connection: AsyncConnection, error: BaseException) -> None:
        """Roll back; says StorageUnavailable instead of a database's own words."""
        refusal = self._refusal(error)
        await self._leave(connection, broken=refusal is not None)
        if refusal is not None:
            raise refusal from error

    async def _commit(self, connection: AsyncConnection, transaction: SqlTransaction) -> None:
        """Commit and tell the subscribers; nobody else writes before they know."""
        try:
            await connection.commit()
        except (DBAPIError, OSError) as error:
            _log.error("a commit failed: %s", error)
            await self._leave(connection, broken=True)
            if self._certainly_undone(error):
                raise StorageUnavailable("the store cannot take the change") from error
            raise OutcomeUnknown("the commit failed, the change may or may not be there") from error
        if transaction.changed or transaction.homed_changed:
            await self._feed.publish(transaction.changed, transaction.homed_changed)
        await self._leave(connection, broken=False)

    async def _leave(self, connection: AsyncConnection, *, broken: bool) -> None:
        """Hand the connection back; after a failure close it, so that the next writer starts clean.

        What a failed write or sync left behind in the connection is not to be trusted again.
        """
        if connection.sync_connection is None:
            return
        try:
            if broken:
                await connection.invalidate()
            await connection.close()
        except (DBAPIError, OSError) as error:
            _log.warning("closing the writer failed: %s", error)

    def _refusal(self, error: BaseException) -> Refusal | None:
        """What a failure before the commit means; None if the database is not to blame."""
        ours = (IntegrityError, ProgrammingError, InterfaceError)
        if not isinstance(error, DBAPIError):
            return None
        if isinstance(error, ours) and not error.connection_invalidated:
            return None
        _log.error("the store failed before a commit: %s", error.orig)
        return StorageUnavailable("the store cannot take writes")

    @abstractmethod
    def _transaction(self, connection: AsyncConnection) -> SqlTransaction: ...

    @abstractmethod
    def _certainly_undone(self, error: DBAPIError | OSError) -> bool:
        """Whether a commit that failed like this has left nothing behind."""


async def _undisturbed(work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end even if the caller is cancelled meanwhile; the caller still is."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()
        raise cancelled
    task.result()
