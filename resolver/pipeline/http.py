"""The HTTP front-end: the Handle JSON API, resolution with a trace, health, metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from prometheus_client.registry import Collector

from registry import outcomes
from registry.errors import Refusal
from registry.http.problem import problem
from registry.outcomes import Outcome
from registry.schemes.handle import DEFAULT_RULES, HandleRules, parse
from registry.trust.verification import report_members
from resolver.codecs import json_api
from resolver.codecs.proxy.reply import ROBOTS, HttpReply
from resolver.codecs.proxy.request import Request
from resolver.metrics import Counters, exposition
from resolver.pipeline.json_api import PROTOCOL, JsonApi
from resolver.pipeline.proxy import ProxyFront
from resolver.pipeline.sources import Sources
from resolver.query import Query, Values
from resolver.recursion.trace import Step, describe
from resolver.verification import Verifier

#: What browsers and crawlers ask for by themselves.
_SPECIAL: Final[dict[str, HttpReply]] = {
    "/robots.txt": ROBOTS,
    "/favicon.ico": (404, {"Cache-Control": "max-age=86400"}, b""),
}
#: Whose clients read response codes.
_API: Final = "/api/"
#: Below these there are resources, not identifiers.
_RESERVED: Final = ("/v1/", "/problems/")
_JSON: Final = {"Content-Type": "application/json"}
_TEXT: Final = {"Content-Type": "text/plain; charset=utf-8"}
_METRICS: Final = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


class HttpFront:
    """Serves a node's HTTP, HTTPS and metrics ports.

    `json` answers everything under /api; `own_step` is the start of a trace step that says what
    this node answered by itself; `verifier` checks signed records, where there is one; `recount`
    brings figures up to date that have to be waited for.
    """

    def __init__(
        self,
        sources: Sources,
        counters: Counters,
        collectors: Iterable[Collector],
        *,
        json: JsonApi,
        own_step: Callable[[str, str, float], Step],
        proxy: ProxyFront,
        verifier: Verifier | None = None,
        recount: Callable[[], Awaitable[None]] | None = None,
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self.serving = False
        self._recount = recount
        self._sources = sources
        self._answers = counters.answers
        self._collectors = tuple(collectors)
        self._json = json
        self._own_step = own_step
        self._verifier = verifier
        self._proxy = proxy
        self._rules = rules

    def api(self, request: json_api.Request) -> json_api.Reply | Awaitable[json_api.Reply]:
        """The reply to anything under /api."""
        return self._json.reply(request)

    # --- /v1 ---

    async def resolve(self, target: str, trace: bool, fresh: bool, verify: bool) -> HttpReply:
        """`/v1/resolve/{identifier}`: values in the form of the JSON API.

        With `trace` also who was asked, with `verify` also whether its signatures hold.
        """
        if verify and self._verifier is None:
            detail = "only the recursive node verifies records: it knows the trust root"
            return problem(outcomes.UNSUPPORTED, detail, instance=f"/v1/resolve/{target}")
        started = perf_counter()
        asked = unquote_to_bytes(target)
        try:
            query = Query(asked, parse(asked, self._rules), fresh=fresh)
        except Refusal as refusal:
            return self.refuse(refusal.outcome, str(refusal), f"/v1/resolve/{target}")
        steps: list[Step] = []
        answer = self._sources.resolve(query) if not self._sources.recursive else None
        if answer is None:
            answer = await self._sources.resolve_later(query, steps)
        if not self._sources.recursive:
            steps.append(self._own_step(str(query.key), describe(answer), perf_counter() - started))
        reply = self._json.answered(json_api.Lookup(query, json_api.Style()), answer, started)
        more: dict[str, Any] = {"trace": steps} if trace else {}
        if verify and self._verifier is not None and isinstance(answer, Values):
            report = await self._verifier.verify(query.key, answer.record)
            more["verification"] = report_members(report)
        if not more:
            return reply.status, reply.headers, reply.body
        members = msgspec.json.decode(reply.body)
        return reply.status, dict(_JSON), msgspec.json.encode({**members, **more})

    def not_found(self, target: str) -> HttpReply:
        """The reply to a path that is nothing here."""
        return self.refuse(outcomes.NOT_FOUND, "there is no such resource", target)

    def refuse(self, outcome: Outcome, detail: str, target: str = "") -> HttpReply:
        """The reply to a request that asks nothing of the sources; `target` is its path."""
        self._answers[PROTOCOL, outcome.slug] += 1
        if outcome is outcomes.BUSY and target.startswith(_API):
            said = json_api.busy(detail)
            return said.status, said.headers, said.body
        return problem(outcome, detail, instance=target)

    # --- the web proxy ---

    async def page(self, request: Request) -> HttpReply:
        """The reply to anything else: an identifier as a web address, or the start page."""
        path = request.target.partition("?")[0]
        if path in _SPECIAL:
            return _SPECIAL[path]
        if path.startswith(_RESERVED):
            return self.not_found(request.target)
        return await self._proxy.reply(request)

    # --- operations ---

    def health(self) -> HttpReply:
        """The process is alive."""
        return 200, dict(_TEXT), b"ok\n"

    def ready(self) -> HttpReply:
        """The node answers on all its ports, and is not about to end."""
        if self.serving:
            return 200, dict(_TEXT), b"ready\n"
        return 503, dict(_TEXT), b"not serving: starting or draining\n"

    async def metrics(self) -> HttpReply:
        """What Prometheus scrapes."""
        if self._recount is not None:
            await self._recount()
        return 200, dict(_METRICS), exposition(self._collectors)
