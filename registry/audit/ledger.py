"""The one way of writing to a store: what a transaction changes, and the audit entries about it.

Each transaction reads the end of the log anew once it is the only one that writes: another process
of the node may have written since, and whether a commit that failed is in the log is not known.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from registry.audit.log import Entry, Head, Note, Sealed, entry_hash
from registry.clock import Clock
from registry.storage.interface import Store, Transaction


class Writing:
    """A transaction under way; `time` is what its entries say, in Unix milliseconds."""

    def __init__(self, transaction: Transaction, head: Head, time: int) -> None:
        self.transaction = transaction
        self.head = head
        self.time = time
        self.entries: list[Sealed] = []

    @property
    def next_number(self) -> int:
        """The number that the next note gets."""
        return self.head.sequence + 1

    def note(self, note: Note) -> int:
        """Put a note behind the end of the log; its number."""
        entry = Entry.of(note, self.next_number, self.time)
        self.head = Head(entry.sequence, entry_hash(entry, self.head.hash))
        self.entries.append(Sealed(entry, self.head.hash))
        return entry.sequence


class Ledger:
    """A store and the end of its audit log as this process knows it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._head: Head | None = None
        self._listeners: list[Callable[[Head], None]] = []

    async def open(self) -> Head:
        """Read the end of the log. Raises StoreNotUsable if the last entry was tampered with."""
        async with self._store.begin() as transaction:
            head = await transaction.audit_head()
        self._head = head
        return head

    def subscribe(self, listener: Callable[[Head], None]) -> None:
        """Have the end of the log told after each commit."""
        self._listeners.append(listener)

    @property
    def head(self) -> Head | None:
        """The end of the log behind this process's last commit, None if that is not known."""
        return self._head

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Writing]:
        """The next transaction, as `Store.begin` has it; what is noted in it is committed with it.

        Raises StorageUnavailable, OutcomeUnknown, StoreNotUsable.
        """
        async with self._store.begin() as transaction:
            self._head = None
            head = await transaction.audit_head()
            writing = Writing(transaction, head, int(self._clock.now() * 1000))
            yield writing
            await transaction.append_audit(writing.entries)
        # Nobody else here has had a turn since the commit.
        self._head = writing.head
        for listener in self._listeners:
            listener(writing.head)
