"""The Handle JSON API as a front-end: what strangers may ask is answered here and at once.

What changes something, and what is asked by somebody who says who they are, goes to
`resolver.pipeline.json_administration`, which waits for keys and commits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Final, Protocol

from registry import outcomes
from registry.errors import PrefixNotHomed
from registry.schemes.handle import DEFAULT_RULES, HandleRules
from resolver.codecs import json_api
from resolver.codecs.json_api.cross_origin import answer_options, for_origin
from resolver.codecs.json_api.reply import encode_refusal
from resolver.codecs.json_api.request import Asked, Lookup, SessionRequest, SiteRequest
from resolver.codecs.json_api.sessions import bare
from resolver.metrics import Counters
from resolver.pipeline.json_administration import (
    asked_about,
    needs_authentication,
    who_knows,
)
from resolver.pipeline.sources import Sources
from resolver.query import Answer, Query, Values

PROTOCOL: Final = "http"
Reply = json_api.Reply


class Administration(Protocol):
    """What answers whoever says who they are, and asks for what takes that."""

    def reply(self, asked: Asked, request: json_api.Request) -> Awaitable[Reply]:
        """The reply to anything but a resolution."""
        ...

    def look_up(self, asked: Lookup, request: json_api.Request) -> Awaitable[Answer | Reply]:
        """The answer for somebody who says who they are."""
        ...

    def challenge(self, request: json_api.Request, reply: Reply) -> Reply:
        """The same reply, asking for credentials if they would help."""
        ...


class JsonApi:
    """Serves everything under /api.

    `site` is the JSON form of the node's own site; `responsible` names the node that answers for
    an identifier, as far as this one knows. A node without identifiers has no `administration`.
    """

    def __init__(
        self,
        sources: Sources,
        counters: Counters,
        *,
        site: Callable[[], dict[str, Any]],
        responsible: Callable[[Query], str | None],
        administration: Administration | None = None,
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self._sources = sources
        self._answers = counters.answers
        self._latency = counters.latency(PROTOCOL)
        self._site = site
        self._responsible = responsible
        self._administration = administration
        self._rules = rules

    def reply(self, request: json_api.Request) -> Reply | Awaitable[Reply]:
        """The reply to a request; one that has to wait for anything is awaited."""
        origin = request.headers.get("Origin")
        found = answer_options(request) or self._reply(request)
        if isinstance(found, Reply):
            return for_origin(found, origin)
        return _for_origin(found, origin)

    def answered(
        self, asked: Lookup, answer: Answer, started: float, request: json_api.Request | None = None
    ) -> Reply:
        """The reply to a resolution, counted. Over TLS credentials are asked for if they help."""
        reply = json_api.encode(asked, answer, self._responsible(asked.query))
        if (
            request is not None
            and self._administration is not None
            and needs_authentication(answer)
        ):
            reply = self._administration.challenge(request, reply)
        slug = outcomes.OK.slug if isinstance(answer, Values) else answer.outcome.slug
        self._answers[PROTOCOL, slug] += 1
        self._latency.observe(perf_counter() - started)
        return reply

    def plain(self, request: json_api.Request) -> tuple[Query, Answer, Reply] | None:
        """The reply to a stranger's lookup, not counted yet; None if it is none, or has to wait.

        What depends on who asks is none either.
        """
        asked = json_api.decode(request, self._rules)
        if not isinstance(asked, Lookup):
            return None
        answer = self._sources.resolve(asked.query)
        if answer is None or needs_authentication(answer):
            return None
        return asked.query, answer, json_api.encode(asked, answer, self._responsible(asked.query))

    def _reply(self, request: json_api.Request) -> Reply | Awaitable[Reply]:
        started = perf_counter()
        asked = json_api.decode(request, self._rules)
        if isinstance(asked, Reply):
            self._answers[PROTOCOL, "refused"] += 1
            return asked
        if isinstance(asked, SiteRequest):
            self._answers[PROTOCOL, outcomes.OK.slug] += 1
            return json_api.encode_site(asked, self._site())
        if isinstance(asked, Lookup):
            return self._lookup(asked, request, started)
        if self._administration is not None:
            return self._administration.reply(asked, request)
        self._answers[PROTOCOL, outcomes.NOT_RESPONSIBLE.slug] += 1
        if isinstance(asked, SessionRequest):
            return bare(501)
        # What is to be changed or listed is kept by other nodes.
        named = asked_about(asked)
        knows = who_knows(self._responsible, named, self._rules)
        return encode_refusal(PrefixNotHomed(""), named, asked.style, knows)

    def _lookup(
        self, asked: Lookup, request: json_api.Request, started: float
    ) -> Reply | Awaitable[Reply]:
        if self._administration is not None and request.has_credentials:
            return self._restricted(self._administration, asked, request, started)
        answer = self._sources.resolve(asked.query)
        if answer is None:
            return self._later(asked, request, started)
        return self.answered(asked, answer, started, request)

    async def _later(self, asked: Lookup, request: json_api.Request, started: float) -> Reply:
        answer = await self._sources.resolve_later(asked.query)
        return self.answered(asked, answer, started, request)

    async def _restricted(
        self,
        administration: Administration,
        asked: Lookup,
        request: json_api.Request,
        started: float,
    ) -> Reply:
        """The reply to somebody who says who they are."""
        found = await administration.look_up(asked, request)
        return found if isinstance(found, Reply) else self.answered(asked, found, started, request)


async def _for_origin(found: Awaitable[Reply], origin: str | None) -> Reply:
    return for_origin(await found, origin)
