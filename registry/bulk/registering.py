"""What becomes of rows whose identifiers are there already."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import Enum
from typing import Final

from registry import outcomes
from registry.audit.log import Actor
from registry.bulk.rows import Row
from registry.errors import AlreadyExists, Refusal
from registry.registration.changes import Create
from registry.registration.loading import Added, Group
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.interface import Reads
from registry.trust.digests import SIGNATURE
from registry.values.value import decode_record, scan, type_matches

#: Changes of one upload that wait for a commit at the same time.
_IN_FLIGHT: Final = 256
#: Refusals that are no verdict on the row.
_NO_VERDICT: Final = (
    outcomes.STORAGE,
    outcomes.OUTCOME_UNKNOWN,
    outcomes.BUSY,
    outcomes.DRAINING,
    outcomes.INTERNAL,
)


class Existing(Enum):
    """What an upload asks for where an identifier is there."""

    REFUSE = "refuse"
    #: The row is accepted if the identifier has just its values: for what is sent once more.
    SAME = "same"
    REPLACE = "replace"


class Registering:
    """Adds the rows of an upload in the name of `actor`."""

    def __init__(
        self, registrar: Registrar, reads: Reads, actor: Actor, existing: Existing
    ) -> None:
        self._registrar = registrar
        self._reads = reads
        self._actor = actor
        self._existing = existing
        self._room = asyncio.Semaphore(_IN_FLIGHT)

    async def add(self, groups: Sequence[Group]) -> Sequence[Added]:
        """See `registry.bulk.upload.Registers`."""
        return await self._registrar.add(groups, self._actor)

    async def meet(self, rows: Sequence[Row]) -> Sequence[Refusal | None]:
        """See `registry.bulk.upload.Registers`."""
        if self._existing is Existing.REFUSE:
            return [_exists() for _ in rows]
        meet = self._compare if self._existing is Existing.SAME else self._replace
        return await asyncio.gather(*map(meet, rows))

    async def _compare(self, row: Row) -> Refusal | None:
        async with self._room:
            there = await self._reads.record(row.prefix, row.suffix)
        same = there is not None and self._values(there) == self._values(row.record)
        return None if same else _exists()

    def _values(self, record: bytes) -> list[bytes]:
        """What tells records apart: the values without their timestamps (octets 4 to 7), by index.

        Signatures do not count where the node makes them.
        """
        signs = self._registrar.seals
        return [
            record[span.start : span.start + 4] + record[span.start + 8 : span.end]
            for span in sorted(scan(record))
            if not (signs and type_matches(SIGNATURE, span.type))
        ]

    async def _replace(self, row: Row) -> Refusal | None:
        values = decode_record(row.record)
        change = Create(Key(row.prefix, row.suffix), values, overwrite=True)
        try:
            async with self._room:
                await self._registrar.submit(change, self._actor)
        except Refusal as refusal:
            if refusal.outcome in _NO_VERDICT:
                raise
            return refusal
        return None


def _exists() -> AlreadyExists:
    return AlreadyExists("the identifier exists already")
