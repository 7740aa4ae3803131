"""What passes between a walk and whoever runs it: questions out, replies or their absence in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from registry import outcomes
from registry.outcomes import Outcome
from registry.schemes.handle import Key
from resolver.query import Answer
from resolver.recursion.targets import Attempt, Fault

OUTCOME_OF: Final[dict[Fault, Outcome]] = {
    Fault.UNREACHABLE: outcomes.UPSTREAM_TIMEOUT,
    Fault.TIMEOUT: outcomes.UPSTREAM_TIMEOUT,
    Fault.TRUNCATED: outcomes.UPSTREAM_TIMEOUT,
    Fault.UNUSABLE: outcomes.UPSTREAM_BAD,
    Fault.CIRCLE: outcomes.RESOLUTION_LOOP,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a server of `zone` for the whole public record of `key`; give up after `seconds`."""

    key: Key
    zone: str
    attempt: Attempt
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered, of `octets` size on the wire. A record in it is well-formed."""

    answer: Answer
    octets: int
    at: float


@dataclass(frozen=True, slots=True)
class NoReply:
    """Nothing that can be used came: silence, a refused port, half a message, or nonsense."""

    fault: Fault
    at: float


Event: TypeAlias = Reply | NoReply
