"""The three sources of an answer, tried in this order; there is no fourth.

1. authority: values of prefixes homed here, and
2. delegation: referrals to nodes that this one delegates to (both in `resolver.authority`);
3. recursion: asking other nodes, only on a node with the recursive role.
"""

from __future__ import annotations

from registry import outcomes
from registry.schemes.handle import Key
from resolver.authority import NOT_HERE, Authority
from resolver.query import Answer, Query, Refused
from resolver.recursion.driver import Recursor
from resolver.recursion.trace import Step


class Sources:
    """The resolve function of a node; a source is None where its role has none."""

    def __init__(self, authority: Authority | None, recursion: Recursor | None = None) -> None:
        self._authority = authority
        self._recursion = recursion

    @property
    def recursive(self) -> bool:
        return self._recursion is not None

    def subject(self, key: Key) -> Key:
        """The identifier with whose changes what is kept about `key` must go."""
        return key if self._authority is None else self._authority.subject(key)

    def resolve(self, query: Query, now: float) -> Answer | None:
        """An answer at once, or None if other nodes must be asked (`resolve_later`)."""
        if self._authority is not None:
            answer = self._authority.answer(query, now)
            if answer is not None:
                return answer
        if self._recursion is None:
            return Refused(outcomes.NOT_RESPONSIBLE, NOT_HERE)
        return None if query.fresh else self._recursion.cached(query, now)

    async def resolve_later(self, query: Query, trace: list[Step] | None = None) -> Answer:
        """Ask other nodes; the steps are appended to `trace`."""
        assert self._recursion is not None
        return await self._recursion.resolve(query, trace)
