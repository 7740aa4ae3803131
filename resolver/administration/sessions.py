"""Sessions with clients (RFC 3652 section 3.7): a shared key, whose it is, counters, a time-out.

A session names an identity when it is set up and proves it once, by the answer to the challenge of
its first request that needs rights; from then on the MAC of a request is proof enough. An anonymous
session proves nothing and is challenged each time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from registry.errors import Overloaded, Replayed, SessionUnknown
from registry.membership import Identity
from registry.schemes.handle import Key
from resolver.administration.challenges import UNKNOWN

#: Longest and shortest time in seconds that a session may lie unused.
MAX_TIMEOUT: Final = 86_400
MIN_TIMEOUT: Final = 10
MAX_SESSIONS: Final = 16_384
MAX_PER_SOURCE: Final = 1024
#: How far a counter may lie behind the greatest one seen: requests overtake each other.
WINDOW: Final = 1024
_MASK: Final = (1 << WINDOW) - 1


class Session:
    """One session. `secret` is the shared key, `identity` None in an anonymous session."""

    __slots__ = (
        "_greatest",
        "_seen",
        "_sent",
        "authenticated",
        "identity",
        "number",
        "secret",
        "source",
        "timeout",
        "used",
    )

    def __init__(
        self,
        number: int,
        secret: bytes,
        identity: Identity | None,
        timeout: float,
        source: str,
        now: float,
    ) -> None:
        self.number = number
        self.secret = secret
        self.identity = identity
        self.timeout = timeout
        self.source = source
        self.used = now
        self.authenticated = False
        self._greatest = 0
        self._seen = 0
        self._sent = 0

    def receive(self, counter: int) -> None:
        """Take note of a request's counter. Raises Replayed for 0, one seen, or one too old."""
        behind = self._greatest - counter
        if counter == 0 or behind >= WINDOW or (behind >= 0 and self._seen >> behind & 1):
            raise Replayed(f"Duplicate session counter {counter}")
        if behind < 0:
            # A jump wider than the window leaves nothing of it; shifting that far would be work.
            self._seen = (self._seen << -behind | 1) & _MASK if -behind < WINDOW else 1
            self._greatest = counter
        else:
            self._seen |= 1 << behind

    def next_counter(self) -> int:
        """The counter of the next reply."""
        self._sent += 1
        return self._sent


class Sessions:
    """The sessions of a node, least recently used first. Times are monotonic seconds."""

    def __init__(self, total: int = MAX_SESSIONS, per_source: int = MAX_PER_SOURCE) -> None:
        self._total = total
        self._per_source = per_source
        self._sessions: OrderedDict[int, Session] = OrderedDict()
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, number: object) -> bool:
        return number in self._sessions

    def open(
        self,
        number: int,
        secret: bytes,
        identity: Identity | None,
        timeout: float,
        source: str,
        now: float,
    ) -> Session:
        """A new session; `timeout` is kept within bounds.

        A source with too many loses its least recently used one. Raises Overloaded when others have
        filled the room.
        """
        self._make_room(source, now)
        bounded = min(max(timeout, MIN_TIMEOUT), MAX_TIMEOUT)
        session = Session(number, secret, identity, bounded, source, now)
        self._sessions[number] = session
        self._counts[source] = self._counts.get(source, 0) + 1
        return session

    def find(self, number: int, now: float) -> Session:
        """The session, which is used by that. Raises SessionUnknown."""
        session = self._sessions.get(number)
        if session is None:
            raise SessionUnknown(UNKNOWN)
        if session.used + session.timeout <= now:
            self.end(number)
            raise SessionUnknown(UNKNOWN)
        session.used = now
        self._sessions.move_to_end(number)
        return session

    def end_of(self, handles: Collection[Key]) -> None:
        """Forget the sessions of administrators whose keys are at one of these identifiers."""
        for session in list(self._sessions.values()):
            if session.identity is not None and session.identity.handle in handles:
                self.end(session.number)

    def end(self, number: int) -> None:
        """Forget a session."""
        session = self._sessions.pop(number)
        left = self._counts.pop(session.source) - 1
        if left:
            self._counts[session.source] = left

    def _make_room(self, source: str, now: float) -> None:
        if self._counts.get(source, 0) >= self._per_source:
            self.end(next(one.number for one in self._sessions.values() if one.source == source))
        if len(self._sessions) < self._total:
            return
        for session in list(self._sessions.values()):
            if session.used + session.timeout <= now:
                self.end(session.number)
        if len(self._sessions) >= self._total:
            raise Overloaded("too many sessions")
