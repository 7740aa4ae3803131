"""Plain resolution over Handle UDP and TCP: answered from a packet cache, or at once, or not here.

What is not answered here is left to the `Responder`; the two never differ but in speed. Requests
are masked (`fast.cache_key`, `fast.stream_cache_key`), so that a reply serves all repeats of its
request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from registry import outcomes
from registry.errors import InvalidIdentifier
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key, parse
from resolver.cache.packets import Kept, PacketCache
from resolver.codecs.handle.alike import Alike
from resolver.codecs.handle.answering import query_about
from resolver.codecs.handle.fast import PlainResolve, encode_plain_reply, is_of_stream
from resolver.codecs.handle.fragments import cut
from resolver.codecs.handle.header import AT
from resolver.codecs.handle.message import decode_message, encode_message
from resolver.codecs.handle.reply import expiration
from resolver.pipeline.responder import Responder, slug
from resolver.pipeline.sources import Sources, is_passing
from resolver.query import Answer, Query, Refused, Values
from resolver.selection import is_public
from resolver.transports.answers import SLOT
from resolver.transports.datagram_front import Admits

#: Longest time in seconds that a reply is taken from the packet cache, whatever its TTL.
KEEP_SECONDS: Final = 3600.0
_OK: Final = outcomes.OK.slug


class _Waiting(NamedTuple):
    """A request whose answer has to be waited for."""

    plain: PlainResolve
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
        self._alike = Alike()

    def at_once(
        self, requests: Sequence[bytes], now: float, admits: Admits
    ) -> tuple[Sequence[bytes | None], Sequence[str | None], int]:
        """The replies to requests, what they count as, and how many there are.

        None is in place of what is not plain, has to be waited for, takes more than a slot, or is
        not admitted.
        """
        found, hows, known = self.packets.get_many(requests, now)
        if known < len(found) and admits(known, len(found)):
            found, hows = [*found], [*hows]
            known += self._make_many(requests, found, hows, now + KEEP_SECONDS)
        return found, hows, known

    def reply(self, request: bytes, now: float) -> Kept | Awaitable[Kept | None] | None:
        """The reply to one request, now or later; None if it is for the `Responder`."""
        kept = self.packets.get(request, now)
        if kept is not None:
            return kept
        read = self._read(request)
        if read is None:
            return None
        made = self._make(request, *read, now + KEEP_SECONDS)
        return self._make_later(request, made) if isinstance(made, _Waiting) else made

    def _read(self, request: bytes) -> tuple[PlainResolve, Key] | None:
        """A plain request, and the identifier that it is about."""
        plain = self._alike.read(request)
        try:
            return None if plain is None else (plain, parse(plain.handle, self._rules))
        except InvalidIdentifier:
            return None

    def _make_many(
        self,
        requests: Sequence[bytes],
        found: list[bytes | None],
        hows: list[str | None],
        latest: float,
    ) -> int:
        """Fill in the replies to those of a batch that have none and need not wait; how many."""
        read, made = self._read, 0
        whole: list[tuple[bytes, bytes, Key]] = []
        asked = [
            (place, *one)
            for place, octets in enumerate(found)
            if octets is None and (one := read(requests[place])) is not None
        ]
        keys = [key for _, _, key in asked]
        serial, lasting = self._responder.serial, expiration(self._sources.clock.now())
        with self._sources.reading(keys):
            records = self._sources.stored(keys)
            for (place, plain, key), record in zip(asked, records, strict=True):
                request = requests[place]
                if (
                    record is not None
                    and not plain.indexes
                    and not plain.types
                    and is_public(record)
                ):
                    # Nearly always all is asked for and public: then there is nothing to decide.
                    reply = encode_plain_reply(
                        request, plain, record, serial=serial, expiration=lasting
                    )
                    octets, how = cut(reply), _OK
                    if len(octets) > SLOT:
                        continue
                    whole.append((request, octets, key))
                else:
                    kept = self._make(request, plain, key, latest)
                    if not isinstance(kept, Kept) or len(kept.octets) > SLOT:
                        continue
                    octets, how = kept
                found[place], hows[place] = octets, how
                made += 1
            self.packets.put_many(whole, _OK, latest)
        return made

    def _make(
        self, request: bytes, plain: PlainResolve, key: Key, latest: float
    ) -> Kept | _Waiting | None:
        """The reply, kept until then at the latest, or what has to wait for its answer."""
        handle, indexes, types, op_flags, _, _ = plain
        query = query_about(key, handle, indexes, types, op_flags, plain.suggested_version)
        answer = self._sources.resolve(query)
        if answer is None:
            return _Waiting(plain, query)
        if _of_one_asker(query, answer):
            return None
        if self._sources.recursive and answer.ttl < KEEP_SECONDS:
            latest -= KEEP_SECONDS - answer.ttl
        return self._answered(request, plain, key, answer, latest)

    async def _make_later(self, request: bytes, waiting: _Waiting) -> Kept | None:
        plain, query = waiting
        answer = await self._sources.resolve_later(query)
        if _of_one_asker(query, answer):
            return None
        # What other nodes said is kept by the recursion, for as long as they said.
        until = 0.0 if self._sources.recursive else perf_counter() + KEEP_SECONDS
        return self._answered(request, plain, query.key, answer, until)

    def _answered(
        self, request: bytes, plain: PlainResolve, key: Key, answer: Answer, until: float
    ) -> Kept:
        """The reply that says this, kept unless that is only that none could be had."""
        if isinstance(answer, Values):
            message = encode_plain_reply(
                request,
                plain,
                answer.record,
                serial=self._responder.serial,
                expiration=expiration(self._sources.clock.now()),
                flags=AT if answer.authoritative else 0,
            )
        else:
            reply = self._responder.reply(decode_message(request), answer, plain.handle)
            message = encode_message(reply)
        octets = message if is_of_stream(request) else cut(message)
        made = Kept(octets, slug(answer))
        if until and not is_passing(answer):
            self._keep(request, *made, key, until)
        return made

    def _keep(self, request: bytes, octets: bytes, how: str, key: Key, until: float) -> None:
        if len(octets) <= SLOT or is_of_stream(request):
            self.packets.put(request, octets, how, key, until)


def _of_one_asker(query: Query, answer: Answer) -> bool:
    """Whether it may take a challenge: the answer to one is nobody else's."""
    return not query.public_only and isinstance(answer, Refused)
