"""A network of nodes in memory: real encoded messages, seeded loss, time moved by hand.

`FakeNetwork.ask` is what a `Recursor` asks through. A node is a function from a query to an answer;
None is silence. Replies travel as packets, each of which is lost with the probability `loss`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping

from registry import outcomes
from registry.clock import ManualClock
from registry.errors import DecodeError
from registry.schemes.handle import parse, prefix_record
from resolver.codecs.handle.asking import Question
from resolver.codecs.handle.bodies.resolution import (
    Referral as ReferralBody,
)
from resolver.codecs.handle.bodies.resolution import (
    ResolveReply,
    decode_resolve_request,
    encode_error,
    encode_referral,
    encode_resolve_reply,
)
from resolver.codecs.handle.codes import ResponseCode
from resolver.codecs.handle.fragments import Reassembler, split_message
from resolver.codecs.handle.message import decode_message, encode_message
from resolver.codecs.handle.reply import reply_to
from resolver.query import Answer, Query, Referral, Refused, Values
from resolver.recursion.events import Ask, Event, NoReply, Reply
from resolver.recursion.targets import Fault
from tests.support.playbook import referral, site, values

Node = Callable[[Query], Answer | None]


def serve(node: Node, request: bytes, now: float = 0.0) -> bytes | None:
    """The node's reply to an encoded request, encoded; None where it keeps silent."""
    message = decode_message(request)
    asked = decode_resolve_request(message.body)
    answer = node(Query(asked.handle, parse(asked.handle), asked.indexes, asked.types))
    match answer:
        case None:
            return None
        case Values(record=record):
            code: int = ResponseCode.SUCCESS
            body = encode_resolve_reply(ResolveReply(asked.handle, record))
        case Referral(outcome=outcome, prefix=prefix, record=record):
            code = outcome.handle
            name = str(prefix_record(prefix)).encode() if prefix else b""
            body = encode_referral(ReferralBody(name, record or None))
        case refused:
            code, body = refused.outcome.handle, encode_error(refused.detail)
    return encode_message(reply_to(message, code, body, serial=1, now=now))


class FakeNetwork:
    """Nodes by address. `asked` lists the addresses in the order in which they were asked."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        clock: ManualClock | None = None,
        *,
        seed: int = 0,
        loss: float = 0.0,
        latency: float = 0.01,
    ) -> None:
        self.nodes = dict(nodes)
        self.clock = clock or ManualClock()
        self.loss = loss
        self.latency = latency
        self.asked: list[str] = []
        self._random = random.Random(seed)

    async def ask(self, ask: Ask) -> Event:
        """Carry one question to its node and the reply back."""
        await asyncio.sleep(0)  # others run while a question is on its way
        host = ask.attempt.target.host
        self.asked.append(host)
        if host not in self.nodes:
            return NoReply(Fault.UNREACHABLE, self.clock.monotonic())
        question = Question(str(ask.key).encode(), self._random.getrandbits(32))
        message = self._carry(host, question, reliable=ask.attempt.protocol == "tcp")
        if message is None:
            self.clock.advance(ask.seconds)
            return NoReply(Fault.TIMEOUT, self.clock.monotonic())
        self.clock.advance(self.latency)
        try:
            answer = question.read(message, self.clock.now())
        except DecodeError:
            return NoReply(Fault.UNUSABLE, self.clock.monotonic())
        return Reply(answer, len(message), self.clock.monotonic())

    def _carry(self, host: str, question: Question, reliable: bool) -> bytes | None:
        request = question.encode(self.clock.now())
        if not reliable and self._lost():
            return None
        reply = serve(self.nodes[host], request, self.clock.now())
        if reply is None or reliable:
            return reply
        arrived = [packet for packet in split_message(reply) if not self._lost()]
        self._random.shuffle(arrived)
        if len(split_message(reply)) == 1:
            return arrived[0] if arrived else None
        reassembler = Reassembler()
        whole = [reassembler.feed(None, packet, 0.0) for packet in arrived]
        return next((message for message in whole if message is not None), None)

    def _lost(self) -> bool:
        return self._random.random() < self.loss


def hierarchy(text: str = "https://example.org/", ttl: int = 600) -> dict[str, Node]:
    """Root 10.0.0.1, national 10.0.1.1 (88) and sector 10.0.2.1 (88.901).

    The sector has a record of one URL for every identifier but those with the suffix MISSING.
    """
    national = site("10.0.1.1", node="national", role="national")
    sector = site("10.0.2.1", node="sector", role="sector")

    def at_sector(query: Query) -> Answer:
        if query.key.suffix == "MISSING":
            return Refused(outcomes.NOT_FOUND)
        return values(f"{text}{query.key.suffix}", ttl)

    return {
        "10.0.0.1": lambda _: referral("88", national),
        "10.0.1.1": lambda _: referral("88.901", sector),
        "10.0.2.1": at_sector,
    }
