"""Who asks over the JSON API: credentials to identities, refusals to challenges and log lines."""

from __future__ import annotations

from collections import Counter
from typing import Final

from registry.clock import Clock
from registry.errors import InvalidIdentifier, Overloaded, Refusal
from registry.membership import Identity
from registry.schemes.handle import parse
from resolver.administration.security_log import SecurityLog
from resolver.administration.web_login import Credentials, WebLogin
from resolver.administration.web_sessions import WebSession
from resolver.codecs.json_api.authorization import (
    Basic,
    Login,
    handle_challenge,
    read_administrator,
    read_authorization,
)
from resolver.codecs.json_api.reply import (
    BASIC_CHALLENGE,
    Reply,
    Style,
    challenged,
    encode_refusal,
)
from resolver.codecs.json_api.request import Request

PROTOCOL: Final = "http"
#: Response codes that go to the security log: rights, authentication, sessions.
_LOGGED: Final = frozenset((400, 401, 403, 404, 405, 500, 501, 502, 503, 504, 505))


class Callers:
    """Tells who asks, and asks who has not said so, over TLS only. `login` checks the keys."""

    def __init__(self, login: WebLogin, answers: Counter[tuple[str, str]], clock: Clock) -> None:
        self.login = login
        self._answers = answers
        self._log = SecurityLog(clock)

    async def identify(
        self, request: Request, named: bytes, style: Style
    ) -> Identity | Reply | None:
        """Who asks, None for nobody in particular, or the reply to credentials that do not hold."""
        if not request.has_credentials:
            return None
        credentials, session = credentials_of(request), None
        try:
            session = self.login.session(credentials)
            return await self.login.identify(credentials, request.certificate, session)
        except Refusal as refusal:
            self.failed(request, credentials, refusal)
            reply = encode_refusal(refusal, named, style)
            busy = isinstance(refusal, Overloaded)
            return reply if busy else self.challenge(request, reply, session)

    def refuse(
        self,
        refusal: Refusal,
        reply: Reply,
        request: Request,
        identity: Identity | None,
        operation: str,
    ) -> Reply:
        """The reply to a refused request of somebody, counted, and logged if it is about rights."""
        self._answers[PROTOCOL, refusal.outcome.slug] += 1
        if refusal.outcome.handle in _LOGGED:
            self._log.refused(request.source, identity, operation, refusal)
        return self.challenge(request, reply) if refusal.outcome.handle == 402 else reply

    def failed(self, request: Request, credentials: Credentials, refusal: Refusal) -> None:
        """Count and log credentials that do not hold."""
        self._answers[PROTOCOL, refusal.outcome.slug] += 1
        claimed = _claimed(credentials, request.certificate)
        self._log.refused(request.source, claimed, "authentication", refusal)

    def challenge(self, request: Request, reply: Reply, session: WebSession | None = None) -> Reply:
        """The same reply, asking for credentials: in a new session where there is none.

        Scripts and who has tried something else are not asked for Basic, for which browsers would
        ask their users. Over plain HTTP, where no credentials count, it stays a refusal.
        """
        if not request.secure:
            return reply
        said = request.headers.get("Authorization")
        scripted = request.headers.get("X-Requested-With") == "XMLHttpRequest"
        wants_basic = not scripted if said is None else said.lstrip().lower().startswith("basic")
        challenges = [BASIC_CHALLENGE] if wants_basic else []
        try:
            session = session or self.login.open_session(request.source)
            challenges.append(handle_challenge(session.session_id, session.nonce))
        except Overloaded:
            pass  # there is no room for a session: secrets are taken all the same
        return challenged(reply, *challenges)


def credentials_of(request: Request) -> Credentials:
    """What the Authorization header says; None where there is none."""
    said = request.headers.get("Authorization")
    return None if said is None else read_authorization(said)


def _claimed(credentials: Credentials, certificate: str | None) -> Identity | None:
    """Who somebody says they are, whatever comes of it: for the log."""
    if isinstance(credentials, Basic):
        handle, index = credentials.handle, credentials.index
    elif isinstance(credentials, Login):
        handle, index = read_administrator(credentials.members.get("id", "").encode())
    else:
        handle, index = read_administrator((certificate or "").encode())
    try:
        return Identity(parse(handle), index)
    except InvalidIdentifier:
        return None
