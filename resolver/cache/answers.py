"""Answers from other nodes, kept for as long as they may be.

Positive answers live by the TTL they came with (values pass unchanged; only `Values.ttl` counts
down). Negative ones and failures live for seconds, in a share of their own, so that a flood of
questions for names that do not exist cannot push out the names that do. Times are monotonic
seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from registry import outcomes
from registry.outcomes import Outcome
from registry.schemes.handle import Key
from resolver.cache.bounded import Bounded
from resolver.query import Refused, Values

Keepable: TypeAlias = Values | Refused

MAX_TTL: Final = 86_400
#: Longest life of a refusal, by outcome. What is not listed is not kept.
REFUSAL_TTL: Final[dict[Outcome, int]] = {
    outcomes.NOT_FOUND: 5,
    outcomes.VALUES_NOT_FOUND: 5,
    outcomes.INVALID_IDENTIFIER: 5,
    outcomes.UPSTREAM_TIMEOUT: 5,
    outcomes.UPSTREAM_BAD: 5,
    outcomes.RESOLUTION_LIMIT: 30,
    outcomes.RESOLUTION_LOOP: 30,
}
#: Refusals that say what is true of the identifier; the others only say that nobody could tell.
DENIALS: Final = (outcomes.NOT_FOUND, outcomes.VALUES_NOT_FOUND, outcomes.INVALID_IDENTIFIER)
#: What an entry weighs beside its record: key, objects and dictionary slots, in octets.
OVERHEAD: Final = 600


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer with the time it was stored and the life it had then; the life left follows."""

    answer: Keepable
    stored: float
    ttl: int

    def left(self, now: float) -> int:
        """Whole seconds of life left, rounded up; 0 or less once it is over."""
        return self.ttl - int(now - self.stored)

    def aged(self, now: float) -> Keepable:
        """The answer with the life it has left."""
        if isinstance(self.answer, Values):
            return self.answer._replace(ttl=self.left(now), authoritative=False)
        return self.answer._replace(ttl=self.left(now))


def keeping_time(answer: Keepable) -> int:
    """Seconds an answer may be kept; 0 means not at all."""
    if isinstance(answer, Values):
        return min(answer.ttl, MAX_TTL)
    longest = REFUSAL_TTL.get(answer.outcome, 0)
    return min(answer.ttl, longest) if answer.ttl else longest


class AnswerCache:
    """Whole public records, and refusals, by identifier. Capacities are in octets."""

    def __init__(self, capacity: int = 64 << 20, negative_capacity: int = 8 << 20) -> None:
        self._records: Bounded[Key, Entry] = Bounded(capacity)
        self._refusals: Bounded[Key, Entry] = Bounded(negative_capacity)

    def __len__(self) -> int:
        return len(self._records) + len(self._refusals)

    @property
    def evictions(self) -> int:
        return self._records.evictions + self._refusals.evictions

    def get(self, key: Key, now: float) -> Keepable | None:
        """The answer kept for an identifier, None if there is none or its life is over."""
        for share in (self._records, self._refusals):
            entry = share.get(key)
            if entry is None:
                continue
            if now - entry.stored < entry.ttl:
                return entry.aged(now)
            share.drop(key)
        return None

    def put(self, key: Key, answer: Keepable, now: float) -> None:
        """Keep an answer for its own life in place of an older one.

        A failure to find out does not displace a record that is still alive.
        """
        if isinstance(answer, Values) or answer.outcome in DENIALS:
            self.drop(key)
        ttl = keeping_time(answer)
        if ttl <= 0:
            return
        entry = Entry(answer, now, ttl)
        if isinstance(answer, Values):
            self._records.put(key, entry, OVERHEAD + len(answer.record))
        else:
            self._refusals.put(key, entry, OVERHEAD)

    def drop(self, key: Key) -> None:
        """Forget an identifier."""
        self._records.drop(key)
        self._refusals.drop(key)

    def clear(self) -> None:
        """Forget everything."""
        self._records.clear()
        self._refusals.clear()
