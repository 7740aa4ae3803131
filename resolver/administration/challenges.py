"""Challenges that wait for their answer (RFC 3652 section 3.5), each good for one answer.

What waits is bounded for each source and altogether, so that strangers cannot fill the node with
questions. One that was answered or ran out is remembered for a while: an answer that comes
late is told so, one to a challenge that never was is told that.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Final, NamedTuple

from registry.errors import ChallengeExpired, Overloaded, SessionUnknown
from resolver.codecs.handle.bodies.digest import RequestDigest, digest_request
from resolver.codecs.handle.message import Message

#: Seconds in which a challenge must be answered.
LIFE: Final = 60.0
#: Octets of a nonce: as many as the servers in use send.
NONCE_SIZE: Final = 16
#: How many identifiers are remembered after their end, and for how many seconds.
_MAX_REMEMBERED: Final = 8192
_REMEMBERED: Final = 600.0
#: What a waiting request takes besides its body and credential, about.
_OVERHEAD: Final = 1024
UNKNOWN: Final = "Invalid session id or session time out. Please try again."


class Limits(NamedTuple):
    """How much may wait, in number and in octets of requests."""

    per_source: int = 256
    octets_per_source: int = 2 << 20
    total: int = 8192
    total_octets: int = 64 << 20


DEFAULT_LIMITS: Final = Limits()


class Challenge(NamedTuple):
    """A question: `digest` is that of the request, which is done once the answer is right.

    `connection` is the one that it came on.
    """

    nonce: bytes
    digest: RequestDigest
    request: Message
    connection: object


class _Waiting(NamedTuple):
    challenge: Challenge
    source: str
    until: float
    octets: int


class _Share:
    """What waits for one source: identifiers, oldest first, and their octets."""

    __slots__ = ("octets", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[int, None] = {}
        self.octets = 0


class Challenges:
    """Times are monotonic seconds; a source is an address without its port."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._waiting: dict[int, _Waiting] = {}
        self._shares: dict[str, _Share] = {}
        self._over: OrderedDict[int, float] = OrderedDict()
        self._octets = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, challenge_id: object) -> bool:
        return challenge_id in self._waiting or challenge_id in self._over

    def issue(
        self, challenge_id: int, request: Message, source: str, connection: object, now: float
    ) -> Challenge:
        """Put a question; one that waits under the same identifier is given up.

        A source that has too many waiting loses its oldest. Raises Overloaded when others have
        filled the room.
        """
        self._expire(now)
        self._over.pop(challenge_id, None)
        if challenge_id in self._waiting:
            self._drop(challenge_id)
        octets = _OVERHEAD + len(request.body) + len(request.credential)
        self._make_room(source, octets, now)
        digest = digest_request(request.header_and_body, request.spoken_version)
        challenge = Challenge(secrets.token_bytes(NONCE_SIZE), digest, request, connection)
        self._waiting[challenge_id] = _Waiting(challenge, source, now + LIFE, octets)
        share = self._shares.setdefault(source, _Share())
        share.waiting[challenge_id] = None
        share.octets += octets
        self._octets += octets
        return challenge

    def take(self, challenge_id: int, now: float) -> Challenge:
        """The question that an answer is to; nobody gets it twice.

        Raises ChallengeExpired for one that was answered or ran out, and for an answer that names
        none at all (0), SessionUnknown for one that never was.
        """
        self._expire(now)
        if challenge_id in self._over or not challenge_id:
            raise ChallengeExpired()
        if challenge_id not in self._waiting:
            raise SessionUnknown(UNKNOWN)
        return self._end(challenge_id, now).challenge

    def _make_room(self, source: str, octets: int, now: float) -> None:
        limits = self._limits
        share = self._shares.get(source)
        while (
            share is not None
            and share.waiting
            and (
                len(share.waiting) >= limits.per_source
                or share.octets + octets > limits.octets_per_source
            )
        ):
            self._end(next(iter(share.waiting)), now)
        if len(self._waiting) >= limits.total or self._octets + octets > limits.total_octets:
            raise Overloaded("too many requests wait for authentication")

    def _expire(self, now: float) -> None:
        while self._waiting:
            challenge_id, oldest = next(iter(self._waiting.items()))
            if oldest.until > now:
                break
            self._end(challenge_id, now)
        while self._over and next(iter(self._over.values())) <= now:
            self._over.popitem(last=False)

    def _end(self, challenge_id: int, now: float) -> _Waiting:
        """Take a challenge out and remember that it was there."""
        if len(self._over) >= _MAX_REMEMBERED:
            self._over.popitem(last=False)
        self._over[challenge_id] = now + _REMEMBERED
        return self._drop(challenge_id)

    def _drop(self, challenge_id: int) -> _Waiting:
        waiting = self._waiting.pop(challenge_id)
        share = self._shares[waiting.source]
        del share.waiting[challenge_id]
        share.octets -= waiting.octets
        self._octets -= waiting.octets
        if not share.waiting:
            del self._shares[waiting.source]
        return waiting
