"""One request and its reply: what the reply repeats, and how it is protected."""

from __future__ import annotations

from dataclasses import replace

from registry.membership import Identity
from resolver.administration.context import Context
from resolver.administration.sessions import Session
from resolver.administration.tasks import Part
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.header import CT, ENC
from resolver.codecs.handle.message import Message, encode_message
from resolver.codecs.handle.protection import add_mac, encrypt_message
from resolver.codecs.handle.reply import reply_to


class Exchange:
    """A request on its way. `session` is what it belongs to, `sealed` if it came encrypted.

    `identity` is who asks, as far as it is known; `session_id` what the reply has in its envelope.
    """

    __slots__ = ("context", "identity", "request", "sealed", "session", "session_id")

    def __init__(
        self,
        request: Message,
        context: Context,
        session: Session | None = None,
        sealed: bool = False,
    ) -> None:
        self.request = request
        self.context = context
        self.session = session
        self.sealed = sealed
        self.session_id = request.session_id
        self.identity: Identity | None = None

    @property
    def claimed(self) -> Identity | None:
        """As whom somebody asks, proved or not: for the security log."""
        named = None if self.session is None else self.session.identity
        return self.identity or named

    @property
    def certified(self) -> bool:
        """Whether the reply is to be signed, or to have a MAC."""
        return bool(self.request.op_flags & CT)

    @property
    def protects(self) -> bool:
        """Whether it is the session's key that vouches for the reply, not the node's."""
        return self.session is not None and self.request.op_code != OpCode.SESSION_SETUP

    def answers(self, original: Message) -> None:
        """The request was the answer to a challenge: the reply is one to the original request."""
        if self.session is None:
            self.session_id = 0
        self.request = replace(original, request_id=self.request.request_id)

    def message(self, part: Part, serial: int, now: float) -> Message:
        """A message of the reply, final but for its protection."""
        return reply_to(
            self.request,
            part.code,
            part.body,
            serial=serial,
            now=now,
            flags=part.flags | self.request.op_flags & ENC,
            session_id=self.session_id,
            idis=self.context.login is not None,
        )

    def protect(self, message: Message, restricted: bool) -> bytes:
        """The octets of a message: with a MAC where one is due, and encrypted where it must be.

        In a session, nobody else gets to see what the public may not read.
        """
        session = self.session
        if session is None:
            return encode_message(message)
        if self.certified and self.protects:
            message = add_mac(message, session.secret, session.next_counter())
        if self.sealed or restricted or self.request.op_flags & ENC:
            return encrypt_message(message, session.secret)
        return encode_message(message)
