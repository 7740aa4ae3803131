"""Verifying signed records: the walk up the chain meets ordinary resolution here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from registry import outcomes
from registry.clock import Clock
from registry.schemes.handle import DEFAULT_RULES, HandleRules, Key
from registry.trust.chain import Terms, TrustRoot
from registry.trust.problems import Problem, Untrusted
from registry.trust.verification import Report, verify_record
from resolver.query import Answer, Refused, Values

#: Resolves an identifier: all its public values.
LookUp: TypeAlias = Callable[[Key], Awaitable[Answer]]
_ABSENT = frozenset({outcomes.NOT_FOUND, outcomes.VALUES_NOT_FOUND})


class Verifier:
    """Checks records against `roots`, looking up the certificates in between with `look_up`."""

    def __init__(
        self,
        look_up: LookUp,
        roots: Sequence[TrustRoot],
        clock: Clock,
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self._look_up = look_up
        self._roots = tuple(roots)
        self._clock = clock
        self._rules = rules

    async def verify(self, signed: Key, record: bytes) -> Report:
        """The verdict on all public values of an identifier; at most 8 others are looked up."""
        walk = verify_record(signed, record, Terms(self._roots, self._clock.now(), self._rules))
        try:
            wanted = next(walk)
            while True:
                try:
                    found = await self._record(wanted)
                except Untrusted as unknown:
                    wanted = walk.throw(unknown)
                else:
                    wanted = walk.send(found)
        except StopIteration as done:
            report: Report = done.value
            return report

    async def _record(self, key: Key) -> bytes | None:
        match await self._look_up(key):
            case Values(record=record):
                return record
            case Refused(outcome=outcome) if outcome in _ABSENT:
                return None
            case answer:
                reason = answer.outcome.title
                raise Untrusted(Problem.UNANSWERED, f"{key} could not be looked up: {reason}")
