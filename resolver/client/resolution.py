"""Asking nodes: one question to the servers of one prefix, over UDP, TCP and the HTTP tunnel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from registry.clock import Clock, SystemClock
from registry.schemes.handle import parse
from registry.values.site import Site
from resolver.client.administration import Administration
from resolver.client.endpoint import Endpoint, server_key, targets
from resolver.client.finding import find_home
from resolver.client.keys import AdministratorKey
from resolver.client.opening import Mode, ask_site, open_administration
from resolver.client.requests import new_request_id
from resolver.codecs.handle.asking import (
    CERTIFIED_FLAGS,
    FRESH_FLAG,
    RESOLVER_FLAGS,
    Question,
)
from resolver.codecs.handle.header import KC, PO
from resolver.codecs.handle.message import encode_message
from resolver.query import Answer
from resolver.recursion.events import Ask, Event, NoReply, Reply
from resolver.recursion.targets import HTTP, ROUNDS, TCP, UDP, Attempt, Attempts, Fault
from resolver.transports.kept import ConnectionLost
from resolver.transports.outbound import (
    ExchangeFailed,
    Incomplete,
    Received,
    Silent,
    Unreachable,
    Unusable,
    exchange_tcp,
    exchange_udp,
)
from resolver.transports.tunnel_client import exchange_http

#: What a client tries: as a walk does, and the HTTP tunnel in the end.
CLIENT_ROUNDS: Final = (*ROUNDS, (HTTP, 4.0))
#: Seconds for each reply of an administered server.
ADMINISTRATION_SECONDS: Final = 30.0
FAULTS: Final[dict[type[ExchangeFailed], Fault]] = {
    Unreachable: Fault.UNREACHABLE,
    ConnectionLost: Fault.UNREACHABLE,
    Silent: Fault.TIMEOUT,
    Incomplete: Fault.TRUNCATED,
    Unusable: Fault.UNUSABLE,
}
_EXCHANGES: Final = {UDP: exchange_udp, TCP: exchange_tcp, HTTP: exchange_http}


class Client:
    """Asks nodes. `rounds` are the protocols to try in order, each with seconds of patience."""

    def __init__(
        self, clock: Clock | None = None, rounds: Sequence[tuple[str, float]] = CLIENT_ROUNDS
    ) -> None:
        self._clock = SystemClock() if clock is None else clock
        self._rounds = tuple(rounds)

    async def resolve(
        self,
        identifier: str,
        where: Endpoint | Sequence[Site],
        *,
        types: Sequence[bytes] = (),
        indexes: Sequence[int] = (),
        protocol: str | None = None,
        public_only: bool = True,
        fresh: bool = False,
        certified: bool = False,
    ) -> Answer:
        """What the node, or the servers of the sites, say of an identifier.

        `types` and `indexes` select values as a union, none means all. `protocol` ("udp", "tcp" or
        "http") keeps to one; otherwise they are tried in this order. Without `public_only` a record
        with values that the public may not read is answered with "authentication needed". `fresh`
        asks a recursive node not to answer from its cache. A `certified` answer is one that is
        signed, with the key that the site publishes or the endpoint names, for this very request;
        any other is not taken for an answer.

        Raises InvalidIdentifier, or the ExchangeFailed of the last try if nobody gave a reply that
        can be used.
        """
        flags = RESOLVER_FLAGS if public_only else RESOLVER_FLAGS & ~PO
        flags |= FRESH_FLAG if fresh else 0
        flags |= CERTIFIED_FLAGS if certified else 0
        attempts = Attempts(targets(parse(identifier), where, protocol), self._rounds)
        failure: ExchangeFailed = Unreachable("no server to ask")
        while (attempt := attempts.next()) is not None:
            question = Question(
                identifier.encode(), new_request_id(), tuple(indexes), tuple(types), flags
            )
            try:
                return (await self._exchange(attempt, question, attempt.seconds, certified)).reply
            except ExchangeFailed as failed:
                failure = failed
                attempts.learn(attempt, FAULTS[type(failed)])
        raise failure

    async def ask(self, ask: Ask) -> Event:
        """One question of a walk, put to its server once."""
        question = Question(str(ask.key).encode(), new_request_id())
        try:
            answer, octets = await self._exchange(ask.attempt, question, ask.seconds)
        except ExchangeFailed as failed:
            return NoReply(FAULTS[type(failed)], self._clock.monotonic())
        return Reply(answer, octets, self._clock.monotonic())

    async def site_info(self, endpoint: Endpoint, seconds: float = ADMINISTRATION_SECONDS) -> Site:
        """The site that a server belongs to, in its own words. Raises ExchangeFailed, Denied."""
        return await ask_site(endpoint, self._clock, seconds)

    async def find(self, identifier: str, start: Endpoint | Sequence[Site]) -> Endpoint:
        """The server on which an identifier is, or would be, administered, and its key.

        `start` is where to begin: the sites of the root, or any node on the way down. Raises
        InvalidIdentifier, ExchangeFailed, and Denied where a node on the way refuses.
        """
        key = parse(identifier)
        if isinstance(start, Endpoint):
            start = (await self.site_info(start),)
        return await find_home(key, tuple(start), self.ask, self._clock)

    @asynccontextmanager
    async def administer(
        self,
        endpoint: Endpoint,
        key: AdministratorKey | None = None,
        *,
        mode: Mode = Mode.SESSION,
        in_flight: int = 32,
        seconds: float = ADMINISTRATION_SECONDS,
        encrypted: bool = False,
    ) -> AsyncIterator[Administration]:
        """A server to be administered with the right of a key, ready for many requests at once.

        `mode` is how the key is proved: once in a session, with each request, or by a log-in for
        the connection; without a key only what everybody may do is possible. `in_flight` requests
        are sent before the first is answered, `seconds` is the patience for each reply; `encrypted`
        hides what is said in a session. TCP is tried first, then the HTTP tunnel. Raises
        ExchangeFailed, Denied.
        """
        administration = await open_administration(
            endpoint,
            key,
            mode,
            self._clock,
            in_flight=in_flight,
            seconds=seconds,
            encrypted=encrypted,
        )
        try:
            yield administration
        finally:
            await administration.close()

    async def _exchange(
        self, attempt: Attempt, question: Question, seconds: float, certified: bool = False
    ) -> Received[Answer]:
        now = self._clock.now()
        request = question.message(now, 0 if attempt.protocol == UDP else KC)
        key = server_key(attempt.target.public_key) if certified else None

        def accept(message: bytes) -> Answer:
            if key is None:
                return question.read(message, now)
            return question.read_certified(message, now, request, key)

        exchange = _EXCHANGES[attempt.protocol]
        return await exchange(
            attempt.target.host, attempt.port, encode_message(request), accept, seconds
        )
