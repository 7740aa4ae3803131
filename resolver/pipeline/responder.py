"""The reply to one whole Handle message, however it came.

Public resolution and site information are answered here and at once; all that takes proof of who
asks is left to `resolver.administration`. A reply that is to be signed waits for its signature.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from registry import outcomes
from registry.errors import DecodeError
from registry.outcomes import Outcome
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key
from resolver.administration.certification import Certifier
from resolver.administration.context import UDP, Context
from resolver.administration.dialogue import NOT_AN_ADMIN_INTERFACE, Said
from resolver.cache.packets import PacketCache
from resolver.codecs.handle.answering import Answered, decode_query, encode_answer
from resolver.codecs.handle.bodies.resolution import encode_error
from resolver.codecs.handle.codes import ADMINISTRATION, OpCode
from resolver.codecs.handle.envelope import Envelope, FramingError, decode_envelope
from resolver.codecs.handle.header import CT, TRUSTED_QUERY, TRUSTED_RESULT
from resolver.codecs.handle.message import Message, decode_message, encode_message, peek_message
from resolver.codecs.handle.reply import reply_to
from resolver.metrics import Counters
from resolver.pipeline.sources import Sources
from resolver.query import Answer, Query, Refused, Values
from resolver.trusted_queries import TrustedQueries

TOO_MUCH: Final = "Too many requests are under way. Please try again later."
SESSION_UNKNOWN: Final = "Invalid session id or session time out. Please try again."
#: Longest time in seconds that a signed reply is used again for the very same request.
KEEP_SECONDS: Final = 3600.0
MAX_SIGNED: Final = 8192

_OPERATIONS: Final = frozenset(OpCode)

#: A whole message, or one that has to wait; None where none is deserved.
Reply = bytes | Awaitable[bytes] | None


class Dialogue(Protocol):
    """What replies to all that takes proof of who asks."""

    def converse(self, request: Message, context: Context) -> Said:
        """The reply to a request that could be read."""
        ...

    def converse_sealed(self, data: bytes, envelope: Envelope, context: Context) -> Said:
        """The reply to an encrypted message."""
        ...


class Responder:
    """`site` is the node's HS_SITE data, `serial` its number; both may be replaced while it runs.

    `signed` keeps certified replies: a signature covers the request's id, so only the very same
    request gets one again. `dialogue` is None on a node that has nothing to administer. `trusted`
    finds out whether what a trusted query is answered is signed; None where nobody can be asked.
    """

    def __init__(
        self,
        sources: Sources,
        counters: Counters,
        certifier: Certifier,
        *,
        site: bytes,
        serial: int,
        trusted: TrustedQueries | None = None,
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self.site = site
        self.serial = serial
        self.dialogue: Dialogue | None = None
        self.signed = PacketCache(MAX_SIGNED, subject=sources.subject)
        self._sources = sources
        self._clock = sources.clock
        self._certifier = certifier
        self._trusted = trusted
        self._rules = rules
        self._answers = counters.answers
        self._drops = counters.drops
        self._public: dict[int, Callable[[Message, bytes, Context], Reply]] = {
            OpCode.RESOLVE: self._resolve,
            OpCode.SITE_INFO: self._site_info,
        }

    def answer(self, data: bytes, context: Context) -> Reply:
        """The reply to a message that arrived whole."""
        try:
            envelope = decode_envelope(data)
            if envelope.encrypted:
                return self._sealed(data, envelope, context)
            request = decode_message(data)
        except FramingError:
            self._drops[context.protocol, "framing"] += 1
            return None
        except DecodeError as error:
            return self._unreadable(data, error, context)
        if request.is_reply:
            # Answering a reply is how two servers come to talk to each other forever.
            self._drops[context.protocol, "reply"] += 1
            return None
        public = self._public.get(request.op_code)
        if public is None or request.session_id:
            return self._converse(request, context)
        try:
            return public(request, data, context)
        except DecodeError as error:
            return self.refuse(request, error.outcome, str(error), context)

    def reply(self, request: Message, answer: Answer, asked: bytes) -> Message:
        """The reply that says how a resolution ended, final but for a signature."""
        return self._message(request, encode_answer(asked, answer))

    def refuse(self, request: Message, outcome: Outcome, text: str, context: Context) -> Reply:
        """The reply that refuses a request."""
        self._answers[context.protocol, outcome.slug] += 1
        said = Answered(outcome.handle, encode_error(text))
        return self._finished(self._message(request, said))

    def busy(self, data: bytes, context: Context) -> bytes | None:
        """The reply to a message that is not looked at, for too much else is under way."""
        try:
            request = peek_message(data)
        except DecodeError:
            request = None
        if request is None or request.is_reply:
            self._drops[context.protocol, "framing" if request is None else "reply"] += 1
            return None
        self._answers[context.protocol, outcomes.BUSY.slug] += 1
        said = Answered(outcomes.BUSY.handle, encode_error(TOO_MUCH))
        return encode_message(self._message(request, said))

    # --- public operations ---

    def _resolve(self, request: Message, data: bytes, context: Context) -> Reply:
        certified = request.op_flags & CT
        if certified and (kept := self.signed.get(data, self._clock.monotonic())) is not None:
            self._answers[context.protocol, kept.how] += 1
            return kept.octets
        query = decode_query(request, self._rules)
        if isinstance(query, Refused):
            return self.refuse(request, query.outcome, query.detail, context)
        answer = None if request.op_flags & TRUSTED_QUERY else self._sources.resolve(query)
        if answer is None:
            return self._resolve_later(request, query, context)
        if self.dialogue is not None and _needs_proof(answer):
            return self.dialogue.converse(request, context)
        how = slug(answer)
        self._answers[context.protocol, how] += 1
        reply = self.reply(request, answer, query.asked)
        return self._signed(reply, data, how, query.key) if certified else encode_message(reply)

    async def _resolve_later(self, request: Message, query: Query, context: Context) -> bytes:
        answer = await self._sources.resolve_later(query)
        if self.dialogue is not None and _needs_proof(answer):
            said = self.dialogue.converse(request, context)
            return said if isinstance(said, bytes) else await said
        self._answers[context.protocol, slug(answer)] += 1
        shown = encode_answer(query.asked, answer)
        if request.op_flags & TRUSTED_QUERY and isinstance(answer, Values):
            shown = shown._replace(flags=shown.flags | await self._trust(query, answer))
        reply = self._message(request, shown)
        return await self._certified(reply) if reply.op_flags & CT else encode_message(reply)

    async def _trust(self, query: Query, values: Values) -> int:
        """What the flags say of an answer to a trusted query: nothing where it cannot be told.

        It is found out each time, and nobody keeps the reply: certificates end and are replaced.
        """
        if self._trusted is None:
            return 0
        return TRUSTED_QUERY | TRUSTED_RESULT * await self._trusted.vouch(query, values)

    def _site_info(self, request: Message, _: bytes, context: Context) -> Reply:
        self._answers[context.protocol, outcomes.OK.slug] += 1
        said = Answered(outcomes.OK.handle, self.site)
        return self._finished(self._message(request, said))

    # --- the rest ---

    def _sealed(self, data: bytes, envelope: Envelope, context: Context) -> Reply:
        if self.dialogue is not None:
            return self.dialogue.converse_sealed(data, envelope, context)
        outcome = outcomes.SESSION_TIMEOUT if envelope.session_id else outcomes.SESSION_FAILED
        return self.refuse(peek_message(data), outcome, SESSION_UNKNOWN, context)

    def _converse(self, request: Message, context: Context) -> Reply:
        if context.protocol == UDP and request.op_code in ADMINISTRATION:
            return self.refuse(request, outcomes.MALFORMED, NOT_AN_ADMIN_INTERFACE, context)
        known = request.session_id or request.op_code in _OPERATIONS
        if self.dialogue is not None and known:
            return self.dialogue.converse(request, context)
        if request.session_id:
            return self.refuse(request, outcomes.SESSION_TIMEOUT, SESSION_UNKNOWN, context)
        text = f"Operation {request.op_code} is not supported here"
        return self.refuse(request, outcomes.UNSUPPORTED, text, context)

    def _unreadable(self, data: bytes, error: DecodeError, context: Context) -> Reply:
        """The refusal of a message whose envelope and header are fine and whose rest is not."""
        request = peek_message(data)
        if request.is_reply:
            self._drops[context.protocol, "reply"] += 1
            return None
        return self.refuse(request, error.outcome, str(error), context)

    # --- out ---

    def _message(self, request: Message, said: Answered) -> Message:
        return reply_to(
            request,
            said.code,
            said.body,
            serial=self.serial,
            now=self._clock.now(),
            flags=said.flags,
        )

    def _finished(self, reply: Message) -> Reply:
        return self._certified(reply) if reply.op_flags & CT else encode_message(reply)

    async def _certified(self, reply: Message) -> bytes:
        return encode_message(await self._certifier.certify(reply))

    async def _signed(self, reply: Message, data: bytes, how: str, key: Key) -> bytes:
        """The signed reply, kept for repeats unless a record has changed meanwhile."""
        changes = self.signed.changes
        octets = await self._certified(reply)
        if self.signed.changes == changes and not self._sources.recursive:
            self.signed.put(data, octets, how, key, self._clock.monotonic() + KEEP_SECONDS)
        return octets


def _needs_proof(answer: Answer) -> bool:
    """Whether it takes to know who asks."""
    return isinstance(answer, Refused) and answer.outcome is outcomes.AUTHENTICATION_NEEDED


def slug(answer: Answer) -> str:
    """The word for how a resolution ended."""
    return outcomes.OK.slug if isinstance(answer, Values) else answer.outcome.slug
