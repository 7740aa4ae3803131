"""Requests with the right of an administrator: challenge and answer, in a session or without."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import Final, NamedTuple, TypeAlias

from registry.clock import Clock
from resolver.client.channel import Channel
from resolver.client.errors import Denied
from resolver.client.keys import AdministratorKey
from resolver.client.requests import new_request
from resolver.client.session import Session
from resolver.codecs.handle.bodies.administration import encode_handle
from resolver.codecs.handle.bodies.authentication import decode_challenge, encode_challenge_answer
from resolver.codecs.handle.bodies.digest import split_digest
from resolver.codecs.handle.bodies.resolution import decode_error
from resolver.codecs.handle.checking import check_digest, reply_body
from resolver.codecs.handle.codes import OpCode, ResponseCode
from resolver.codecs.handle.header import CN, CT, ENC
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.versions import OWN, Version
from resolver.transports.outbound import ExchangeFailed

#: Takes the body of each message of a reply. Raises DecodeError for one that cannot be read.
Take: TypeAlias = Callable[[bytes], None]
#: Seconds that the end of a session may take.
_PARTING_SECONDS: Final = 2.0


class Challenge(NamedTuple):
    """What a server wants to have signed; the answer goes under its session id and version."""

    nonce: bytes
    request_digest: bytes
    session_id: int
    version: Version


class Conversation:
    """Requests to one server. `key` answers challenges, `new_session` sets up sessions, if any."""

    def __init__(
        self,
        channel: Channel,
        clock: Clock,
        key: AdministratorKey | None,
        in_flight: int,
        seconds: float,
        new_session: Callable[[], Awaitable[Session]] | None = None,
    ) -> None:
        self._channel = channel
        self._clock = clock
        self._key = key
        self._seconds = seconds
        self._new_session = new_session
        self._session: Session | None = None
        self._in_flight = asyncio.Semaphore(in_flight)
        self._proving = asyncio.Lock()

    async def ask(self, op_code: int, body: bytes, take: Take, op_flags: int = 0) -> None:
        """Put a request; `take` gets the bodies of its reply. Raises Denied, ExchangeFailed."""
        async with self._in_flight:
            session = await self.session()
            try:
                await self._ask_in(session, op_code, body, take, op_flags)
            except Denied as denied:
                if session is None or denied.code != ResponseCode.SESSION_TIMEOUT:
                    raise
                # The server has forgotten the session, and done nothing.
                self._forget(session)
                await self._ask_in(await self.session(), op_code, body, take, op_flags)

    async def session(self) -> Session | None:
        """The session that requests belong to, set up if need be; None without sessions."""
        if self._new_session is not None and self._session is None:
            async with self._proving:
                if self._session is None:
                    self._session = await self._new_session()
        return self._session

    async def close(self) -> None:
        """End the session and hang up."""
        if self._session is not None:
            with suppress(Denied, ExchangeFailed):
                end = self._request(self._session, OpCode.SESSION_END, encode_handle(b""), 0)
                octets = self._session.protect(end)
                await self._channel.exchange(octets, lambda _: False, _PARTING_SECONDS)
        await self._channel.close()

    def _forget(self, session: Session) -> None:
        if self._session is session:
            self._session = None

    async def _ask_in(
        self, session: Session | None, op_code: int, body: bytes, take: Take, op_flags: int
    ) -> None:
        # A session has one challenge at a time: the first request proves it, the others wait.
        proving = session is not None and not session.proved
        async with self._proving if proving else nullcontext():
            request = self._request(session, op_code, body, op_flags)
            challenge = await self._exchange(session, request, op_code, take)
            if challenge is None:
                return
            answer = await self._answer(session, challenge)
            await self._exchange(session, answer, op_code, take)
            if session is not None:
                session.proved = True

    def _request(
        self,
        session: Session | None,
        op_code: int,
        body: bytes,
        op_flags: int,
        version: Version = OWN,
    ) -> Message:
        if session is None:
            return new_request(op_code, body, self._clock, op_flags=op_flags, version=version)
        flags = op_flags | CT | (ENC if session.encrypted else 0)
        return new_request(
            op_code,
            body,
            self._clock,
            op_flags=flags,
            session_id=session.number,
            version=version,
        )

    async def _exchange(
        self, session: Session | None, request: Message, op_code: int, take: Take
    ) -> Challenge | None:
        """Send a request; what is asked in return if nothing was done yet. Raises Denied."""
        challenges: list[Challenge] = []

        def receive(data: bytes) -> bool:
            reply = decode_message(data) if session is None else session.open(data)
            body = reply_body(reply, request.request_id, op_code)
            if reply.response_code == ResponseCode.AUTHENTICATION_NEEDED and self._key is not None:
                challenges.append(_challenge(request, reply, body))
                return False
            if reply.response_code != ResponseCode.SUCCESS:
                raise Denied(reply.response_code, _said(reply.response_code, body))
            take(body)
            return bool(reply.op_flags & CN)

        octets = encode_message(request) if session is None else session.protect(request)
        await self._channel.exchange(octets, receive, self._seconds)
        return challenges[0] if challenges else None

    async def _answer(self, session: Session | None, challenge: Challenge) -> Message:
        assert self._key is not None, "without a key no challenge is taken"
        answer = await asyncio.to_thread(
            self._key.answer, challenge.nonce, challenge.request_digest, challenge.version
        )
        body = encode_challenge_answer(answer)
        request = self._request(session, OpCode.CHALLENGE_ANSWER, body, 0, challenge.version)
        return replace(request, session_id=challenge.session_id)


def _challenge(request: Message, reply: Message, body: bytes) -> Challenge:
    """The challenge in a reply. Raises DecodeError where it is about another request than ours."""
    if request.op_code == OpCode.CHALLENGE_ANSWER:
        raise Denied(reply.response_code)
    check_digest(request, reply)
    digest, _ = split_digest(reply.body, reply.version)
    return Challenge(decode_challenge(body), digest.octets, reply.session_id, reply.spoken_version)


def _said(response_code: int, body: bytes) -> str:
    """The text in the body of a refusal; that of a challenge is none."""
    return "" if response_code == ResponseCode.AUTHENTICATION_NEEDED else decode_error(body)
