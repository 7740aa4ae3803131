"""The DNS front-end: a query in, at most one reply out (RFC 1035, RFC 7766)."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from registry import outcomes
from registry.errors import DecodeError
from registry.schemes.dns_name import Place
from registry.schemes.handle import Key
from registry.values.shape import ends
from resolver.cache.packets import Kept, PacketCache
from resolver.codecs.dns.answer import encode_reply
from resolver.codecs.dns.endings import Endings
from resolver.codecs.dns.framing import frame
from resolver.codecs.dns.plain_txt import PlainTxt
from resolver.codecs.dns.question import Dropped, Rejected, read_question
from resolver.codecs.dns.reply import (
    TCP_LIMIT,
    Question,
    cache_key,
    has_answers,
    is_of_stream,
    stream_cache_key,
    with_id,
)
from resolver.codecs.dns.zone import ZoneView, locate, lookup_key
from resolver.metrics import Counters
from resolver.pipeline.sources import Sources, is_passing
from resolver.query import Answer, Query, Refused, Values
from resolver.transports.datagram_front import ALL, Admits, Senders
from resolver.transports.slots import Field
from resolver.transports.waiting import Address, Replies

UDP: Final = "dns-udp"
TCP: Final = "dns-tcp"
#: Longest time in seconds that the values of an identifier are taken from the packet cache ...
KEEP_SECONDS: Final = 3600.0
#: ... and everything else that an authority says: it may hold the serial number of the zone, or a
#: TTL that ends at a fixed time, which are off by as much.
KEEP_PASSING_SECONDS: Final = 60.0
#: The same for a recursive node, whose TTLs count down by the second.
KEEP_COUNTING_SECONDS: Final = 1.0
_OK: Final = outcomes.OK.slug
_NOT_RECURSED: Final = Refused(
    outcomes.NOT_RESPONSIBLE, "Not known here, and recursion not desired"
)
_BUSY: Final = Refused(outcomes.BUSY, "Too many requests are under way")


class _Asked(NamedTuple):
    """What a question is about, and what to resolve for it; None: nothing."""

    question: Question
    target: Key | Place | None
    query: Query | None


class DnsFront:
    """Serves a node's DNS ports. `view` is what the node is to DNS."""

    masked: Final = (Field(0, 2),)
    segment: Final = 0

    def __init__(self, sources: Sources, counters: Counters, view: ZoneView) -> None:
        self.packets = PacketCache(subject=sources.subject)
        self._sources = sources
        self._view = view
        self._endings = Endings()
        self._plain = PlainTxt(view)
        self._counters = counters
        self._answers = counters.answers
        self._drops = counters.drops
        self._udp_latency = counters.latency(UDP)
        self._tcp_latency = counters.latency(TCP)

    def at_once(
        self, datagrams: Sequence[bytes], senders: Senders, now: float, admits: Admits = ALL
    ) -> tuple[Sequence[bytes | None], int]:
        """The answers to those datagrams that are questions and need not wait, and how many."""
        found, hows, known = self.packets.get_many(datagrams, now)
        if known < len(found) and admits(known, len(found)):
            found, hows = [*found], [*hows]
            known += self._make_many(datagrams, found, hows, now)
        self._counters.answered(UDP, hows)
        return found, known

    def answered(self, count: int, seconds: float) -> None:
        """So many of those answers went out that long after their requests were taken in."""
        self._udp_latency.observe(seconds, count)

    def unsent(self, count: int) -> None:
        """So many answers could not be sent."""
        self._drops[UDP, "unsent"] += count

    def datagram(self, data: bytes, peer: Address) -> Replies | Awaitable[Replies]:
        """The reply to a datagram; None if it is dropped."""
        started = perf_counter()
        request = cache_key(data)
        kept = self.packets.get(request, started)
        made = kept or self._make(request, started)
        if isinstance(made, Kept):
            return self._reply(made, data, started)
        if made is not None:
            return self._reply_later(request, made, data, started)
        rejection = self._question(data, UDP)
        return (rejection,) if isinstance(rejection, bytes) else None

    def message(self, data: bytes, peer: Address) -> bytes | Awaitable[bytes | None] | None:
        """The framed reply to one message of a TCP connection; None if it deserves none."""
        started = perf_counter()
        request = stream_cache_key(data)
        made = self.packets.get(request, started) or self._make(request, started)
        if isinstance(made, Kept):
            return self._message(made, data, started)
        if made is not None:
            return self._message_later(request, made, data, started)
        rejection = self._question(data, TCP)
        return frame(rejection) if isinstance(rejection, bytes) else None

    def busy(self, data: bytes, peer: Address) -> bytes | None:
        """The framed reply to a message that is not looked up, for too much else is under way."""
        question = self._question(data, TCP)
        if not isinstance(question, Question):
            return None if question is None else frame(question)
        started = perf_counter()
        reply = encode_reply(question, locate(question, self._view), _BUSY, self._view, TCP_LIMIT)
        return self._message(Kept(reply, _BUSY.outcome.slug), data, started)

    def garbage(self, error: DecodeError) -> None:
        """Count a stream that ended within a message."""
        self._drops[TCP, error.outcome.slug] += 1

    def _question(self, data: bytes, protocol: str) -> Question | bytes | None:
        """The question in a message, or the reply that rejects it, or None if it is dropped."""
        question = read_question(data)
        if isinstance(question, Dropped):
            self._drops[protocol, question.reason] += 1
            return None
        if isinstance(question, Rejected):
            self._answers[protocol, "rejected"] += 1
            return question.reply
        return question

    def _look_up(self, question: Question) -> tuple[_Asked, Answer | None]:
        """What is asked, and the answer.

        A query without an answer has to wait for the store or for other nodes.
        """
        target = locate(question, self._view)
        key = None if target is None else lookup_key(target, self._view)
        if key is None:
            return _Asked(question, target, None), None
        query = Query(str(key).encode(), key)
        answer = self._sources.resolve(query)
        if answer is None and self._sources.recursive and not question.recursion_desired:
            answer = _NOT_RECURSED
        return _Asked(question, target, query), answer

    # --- a reply, made and kept ---

    def _make(self, request: bytes, now: float) -> Kept | _Asked | None:
        """The reply to a request, or what has to wait for its answer; None for no question."""
        question = self._endings.read(request)
        if not isinstance(question, Question):
            return None
        asked, answer = self._look_up(question)
        if asked.query is not None and answer is None:
            return asked
        return self._made(request, asked, answer, now)

    def _make_many(
        self,
        requests: Sequence[bytes],
        found: list[bytes | None],
        hows: list[str | None],
        now: float,
    ) -> int:
        """Fill in the replies to those of a batch that have none and need not wait; how many."""
        read = self._plain.read
        replies: list[tuple[bytes, bytes, Key]] = []
        plain = [
            (place, *one)
            for place, octets in enumerate(found)
            if octets is None and (one := read(requests[place])) is not None
        ]
        keys = [key for _, _, key in plain]
        with self._sources.reading(keys):
            records = self._sources.stored(keys)
            for (place, alike, key), record in zip(plain, records, strict=True):
                request = requests[place]
                if record is not None and (reply := alike.reply(request, record)) is not None:
                    found[place], hows[place] = reply, _OK
                    replies.append((request, reply, key))
            self.packets.put_many(replies, _OK, now + KEEP_SECONDS)
            made = len(replies)
            for place, octets in enumerate(found):
                if octets is None:
                    kept = self._make(requests[place], now)
                    if isinstance(kept, Kept):
                        found[place], hows[place] = kept
                        made += 1
        return made

    async def _make_later(self, request: bytes, asked: _Asked) -> Kept:
        assert asked.query is not None
        answer = await self._sources.resolve_later(asked.query)
        # What other nodes said is kept by the recursion, for as long as they said.
        keep = not self._sources.recursive
        return self._made(request, asked, answer, perf_counter(), keep)

    def _made(
        self, request: bytes, asked: _Asked, answer: Answer | None, now: float, keep: bool = True
    ) -> Kept:
        """The reply, kept unless it only says that none could be had."""
        question, target, query = asked
        limit = TCP_LIMIT if is_of_stream(request) else question.udp_limit
        octets = encode_reply(question, target, answer, self._view, limit)
        made = Kept(octets, _slug(answer))
        if keep and query is not None and answer is not None and not is_passing(answer):
            until = now + self._keeping_time(target, answer, octets)
            self.packets.put(request, *made, query.key, until)
        return made

    def _keeping_time(self, target: Key | Place | None, answer: Answer, octets: bytes) -> float:
        if self._sources.recursive:
            return min(float(answer.ttl), KEEP_COUNTING_SECONDS)
        about_identifier = isinstance(target, Key) and has_answers(octets)
        if about_identifier and isinstance(answer, Values) and not ends(answer.record):
            return KEEP_SECONDS
        return KEEP_PASSING_SECONDS

    # --- over UDP ---

    def _reply(self, made: Kept, data: bytes, started: float) -> Replies:
        self._answers[UDP, made.how] += 1
        self._udp_latency.observe(perf_counter() - started)
        return (with_id(made.octets, data),)

    async def _reply_later(
        self, request: bytes, asked: _Asked, data: bytes, started: float
    ) -> Replies:
        return self._reply(await self._make_later(request, asked), data, started)

    # --- over TCP ---

    def _message(self, made: Kept, data: bytes, started: float) -> bytes:
        self._answers[TCP, made.how] += 1
        self._tcp_latency.observe(perf_counter() - started)
        return frame(with_id(made.octets, data))

    async def _message_later(
        self, request: bytes, asked: _Asked, data: bytes, started: float
    ) -> bytes:
        return self._message(await self._make_later(request, asked), data, started)


def _slug(answer: Answer | None) -> str:
    return outcomes.OK.slug if answer is None or isinstance(answer, Values) else answer.outcome.slug
