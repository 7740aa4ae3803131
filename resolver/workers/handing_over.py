"""What a worker leaves to the writer of its node: all that is not plain public resolution."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from registry import outcomes
from registry.errors import OutcomeUnknown, Refusal
from registry.outcomes import Outcome
from resolver.administration.context import Context
from resolver.codecs.handle.codes import ADMINISTRATION, OpCode
from resolver.codecs.handle.envelope import Envelope
from resolver.codecs.handle.message import Message, encode_message, peek_message
from resolver.codecs.json_api import Asked, Lookup, Reply, Request
from resolver.query import Answer
from resolver.transports.forwarding import ForTheWriter
from resolver.workers.writer_link import WriterLink

#: What may have changed something if the writer was lost before it replied.
_CHANGING: Final = ADMINISTRATION | {OpCode.CHALLENGE_ANSWER}

Said = bytes | Awaitable[bytes]
#: Makes the reply that refuses a request.
Refuse = Callable[[Message, Outcome, str, Context], "Said | None"]


class HandedOverMessages:
    """Stands where the writer has its dialogue with administrators, over the Handle protocol."""

    def __init__(self, writer: WriterLink, refuse: Refuse) -> None:
        self._writer = writer
        self._refuse = refuse

    def converse(self, request: Message, context: Context) -> Awaitable[bytes]:
        """The reply to a request that could be read."""
        may_change = request.op_code in _CHANGING
        return self._ask(encode_message(request), request, context, may_change)

    def converse_sealed(self, data: bytes, _: Envelope, context: Context) -> Awaitable[bytes]:
        """The reply to an encrypted message, which may ask for anything."""
        return self._ask(data, peek_message(data), context, may_change=True)

    async def _ask(
        self, data: bytes, request: Message, context: Context, may_change: bool
    ) -> bytes:
        try:
            return await self._writer.ask(data, context)
        except Refusal as refusal:
            lost = isinstance(refusal, OutcomeUnknown)
            outcome = outcomes.BUSY if lost and not may_change else refusal.outcome
            said = self._refuse(request, outcome, str(refusal), context)
        assert said is not None, "a refusal is a reply"
        return said if isinstance(said, bytes) else await said


class HandedOverJson:
    """Stands where the writer has the JSON API for administrators.

    The HTTP request as a whole is handed over, so that nothing comes back from here.
    """

    def reply(self, asked: Asked, request: Request) -> Awaitable[Reply]:
        """Raises ForTheWriter."""
        raise ForTheWriter()

    def look_up(self, asked: Lookup, request: Request) -> Awaitable[Answer | Reply]:
        """Raises ForTheWriter."""
        raise ForTheWriter()

    def challenge(self, request: Request, reply: Reply) -> Reply:
        """Raises ForTheWriter."""
        raise ForTheWriter()
