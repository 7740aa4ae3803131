"""What a node knows of its own store without asking it: prefixes, delegations, templates, totals.

All of it follows from few records, is read when the node starts and kept true by the change feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from registry.errors import StorageUnavailable
from registry.prefixes.tree import TOP, PrefixTree
from registry.schemes.handle import DEFAULT_RULES, PREFIX_RECORDS, HandleRules, Key
from registry.storage.interface import Readable, is_counted
from resolver.computed import ComputedRecords

#: Told after each commit: the identifiers whose replies are out of date, None for all of them.
Outdated = Callable[["Sequence[Key] | None"], None]
#: Identifiers shown as examples, and the prefixes that they are taken from.
EXAMPLES: Final = 4


class Holdings:
    """A view of the store of one node.

    `shown` are the prefixes of which identifiers may be shown as examples, `top` says that every
    top-level prefix is homed there.
    """

    def __init__(
        self,
        store: Readable,
        outdated: Outdated,
        *,
        shown: Sequence[str] = (),
        top: bool = False,
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self.tree = PrefixTree()
        self.computed = ComputedRecords(self.tree, store.lookup, rules)
        #: How many identifiers were registered when `count` was last called.
        self.identifiers = 0
        #: A few registered identifiers.
        self.examples: list[Key] = []
        #: Counts the commits.
        self.changes = 1
        self._store = store
        self._outdated = outdated
        self._top = top
        self._shown = shown[:EXAMPLES]
        self._one_at_a_time = asyncio.Lock()

    async def load(self) -> Callable[[], None]:
        """Read everything and follow the store from then on; the returned function ends that."""
        end = self._store.subscribe(self.follow)
        await self.follow(None, True)
        await self.count()
        return end

    async def follow(self, keys: Sequence[Key] | None, homed_changed: bool) -> None:
        """Take in a commit; None stands for any identifiers."""
        async with self._one_at_a_time:
            self.changes += 1
            whole_prefixes = True
            try:
                await self._read_prefixes(keys, homed_changed)
                whole_prefixes = self.computed.follow(keys or (), homed_changed) or keys is None
                await self._read_namespaces()
                if keys is None or len(self.examples) < EXAMPLES or {*keys} & {*self.examples}:
                    await self._read_examples()
            finally:
                self._outdated(None if whole_prefixes else keys)

    async def count(self) -> None:
        """Bring `identifiers` up to date, if the store can be read."""
        try:
            self.identifiers = sum((await self._store.reads.counts()).values())
        except StorageUnavailable:
            return

    async def _read_prefixes(self, keys: Sequence[Key] | None, homed_changed: bool) -> None:
        reads, tree = self._store.reads, self.tree
        if homed_changed:
            homed = await reads.homed_prefixes()
            tree.homed.clear()
            tree.homed.update(homed, [TOP] if self._top else [])
        if keys is None:
            tree.replace({row.suffix: row.record async for row in reads.scan(PREFIX_RECORDS)})
        for key in keys or ():
            if key.is_prefix_record:
                tree.update(key.suffix, await reads.record(*key))

    async def _read_examples(self) -> None:
        found: list[Key] = []
        for prefix in self._shown:
            page = await self._store.reads.page(prefix, limit=EXAMPLES)
            found += [row.key for row in page if row.suffix and is_counted(*row.key)]
        self.examples = found[:EXAMPLES]

    async def _read_namespaces(self) -> None:
        """Have those at hand that decide which replies go with which identifier."""
        reading = (
            self._store.gather(partial(self.computed.read, prefix), for_change=True)
            for prefix in self.computed.unread()
        )
        await asyncio.gather(*reading)
