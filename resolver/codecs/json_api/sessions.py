"""The replies of /api/sessions: a session as a JSON object, or a status alone."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple

from resolver.codecs.json_api.reply import Reply, Style, write


class ShownSession(NamedTuple):
    """What a session resource shows: `identity` is who was proved, `error` why nobody was."""

    session_id: str | None = None
    nonce: bytes = b""
    identity: str | None = None
    error: str | None = None


def encode_session(shown: ShownSession, status: int = 200) -> Reply:
    """The session as it is now."""
    members: dict[str, Any] = {}
    if shown.session_id is not None:
        nonce = base64.b64encode(shown.nonce).decode()
        members |= {"sessionId": shown.session_id, "nonce": nonce}
    if shown.identity is not None:
        members |= {"authenticated": True, "id": shown.identity}
    if shown.error is not None:
        members["error"] = shown.error
    reply = write(status, members or {"authenticated": False}, Style())
    if status == 201:
        reply.headers["Location"] = "/api/sessions/this"
    return reply


def bare(status: int, **headers: str) -> Reply:
    """A reply that its status says all of."""
    return Reply(status, headers, b"")
