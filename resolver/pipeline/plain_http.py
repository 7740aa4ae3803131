"""Plain lookups over the JSON API: answered from a packet cache, or at once, or not here.

What is not answered here has its answer from `resolver.pipeline.json_api` as any other request; the
two never differ but in speed.
"""

from __future__ import annotations

from email.utils import formatdate
from time import perf_counter
from typing import Final

from resolver.cache.packets import Kept, PacketCache
from resolver.codecs import json_api
from resolver.codecs.plain_http import dated, target_of, undated
from resolver.metrics import Counters
from resolver.pipeline.json_api import PROTOCOL, JsonApi
from resolver.pipeline.responder import KEEP_SECONDS, slug
from resolver.pipeline.sources import Sources, is_passing

#: Replies are larger than datagrams, so that fewer are kept.
MAX_KEPT: Final = 32_768


class PlainHttp:
    """Serves them for a node. `server` is how the full server calls itself."""

    def __init__(self, sources: Sources, counters: Counters, api: JsonApi, server: str) -> None:
        self.packets = PacketCache(MAX_KEPT, subject=sources.subject)
        self._sources = sources
        self._answers = counters.answers
        self._latency = counters.latency(PROTOCOL)
        self._api = api
        self._server = server
        self._second = 0
        self._date = b""

    def reply(self, line: bytes) -> bytes | None:
        """The reply to a request line, None where the full server has to give it."""
        started = perf_counter()
        kept = self.packets.get(line, started) or self._look_up(line, started)
        if kept is None:
            return None
        self._answers[PROTOCOL, kept.how] += 1
        second = int(self._sources.clock.now())
        if second != self._second:
            self._second, self._date = second, _date_line(second)
        self._latency.observe(perf_counter() - started)
        return dated(kept.octets, self._date)

    def _look_up(self, line: bytes, started: float) -> Kept | None:
        target = target_of(line)
        found = None if target is None else self._api.plain(json_api.Request("GET", target))
        if found is None:
            return None
        query, answer, reply = found
        octets, how = undated(reply.status, reply.headers, reply.body, self._server), slug(answer)
        if not self._sources.recursive and not is_passing(answer):
            self.packets.put(line, octets, how, query.key, started + KEEP_SECONDS)
        return Kept(octets, how)


def _date_line(second: int) -> bytes:
    return f"Date: {formatdate(second, usegmt=True)}\r\n".encode()
