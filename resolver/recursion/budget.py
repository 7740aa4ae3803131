"""How much one question may cost, counted over everything it sets off.

One budget goes through the whole walk, the look-ups of service handles included: caps per stage
would multiply (referrals x service handles x retries), which is how NXNSAttack and CAMP work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from registry import outcomes
from registry.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps. Reaching one is fine, going past it ends the walk.

    `queries` counts packets sent (a TCP exchange is one), `referrals` the depth of referrals,
    `sites` those tried for one prefix, `servers_per_site` those tried of one site, `sub_lookups`
    the service handles looked up, `octets` what the replies bring in, `seconds` the wall time.
    """

    queries: int = 32
    referrals: int = 8
    sites: int = 4
    servers_per_site: int = 2
    sub_lookups: int = 8
    octets: int = 100_000
    seconds: float = 5.0


DEFAULT_LIMITS: Final = Limits()


class BudgetSpent(Exception):  # noqa: N818 - the walk ends by rule, nothing broke
    """A cap would be passed. `limit` names the field of `Limits`, `allowed` is its value."""

    def __init__(self, limit: str, allowed: float) -> None:
        super().__init__(f"the limit of {allowed:g} {limit.replace('_', ' ')} is spent")
        self.limit = limit
        self.allowed = allowed

    @property
    def outcome(self) -> Outcome:
        """Running out of time is the silence of the nodes above, the rest a walk too long."""
        if self.limit == "seconds":
            return outcomes.UPSTREAM_TIMEOUT
        return outcomes.RESOLUTION_LIMIT


class Budget:
    """What is spent of `limits` since `started` (monotonic seconds); more raises BudgetSpent."""

    __slots__ = ("limits", "octets", "queries", "started", "sub_lookups")

    def __init__(self, limits: Limits, started: float) -> None:
        self.limits = limits
        self.started = started
        self.queries = 0
        self.sub_lookups = 0
        self.octets = 0

    def time_left(self, now: float) -> float:
        """Seconds left; raises where there are none."""
        left = self.started + self.limits.seconds - now
        if left <= 0:
            raise BudgetSpent("seconds", self.limits.seconds)
        return left

    def spend_query(self) -> None:
        self.queries += 1
        self._hold("queries", self.queries)

    def spend_sub_lookup(self) -> None:
        self.sub_lookups += 1
        self._hold("sub_lookups", self.sub_lookups)

    def spend_octets(self, count: int) -> None:
        self.octets += count
        self._hold("octets", self.octets)

    def check_depth(self, depth: int) -> None:
        """Hold the number of referrals between the first question and this one against the cap."""
        self._hold("referrals", depth)

    def _hold(self, limit: str, spent: int) -> None:
        allowed = getattr(self.limits, limit)
        if spent > allowed:
            raise BudgetSpent(limit, allowed)
