"""Runs walks: does what `iteration` asks for, keeps what comes back, joins identical questions.

One walk asks for the whole public record of an identifier, whatever the client selected; the
selection is made here. So one walk serves every client that asks for the same name meanwhile, and
what they select of it later comes from the cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from registry import outcomes
from registry.clock import Clock
from registry.schemes.handle import Key
from registry.values.site import Site
from resolver.cache.answers import DENIALS, AnswerCache
from resolver.cache.delegations import DelegationCache
from resolver.query import Query, Refused, Values
from resolver.recursion import trace as tracing
from resolver.recursion.budget import DEFAULT_LIMITS, Limits
from resolver.recursion.events import Ask, Event, NoReply
from resolver.recursion.iteration import MayAsk, Walk
from resolver.recursion.spelling import respelled
from resolver.recursion.targets import Fault, plausible
from resolver.recursion.trace import Step
from resolver.selection import select

AskServer: TypeAlias = Callable[[Ask], Awaitable[Event]]
Found: TypeAlias = tuple[Values | Refused, list[Step]]
#: Most walks at a time; a question beyond them is told that the node is busy.
MAX_WALKS = 2048


@dataclass(slots=True)
class RecursionStats:
    """Plain counters since the start; `joined` counts questions that waited for another's walk."""

    walks: int = 0
    queries: int = 0
    referrals: int = 0
    timeouts: int = 0
    failures: int = 0
    cache_hits: int = 0
    joined: int = 0
    busy: int = 0


class Recursor:
    """Source three of an answer. `root` are the root's sites, the one thing known beforehand.

    `ask` puts one question to one server and always comes back within its `seconds`. `name` is how
    the node calls itself in traces; `may_ask` says which addresses it may send to; `learned` is
    called with each key whose kept answer a walk has replaced.
    """

    def __init__(
        self,
        root: tuple[Site, ...],
        ask: AskServer,
        clock: Clock,
        answers: AnswerCache | None = None,
        delegations: DelegationCache | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        may_ask: MayAsk = plausible,
        learned: Callable[[Key], None] = lambda key: None,
        name: str = tracing.RECURSIVE,
        max_walks: int = MAX_WALKS,
    ) -> None:
        self.answers = AnswerCache() if answers is None else answers
        self.delegations = DelegationCache() if delegations is None else delegations
        self.stats = RecursionStats()
        self._root = root
        self._ask = ask
        self._clock = clock
        self._limits = limits
        self._may_ask = may_ask
        self._learned = learned
        self._name = name
        self._max_walks = max_walks
        self._walks: dict[tuple[Key, bool], asyncio.Task[Found]] = {}

    def cached(self, query: Query, now: float) -> Values | Refused | None:
        """The answer from the cache, None if somebody must be asked. `now` is Unix time."""
        if query.fresh:
            return None
        kept = self._kept(query.key)
        if kept is not None and (spelled := respelled(query, kept)) is not None:
            kept = self._kept(spelled)
        if kept is None:
            return None
        self.stats.cache_hits += 1
        return choose_values(kept, query, now)

    async def resolve(self, query: Query, trace: list[Step] | None = None) -> Values | Refused:
        """The answer, from the cache or by a walk; the steps taken are appended to `trace`."""
        now = self._clock.now()
        answer = self.cached(query, now)
        if answer is not None:
            if trace is not None:
                trace.append(tracing.from_answer_cache(self._name, str(query.key), answer))
            return answer
        found = None if query.fresh else self._kept(query.key)
        if found is None:
            found = await self._found(query.key, query.fresh, trace)
        if (spelled := respelled(query, found)) is not None:
            found = await self._found(spelled, query.fresh, trace)
        return choose_values(found, query, now)

    def _kept(self, key: Key) -> Values | Refused | None:
        return self.answers.get(key, self._clock.monotonic())

    async def _found(self, key: Key, fresh: bool, trace: list[Step] | None) -> Values | Refused:
        """What a walk finds, a new one or one that is under way."""
        walk = self._join(key, fresh)
        if walk is None:
            return Refused(outcomes.BUSY, "too many resolutions are under way")
        # A client that goes away must not take the answer from the others that wait for it.
        found, steps = await asyncio.shield(walk)
        if trace is not None:
            trace.extend(steps)
        return found

    async def close(self) -> None:
        """Give up the walks under way; those who wait for them are cancelled."""
        walks = list(self._walks.values())
        for walk in walks:
            walk.cancel()
        await asyncio.gather(*walks, return_exceptions=True)

    def _join(self, key: Key, fresh: bool) -> asyncio.Task[Found] | None:
        """The walk towards `key` that is under way, or a new one; None if there are too many.

        A fresh question does not join one that may have started from a cached delegation.
        """
        walk = self._walks.get((key, True)) or (None if fresh else self._walks.get((key, False)))
        if walk is not None:
            self.stats.joined += 1
            return walk
        if len(self._walks) >= self._max_walks:
            self.stats.busy += 1
            return None
        walk = asyncio.create_task(self._walk(key, fresh), name=f"walk to {key}")
        self._walks[key, fresh] = walk
        walk.add_done_callback(lambda _: self._walks.pop((key, fresh), None))
        return walk

    async def _walk(self, key: Key, fresh: bool) -> Found:
        self.stats.walks += 1
        walk = Walk(
            key,
            self._root,
            self.delegations,
            self._limits,
            self._clock.monotonic(),
            fresh=fresh,
            may_ask=self._may_ask,
        )
        answer = await self._converse(walk)
        self.stats.referrals += walk.referrals
        if isinstance(answer, Refused) and answer.outcome not in DENIALS:
            self.stats.failures += 1
        self.answers.put(key, answer, self._clock.monotonic())
        self._learned(key)
        return answer, walk.steps

    async def _converse(self, walk: Walk) -> Values | Refused:
        """Carry questions and events between the walk and the servers until it has its answer."""
        conversation = walk.conversation()
        event: Event | None = None
        try:
            while True:
                ask = next(conversation) if event is None else conversation.send(event)
                self.stats.queries += 1
                event = await self._ask(ask)
                if isinstance(event, NoReply) and event.fault is Fault.TIMEOUT:
                    self.stats.timeouts += 1
        except StopIteration as done:
            answer: Values | Refused = done.value
            return answer


def choose_values(found: Values | Refused, query: Query, now: float) -> Values | Refused:
    """What the query selects of a whole public record that may be kept for `found.ttl` seconds."""
    if isinstance(found, Refused):
        return found
    chosen = select(found.record, query, now)
    ttl = min(chosen.ttl, found.ttl)
    if isinstance(chosen, Values):
        return Values(chosen.record, ttl, authoritative=False)
    return chosen._replace(ttl=ttl)
