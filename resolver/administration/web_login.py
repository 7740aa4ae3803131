"""Who asks over HTTPS: by a secret, by a proof in a session, by a TLS certificate."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from typing import Final, NamedTuple

from registry.clock import Clock
from registry.errors import AuthenticationFailed, InvalidCredential, SessionUnknown
from registry.membership import Identity
from resolver.administration.verification import Verifier
from resolver.administration.web_sessions import WebSession, WebSessions
from resolver.codecs.handle.answers import (
    PUBLIC_KEY,
    SALT_SIZE,
    SECRET_KEY,
    make_secret_answer,
)
from resolver.codecs.handle.bodies.authentication import ChallengeAnswer
from resolver.codecs.handle.versions import OWN
from resolver.codecs.json_api.authorization import (
    Basic,
    Login,
    Unreadable,
    read_administrator,
)

_NONCE_SIZE: Final = 16
_KNOWN_KEYS: Final = (SECRET_KEY, PUBLIC_KEY)

Credentials = Basic | Login | Unreadable | None


class Caller(NamedTuple):
    """Who asks: `identity` None is nobody in particular, `session` the one they ask in."""

    identity: Identity | None = None
    session: WebSession | None = None


class WebLogin:
    """Identities of HTTP requests; `homes` says whose secrets are held here."""

    def __init__(
        self,
        verifier: Verifier,
        homes: Callable[..., bool],
        clock: Clock,
        sessions: WebSessions | None = None,
    ) -> None:
        self.sessions = WebSessions() if sessions is None else sessions
        self._verifier = verifier
        self._homes = homes
        self._clock = clock

    def open_session(self, source: str) -> WebSession:
        """A session for a stranger. Raises Overloaded."""
        return self.sessions.open(source, self._clock.monotonic())

    def session(self, credentials: Credentials) -> WebSession | None:
        """The session that credentials name, if they do. Raises SessionUnknown."""
        if not isinstance(credentials, Login) or credentials.session_id is None:
            return None
        return self.sessions.find(credentials.session_id, self._clock.monotonic())

    async def identify(
        self,
        credentials: Credentials,
        certificate: str | None,
        session: WebSession | None,
    ) -> Identity | None:
        """Who asks in a session, if that is said at all.

        Raises AuthenticationFailed, SessionUnknown, InvalidCredential, Overloaded.
        """
        match credentials:
            case Unreadable():
                raise InvalidCredential("Authorization that cannot be read")
            case Basic():
                return await self._by_secret(credentials)
            case Login(proves=True):
                if session is None:
                    raise SessionUnknown("There is no session to prove an identity in")
                return await self._by_proof(credentials, session)
            case Login(certificate=False):
                certificate = None
        if session is not None and session.identity is not None:
            return session.identity
        return None if certificate is None else self._by_certificate(certificate)

    async def _by_secret(self, basic: Basic) -> Identity:
        claimed = self._verifier.identity(basic.handle, basic.index)
        if not basic.secret:
            raise AuthenticationFailed()
        if self._homes(claimed.handle):

            def holds(secret: bytes) -> bool:
                return hmac.compare_digest(secret, basic.secret)

            return await self._verifier.prove(claimed, SECRET_KEY, holds)
        return await self._by_secret_elsewhere(basic)

    async def _by_secret_elsewhere(self, basic: Basic) -> Identity:
        """The node that holds the secret is shown a proof of it, not the secret itself."""
        nonce, salt = secrets.token_bytes(_NONCE_SIZE), secrets.token_bytes(SALT_SIZE)
        answer = await asyncio.to_thread(make_secret_answer, basic.secret, nonce, b"", OWN, salt)
        proof = ChallengeAnswer(SECRET_KEY, basic.handle, basic.index, answer)
        return await self._verifier.verify(proof, nonce, b"", OWN)

    async def _by_proof(self, login: Login, session: WebSession) -> Identity:
        if session.identity is not None and session.proof == login.members:
            return session.identity
        proof, nonce = login.proof()
        if proof.auth_type not in _KNOWN_KEYS:
            raise InvalidCredential("Keys of this type are not known")
        identity = await self._verifier.verify(proof, session.nonce, nonce, OWN)
        self.sessions.prove(session, identity, login.members)
        return identity

    def _by_certificate(self, name: str) -> Identity:
        """The authority that TLS has checked vouches for the name."""
        return self._verifier.identity(*read_administrator(name.encode()))
