"""What a store of identifiers offers, whichever database is behind it.

Reading sees committed state only. `Lookup` is for resolution and for rules: synchronous where the
database is embedded, and on one that has to be waited for behind `Store.gather`. `Reads` is for
everything else. Writing goes through one `Transaction` at a time; leaving its `async with` block
normally means that everything in it is durable, and only then are the subscribers told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Final, NamedTuple, Protocol, TypeVar

from registry.accounts.account import Account, Token
from registry.audit.log import Checkpoint, Entry, Head, Sealed
from registry.authorisation import Principal
from registry.quotas.quota import RegistrationLimit
from registry.registration.lifecycle import State
from registry.schemes.handle import Key
from registry.storage.dossiers import WHOLE, D, Dossier, Page
from registry.storage.search_interface import Indexing, Searchable

T = TypeVar("T")

#: The one state in which an identifier resolves.
ACTIVE: Final = int(State.ACTIVE)
#: The suffix of the bootstrap administrator of a prefix, `P/ADMIN`.
ADMINISTRATOR: Final = "ADMIN"


class Row(NamedTuple):
    """One stored identifier.

    `record` is its values in wire form, `version` counts its changes from 1, `modified` is the Unix
    time in seconds of the last one. `entry` is the number of the audit entry that tells of it.
    """

    prefix: str
    suffix: str
    record: bytes
    state: int
    version: int
    modified: int
    entry: int = 0

    @property
    def key(self) -> Key:
        return Key(self.prefix, self.suffix)


# What `Row(…)` and `Key(…)` come to in the end, without a step of Python for each.
_row: Final[Callable[[tuple[object, ...]], Row]] = partial(tuple.__new__, Row)
_key: Final[Callable[[tuple[object, ...]], Key]] = partial(tuple.__new__, Key)


def new_rows(
    prefix: str, suffixes: Sequence[str], records: Sequence[bytes], now: int, entry: int
) -> list[Row]:
    """Rows of identifiers that never were there before."""
    first = (repeat(ACTIVE), repeat(1), repeat(now), repeat(entry))
    return [*map(_row, zip(repeat(prefix), suffixes, records, *first, strict=False))]


def keys_of(rows: Sequence[Row]) -> list[Key]:
    """The keys of many rows."""
    return [*map(_key, map(itemgetter(0, 1), rows))]


class Ended(NamedTuple):
    """A row as it was until it was replaced or deleted, and the audit entry that tells of that."""

    prefix: str
    suffix: str
    record: bytes
    state: int
    version: int
    modified: int
    entry: int
    ended: int


class Past(NamedTuple):
    """A version of an identifier: who made it, and who ended it (None: it is the present one).

    Times are Unix milliseconds, as in the audit log.
    """

    row: Row
    made: int
    made_by: str
    ended: int | None
    ended_by: str | None


class KeptOutcome(NamedTuple):
    """What came of a request with an idempotency key.

    `key` and `request` are SHA-256, `outcome` what the reply was made from, `created` Unix time.
    """

    key: bytes
    request: bytes
    outcome: str
    created: int


#: Called in the event loop after each durable commit, of this process or another one of the node:
#: the identifiers it touched (None: any may have changed), and whether prefixes were homed or
#: unhomed. The writer waits for what it returns.
Subscriber = Callable[["Sequence[Key] | None", bool], "Awaitable[None] | None"]


class StoreNotUsable(Exception):  # noqa: N818 - it refuses, nothing malfunctioned
    """The store must not be opened: its settings would lose writes, or its schema is unknown."""


def is_counted(prefix: str, suffix: str) -> bool:
    """Whether statistics count the key: prefix records and administrators are the node's own.

    So is all else under the prefixes of the Handle system itself, such as the trust root.
    """
    return not prefix.startswith("0.") and suffix != ADMINISTRATOR


def counted(prefix: str, suffixes: Sequence[str]) -> int:
    """How many identifiers with these suffixes statistics count."""
    return len(suffixes) - suffixes.count(ADMINISTRATOR) if is_counted(prefix, "") else 0


class MustWait(Exception):  # noqa: N818 - an outcome, and `Store.gather` deals with it
    """An identifier cannot be read at once: the database has to be waited for."""

    def __init__(self, key: Key) -> None:
        super().__init__(str(key))
        self.key = key


class Lookup(Protocol):
    """Point reads at once. Each raises MustWait where that is not possible, StorageUnavailable
    when the database cannot be read."""

    def record(self, prefix: str, suffix: str) -> bytes | None:
        """The values of an active identifier in wire form. The resolution path."""
        ...

    def row(self, prefix: str, suffix: str) -> Row | None:
        """An identifier in whatever state."""
        ...

    def reading(self, keys: Sequence[Key]) -> AbstractContextManager[object]:
        """Around reads that follow each other at once: they see one state, and cost less.

        The records of `keys`, which most of them will ask for, may be read together beforehand.
        Never entered twice at a time. What cannot be read is said by the reads.
        """
        ...


class Reads(Searchable, Protocol):
    """All reads, waited for; each raises StorageUnavailable when the database cannot be read."""

    async def record(self, prefix: str, suffix: str) -> bytes | None:
        """The values of an active identifier in wire form."""
        ...

    async def row(self, prefix: str, suffix: str) -> Row | None:
        """An identifier in whatever state."""
        ...

    async def rows(self, keys: Sequence[Key]) -> list[Row]:
        """The identifiers among `keys`, in whatever state."""
        ...

    async def versions(self, prefix: str, suffix: str) -> list[Past]:
        """All that an identifier has been, oldest first."""
        ...

    async def has_history(self, prefix: str) -> bool:
        """Whether any identifier of a prefix was ever replaced or deleted."""
        ...

    async def entries(self, about: str | None, before: int, limit: int) -> list[Entry]:
        """Up to `limit` entries of the audit log with numbers below `before`, the newest first.

        `about` names what they are about (None: anything): what stands in their subject before the
        first "/" or space, so a prefix, an enterprise's number or a username.
        """
        ...

    async def checkpoints(self, node: str) -> list[Checkpoint]:
        """What a node signed of its audit log, as far as it is kept here, oldest first."""
        ...

    async def state(self, prefix: str, suffix: str) -> int | None:
        """The state of an identifier, None where there is none."""
        ...

    async def page(self, prefix: str, after: str | None = None, limit: int = 500) -> list[Row]:
        """Up to `limit` active identifiers of a prefix in key order, from behind suffix `after`."""
        ...

    def scan(self, prefix: str, page_size: int = 500) -> AsyncIterator[Row]:
        """All active identifiers of a prefix in key order, read page by page."""
        ...

    async def homed_prefixes(self) -> list[str]:
        """The prefixes that this node answers for, sorted."""
        ...

    async def counts(self) -> dict[str, int]:
        """The number of identifiers under each homed prefix (see `is_counted`)."""
        ...

    async def sample(self, count: int, prefixes: Sequence[str] | None = None) -> list[Key]:
        """Up to `count` counted identifiers of homed prefixes (default all), evenly spread.

        The same data gives the same sample.
        """
        ...

    async def fact(self, key: str) -> str | None:
        """A fact about the node itself, such as what it was seeded with."""
        ...

    async def principal(self, digest: bytes, now: int) -> Principal | None:
        """Whom a token with this SHA-256 belongs to, if it is valid at a Unix time.

        That takes an account that is not disabled; it acts for its own prefix, if it has any, and
        for those allocated to its enterprise.
        """
        ...

    async def limits_registrations(self) -> bool:
        """Whether there is any limit on registrations."""
        ...

    async def dossiers(
        self, kind: type[D], page: Page = WHOLE, **having: str | int | bytes
    ) -> list[D]:
        """The dossiers of a kind whose columns have these values, in key order."""
        ...

    async def close(self) -> None: ...


class Transaction(Indexing, Protocol):
    """Set-wise changes that become durable together. The caller keeps the counts true."""

    async def rows(self, keys: Sequence[Key]) -> dict[Key, Row]:
        """The stored rows among `keys`, in whatever state."""
        ...

    async def insert(self, rows: Sequence[Row]) -> None:
        """Add identifiers that are not there."""
        ...

    async def update(self, rows: Sequence[Row]) -> None:
        """Replace identifiers that are there."""
        ...

    async def delete(self, keys: Sequence[Key]) -> None: ...

    async def insert_missing(self, rows: Sequence[Row]) -> list[Row]:
        """Add the identifiers that are not there and leave the others; those that were added."""
        ...

    async def archive(self, rows: Sequence[Ended]) -> None:
        """Keep what rows were before they were replaced or deleted."""
        ...

    async def last_versions(self, keys: Sequence[Key]) -> dict[Key, int]:
        """The newest version that is archived of each of `keys` that has any."""
        ...

    async def audit_head(self) -> Head:
        """The end of the audit log. Raises StoreNotUsable if its last entry is broken."""
        ...

    async def append_audit(self, entries: Sequence[Sealed]) -> None: ...

    async def outcomes(self, keys: Sequence[bytes]) -> dict[bytes, KeptOutcome]:
        """What is kept under those idempotency keys."""
        ...

    async def keep_outcomes(self, outcomes: Sequence[KeptOutcome]) -> None: ...

    async def forget_outcomes(self, before: int) -> None:
        """Drop what was kept before a Unix time."""
        ...

    async def add_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint, unless there is one of that node with its sequence."""
        ...

    async def forget_checkpoints(self, node: str, before: int) -> None:
        """Drop what a node signed of fewer entries than `before`."""
        ...

    async def count(self, deltas: Mapping[str, int]) -> None:
        """Add to the number of identifiers of homed prefixes."""
        ...

    async def home(self, prefixes: Sequence[str]) -> None:
        """Answer for these prefixes from now on; those homed already stay so."""
        ...

    async def unhome(self, prefixes: Sequence[str]) -> None:
        """Answer for these prefixes no longer; their identifiers stay stored."""
        ...

    async def set_fact(self, key: str, value: str) -> None: ...

    async def add_accounts(self, accounts: Sequence[Account], tokens: Sequence[Token]) -> None:
        """Add new accounts and tokens of theirs."""
        ...

    async def registration_limits(
        self, accounts: Sequence[str], prefixes: Sequence[str]
    ) -> list[RegistrationLimit]:
        """The limits of these subjects, and of the enterprises that hold these prefixes."""
        ...

    async def forget_tokens(self, before: int) -> None:
        """Drop tokens, and answered challenges, that expired before a Unix time."""
        ...

    async def dossiers(
        self, kind: type[D], page: Page = WHOLE, **having: str | int | bytes
    ) -> list[D]:
        """As `Reads.dossiers`, with what this transaction has done."""
        ...

    async def dossiers_with(
        self, kind: type[D], keys: Sequence[Sequence[str | int | bytes]]
    ) -> list[D]:
        """The dossiers that have these keys, in any order."""
        ...

    async def file(self, dossiers: Sequence[Dossier]) -> None:
        """Add dossiers; one replaces what has its key."""
        ...

    async def discard(self, dossiers: Sequence[Dossier]) -> None:
        """Remove the dossiers with the keys of these."""
        ...


class Readable(Protocol):
    """What there is to read of a store: `lookup` and `reads`, and `subscribe` to hear of it."""

    @property
    def lookup(self) -> Lookup: ...

    @property
    def reads(self) -> Reads: ...

    async def gather(self, decide: Callable[[], T], *, for_change: bool = False) -> T:
        """What `decide` returns, which reads by `lookup` and does nothing else.

        Where the database has to be waited for, it is called anew after each identifier that it
        turned out to need. `for_change` asks for what is true now: no replica is read.
        """
        ...

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Hear of every durable commit; the returned function ends that."""
        ...

    async def close(self) -> None: ...


class Store(Readable, Protocol):
    """A node's store, which `begin` writes to."""

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """The next write transaction; others wait. An exception in the block rolls it back.

        Raises StorageUnavailable (nothing was changed) or OutcomeUnknown (the commit failed).
        """
        ...

    def figures(self) -> dict[str, float]:
        """What there is to watch, by the names of metrics behind `idnode_store_`."""
        ...
