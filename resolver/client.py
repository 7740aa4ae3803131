"""A client of Handle nodes: one question to one prefix's servers, over UDP and TCP.

    client, node = Client(), Endpoint("127.0.0.1", 2641)
    answer = await client.resolve("88.901.7/BOT-000001", node, types=[b"URL"])
    if isinstance(answer, Values):
        for value in decode_record(answer.record):
            print(value.index, value.type, value.data)

A `Referral` is handed back as it is; following it is what `resolver.recursion` does, whose driver
asks through `Client.ask`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple

from registry.clock import Clock, SystemClock
from registry.schemes.handle import Key, parse
from registry.values.site import Site
from resolver.codecs.handle.asking import RESOLVER_FLAGS, Question
from resolver.codecs.handle.header import KC, PO
from resolver.query import Answer
from resolver.recursion.budget import DEFAULT_LIMITS
from resolver.recursion.events import Ask, Event, NoReply, Reply
from resolver.recursion.targets import (
    ROUNDS,
    TCP,
    UDP,
    Attempt,
    Attempts,
    Fault,
    Label,
    Target,
    choose,
)
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

FAULTS: Final[dict[type[ExchangeFailed], Fault]] = {
    Unreachable: Fault.UNREACHABLE,
    Silent: Fault.TIMEOUT,
    Incomplete: Fault.TRUNCATED,
    Unusable: Fault.UNUSABLE,
}


class Endpoint(NamedTuple):
    """Where a node listens, by UDP and TCP alike."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Client:
    """Asks nodes. `rounds` are the protocols to try in order, each with seconds of patience."""

    def __init__(
        self, clock: Clock | None = None, rounds: Sequence[tuple[str, float]] = ROUNDS
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
    ) -> Answer:
        """What the node, or the servers of the sites, say of an identifier.

        `types` and `indexes` select values as a union, none means all. `protocol` ("udp" or "tcp")
        keeps to one; otherwise UDP is tried first. Without `public_only` a record with values that
        the public may not read is answered with "authentication needed". Raises InvalidIdentifier,
        or the ExchangeFailed of the last try if nobody gave a reply that can be read.
        """
        flags = RESOLVER_FLAGS if public_only else RESOLVER_FLAGS & ~PO
        attempts = Attempts(_targets(parse(identifier), where, protocol), self._rounds)
        failure: ExchangeFailed = Unreachable("no server to ask")
        while (attempt := attempts.next()) is not None:
            question = Question(
                identifier.encode(), _request_id(), tuple(indexes), tuple(types), flags
            )
            try:
                return (await self._exchange(attempt, question, attempt.seconds)).reply
            except ExchangeFailed as failed:
                failure = failed
                attempts.learn(attempt, FAULTS[type(failed)])
        raise failure

    async def ask(self, ask: Ask) -> Event:
        """One question of a walk, put to its server once."""
        question = Question(str(ask.key).encode(), _request_id())
        try:
            answer, octets = await self._exchange(ask.attempt, question, ask.seconds)
        except ExchangeFailed as failed:
            return NoReply(FAULTS[type(failed)], self._clock.monotonic())
        return Reply(answer, octets, self._clock.monotonic())

    async def _exchange(
        self, attempt: Attempt, question: Question, seconds: float
    ) -> Received[Answer]:
        now = self._clock.now()
        exchange, flags = (exchange_udp, 0) if attempt.protocol == UDP else (exchange_tcp, KC)
        return await exchange(
            attempt.target.host,
            attempt.port,
            question.encode(now, flags),
            lambda message: question.read(message, now),
            seconds,
        )


def _targets(
    key: Key, where: Endpoint | Sequence[Site], protocol: str | None
) -> tuple[Target, ...]:
    if isinstance(where, Endpoint):
        label = Label(str(where), "", str(where))
        targets: tuple[Target, ...] = (Target(label, where.host, where.port, where.port),)
    else:
        targets = choose(tuple(where), key, DEFAULT_LIMITS)
    return tuple(
        Target(
            one.label,
            one.host,
            one.udp if protocol in (None, UDP) else None,
            one.tcp if protocol in (None, TCP) else None,
        )
        for one in targets
    )


def _request_id() -> int:
    """Not to be guessed; ffffffff is what servers write when they could not read the request's."""
    return secrets.randbelow(0xFFFF_FFFF)
