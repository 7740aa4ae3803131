"""The Handle front-end: datagrams and messages in, replies out (RFC 3652).

A plain resolve datagram that repeats an earlier one costs one dictionary look-up; the first one is
read by the fast codec; everything else goes through the general codec and the table of operations.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter, time
from typing import Final

from registry import outcomes
from registry.errors import DecodeError, InvalidIdentifier
from registry.outcomes import Outcome
from registry.schemes.handle import DEFAULT_RULES, PREFIX_RECORDS, HandleRules, parse
from resolver.cache.packets import PacketCache
from resolver.codecs.handle import fast
from resolver.codecs.handle.bodies.resolution import (
    Referral as ReferralBody,
)
from resolver.codecs.handle.bodies.resolution import (
    ResolveReply,
    decode_resolve_request,
    encode_referral,
    encode_resolve_reply,
)
from resolver.codecs.handle.codes import ADMINISTRATION, OpCode
from resolver.codecs.handle.envelope import FramingError, decode_envelope
from resolver.codecs.handle.fragments import Reassembler, split_message
from resolver.codecs.handle.header import AT, DO_NOT_REFER, PO
from resolver.codecs.handle.message import (
    Message,
    decode_message,
    encode_message,
    peek_message,
)
from resolver.codecs.handle.reply import error_to, expiration, reply_to, stream_refused
from resolver.codecs.handle.versions import PREFIX_REFERRAL_SINCE, Version, at_least
from resolver.metrics import Counters
from resolver.pipeline.reflection import ReflectionBudget
from resolver.pipeline.sources import Sources
from resolver.query import Answer, Query, Referral, Refused, Values
from resolver.transports.udp import Address, Replies

UDP: Final = "handle-udp"
TCP: Final = "handle-tcp"
#: Longest time in seconds that a reply is taken from the packet cache, whatever its TTL.
KEEP_SECONDS: Final = 3600.0
SESSION_UNKNOWN: Final = "Invalid session id or session time out. Please try again."
BAD_LENGTH: Final = "Invalid message length"
NOT_AN_ADMIN_INTERFACE: Final = "Received admin request on non-admin interface"

Kept = tuple[tuple[bytes, ...], str]


class HandleFront:
    """Serves a node's Handle ports.

    `site` is the node's own HS_SITE data, `serial` its serial number; both may be replaced while
    the node runs.
    """

    def __init__(
        self,
        sources: Sources,
        counters: Counters,
        *,
        site: bytes,
        serial: int,
        rules: HandleRules = DEFAULT_RULES,
        budget: ReflectionBudget | None = None,
    ) -> None:
        self.site = site
        self.serial = serial
        self.packets: PacketCache[Kept] = PacketCache(subject=sources.subject)
        self._sources = sources
        self._rules = rules
        self._budget = budget or ReflectionBudget()
        self._reassembler = Reassembler()
        self._answers = counters.answers
        self._drops = counters.drops
        self._udp_latency = counters.latency(UDP)
        self._tcp_latency = counters.latency(TCP)
        self._operations: dict[int, Callable[[Message, str], Message | Awaitable[Message]]] = {
            OpCode.RESOLVE: self._resolve,
            OpCode.SITE_INFO: self._site_info,
        }

    # --- datagrams ---

    def datagram(self, data: bytes, peer: Address) -> Replies | Awaitable[Replies]:
        """The packets that answer a datagram; None if it is dropped."""
        started = perf_counter()
        request = fast.cache_key(data)
        if request is not None:
            kept = self.packets.get(request, started)
            if kept is not None:
                packets, slug = kept
                self._answers[UDP, slug] += 1
                return self._bounded(fast.with_request_id(packets, data), data, peer, started)
        plain = fast.decode_plain_resolve(data)
        if plain is not None and request is not None:
            return self._plain(data, request, plain, peer, started)
        return self._general_datagram(data, peer, started)

    def _plain(
        self, data: bytes, request: bytes, plain: fast.PlainResolve, peer: Address, started: float
    ) -> Replies | Awaitable[Replies]:
        query = self._query(
            plain.handle, plain.indexes, plain.types, plain.op_flags, plain.suggested_version
        )
        if isinstance(query, Refused):
            return self._general_datagram(data, peer, started)
        now = time()
        answer = self._sources.resolve(query, now)
        if answer is None:
            return self._plain_later(data, plain, query, peer, started)
        packets = self._plain_packets(data, plain, answer, now)
        ttl = min(float(answer.ttl), KEEP_SECONDS) if self._sources.recursive else KEEP_SECONDS
        slug = _slug(answer)
        self.packets.put(request, (packets, slug), query.key, started + ttl)
        self._answers[UDP, slug] += 1
        return self._bounded(packets, data, peer, started)

    async def _plain_later(
        self, data: bytes, plain: fast.PlainResolve, query: Query, peer: Address, started: float
    ) -> Replies:
        answer = await self._sources.resolve_later(query)
        self._answers[UDP, _slug(answer)] += 1
        return self._bounded(self._plain_packets(data, plain, answer, time()), data, peer, started)

    def _plain_packets(
        self, data: bytes, plain: fast.PlainResolve, answer: Answer, now: float
    ) -> tuple[bytes, ...]:
        if isinstance(answer, Values):
            message = fast.encode_plain_reply(
                data,
                plain,
                answer.record,
                serial=self.serial,
                expiration=expiration(now),
                flags=AT if answer.authoritative else 0,
            )
        else:
            message = encode_message(self._reply(decode_message(data), answer, now))
        return tuple(split_message(message))

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
        reply = self._answer(data, UDP)
        if reply is None:
            return None
        if isinstance(reply, Message):
            return self._bounded(_packets(reply), data, peer, started)
        return self._datagrams_later(reply, data, peer, started)

    async def _datagrams_later(
        self, reply: Awaitable[Message], data: bytes, peer: Address, started: float
    ) -> Replies:
        return self._bounded(_packets(await reply), data, peer, started)

    def _bounded(
        self, packets: tuple[bytes, ...] | list[bytes], data: bytes, peer: Address, started: float
    ) -> Replies:
        """The packets, or none if they would make the node a reflector."""
        if not self._budget.allows(peer[0], len(data), packets, started):
            self._drops[UDP, "reflection-budget"] += 1
            return None
        self._udp_latency.observe(perf_counter() - started)
        return packets

    # --- messages of a stream ---

    def message(self, data: bytes, peer: Address) -> bytes | Awaitable[bytes | None] | None:
        """The reply to one message of a TCP connection; None if it deserves none."""
        started = perf_counter()
        reply = self._answer(data, TCP)
        if isinstance(reply, Message):
            self._tcp_latency.observe(perf_counter() - started)
            return encode_message(reply)
        if reply is None:
            return None
        return self._message_later(reply, started)

    async def _message_later(self, reply: Awaitable[Message], started: float) -> bytes:
        encoded = encode_message(await reply)
        self._tcp_latency.observe(perf_counter() - started)
        return encoded

    def garbage(self, error: DecodeError) -> bytes:
        """The last words on a stream that cannot be cut into messages, or ended within one."""
        self._answers[TCP, error.outcome.slug] += 1
        return encode_message(stream_refused(BAD_LENGTH, now=time()))

    # --- any message ---

    def _answer(self, data: bytes, protocol: str) -> Message | Awaitable[Message] | None:
        """The reply to a whole message, by the table of operations."""
        try:
            envelope = decode_envelope(data)
            if envelope.encrypted:
                outcome = (
                    outcomes.SESSION_TIMEOUT if envelope.session_id else outcomes.SESSION_FAILED
                )
                return self._refuse(peek_message(data), outcome, SESSION_UNKNOWN, protocol)
            request = decode_message(data)
        except FramingError:
            self._drops[protocol, "framing"] += 1
            return None
        except DecodeError as error:
            return self._unreadable(data, error, protocol)
        if request.is_reply:
            # Answering a reply is how two servers come to talk to each other forever.
            self._drops[protocol, "reply"] += 1
            return None
        if request.session_id:
            return self._refuse(request, outcomes.SESSION_TIMEOUT, SESSION_UNKNOWN, protocol)
        if protocol == UDP and request.op_code in ADMINISTRATION:
            return self._refuse(request, outcomes.MALFORMED, NOT_AN_ADMIN_INTERFACE, protocol)
        operation = self._operations.get(request.op_code)
        if operation is None:
            text = f"Operation {request.op_code} is not supported here"
            return self._refuse(request, outcomes.UNSUPPORTED, text, protocol)
        try:
            return operation(request, protocol)
        except DecodeError as error:
            return self._refuse(request, error.outcome, str(error), protocol)

    def _unreadable(self, data: bytes, error: DecodeError, protocol: str) -> Message | None:
        """The refusal of a message whose envelope and header are fine and whose rest is not."""
        request = peek_message(data)
        if request.is_reply:
            self._drops[protocol, "reply"] += 1
            return None
        return self._refuse(request, error.outcome, str(error), protocol)

    def _resolve(self, request: Message, protocol: str) -> Message | Awaitable[Message]:
        body = decode_resolve_request(request.body)
        query = self._query(
            body.handle, body.indexes, body.types, request.op_flags, request.suggested_version
        )
        now = time()
        answer = query if isinstance(query, Refused) else self._sources.resolve(query, now)
        if answer is None:
            assert isinstance(query, Query)
            return self._resolve_later(request, query, protocol)
        self._answers[protocol, _slug(answer)] += 1
        return self._reply(request, answer, now)

    async def _resolve_later(self, request: Message, query: Query, protocol: str) -> Message:
        answer = await self._sources.resolve_later(query)
        self._answers[protocol, _slug(answer)] += 1
        return self._reply(request, answer, time())

    def _site_info(self, request: Message, protocol: str) -> Message:
        self._answers[protocol, outcomes.OK.slug] += 1
        return reply_to(request, outcomes.OK.handle, self.site, serial=self.serial, now=time())

    def _refuse(self, request: Message, outcome: Outcome, text: str, protocol: str) -> Message:
        self._answers[protocol, outcome.slug] += 1
        return error_to(request, outcome.handle, text, serial=self.serial, now=time())

    def _query(
        self,
        handle: bytes,
        indexes: tuple[int, ...],
        types: tuple[bytes, ...],
        op_flags: int,
        suggested: Version,
    ) -> Query | Refused:
        try:
            key = parse(handle, self._rules)
        except InvalidIdentifier as error:
            return Refused(error.outcome, str(error))
        return Query(
            handle,
            key,
            indexes,
            types,
            public_only=bool(op_flags & PO),
            do_not_refer=bool(op_flags & DO_NOT_REFER),
            refer_prefix=at_least(suggested, PREFIX_REFERRAL_SINCE),
        )

    def _reply(self, request: Message, answer: Answer, now: float) -> Message:
        if isinstance(answer, Refused):
            return error_to(
                request, answer.outcome.handle, answer.detail, serial=self.serial, now=now
            )
        if isinstance(answer, Values):
            handle = decode_resolve_request(request.body).handle
            body = encode_resolve_reply(ResolveReply(handle, answer.record))
            code, flags = outcomes.OK.handle, AT if answer.authoritative else 0
        else:
            body = encode_referral(_referral_body(answer))
            code, flags = answer.outcome.handle, AT
        return reply_to(request, code, body, serial=self.serial, now=now, flags=flags)


def _referral_body(referral: Referral) -> ReferralBody:
    """A prefix referral names no handle; a service referral names the record its sites are from."""
    if referral.outcome is outcomes.PREFIX_REFERRAL:
        return ReferralBody(b"", referral.record)
    return ReferralBody(f"{PREFIX_RECORDS}/{referral.prefix}".encode(), referral.record)


def _slug(answer: Answer) -> str:
    return outcomes.OK.slug if isinstance(answer, Values) else answer.outcome.slug


def _packets(message: Message) -> tuple[bytes, ...]:
    return tuple(split_message(encode_message(message)))
