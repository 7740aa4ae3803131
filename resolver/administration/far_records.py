"""Records of other nodes on which rights rest here: groups, and the record of a node's own prefix.

Rights are decided without waiting. What they would take from another node is asked for between two
attempts at the decision, only for somebody who has proved who they are, one question at a time for
each of them, and remembered for a while: who is struck from a group elsewhere is so here too after
that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, Protocol, TypeVar
from weakref import WeakValueDictionary

from registry.clock import Clock
from registry.errors import AuthenticationUnchecked
from registry.membership import Identity
from registry.schemes.handle import Key
from resolver.cache.bounded import Bounded

T = TypeVar("T")

#: Most records that are asked for to decide one request.
MAX_READ: Final = 16
#: Seconds that a record is remembered, and that there was none or nobody answered.
FOUND_TTL: Final = 60.0
ABSENT_TTL: Final = 5.0
#: Octets of what is remembered, and what an entry weighs besides its record.
CAPACITY: Final = 8 << 20
_OVERHEAD: Final = 400


class NotAtHand(AuthenticationUnchecked):
    """The record of `key` has to be asked for first."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"{key} is kept on another node")
        self.key = key


class Source(Protocol):
    """Reads a record from the node that has it."""

    async def record(self, key: Key) -> bytes | None:
        """The public values of an identifier, None where there are none.

        Raises AuthenticationUnchecked where nobody can tell, Overloaded.
        """
        ...


class _Heard(NamedTuple):
    record: bytes | None
    until: float


class FarRecords:
    """What other nodes said lately; `source` asks them."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._heard: Bounded[Key, _Heard] = Bounded(CAPACITY)
        self._turns: WeakValueDictionary[Identity, asyncio.Lock] = WeakValueDictionary()

    def record(self, key: Key) -> bytes | None:
        """The record as it was said lately; None, and so no rights, where nobody said anything.

        Raises NotAtHand where nobody was asked.
        """
        heard = self._lately(key)
        if heard is None:
            raise NotAtHand(key)
        return heard.record

    async def provide(self, asker: Identity, attempt: Callable[[], Awaitable[T]]) -> T:
        """What the attempt comes to once the records that it wants are at hand.

        Raises what it raises; NotAtHand only if it wants too many.
        """
        for _ in range(MAX_READ):
            try:
                return await attempt()
            except NotAtHand as missing:
                turn = self._turns.setdefault(asker, asyncio.Lock())
                async with turn:
                    await self._read(missing.key)
        return await attempt()

    async def _read(self, key: Key) -> None:
        if self._lately(key) is not None:
            return
        try:
            record = await self._source.record(key)
        except AuthenticationUnchecked:
            record = None
        ttl = ABSENT_TTL if record is None else FOUND_TTL
        heard = _Heard(record, self._clock.monotonic() + ttl)
        self._heard.put(key, heard, _OVERHEAD + len(record or b""))

    def _lately(self, key: Key) -> _Heard | None:
        heard = self._heard.get(key)
        return None if heard is None or heard.until <= self._clock.monotonic() else heard
