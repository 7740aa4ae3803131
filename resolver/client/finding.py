"""Which server an identifier is administered on: the end of the walk that resolves it."""

from __future__ import annotations

from registry import outcomes
from registry.clock import Clock
from registry.schemes.handle import Key
from registry.values.site import Site
from resolver.cache.answers import DENIALS
from resolver.cache.delegations import DelegationCache
from resolver.client.endpoint import Endpoint, administration_endpoint
from resolver.client.errors import Denied
from resolver.query import Query, Refused
from resolver.recursion.bailiwick import home
from resolver.recursion.driver import AskServer, Recursor

#: Refusals that only the node says that an identifier belongs to.
_AT_HOME = frozenset({*DENIALS, outcomes.AUTHENTICATION_NEEDED, outcomes.NOT_PERMITTED})


async def find_home(key: Key, start: tuple[Site, ...], ask: AskServer, clock: Clock) -> Endpoint:
    """Walk towards an identifier, existing or not, and take the last sites that were named.

    Raises Denied where the walk ends elsewhere, Unreachable where nobody there administers.
    """
    known = DelegationCache()
    recursor = Recursor(start, ask, clock, delegations=known)
    answer = await recursor.resolve(Query(str(key).encode(), key))
    if isinstance(answer, Refused) and answer.outcome not in _AT_HOME:
        raise Denied(answer.outcome.handle, answer.detail)
    zone = known.closest(home(key), clock.monotonic())
    return administration_endpoint(key, start if zone is None else zone.sites)
