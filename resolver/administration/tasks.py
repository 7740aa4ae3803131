"""What a native request can ask for: checked, done, and said in the messages of a reply.

A task is checked before it is done: for nobody in particular first, and where that takes an
administrator, for whom somebody claims to be, before their key is looked at. What the reference
server says about an identifier before it asks who wants to know is said here too, and no more.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeAlias

from registry import outcomes
from registry.errors import (
    AlreadyLoggedIn,
    AuthenticationFailed,
    AuthenticationNeeded,
    Unsupported,
)
from registry.membership import Identity
from registry.schemes.handle import Key
from resolver.administration.context import Context
from resolver.administration.service import Administration
from resolver.administration.verification import Verifier
from resolver.codecs.handle.answering import encode_answer
from resolver.codecs.handle.bodies.administration import encode_handles
from resolver.codecs.handle.bodies.authentication import VerifyRequest, encode_verify_reply
from resolver.codecs.handle.codes import ResponseCode
from resolver.codecs.handle.header import AT, CN
from resolver.codecs.handle.versions import Version
from resolver.query import Answer, Query, Refused

#: Handles in one message of a list.
PER_MESSAGE: Final = 50

#: The resolve function that every protocol shares, but that it raises MustWait.
Resolve = Callable[[Query], Answer]


class Part(NamedTuple):
    """One message of a reply: `restricted` if it shows what the public may not read."""

    body: bytes = b""
    code: int = ResponseCode.SUCCESS
    flags: int = AT
    restricted: bool = False


#: All messages of a reply.
Parts: TypeAlias = Iterable[Part] | AsyncIterable[Part]


class Task(Protocol):
    """What a request asks for."""

    def check(self, identity: Identity | None) -> None:
        """Raise a Refusal if this identity may not have it done, before anything is done.

        Raises MustWait where the store has to be waited for (`Administration.gather`).
        """

    def run(self, identity: Identity | None) -> Awaitable[Parts]:
        """Do it; the messages of the reply. Raises Refusal."""
        ...


@dataclass(frozen=True, slots=True)
class ListHandles:
    """The identifiers under a prefix, 50 in a message."""

    administration: Administration
    prefix: str

    def check(self, identity: Identity | None) -> None:
        self.administration.check_listing(identity, self.prefix)

    async def run(self, identity: Identity | None) -> AsyncIterable[Part]:
        return _listed(await self.administration.handles(identity, self.prefix))


@dataclass(frozen=True, slots=True)
class ListHomedPrefixes:
    """The prefixes that the node answers for."""

    administration: Administration

    def check(self, identity: Identity | None) -> None:
        self.administration.check_server(identity)

    async def run(self, identity: Identity | None) -> AsyncIterable[Part]:
        return _listed(each(self.administration.homed(identity)))


@dataclass(frozen=True, slots=True)
class HomePrefix:
    """Answer for a prefix from now on, or no longer."""

    administration: Administration
    prefix: str
    homed: bool
    origin: str

    def check(self, identity: Identity | None) -> None:
        self.administration.check_server(identity)

    async def run(self, identity: Identity | None) -> Iterable[Part]:
        act = self.administration.home if self.homed else self.administration.unhome
        await act(identity, self.prefix, self.origin)
        return (Part(),)


@dataclass(frozen=True, slots=True)
class ReadValues:
    """A resolution whose values are not all public, or that is part of a session."""

    administration: Administration
    query: Query | Refused
    resolve: Resolve

    def check(self, identity: Identity | None) -> None:
        if not isinstance(self.query, Refused):
            answer = self.resolve(self.query)
            if isinstance(answer, Refused) and answer.outcome is outcomes.AUTHENTICATION_NEEDED:
                self.administration.read(identity, self.query)

    async def run(self, identity: Identity | None) -> Iterable[Part]:
        if isinstance(self.query, Refused):
            return (_part(b"", self.query),)
        answer = await self.administration.gather(partial(self.resolve, self.query))
        restricted = (
            isinstance(answer, Refused) and answer.outcome is outcomes.AUTHENTICATION_NEEDED
        )
        if restricted:
            read = partial(self.administration.read, identity, self.query)
            answer = await self.administration.decide_for(identity, read)
        return (_part(self.query.asked, answer, restricted),)


@dataclass(frozen=True, slots=True)
class TellSite:
    """The node's site (HS_SITE data), asked for in a session."""

    site: bytes

    def check(self, identity: Identity | None) -> None:
        """Anybody may ask."""

    async def run(self, identity: Identity | None) -> Iterable[Part]:
        return (Part(self.site),)


@dataclass(frozen=True, slots=True)
class Vouch:
    """The check of an answer that another node was given, with a secret that is held here."""

    verifier: Verifier
    request: VerifyRequest
    version: Version

    def check(self, identity: Identity | None) -> None:
        """Any node may ask."""

    async def run(self, identity: Identity | None) -> Iterable[Part]:
        valid = await self.verifier.vouch(self.request, self.version)
        return (Part(encode_verify_reply(valid)),)


@dataclass(frozen=True, slots=True)
class LogIn:
    """The log-in of the CAICT clients: what follows on the connection needs no challenge."""

    context: Context
    identity: Identity

    def check(self, identity: Identity | None) -> None:
        if self.context.login is not None:
            raise AlreadyLoggedIn()
        if identity is None:
            raise AuthenticationNeeded()
        if identity != self.identity:
            raise AuthenticationFailed()

    async def run(self, identity: Identity | None) -> Iterable[Part]:
        self.check(identity)
        self.context.login = identity
        return (Part(),)


@dataclass(frozen=True, slots=True)
class Replication:
    """Copying a server as the reference server does it: only its operator is told that it is not
    offered."""

    administration: Administration

    def check(self, identity: Identity | None) -> None:
        self.administration.check_server(identity)

    async def run(self, identity: Identity | None) -> Iterable[Part]:
        raise Unsupported("Replication over the Handle protocol is not offered")


async def _listed(keys: AsyncIterable[Key]) -> AsyncIterator[Part]:
    """Messages of 50 handles, all but the last marked as to be continued; at least one."""
    page: list[bytes] = []
    async for key in keys:
        if len(page) == PER_MESSAGE:
            yield Part(encode_handles(page), flags=AT | CN)
            page = []
        page.append(str(key).encode())
    yield Part(encode_handles(page), flags=AT)


async def each(keys: Iterable[Key]) -> AsyncIterator[Key]:
    """Keys that are at hand, for those who would wait for them."""
    for key in keys:
        yield key


def _part(asked: bytes, answer: Answer, restricted: bool = False) -> Part:
    code, body, flags = encode_answer(asked, answer)
    return Part(body, code, flags, restricted)
