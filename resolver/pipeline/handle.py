"""The Handle front-end: datagrams, messages and tunnelled requests in, replies out (RFC 3652).

Plain resolution goes by `PlainHandle`; everything else is left to the `Responder`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from time import perf_counter
from typing import Final

from registry.errors import DecodeError
from registry.schemes.handle import DEFAULT_RULES, HandleRules
from resolver.administration.context import HTTP, TCP, UDP, Context, Send
from resolver.cache.packets import MAX_REQUEST, Kept
from resolver.codecs.handle import envelope as envelopes
from resolver.codecs.handle import fast
from resolver.codecs.handle.envelope import FramingError, decode_envelope
from resolver.codecs.handle.fragments import MAX_DATAGRAM, Reassembler, split_message
from resolver.codecs.handle.message import encode_message, whole_envelope
from resolver.codecs.handle.reply import fitted, stream_refused
from resolver.metrics import Counters
from resolver.pipeline.plain_handle import PlainHandle
from resolver.pipeline.reflection import ReflectionBudget
from resolver.pipeline.responder import Reply, Responder
from resolver.pipeline.sources import Sources
from resolver.transports.datagram_front import ALL, Admits, Senders
from resolver.transports.slots import Field
from resolver.transports.waiting import Address, Replies

BAD_LENGTH: Final = "Invalid message length"


class HandleFront:
    """Serves a node's Handle ports, and the tunnel through its HTTP ports."""

    #: The request's id and its expiration.
    masked: Final = (Field(8, 4), Field(36, 4))
    segment: Final = MAX_DATAGRAM

    def __init__(
        self,
        sources: Sources,
        counters: Counters,
        responder: Responder,
        *,
        rules: HandleRules = DEFAULT_RULES,
        budget: ReflectionBudget | None = None,
    ) -> None:
        self.plain = PlainHandle(sources, responder, rules)
        self.packets = self.plain.packets
        self.responder = responder
        self._clock = sources.clock
        self._budget = budget or ReflectionBudget()
        self._reassembler = Reassembler()
        self._counters = counters
        self._answers = counters.answers
        self._drops = counters.drops
        self._udp_latency = counters.latency(UDP)
        self._stream_latency = {TCP: counters.latency(TCP), HTTP: counters.latency(HTTP)}

    # --- datagrams ---

    def at_once(
        self, datagrams: Sequence[bytes], senders: Senders, now: float, admits: Admits = ALL
    ) -> tuple[Sequence[bytes | None], int]:
        """The answers to those datagrams that are plain and need not wait, and how many."""
        found, hows, known = self.plain.at_once(datagrams, now, admits)
        if not self._budget.trusts(senders.distinct_hosts()):
            found, hows = [*found], [*hows]
            for place, (octets, host) in enumerate(zip(found, senders.hosts(), strict=True)):
                asked = len(datagrams[place])
                if octets is not None and not self._budget.allows(host, asked, len(octets), now):
                    # It has its turn alone, and may be refused and counted there.
                    found[place] = hows[place] = None
                    known -= 1
        self._counters.answered(UDP, hows)
        return found, known

    def answered(self, count: int, seconds: float) -> None:
        """So many of those answers went out that long after their requests were taken in."""
        self._udp_latency.observe(seconds, count)

    def unsent(self, count: int) -> None:
        """So many answers could not be sent."""
        self._drops[UDP, "unsent"] += count

    def datagram(self, data: bytes, peer: Address) -> Replies | Awaitable[Replies]:
        """The packets that answer a datagram; None if it is dropped."""
        started = perf_counter()
        reply = self.plain.reply(fast.cache_key(data), started)
        if reply is None:
            return self._general_datagram(data, peer, started)
        if isinstance(reply, Kept):
            return self._plain_datagrams(reply, data, peer, started)
        return self._plain_datagrams_later(reply, data, peer, started)

    def _plain_datagrams(self, reply: Kept, data: bytes, peer: Address, started: float) -> Replies:
        self._answers[UDP, reply.how] += 1
        return self._bounded(fast.with_request_id(reply.octets, data), data, peer, started)

    async def _plain_datagrams_later(
        self, reply: Awaitable[Kept | None], data: bytes, peer: Address, started: float
    ) -> Replies:
        kept = await reply
        if kept is not None:
            return self._plain_datagrams(kept, data, peer, started)
        replies = self._general_datagram(data, peer, started)
        return await replies if isinstance(replies, Awaitable) else replies

    def _general_datagram(
        self, data: bytes, peer: Address, started: float
    ) -> Replies | Awaitable[Replies]:
        try:
            if decode_envelope(data).truncated:
                whole = self._reassembler.feed(peer[0], data, started)
                if whole is None:
                    return None
                data = whole
        except DecodeError:
            self._drops[UDP, "framing"] += 1
            return None
        reply = self.responder.answer(data, Context(peer[0], UDP))
        if reply is None:
            return None
        if isinstance(reply, bytes):
            return self._bounded(split_message(fitted(reply, len(data))), data, peer, started)
        return self._datagrams_later(reply, data, peer, started)

    async def _datagrams_later(
        self, reply: Awaitable[bytes], data: bytes, peer: Address, started: float
    ) -> Replies:
        said = fitted(await reply, len(data))
        return self._bounded(split_message(said), data, peer, started)

    def _bounded(
        self, packets: tuple[bytes, ...] | list[bytes], data: bytes, peer: Address, started: float
    ) -> Replies:
        """The packets, or none if they would make the node a reflector."""
        if not self._budget.allows(peer[0], len(data), sum(map(len, packets)), started):
            self._drops[UDP, "reflection-budget"] += 1
            return None
        self._udp_latency.observe(perf_counter() - started)
        return packets

    # --- messages of a stream ---

    def connected(self, peer: Address, send: Send) -> Context:
        """What is to be known of a new TCP connection; `send` sends more than one message."""
        return Context(str(peer[0]) if peer else "", TCP, send)

    def message(self, data: bytes, context: Context) -> Reply:
        """The reply to one message of a connection; None if it deserves none."""
        started = perf_counter()
        reply = None
        if len(data) <= MAX_REQUEST:
            reply = self.plain.reply(fast.stream_cache_key(data), started)
        if reply is None:
            return self._general_message(data, context, started)
        if isinstance(reply, Kept):
            return self._plain_message(reply, data, context, started)
        return self._plain_message_later(reply, data, context, started)

    def _plain_message(self, reply: Kept, data: bytes, context: Context, started: float) -> bytes:
        protocol = context.protocol
        self._answers[protocol, reply.how] += 1
        octets = fast.reply_to_message(reply.octets, data)
        self._stream_latency[protocol].observe(perf_counter() - started)
        return octets

    async def _plain_message_later(
        self, reply: Awaitable[Kept | None], data: bytes, context: Context, started: float
    ) -> bytes:
        kept = await reply
        if kept is not None:
            return self._plain_message(kept, data, context, started)
        said = self._general_message(data, context, started)
        assert said is not None, "what can be read is answered"
        return said if isinstance(said, bytes) else await said

    def _general_message(self, data: bytes, context: Context, started: float) -> Reply:
        reply = self.responder.answer(data, context)
        if isinstance(reply, bytes):
            self._stream_latency[context.protocol].observe(perf_counter() - started)
            return reply
        return None if reply is None else self._message_later(reply, context, started)

    async def _message_later(
        self, reply: Awaitable[bytes], context: Context, started: float
    ) -> bytes:
        octets = await reply
        self._stream_latency[context.protocol].observe(perf_counter() - started)
        return octets

    def busy(self, data: bytes, context: Context) -> bytes | None:
        """The reply to one message of a connection that too much else keeps from being served."""
        return self.responder.busy(data, context)

    def garbage(self, error: DecodeError) -> bytes:
        """The last words on a stream that cannot be cut into messages, or ended within one."""
        return self._last_words(error, TCP)

    async def tunnelled(self, body: bytes, source: str) -> bytes:
        """The messages that reply to the one in the body of an HTTP request, one after another."""
        body = body.removeprefix(b"\n")
        sent: list[bytes] = []

        async def send(message: bytes) -> None:
            sent.append(message)

        try:
            whole_envelope(body)
        except FramingError as error:
            error.head = body[: envelopes.SIZE]
            return self._last_words(error, HTTP)
        reply = self.message(body, Context(source, HTTP, send))
        if reply is None:
            return self._last_words(DecodeError("the message is no request"), HTTP)
        last = reply if isinstance(reply, bytes) else await reply
        return b"".join([*sent, last])

    def _last_words(self, error: DecodeError, protocol: str) -> bytes:
        self._answers[protocol, error.outcome.slug] += 1
        request_id = error.request_id if isinstance(error, FramingError) else None
        words = stream_refused(BAD_LENGTH, now=self._clock.now(), request_id=request_id)
        return encode_message(words)
