"""How refusals of native requests are said, and which of them are for the security log."""

from __future__ import annotations

from typing import Final

from registry import outcomes
from registry.errors import PrefixNotHomed, Refusal, ValueExists, ValuesNotFound
from registry.outcomes import Outcome
from resolver.authority import NOT_HERE
from resolver.codecs.handle.envelope import Envelope
from resolver.codecs.handle.message import Message

#: Refusals that somebody who watches the node wants to hear of.
LOGGED: Final[frozenset[Outcome]] = frozenset(
    {
        outcomes.INVALID_ADMIN,
        outcomes.NOT_PERMITTED,
        outcomes.AUTHENTICATION_FAILED,
        outcomes.INVALID_CREDENTIAL,
        outcomes.AUTHENTICATION_TIMEOUT,
        outcomes.AUTHENTICATION_ERROR,
        outcomes.LOGIN_NEEDED,
        outcomes.SESSION_FAILED,
        outcomes.INVALID_SESSION_KEY,
        outcomes.REPLAY,
    }
)


def request_of(envelope: Envelope) -> Message:
    """A request of which nothing is known but its envelope."""
    return Message(
        op_code=0,
        request_id=envelope.request_id,
        session_id=envelope.session_id,
        major=envelope.major,
        minor=envelope.minor,
        suggest_major=envelope.suggest_major,
        suggest_minor=envelope.suggest_minor,
    )


def refusal_text(refusal: Refusal) -> str:
    """What is said about a refusal, in the words of the reference server where it has any."""
    if isinstance(refusal, ValueExists):
        return f"Index conflict for {refusal.index}"
    if isinstance(refusal, PrefixNotHomed):
        return NOT_HERE
    return "" if isinstance(refusal, ValuesNotFound) else str(refusal)
