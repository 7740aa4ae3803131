"""Requests as a client writes them."""

from __future__ import annotations

import secrets

from registry.clock import Clock
from resolver.codecs.handle.header import CA, KC, REC
from resolver.codecs.handle.message import Message
from resolver.codecs.handle.reply import expiration
from resolver.codecs.handle.versions import OWN, Version


def new_request_id() -> int:
    """Not to be guessed; ffffffff is what servers write when they could not read the request's."""
    return secrets.randbelow(0xFFFF_FFFF)


def new_request(
    op_code: int,
    body: bytes,
    clock: Clock,
    *,
    op_flags: int = 0,
    session_id: int = 0,
    version: Version = OWN,
) -> Message:
    """A request with an id of its own, over a connection that is to be kept."""
    return Message(
        op_code,
        body=body,
        op_flags=REC | CA | KC | op_flags,
        request_id=new_request_id(),
        session_id=session_id,
        major=version.major,
        minor=version.minor,
        expiration=expiration(clock.now()),
    )
