"""Plain resolution over Handle UDP and TCP: answered from a packet cache, or at once, or not here.

What is not answered here is left to the `Responder`; the two never differ but in speed. Requests
are masked (`fast.cache_key`, `fast.stream_cache_key`), so that a reply serves all repeats of its
request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from registry.schemes.handle import DEFAULT_RULES, HandleRules
from resolver.cache.packets import Kept, PacketCache
from resolver.codecs.handle import fast
from resolver.codecs.handle.answering import query_of
from resolver.codecs.handle.fragments import split_message
from resolver.codecs.handle.header import AT
from resolver.codecs.handle.message import decode_message, encode_message
from resolver.codecs.handle.reply import expiration
from resolver.pipeline.responder import Responder, slug
from resolver.pipeline.sources import Sources, is_passing
from resolver.query import Answer, Query, Refused, Values
from resolver.transports.answers import SLOT

#: Longest time in seconds that a reply is taken from the packet cache, whatever its TTL.
KEEP_SECONDS: Final = 3600.0


class _Asked(NamedTuple):
    """A request that has been read."""

    plain: fast.PlainResolve
    query: Query


class PlainHandle:
    """Serves them for a node.

    The reply to a datagram is its packets one after another, that to a message of a stream one
    piece: their requests are masked differently. Packets that take more than a slot are not kept.
    """

    def __init__(
        self, sources: Sources, responder: Responder, rules: HandleRules = DEFAULT_RULES
    ) -> None:
        self.packets = PacketCache(subject=sources.subject)
        self._sources = sources
        self._responder = responder
        self._rules = rules

    def at_once(
        self, requests: Sequence[bytes], now: float
    ) -> tuple[Sequence[bytes | None], Sequence[str | None], int]:
        """The replies to requests, what they count as, and how many there are.

        None is in place of what is not plain, has to be waited for, or takes more than a slot.
        """
        found, hows, known = self.packets.get_many(requests, now)
        if known < len(found):
            found, hows = [*found], [*hows]
            latest = now + KEEP_SECONDS
            with self._sources.reading():
                for place, octets in enumerate(found):
                    if octets is None:
                        made = self._make(requests[place], latest)
                        if isinstance(made, Kept) and len(made.octets) <= SLOT:
                            found[place], hows[place] = made
                            known += 1
        return found, hows, known

    def reply(self, request: bytes, now: float) -> Kept | Awaitable[Kept | None] | None:
        """The reply to one request, now or later; None if it is for the `Responder`."""
        made = self.packets.get(request, now) or self._make(request, now + KEEP_SECONDS)
        return self._make_later(request, made) if isinstance(made, _Asked) else made

    def _make(self, request: bytes, latest: float) -> Kept | _Asked | None:
        """The reply, kept until then at the latest, or what has to wait for its answer."""
        plain = fast.decode_plain_resolve(request)
        if plain is None:
            return None
        query = query_of(
            plain.handle,
            plain.indexes,
            plain.types,
            plain.op_flags,
            plain.suggested_version,
            self._rules,
        )
        if isinstance(query, Refused):
            return None
        answer = self._sources.resolve(query)
        if answer is None:
            return _Asked(plain, query)
        if _of_one_asker(query, answer):
            return None
        if self._sources.recursive and answer.ttl < KEEP_SECONDS:
            latest -= KEEP_SECONDS - answer.ttl
        return self._keep(request, plain, query, answer, latest)

    async def _make_later(self, request: bytes, asked: _Asked) -> Kept | None:
        answer = await self._sources.resolve_later(asked.query)
        if _of_one_asker(asked.query, answer):
            return None
        # What other nodes said is kept by the recursion, for as long as they said.
        until = 0.0 if self._sources.recursive else perf_counter() + KEEP_SECONDS
        return self._keep(request, *asked, answer, until)

    def _keep(
        self, request: bytes, plain: fast.PlainResolve, query: Query, answer: Answer, until: float
    ) -> Kept:
        """The reply, kept unless it only says that none could be had."""
        octets = self._message(request, plain, answer)
        of_stream = fast.is_of_stream(request)
        if not of_stream:
            octets = b"".join(split_message(octets))
        made = Kept(octets, slug(answer))
        if until and (of_stream or len(octets) <= SLOT) and not is_passing(answer):
            self.packets.put(request, *made, query.key, until)
        return made

    def _message(self, request: bytes, plain: fast.PlainResolve, answer: Answer) -> bytes:
        if not isinstance(answer, Values):
            reply = self._responder.reply(decode_message(request), answer, plain.handle)
            return encode_message(reply)
        return fast.encode_plain_reply(
            request,
            plain,
            answer.record,
            serial=self._responder.serial,
            expiration=expiration(self._sources.clock.now()),
            flags=AT if answer.authoritative else 0,
        )


def _of_one_asker(query: Query, answer: Answer) -> bool:
    """Whether it may take a challenge: the answer to one is nobody else's."""
    return not query.public_only and isinstance(answer, Refused)
