"""The JSON API for administrators: who asks, then what they want done, then the reply.

Rights are checked by `Administration`, keys by `Callers`. Nothing is changed for nobody in
particular, and over plain HTTP everybody is nobody.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from registry import outcomes
from registry.clock import Clock
from registry.errors import (
    AuthenticationNeeded,
    DecodeError,
    InvalidIdentifier,
    InvalidValue,
    Refusal,
)
from registry.membership import Identity
from registry.registration.changes import AddValues, Change, Create, Delete, PutValues, RemoveValues
from registry.registration.grouping import Done
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key, parse
from resolver.administration.changing import ChangeTask, overwrites
from resolver.administration.operations import minted
from resolver.administration.service import Administration
from resolver.administration.tasks import Resolve, each
from resolver.administration.verification import Verifier
from resolver.administration.web_login import WebLogin
from resolver.codecs.handle.versions import OWN
from resolver.codecs.json_api.reply import (
    Reply,
    encode_done,
    encode_list,
    encode_refusal,
    encode_verdict,
)
from resolver.codecs.json_api.request import (
    Asked,
    DeleteRequest,
    HomingRequest,
    ListRequest,
    Lookup,
    Page,
    PrefixesRequest,
    PutRequest,
    Request,
    SessionRequest,
    SiteRequest,
    VerificationRequest,
)
from resolver.metrics import Counters
from resolver.pipeline.json_callers import PROTOCOL, Callers
from resolver.pipeline.json_sessions import SessionResource
from resolver.query import Answer, Query, Refused

#: Most names in one reply; longer lists are read by pages.
MAX_LISTED: Final = 100_000
#: Names read from the store before others have their turn.
_SLICE: Final = 1000

#: What does something for somebody, who asks from somewhere.
_Action = Callable[[Any, Identity | None, str], Awaitable[Reply]]
#: The name of each in metrics and logs.
_OPERATIONS: Final = {
    PutRequest: "put",
    DeleteRequest: "delete",
    ListRequest: "list",
    PrefixesRequest: "list-prefixes",
    HomingRequest: "home",
    VerificationRequest: "verify",
}


class JsonAdministration:
    """What administrators may ask of one node. `resolve` is the resolve function of the node."""

    def __init__(
        self,
        service: Administration,
        verifier: Verifier,
        resolve: Resolve,
        counters: Counters,
        *,
        clock: Clock,
        responsible: Callable[[Query], str | None],
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self.callers = Callers(WebLogin(verifier, service.homes, clock), counters.answers, clock)
        self._sessions = SessionResource(self.callers)
        self._service = service
        self._verifier = verifier
        self._resolve = resolve
        self._answers = counters.answers
        self._changes: Counter[tuple[str, str]] = counters.changes
        self._responsible = responsible
        self._rules = rules
        self._actions: dict[type, _Action] = {
            PutRequest: self._put,
            DeleteRequest: self._delete,
            ListRequest: self._list,
            PrefixesRequest: self._prefixes,
            HomingRequest: self._home,
            VerificationRequest: self._verify,
        }

    async def reply(self, asked: Asked, request: Request) -> Reply:
        """The reply to anything but a resolution."""
        if isinstance(asked, SessionRequest):
            return await self._sessions.reply(asked, request)
        assert not isinstance(asked, Lookup | SiteRequest)
        named = asked_about(asked)
        identity = await self.callers.identify(request, named, asked.style)
        if isinstance(identity, Reply):
            return identity
        operation = _OPERATIONS[type(asked)]
        try:
            reply = await self._actions[type(asked)](asked, identity, _origin(request))
        except Refusal as refusal:
            self._changes[operation, refusal.outcome.slug] += 1
            knows = who_knows(self._responsible, named, self._rules)
            reply = encode_refusal(refusal, named, asked.style, knows)
            return self.callers.refuse(refusal, reply, request, identity, operation)
        self._answers[PROTOCOL, outcomes.OK.slug] += 1
        self._changes[operation, outcomes.OK.slug] += 1
        return reply

    def challenge(self, request: Request, reply: Reply) -> Reply:
        """The same reply, asking for credentials if they would help."""
        return self.callers.challenge(request, reply)

    async def look_up(self, asked: Lookup, request: Request) -> Answer | Reply:
        """The answer for somebody who says who they are, restricted values included."""
        query = asked.query
        identity = await self.callers.identify(request, query.asked, asked.style)
        if isinstance(identity, Reply):
            return identity
        if identity is not None and asked.open_choice:
            query = query._replace(public_only=False)
        answer = await self._service.gather(partial(self._resolve, query))
        if identity is None or not needs_authentication(answer):
            return answer
        try:
            return await self._service.decide_for(
                identity, partial(self._service.read, identity, query)
            )
        except Refusal as refusal:
            reply = encode_refusal(refusal, query.asked, asked.style)
            return self.callers.refuse(refusal, reply, request, identity, "read")

    # --- changes ---

    async def _put(self, asked: PutRequest, identity: Identity | None, origin: str) -> Reply:
        handle = minted(asked.asked) if asked.mint else asked.asked
        change = _change(asked, parse(handle, self._rules))
        done = await self._perform(identity, change, origin)
        return encode_done(handle, asked.style, created=not overwrites(change, done))

    async def _delete(self, asked: DeleteRequest, identity: Identity | None, origin: str) -> Reply:
        key = parse(asked.asked, self._rules)
        change = RemoveValues(key, asked.indexes) if asked.indexes else Delete(key)
        await self._perform(identity, change, origin)
        return encode_done(asked.asked, asked.style)

    async def _perform(self, identity: Identity | None, change: Change, origin: str) -> Done:
        if identity is None:
            task = ChangeTask(self._service, change, origin, open=isinstance(change, Create))
            await self._service.gather(partial(task.check, None))
            raise AuthenticationNeeded()
        return await self._service.perform(identity, change, origin)

    async def _home(self, asked: HomingRequest, identity: Identity | None, origin: str) -> Reply:
        act = self._service.home if asked.homed else self._service.unhome
        await act(identity, self._prefix(asked.asked), origin)
        return encode_done(asked.asked, asked.style)

    # --- lists and checks ---

    async def _list(self, asked: ListRequest, identity: Identity | None, _: str) -> Reply:
        keys = await self._service.handles(identity, self._prefix(asked.asked))
        found, total = await _page(keys, asked.page)
        return encode_list("handles", found, total, asked.page, asked.style, asked.asked)

    async def _prefixes(self, asked: PrefixesRequest, identity: Identity | None, _: str) -> Reply:
        found, total = await _page(each(self._service.homed(identity)), asked.page)
        return encode_list("prefixes", found, total, asked.page, asked.style)

    async def _verify(self, asked: VerificationRequest, identity: Identity | None, _: str) -> Reply:
        holds = await self._verifier.vouch(asked.proof, OWN)
        return encode_verdict(holds, asked.proof.user_handle, asked.style)

    def _prefix(self, asked: bytes) -> str:
        """The prefix that is meant by itself, or by the name of its record."""
        key = parse(asked, self._rules)
        if not key.is_prefix_record or not key.suffix:
            raise InvalidIdentifier("prefix", "Handle is not a prefix handle")
        return key.suffix


def asked_about(asked: Asked) -> bytes:
    """The identifier or prefix that a request is about, as it was written; b"" where none is."""
    return b"" if isinstance(asked, PrefixesRequest) else getattr(asked, "asked", b"")


def who_knows(
    responsible: Callable[[Query], str | None], named: bytes, rules: HandleRules
) -> str | None:
    """The node that is responsible for what a request names, as far as that is known."""
    try:
        return responsible(Query(named, parse(named, rules)))
    except InvalidIdentifier:
        return None


def _origin(request: Request) -> str:
    return f"{'https' if request.secure else 'http'} {request.source}"


def needs_authentication(answer: Answer) -> bool:
    """Whether an answer says that only some may see what was asked for."""
    return isinstance(answer, Refused) and answer.outcome is outcomes.AUTHENTICATION_NEEDED


def _change(asked: PutRequest, key: Key) -> Change:
    if not asked.indexed:
        return Create(key, asked.values, asked.overwrite)
    if not asked.values:
        raise InvalidValue("Value list was empty")
    return (PutValues if asked.overwrite else AddValues)(key, asked.values)


async def _page(keys: AsyncIterable[Key], page: Page) -> tuple[Sequence[str], int]:
    """The names on a page and the number of all, read so that others have their turn between.

    Raises DecodeError where the page would be too long.
    """
    found: list[str] = []
    total = 0
    first = 0 if page.size is None else (page.number or 0) * page.size
    end = None if page.size is None else first + page.size
    async for key in keys:
        if first <= total and (end is None or total < end):
            found.append(str(key))
        if len(found) > MAX_LISTED:
            raise DecodeError(f"More than {MAX_LISTED} names: ask for pages of fewer")
        total += 1
        if total % _SLICE == 0:
            await asyncio.sleep(0)
    return found, total
