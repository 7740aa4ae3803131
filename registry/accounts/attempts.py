"""How often log-ins may be tried, from one place and for one account.

Each has a bucket of attempts that fills up again; a log-in that succeeds gives its attempt back.
What is refused here costs neither a hash nor a look into the store.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from typing import Final, NamedTuple

from registry.clock import Clock
from registry.errors import TooManyAttempts


class Allowance(NamedTuple):
    """`burst` attempts at once, and another one every `seconds`."""

    burst: int
    seconds: float


PER_SOURCE: Final = Allowance(20, 3.0)
PER_ACCOUNT: Final = Allowance(10, 6.0)
#: Sources, and accounts, that are remembered; who came longest ago is forgotten.
MAX_REMEMBERED: Final = 4096
#: Who is given a whole IPv6 network of this size is one source.
_IPV6_NETWORK: Final = 64


class _Buckets:
    """What is left to each of many: (attempts, when that was reckoned)."""

    def __init__(self, allowance: Allowance, clock: Clock, most: int) -> None:
        self._allowance = allowance
        self._clock = clock
        self._most = most
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str) -> float:
        """Seconds until there is an attempt left, 0 for now."""
        return max(0.0, 1 - self._now_left(name)) * self._allowance.seconds

    def add(self, name: str, attempts: float) -> None:
        left = min(self._allowance.burst, self._now_left(name) + attempts)
        self._left[name] = left, self._clock.monotonic()
        self._left.move_to_end(name)
        if len(self._left) > self._most:
            self._left.popitem(last=False)

    def _now_left(self, name: str) -> float:
        burst, seconds = self._allowance
        left, since = self._left.get(name, (float(burst), 0.0))
        return min(burst, left + (self._clock.monotonic() - since) / seconds)


class Attempts:
    """The attempts to log in on one node."""

    def __init__(
        self,
        clock: Clock,
        per_source: Allowance = PER_SOURCE,
        per_account: Allowance = PER_ACCOUNT,
        most: int = MAX_REMEMBERED,
    ) -> None:
        self._sources = _Buckets(per_source, clock, most)
        self._accounts = _Buckets(per_account, clock, most)

    def take(self, address: str, account: str) -> None:
        """Use up an attempt. Raises TooManyAttempts, which uses up nothing."""
        source = source_of(address)
        wait = max(self._sources.wait(source), self._accounts.wait(account))
        if wait > 0:
            raise TooManyAttempts(math.ceil(wait))
        self._sources.add(source, -1)
        self._accounts.add(account, -1)

    def give_back(self, address: str, account: str) -> None:
        """The attempt was no guess."""
        self._sources.add(source_of(address), 1)
        self._accounts.add(account, 1)


def source_of(address: str) -> str:
    """What an address counts as: an IPv4 address as itself, an IPv6 address as its network."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _IPV6_NETWORK), strict=False))
