"""The web proxy: a browser that asks for an identifier is sent where it leads, or shown its values.

Answers come from the sources that all protocols share; aliases are followed here, by asking again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from registry import outcomes
from registry.errors import Refusal
from registry.namespaces.namespace import NAMESPACE_TYPE, Namespace, namespace_of
from registry.outcomes import Outcome
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key, parse, prefix_record
from registry.values.value import Value, decode_record, type_matches
from resolver.codecs.http_parameters import as_text
from resolver.codecs.proxy import pages, reply
from resolver.codecs.proxy.locations import Location, Wishes, locations_of
from resolver.codecs.proxy.pages import NodeFacts, Notice, PageContext
from resolver.codecs.proxy.reply import HttpReply
from resolver.codecs.proxy.request import Action, Ask, Request, fallback_language, read_request
from resolver.codecs.proxy.targets import appended, own_path, safe_url, web_address
from resolver.codecs.proxy.texts import Speaker
from resolver.computed import OWN_RECORD
from resolver.metrics import Counters
from resolver.pipeline.sources import Sources
from resolver.query import Answer, Query, Referral, Refused, Values

PROTOCOL: Final = "http"
#: Most aliases followed one after the other, as in Handle.Net's proxy.
MAX_ALIASES: Final = 20
ALIAS_TYPE: Final = b"HS_ALIAS."
_METHODS: Final = frozenset({"GET", "HEAD", "POST"})


@dataclass(frozen=True, slots=True)
class Found:
    """The values in the end, and those of type HS_ALIAS that led there."""

    handle: str
    values: tuple[Value, ...]
    ttl: int | None
    aliases: tuple[Value, ...]


class Unresolved(Exception):  # noqa: N818 - an outcome, not a malfunction
    """There are no values to show: how it ended, and what to say about it."""

    def __init__(self, outcome: Outcome, notice: Notice) -> None:
        super().__init__(outcome.title)
        self.outcome = outcome
        self.notice = notice


class ProxyFront:
    """Serves identifiers as web addresses on a node's HTTP and HTTPS ports.

    `responsible` names the node that answers for an identifier; `chance` gives numbers from 0 up to
    1, for choices by weight.
    """

    def __init__(
        self,
        sources: Sources,
        counters: Counters,
        node: NodeFacts,
        responsible: Callable[[Query], str | None],
        rules: HandleRules = DEFAULT_RULES,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._sources = sources
        self._answers = counters.answers
        self._node = node
        self._responsible = responsible
        self._rules = rules
        self._chance = chance

    async def reply(self, request: Request) -> HttpReply:
        """The reply to any request that is for no other resource."""
        context = PageContext(self._node, Speaker(fallback_language(request)))
        if request.method not in _METHODS:
            outcome = outcomes.METHOD_NOT_ALLOWED
            _, headers, page = reply.refused(context, outcome, Notice(outcome.slug))
            return outcome.http, {**headers, "Allow": "GET, HEAD, POST"}, page
        try:
            ask = read_request(request)
        except Refusal as refusal:
            return self._refuse(context, refusal.outcome, str(refusal))
        context = PageContext(self._node, Speaker(ask.language), as_text(ask.handle))
        if not ask.handle:
            return reply.shown(pages.start_page(context))
        try:
            found = await self._find(ask)
            made = self._answer(context, ask, found, self._sources.clock.now())
        except Unresolved as reason:
            self._answers[PROTOCOL, reason.outcome.slug] += 1
            return reply.refused(context, reason.outcome, reason.notice, wants_json=ask.wants_json)
        except Refusal as refusal:
            return self._refuse(context, refusal.outcome, str(refusal))
        self._answers[PROTOCOL, outcomes.OK.slug] += 1
        return made

    def _refuse(self, context: PageContext, outcome: Outcome, detail: str) -> HttpReply:
        self._answers[PROTOCOL, outcome.slug] += 1
        return reply.refused(context, outcome, Notice(reply.notice_name(outcome), (detail,)))

    # --- asking ---

    async def _find(self, ask: Ask) -> Found:
        """The values of the identifier or of what it is an alias of. Raises Unresolved, Refusal."""
        handle, seen = ask.handle, set[Key]()
        aliases: list[Value] = []
        while True:
            key = parse(handle, self._rules)
            if key in seen:
                raise _failed(outcomes.RESOLUTION_LOOP)
            seen.add(key)
            answer = await self._values(
                ask, Query(handle, key, ask.indexes, ask.types, fresh=ask.fresh)
            )
            values = decode_record(answer.record)
            alias = _alias(values) if ask.follow_aliases else None
            if alias is None:
                ttl = None if answer.authoritative else answer.ttl
                return Found(as_text(handle), values, ttl, tuple(aliases))
            if len(aliases) == MAX_ALIASES:
                raise _failed(outcomes.RESOLUTION_LIMIT)
            aliases.append(alias)
            handle = alias.data

    async def _values(self, ask: Ask, query: Query) -> Values:
        answer = await self._resolve(query)
        namespace = await self._namespace(query.key)
        if namespace is not None and not namespace.active:
            said = (namespace.status_message,) if namespace.status_message else ()
            notice = Notice("inactive", said, contact=namespace.contact)
            raise Unresolved(outcomes.NOT_FOUND, notice)
        if isinstance(answer, Values):
            return answer
        raise self._unresolved(answer, query)

    async def _resolve(self, query: Query) -> Answer:
        answer = self._sources.resolve(query)
        return await self._sources.resolve_later(query) if answer is None else answer

    async def _namespace(self, key: Key) -> Namespace | None:
        """The namespace of an identifier's prefix, if this node can learn of one."""
        if key.is_prefix_record:
            return None
        for place in (Key(key.prefix, OWN_RECORD), prefix_record(key.prefix)):
            answer = await self._resolve(Query(str(place).encode(), place, types=(NAMESPACE_TYPE,)))
            found = namespace_of(answer.record) if isinstance(answer, Values) else None
            if found is not None:
                return found
        return None

    def _unresolved(self, answer: Referral | Refused, query: Query) -> Unresolved:
        """Why there are no values, and who would know."""
        responsible = self._responsible(query)
        if isinstance(answer, Referral):
            there = web_address(answer.record)
            elsewhere = None if there is None else f"{there}{own_path(as_text(query.asked))}"
            notice = Notice("not-responsible", responsible=responsible, elsewhere=elsewhere)
            return Unresolved(outcomes.NOT_RESPONSIBLE, notice)
        name = reply.notice_name(answer.outcome)
        if answer.outcome in (outcomes.NOT_FOUND, outcomes.NOT_RESPONSIBLE):
            return Unresolved(answer.outcome, Notice(name, responsible=responsible))
        return Unresolved(answer.outcome, Notice(name, (answer.detail,) if answer.detail else ()))

    # --- answering ---

    def _answer(self, context: PageContext, ask: Ask, found: Found, now: float) -> HttpReply:
        if ask.action is Action.SHOW_URLS:
            locations = locations_of(found.values)
            if locations.locations:
                return reply.listed(locations.to_xml(found.handle))
        if ask.action is not Action.REDIRECT:
            return self._show(context, found, None)
        if found.aliases and not ask.posted:
            until = reply.expiry([*found.aliases, *found.values], now, found.ttl)
            return reply.moved(ask, found.handle, until)
        return self._redirect(context, ask, found, now)

    def _redirect(self, context: PageContext, ask: Ask, found: Found, now: float) -> HttpReply:
        """To the chosen place; if it is not one to be sent to, what there is is shown."""
        place = self._place(ask, found)
        href = None if place is None else place.href(found.handle)
        if place is None or href is None:
            return self._show(context, found, None)
        url = appended(href, ask.append)
        if url is None:
            return self._show(context, found, "not-followed")
        return reply.redirected(
            ask, url, place.status, reply.expiry([place.source], now, found.ttl)
        )

    def _place(self, ask: Ask, found: Found) -> Location | None:
        wishes = Wishes(ask.wishes, ask.country, ask.address)
        return locations_of(found.values).choose(wishes, self._chance)

    def _show(self, context: PageContext, found: Found, note: str | None) -> HttpReply:
        place = locations_of(found.values).choose(Wishes(), self._chance)
        href = None if place is None else place.href(found.handle)
        url = None if href is None else safe_url(href)
        return reply.shown(pages.values_page(context, found.handle, found.values, url, note))


def _alias(values: tuple[Value, ...]) -> Value | None:
    return next((value for value in values if type_matches(ALIAS_TYPE, value.type)), None)


def _failed(outcome: Outcome) -> Unresolved:
    return Unresolved(outcome, Notice(outcome.slug))
