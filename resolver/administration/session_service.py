"""Setting up sessions, and requests in them (RFC 3652 section 3.7).

Only Diffie-Hellman is offered (mode 4): the RSA modes encrypt in a way that is not done any more,
and no client in use asks for them.
"""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterable
from typing import Final, NamedTuple

from registry.clock import Clock
from registry.errors import (
    AuthenticationFailed,
    DecodeError,
    InvalidCredential,
    InvalidSessionKey,
    InvalidSessionSetup,
    RsaKeyNeeded,
    SessionFailed,
    SessionUnknown,
)
from registry.membership import Identity
from registry.values.key import decode_public_key
from registry.workers import Workers
from resolver.administration.exchange import Exchange
from resolver.administration.sessions import Session, Sessions
from resolver.administration.tasks import Part
from resolver.administration.verification import Verifier
from resolver.codecs.handle.bodies.sessions import (
    CLIENT_KEY,
    DIFFIE_HELLMAN,
    SessionSetup,
    SessionSetupReply,
    decode_session_setup,
    encode_session_setup_reply,
)
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.envelope import Envelope
from resolver.codecs.handle.key_exchange import accept_exchange
from resolver.codecs.handle.message import Message
from resolver.codecs.handle.protection import check_mac, decrypt_message
from resolver.codecs.handle.versions import Version, at_least

NO_SESSION: Final = "Can not get session info."
NOT_SEALED_FOR: Final = "Invalid session id. Unable to decrypt request message."
WRONG_KEY: Final = "Session authentication failed."
NO_MAC: Final = "Session request missing MAC code."
OF_SESSIONS: Final = frozenset({OpCode.SESSION_END, OpCode.SESSION_KEY})
#: Before, the MAC of a message did not cover its counter: it could be sent again under another.
_COUNTED_SINCE: Final = Version(2, 6)
_GREATEST: Final = 0x7FFF_FFFF


class Opened(NamedTuple):
    """A message that was encrypted, and whose key opened it."""

    request: Message
    session: Session


class SessionService:
    """The sessions of a node and what is done with them; `clock` times them out."""

    def __init__(self, verifier: Verifier, workers: Workers, clock: Clock) -> None:
        self.sessions = Sessions()
        self._verifier = verifier
        self._workers = workers
        self._clock = clock

    def __contains__(self, number: object) -> bool:
        return number in self.sessions

    def number(self, taken: Container[int]) -> int:
        """A session id that cannot be guessed, and is in no other use."""
        while True:
            number = secrets.randbelow(_GREATEST) + 1
            if number not in taken and number not in self.sessions:
                return number

    async def set_up(self, exchange: Exchange, taken: Container[int]) -> Iterable[Part]:
        """Agree upon a key with a client. Raises the refusal of a wish that cannot be granted."""
        setup = decode_session_setup(exchange.request.body)
        _check_mode(setup)
        identity = self._identity(setup)
        try:
            accepted = await self._workers.run(
                accept_exchange, setup.public_key, exchange.request.spoken_version
            )
        except DecodeError as error:
            raise InvalidSessionSetup(str(error)) from None
        exchange.session_id = self.number(taken)
        self.sessions.open(
            exchange.session_id,
            accepted.session_key,
            identity,
            setup.timeout,
            exchange.context.source,
            self._clock.monotonic(),
        )
        reply = SessionSetupReply(DIFFIE_HELLMAN, accepted.reply_data)
        return (Part(encode_session_setup_reply(reply)),)

    def find(self, request: Message) -> Session:
        """The session that a request names. Raises SessionUnknown."""
        if not request.session_id:
            raise SessionUnknown(NO_SESSION)
        return self.sessions.find(request.session_id, self._clock.monotonic())

    def open_sealed(self, data: bytes, envelope: Envelope) -> Opened:
        """Decrypt a message. Raises SessionFailed, SessionUnknown, InvalidSessionKey."""
        if not envelope.session_id:
            raise SessionFailed(NOT_SEALED_FOR)
        session = self.sessions.find(envelope.session_id, self._clock.monotonic())
        try:
            return Opened(decrypt_message(data, session.secret), session)
        except DecodeError:
            raise InvalidSessionKey(WRONG_KEY) from None

    def receive(self, session: Session, request: Message) -> bool:
        """Whether a request proves by its MAC that it belongs to the session; False without one.

        Raises InvalidSessionKey for a wrong MAC, Replayed, SessionFailed.
        """
        if not request.credential:
            return False
        if not at_least(request.version, _COUNTED_SINCE):
            raise SessionFailed(f"Sessions of protocol {request.version} are not safe from replay")
        try:
            counter = check_mac(request, session.secret)
        except DecodeError:
            counter = None
        if counter is None:
            raise InvalidSessionKey(WRONG_KEY)
        session.receive(counter)
        return True

    def end(self, exchange: Exchange, proved: bool) -> Part:
        """End the session of a request that proved to belong to it; no other may."""
        session = exchange.session
        assert session is not None
        if exchange.request.op_code != OpCode.SESSION_END:
            raise SessionFailed("The session has its key already.")
        if not proved:
            raise InvalidCredential(NO_MAC)
        self.sessions.end(session.number)
        return Part()

    def _identity(self, setup: SessionSetup) -> Identity | None:
        """Whose session it is to be; None for an anonymous one."""
        if not setup.identity_handle:
            return None
        try:
            return self._verifier.identity(setup.identity_handle, setup.identity_index)
        except AuthenticationFailed:
            raise InvalidSessionSetup("The identity is no handle") from None


def _check_mode(setup: SessionSetup) -> None:
    """Refuse all ways of exchanging keys but Diffie-Hellman, each with its code."""
    if setup.mode == DIFFIE_HELLMAN:
        return
    if setup.mode == CLIENT_KEY and not _is_rsa(setup.public_key):
        raise RsaKeyNeeded("An RSA key is needed for this key exchange")
    raise SessionFailed(f"Key exchange mode {setup.mode} is not offered, Diffie-Hellman (4) is")


def _is_rsa(public_key: bytes) -> bool:
    try:
        return decode_public_key(public_key).kty == "RSA"
    except DecodeError:
        return False
