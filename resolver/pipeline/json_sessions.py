"""The session resource of the JSON API: /api/sessions opens one, /api/sessions/this is it."""

from __future__ import annotations

from registry.errors import Overloaded, Refusal, SessionUnknown
from registry.membership import Identity
from resolver.administration.web_login import Credentials
from resolver.administration.web_sessions import WebSession
from resolver.codecs.json_api.authorization import Login
from resolver.codecs.json_api.reply import Reply, Style, encode_refusal
from resolver.codecs.json_api.request import Request, SessionRequest
from resolver.codecs.json_api.sessions import ShownSession, bare, encode_session
from resolver.pipeline.json_callers import Callers, credentials_of


class SessionResource:
    """Opens, shows, proves and ends sessions, over TLS only."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers
        self._login = callers.login

    async def reply(self, asked: SessionRequest, request: Request) -> Reply:
        """The reply to anything under /api/sessions."""
        if not request.secure:
            return bare(403)
        credentials = _with_parameters(credentials_of(request), asked)
        if not asked.path:
            if asked.method != "POST":
                return bare(405, Allow="POST, OPTIONS")
            return await self._open(credentials, request)
        if asked.path != "this":
            return bare(403)
        try:
            session = self._login.session(credentials)
        except SessionUnknown as refusal:
            self._callers.failed(request, credentials, refusal)
            return bare(403)
        if session is None and (asked.method == "DELETE" or _needs_session(credentials)):
            return bare(403)
        if session is not None and asked.method == "DELETE":
            self._login.sessions.end(session)
            return bare(204)
        return await self._show(credentials, request, session)

    async def _open(self, credentials: Credentials, request: Request) -> Reply:
        if isinstance(credentials, Login) and credentials.session_id is not None:
            return bare(400)
        try:
            session = self._login.open_session(request.source)
        except Overloaded as refusal:
            return encode_refusal(refusal, b"", Style())
        shown, _ = await self._identified(credentials, request, session)
        return encode_session(shown, 201)

    async def _show(
        self, credentials: Credentials, request: Request, session: WebSession | None
    ) -> Reply:
        shown, proved = await self._identified(credentials, request, session)
        reply = encode_session(shown)
        return reply if proved else self._callers.challenge(request, reply, session)

    async def _identified(
        self, credentials: Credentials, request: Request, session: WebSession | None
    ) -> tuple[ShownSession, bool]:
        """The session with who asks in it, and whether what was to be proved is proved."""
        try:
            identity = await self._login.identify(credentials, request.certificate, session)
        except Refusal as refusal:
            self._callers.failed(request, credentials, refusal)
            before = None if session is None else session.identity
            return _shown(session, before, refusal.outcome.title), False
        if session is not None and identity is not None and session.identity is None:
            self._login.sessions.prove(session, identity, None)
        return _shown(session, identity), True


def _shown(
    session: WebSession | None, identity: Identity | None, error: str | None = None
) -> ShownSession:
    name = None if identity is None else str(identity)
    if session is None:
        return ShownSession(identity=name, error=error)
    return ShownSession(session.session_id, session.nonce, name, error)


def _with_parameters(credentials: Credentials, asked: SessionRequest) -> Credentials:
    """Log-ins may come as parameters, too; those of the header count first."""
    if isinstance(credentials, Login):
        return Login({**asked.members, **credentials.members})
    return Login(asked.members) if credentials is None and asked.members else credentials


def _needs_session(credentials: Credentials) -> bool:
    return isinstance(credentials, Login) and (
        credentials.session_id is not None or credentials.proves
    )
