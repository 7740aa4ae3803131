"""The three sources of an answer, tried in this order; there is no fourth.

1. authority: values of prefixes homed here, and
2. delegation: referrals to nodes that this one delegates to (both in `resolver.authority`);
3. recursion: asking other nodes, only on a node with the recursive role.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Protocol

from registry import outcomes
from registry.clock import Clock, SystemClock
from registry.errors import StorageUnavailable
from registry.schemes.handle import Key
from registry.storage.interface import MustWait
from resolver.authority import NOT_HERE, Authority
from resolver.query import Answer, Query, Refused
from resolver.recursion.driver import Recursor
from resolver.recursion.trace import Step


def is_passing(answer: Answer) -> bool:
    """Whether an answer says no more than that the store could not be read: nobody keeps that."""
    return isinstance(answer, Refused) and answer.outcome is outcomes.STORAGE


class Gather(Protocol):
    """`Store.gather`: what a decision is once all that it needs has been read."""

    async def __call__(self, decide: Callable[[], Answer]) -> Answer: ...


class Sources:
    """The resolve function of a node; a source is None where its role has none.

    `gather` goes with an authority whose records may have to be waited for; `reading` is around
    several calls of `stored` and `resolve`, mostly about the identifiers that it is given, which
    then cost less; `clock` is the node's, for whoever asks.
    """

    def __init__(
        self,
        authority: Authority | None,
        recursion: Recursor | None = None,
        gather: Gather | None = None,
        clock: Clock | None = None,
        reading: Callable[[Sequence[Key]], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.clock = SystemClock() if clock is None else clock
        self._authority = authority
        self._recursion = recursion
        self._gather = gather
        self.reading = reading

    @property
    def recursive(self) -> bool:
        return self._recursion is not None

    def subject(self, key: Key) -> Key:
        """The identifier with whose changes what is kept about `key` must go."""
        return key if self._authority is None else self._authority.subject(key)

    def stored(self, keys: Sequence[Key]) -> Sequence[bytes | None]:
        """All values of those identifiers that an authority alone answers for and can read at once.

        None says nothing of the others: that is for `resolve`.
        """
        if self._authority is not None and self._recursion is None:
            with suppress(MustWait, StorageUnavailable):
                return self._authority.stored(keys)
        return [None] * len(keys)

    def decide(self, query: Query) -> Answer:
        """The answer of an authority. Raises MustWait if its store has to be waited for."""
        answer = (
            None if self._authority is None else self._authority.answer(query, self.clock.now())
        )
        return answer or Refused(outcomes.NOT_RESPONSIBLE, NOT_HERE)

    def resolve(self, query: Query) -> Answer | None:
        """An answer at once; None if the store or other nodes must be asked (`resolve_later`)."""
        now = self.clock.now()
        if self._authority is not None:
            try:
                answer = self._authority.answer(query, now)
            except MustWait:
                return None
            except StorageUnavailable as refusal:
                return Refused(refusal.outcome, str(refusal))
            if answer is not None:
                return answer
        if self._recursion is None:
            return Refused(outcomes.NOT_RESPONSIBLE, NOT_HERE)
        return None if query.fresh else self._recursion.cached(query, now)

    async def resolve_later(self, query: Query, trace: list[Step] | None = None) -> Answer:
        """Ask the store, or other nodes; the steps of that are appended to `trace`.

        What comes out of the store is true at the moment of the return: who keeps it at once, and
        drops it when the change feed says so, keeps nothing that is out of date.
        """
        if self._recursion is not None:
            return await self._recursion.resolve(query, trace)
        assert self._gather is not None, "only such stores have to be waited for"
        try:
            return await self._gather(lambda: self.decide(query))
        except StorageUnavailable as refusal:
            return Refused(refusal.outcome, str(refusal))
