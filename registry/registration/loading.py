"""Adding identifiers in great numbers: a row for each, one audit entry for all rows of a prefix."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from registry.audit.ledger import Ledger, Writing
from registry.audit.log import Actor, Event, Note, batch_root
from registry.clock import Clock
from registry.errors import InvalidValue, PrefixNotHomed, Refusal
from registry.prefixes.tree import PrefixTree
from registry.quotas.metering import Metering
from registry.quotas.quota import RegistrationMeter
from registry.registration.sealing import Sealer
from registry.schemes.handle import PREFIX_RECORDS, Key
from registry.storage.interface import (
    ACTIVE,
    Row,
    Store,
    Transaction,
    counted,
    is_counted,
    new_rows,
)
from registry.templates.conformance import may_name_a_template
from registry.templates.enforcement import Templating


class Group(NamedTuple):
    """New identifiers under one prefix: canonical suffixes, and a well-formed record for each."""

    prefix: str
    suffixes: Sequence[str]
    records: Sequence[bytes]


class Added(NamedTuple):
    """What was not added of a group: identifiers that were there, and those refused."""

    there: Collection[str] = ()
    refused: Mapping[str, Refusal] = {}


class Loader:
    """Adds groups to a store; `homed` gives the prefixes that it answers for.

    With a sealer every record gets the node's signature first. `clock` says when that is made.
    Where the store is `indexed` for searching, what is added is remembered until the index has it.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        homed: Callable[[], Awaitable[PrefixTree]],
        sealer: Sealer | None,
        clock: Clock,
        *,
        indexed: bool = False,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._homed = homed
        self._sealer = sealer
        self._clock = clock
        self._indexed = indexed

    async def add(self, groups: Sequence[Group], actor: Actor) -> list[Added]:
        """Add the identifiers that are not there, durably or not at all; by group, what was not.

        Raises PrefixNotHomed, StorageUnavailable, OutcomeUnknown.
        """
        # Before the transaction: others write meanwhile.
        ready = [await self._sealed(group) for group in groups]
        async with self._ledger.begin() as writing:
            homes = (await self._homed()).homes
            templating = Templating(writing.transaction, homes)
            metering = await self._metering(writing, groups, actor)
            meter = metering.meter()
            added = []
            for group, refused in ready:
                conforming, faulty = await _judged(templating, group)
                within, spent = await _within(writing.transaction, conforming, actor, meter)
                there = await self._add(writing, within, actor, templating)
                if metering.limits:
                    meter.take(actor.name, group.prefix, _registered(within, there))
                added.append(Added(there, {**refused, **faulty, **spent}))
            await metering.settle(meter)
            return added

    async def _metering(self, writing: Writing, groups: Sequence[Group], actor: Actor) -> Metering:
        wanted = [(actor.name, group.prefix) for group in groups]
        return await Metering.of(self._store.reads, writing.transaction, wanted)

    async def _sealed(self, group: Group) -> tuple[Group, Mapping[str, InvalidValue]]:
        if self._sealer is None:
            return group, {}
        sealed = await self._sealer.sealed(*group, int(self._clock.now()))
        return Group(group.prefix, sealed.suffixes, sealed.records), sealed.refused

    async def _add(
        self, writing: Writing, group: Group, actor: Actor, templating: Templating
    ) -> Collection[str]:
        if not group.suffixes:
            return ()
        transaction, prefix = writing.transaction, group.prefix
        added = await transaction.insert_missing(await self._rows(writing, group))
        if added:
            root = batch_root(prefix, [(row.suffix, row.record) for row in added])
            note = Note(Event.BATCH_REGISTERED, actor, prefix, b"", root, len(added))
            number = writing.note(note)
            suffixes = [row.suffix for row in added]
            if self._indexed:
                await transaction.remember_batch(number, suffixes)
            await transaction.count({prefix: counted(prefix, suffixes)})
        if templating.claims_anything:
            await templating.settle({row.key: row for row in added})
        if len(added) == len(group.suffixes):
            return ()
        return set(group.suffixes).difference(row.suffix for row in added)

    async def _rows(self, writing: Writing, group: Group) -> list[Row]:
        prefix, number, now = group.prefix, writing.next_number, writing.time // 1000
        await self._check_homed(group)
        versions = await self._versions(writing, group)
        if not versions:
            return new_rows(prefix, group.suffixes, group.records, now, number)
        return [
            Row(prefix, suffix, record, ACTIVE, versions.get(suffix, 0) + 1, now, number)
            for suffix, record in zip(group.suffixes, group.records, strict=True)
        ]

    async def _check_homed(self, group: Group) -> None:
        """Where a prefix is homed so are its identifiers, but for the records of prefixes."""
        tree, prefix = await self._homed(), group.prefix
        suffixes = group.suffixes if prefix == PREFIX_RECORDS else group.suffixes[:1]
        if not all(tree.homes(Key(prefix, suffix)) for suffix in suffixes):
            raise PrefixNotHomed(prefix)

    async def _versions(self, writing: Writing, group: Group) -> Mapping[str, int]:
        """The last versions of suffixes that were there once; asked for only if any can be."""
        if not await self._store.reads.has_history(group.prefix):
            return {}
        keys = [Key(group.prefix, suffix) for suffix in group.suffixes]
        found = await writing.transaction.last_versions(keys)
        return {key.suffix: version for key, version in found.items()}


async def _within(
    transaction: Transaction, group: Group, actor: Actor, meter: RegistrationMeter
) -> tuple[Group, Mapping[str, Refusal]]:
    """What of a group the limits leave room for, and why the rest is refused.

    Rows whose identifiers are there take no room.
    """
    left = meter.left(actor.name, group.prefix)
    if left is None or left >= counted(group.prefix, group.suffixes):
        return group, {}
    there = await transaction.rows([Key(group.prefix, suffix) for suffix in group.suffixes])
    new = [
        suffix
        for suffix in group.suffixes
        if Key(group.prefix, suffix) not in there and is_counted(group.prefix, suffix)
    ]
    refusal = meter.refusal(actor.name, group.prefix)
    refused: dict[str, Refusal] = dict.fromkeys(new[left:], refusal)
    return _without(group, refused), refused


def _registered(group: Group, there: Collection[str]) -> int:
    """How many registrations adding a group came to."""
    return counted(group.prefix, [suffix for suffix in group.suffixes if suffix not in there])


async def _judged(templating: Templating, group: Group) -> tuple[Group, Mapping[str, Refusal]]:
    """What of a group is as the templates named in it ask, and why the rest is refused."""
    rows = [
        Row(group.prefix, suffix, record, ACTIVE, 1, 0)
        for suffix, record in zip(group.suffixes, group.records, strict=True)
        if may_name_a_template(record)
    ]
    if not rows:
        return group, {}
    await templating.read((None, row) for row in rows)
    judge, refused = templating.judge(), {}
    for row in rows:
        try:
            judge(None, row)
        except Refusal as refusal:
            refused[row.suffix] = refusal
    return _without(group, refused), refused


def _without(group: Group, refused: Collection[str]) -> Group:
    kept = [
        (suffix, record)
        for suffix, record in zip(group.suffixes, group.records, strict=True)
        if suffix not in refused
    ]
    suffixes, records = zip(*kept, strict=True) if kept else ((), ())
    return Group(group.prefix, suffixes, records)
