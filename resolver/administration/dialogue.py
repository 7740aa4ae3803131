"""From a native request to its reply: challenge and answer, log-in, and then the task.

Who has not proved who they are gets a challenge where the task takes an administrator. Their answer
names a key; whether that one may is looked at first, whether they hold it after. In a session, and
on a connection that is logged in, it was proved before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, Protocol, TypeVar

from registry import outcomes
from registry.clock import Clock
from registry.errors import (
    AuthenticationNeeded,
    DecodeError,
    InvalidCredential,
    LoginNeeded,
    Refusal,
    Unsupported,
)
from registry.membership import Identity
from registry.outcomes import Outcome
from registry.storage.interface import MustWait
from resolver.administration.certification import Certifier
from resolver.administration.challenges import Challenges
from resolver.administration.context import UDP, Context
from resolver.administration.exchange import Exchange
from resolver.administration.far_records import NotAtHand
from resolver.administration.operations import TaskOf
from resolver.administration.refusing import LOGGED, refusal_text, request_of
from resolver.administration.security_log import SecurityLog
from resolver.administration.session_service import NO_MAC, OF_SESSIONS, SessionService
from resolver.administration.tasks import Part, Parts, Task
from resolver.administration.verification import Verifier
from resolver.codecs.handle.bodies.authentication import decode_challenge_answer, encode_challenge
from resolver.codecs.handle.bodies.resolution import encode_error
from resolver.codecs.handle.codes import ADMINISTRATION, OpCode, op_name
from resolver.codecs.handle.envelope import Envelope
from resolver.codecs.handle.message import Message

NOT_AN_ADMIN_INTERFACE: Final = "Received admin request on non-admin interface"

T = TypeVar("T")

#: The last message of a reply, or one that has to be waited for.
Said = bytes | Awaitable[bytes]


class Gather(Protocol):
    """`Store.gather`."""

    async def __call__(self, decide: Callable[[], T]) -> T: ...


class Dialogue:
    """Everything but plain public resolution. `table` reads tasks from requests by op code.

    `gather` (`Store.gather`) runs checks where the store has to be waited for.
    """

    def __init__(
        self,
        table: dict[int, TaskOf],
        verifier: Verifier,
        sessions: SessionService,
        certifier: Certifier,
        clock: Clock,
        *,
        serial: Callable[[], int],
        answers: Counter[tuple[str, str]],
        changes: Counter[tuple[str, str]],
        gather: Gather,
    ) -> None:
        self._gather = gather
        self.challenges = Challenges()
        self.security_log = SecurityLog(clock)
        self._table = table
        self._verifier = verifier
        self._sessions = sessions
        self._certifier = certifier
        self._clock = clock
        self._serial = serial
        self._answers = answers
        self._changes = changes

    def converse(self, request: Message, context: Context) -> Said:
        """The last message of the reply to a request that could be read; others went before it."""
        return self._reply(Exchange(request, context))

    def converse_sealed(self, data: bytes, envelope: Envelope, context: Context) -> Said:
        """The same for an encrypted message."""
        try:
            opened = self._sessions.open_sealed(data, envelope)
        except Refusal as refusal:
            # Nothing of it is known but its envelope.
            return self._refuse(Exchange(request_of(envelope), context), refusal)
        return self._reply(Exchange(opened.request, context, opened.session, sealed=True))

    def _reply(self, exchange: Exchange) -> Said:
        try:
            parts = self._parts(exchange)
        except Refusal as refusal:
            return self._refuse(exchange, refusal)
        if not isinstance(parts, Part):
            return self._reply_later(exchange, parts)
        self._count(exchange, outcomes.OK)
        return self._say(exchange, parts)

    async def _reply_later(self, exchange: Exchange, parts: Awaitable[Parts]) -> bytes:
        try:
            done = await parts
        except Refusal as refusal:
            said = self._refuse(exchange, refusal)
            return said if isinstance(said, bytes) else await said
        self._count(exchange, outcomes.OK)
        return await self._say_all(exchange, done)

    def _parts(self, exchange: Exchange) -> Part | Awaitable[Parts]:
        """The reply, or where something has to be waited for, all messages of it."""
        request, context = exchange.request, exchange.context
        if request.is_reply:
            raise DecodeError("a reply is no request")
        if context.protocol == UDP and request.op_code in ADMINISTRATION:
            raise DecodeError(NOT_AN_ADMIN_INTERFACE)
        if request.op_code == OpCode.SESSION_SETUP:
            return self._sessions.set_up(exchange, self.challenges)
        if request.op_code == OpCode.CHALLENGE_ANSWER:
            return self._answered(exchange)
        if exchange.session is None and (request.session_id or request.op_code in OF_SESSIONS):
            exchange.session = self._sessions.find(request)
        proved = exchange.session is not None and self._sessions.receive(exchange.session, request)
        if request.op_code in OF_SESSIONS:
            return self._sessions.end(exchange, proved)
        return self._asked(exchange, proved)

    def _asked(self, exchange: Exchange, proved: bool) -> Part | Awaitable[Parts]:
        """Do what a request asks for, or ask who wants it."""
        session = exchange.session
        task = self._task(exchange.request, exchange.context)
        if session is None:
            exchange.identity = exchange.context.login
        elif proved and session.authenticated:
            exchange.identity = session.identity
        if exchange.identity is not None:
            return task.run(exchange.identity)
        try:
            takes_proof = _takes_proof(task)
        except MustWait:
            return self._asked_later(exchange, task, proved)
        return self._ask_back(exchange, proved) if takes_proof else task.run(None)

    async def _asked_later(self, exchange: Exchange, task: Task, proved: bool) -> Parts:
        if await self._gather(partial(_takes_proof, task)):
            return (self._ask_back(exchange, proved),)
        return await task.run(None)

    def _ask_back(self, exchange: Exchange, proved: bool) -> Part:
        if exchange.session is not None and not proved:
            raise InvalidCredential(NO_MAC)
        return self._challenge(exchange)

    def _challenge(self, exchange: Exchange) -> Part:
        session = exchange.session
        number = session.number if session is not None else self._sessions.number(self.challenges)
        challenge = self.challenges.issue(
            number,
            exchange.request,
            exchange.context.source,
            exchange.context,
            self._clock.monotonic(),
        )
        exchange.session_id = number
        return Part(encode_challenge(challenge.nonce), outcomes.AUTHENTICATION_NEEDED.handle)

    def _answered(self, exchange: Exchange) -> Awaitable[Parts]:
        """Take an answer to a challenge: what was asked for before it is now read again."""
        message = exchange.request
        answer = decode_challenge_answer(message.body)
        if exchange.session is None and message.session_id in self._sessions:
            exchange.session = self._sessions.find(message)
        if exchange.session is not None:
            self._sessions.receive(exchange.session, message)
        challenge = self.challenges.take(message.session_id, self._clock.monotonic())
        original = challenge.request
        exchange.answers(original)
        if original.op_code == OpCode.IDIS_LOGIN_KEY and (
            challenge.connection is not exchange.context
        ):
            raise LoginNeeded()
        claimed = exchange.identity = self._verifier.claimed(answer)
        task = self._task(original, exchange.context)
        proof = partial(
            self._verifier.verify,
            answer,
            challenge.nonce,
            challenge.digest.octets,
            message.version,
        )
        return self._proved(exchange, task, claimed, proof)

    async def _proved(
        self,
        exchange: Exchange,
        task: Task,
        claimed: Identity,
        proof: Callable[[], Awaitable[Identity]],
    ) -> Parts:
        """Do the task once somebody has proved who they are, which counts for their session too."""
        if claimed.index:
            with suppress(NotAtHand):  # other nodes are asked for those only who prove themselves
                await self._gather(partial(task.check, claimed))
        exchange.identity = identity = await proof()
        session = exchange.session
        if session is not None and session.identity == claimed:
            session.identity, session.authenticated = identity, True
        return await task.run(identity)

    def _task(self, request: Message, context: Context) -> Task:
        read = self._table.get(request.op_code)
        if read is None:
            raise Unsupported(f"Operation {request.op_code} is not supported here")
        return read(request, context)

    # --- out ---

    async def _say_all(self, exchange: Exchange, parts: Parts) -> bytes:
        """Send all messages of a reply but the last one, which is returned."""
        last: bytes | None = None
        async for part in _each(parts):
            if last is not None:
                assert exchange.context.send is not None, "lists are not asked for over datagrams"
                await exchange.context.send(last)
            said = self._say(exchange, part)
            last = said if isinstance(said, bytes) else await said
        assert last is not None, "a reply has at least one message"
        return last

    def _say(self, exchange: Exchange, part: Part) -> Said:
        message = exchange.message(part, self._serial(), self._clock.now())
        if exchange.certified and not exchange.protects:
            return self._certified(exchange, message)
        return exchange.protect(message, part.restricted)

    async def _certified(self, exchange: Exchange, message: Message) -> bytes:
        return exchange.protect(await self._certifier.certify(message), restricted=False)

    def _refuse(self, exchange: Exchange, refusal: Refusal) -> Said:
        outcome = refusal.outcome
        self._count(exchange, outcome)
        if outcome in LOGGED:
            operation = op_name(exchange.request.op_code)
            source = exchange.context.source
            self.security_log.refused(source, exchange.claimed, operation, refusal)
        return self._say(exchange, Part(encode_error(refusal_text(refusal)), outcome.handle))

    def _count(self, exchange: Exchange, outcome: Outcome) -> None:
        self._answers[exchange.context.protocol, outcome.slug] += 1
        if exchange.request.op_code in ADMINISTRATION:
            self._changes[op_name(exchange.request.op_code), outcome.slug] += 1


def _takes_proof(task: Task) -> bool:
    """Whether a task is for those only who prove who they are. Raises MustWait."""
    try:
        task.check(None)
    except AuthenticationNeeded:
        return True
    return False


async def _each(parts: Parts) -> AsyncIterator[Part]:
    if isinstance(parts, AsyncIterable):
        async for part in parts:
            yield part
    else:
        for part in parts:
            yield part
