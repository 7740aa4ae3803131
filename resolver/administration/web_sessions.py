"""Sessions of the JSON API: a nonce to prove an identity with, and the identity once it is proved.

Their number is bounded for each source and altogether; those in which nobody has proved anything
yet give way first. One that lies unused for half an hour ends.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from registry.errors import Overloaded, SessionUnknown
from registry.membership import Identity
from registry.schemes.handle import Key

#: Seconds for which a session may lie unused.
IDLE: Final = 1800.0
MAX_SESSIONS: Final = 16_384
MAX_PER_SOURCE: Final = 1024
_NONCE_SIZE: Final = 16
_ID_SIZE: Final = 24


class WebSession:
    """One session. `proof` is what proved its identity: who sends it again proves nothing new."""

    __slots__ = ("identity", "nonce", "proof", "session_id", "source", "used")

    def __init__(self, source: str, now: float) -> None:
        self.session_id = secrets.token_urlsafe(_ID_SIZE)
        self.nonce = secrets.token_bytes(_NONCE_SIZE)
        self.identity: Identity | None = None
        self.proof: object = None
        self.source = source
        self.used = now


class WebSessions:
    """The sessions of a node; times are monotonic seconds, a source is an address.

    Open sessions and those with an identity are kept apart, each least recently used first.
    """

    def __init__(self, total: int = MAX_SESSIONS, per_source: int = MAX_PER_SOURCE) -> None:
        self._total = total
        self._per_source = per_source
        self._open: OrderedDict[str, WebSession] = OrderedDict()
        self._proved: OrderedDict[str, WebSession] = OrderedDict()
        self._counts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._open) + len(self._proved)

    def open(self, source: str, now: float) -> WebSession:
        """A new session. Raises Overloaded when all that there may be are in use."""
        self._expire(now)
        self._make_room(source)
        session = WebSession(source, now)
        self._open[session.session_id] = session
        self._counts[source] = self._counts.get(source, 0) + 1
        return session

    def find(self, session_id: str, now: float) -> WebSession:
        """The session, which is used by that. Raises SessionUnknown."""
        self._expire(now)
        for sessions in (self._proved, self._open):
            if session := sessions.get(session_id):
                session.used = now
                sessions.move_to_end(session_id)
                return session
        raise SessionUnknown()

    def prove(self, session: WebSession, identity: Identity, proof: object) -> None:
        """Somebody has proved who they are in a session. One that has ended meanwhile stays so."""
        sessions = self._open if session.session_id in self._open else self._proved
        if sessions.pop(session.session_id, None) is not None:
            session.identity, session.proof = identity, proof
            self._proved[session.session_id] = session

    def end_of(self, handles: Collection[Key]) -> None:
        """Forget the sessions of administrators whose keys are at one of these identifiers."""
        for session in list(self._proved.values()):
            if session.identity is not None and session.identity.handle in handles:
                self.end(session)

    def end(self, session: WebSession) -> None:
        """Forget a session."""
        for sessions in (self._open, self._proved):
            if sessions.pop(session.session_id, None) is not None:
                left = self._counts.pop(session.source) - 1
                if left:
                    self._counts[session.source] = left

    def _make_room(self, source: str) -> None:
        if self._counts.get(source, 0) >= self._per_source:
            all_of_them = (*self._open.values(), *self._proved.values())
            self.end(next(one for one in all_of_them if one.source == source))
        if len(self) >= self._total:
            if not self._open:
                raise Overloaded("too many sessions")
            self.end(next(iter(self._open.values())))

    def _expire(self, now: float) -> None:
        for sessions in (self._open, self._proved):
            while sessions and (oldest := next(iter(sessions.values()))).used + IDLE <= now:
                self.end(oldest)
