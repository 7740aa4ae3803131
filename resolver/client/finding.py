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
from resolver.query import Answer, Query, Refused
from resolver.recursion.bailiwick import home
from resolver.recursion.driver import AskServer, Recursor
from resolver.recursion.events import Ask, Event, Reply


async def find_home(key: Key, start: tuple[Site, ...], ask: AskServer, clock: Clock) -> Endpoint:
    """Walk towards an identifier, existing or not, and take the last sites that were named.

    The record of a prefix is where identifiers of the prefix above it are, and that is where the
    walk goes: a prefix referral (303) would not say whose sites it names. Raises Denied where the
    walk ends elsewhere, Unreachable where nobody there administers.
    """
    nobody_answers = False

    async def overheard(question: Ask) -> Event:
        nonlocal nobody_answers
        event = await ask(question)
        nobody_answers = isinstance(event, Reply) and _refuses(event.answer)
        return event

    known = DelegationCache()
    recursor = Recursor(start, overheard, clock, delegations=known)
    above = home(key)
    towards = Key(above, "") if key.is_prefix_record and above else key
    answer = await recursor.resolve(Query(str(towards).encode(), towards))
    if nobody_answers:
        # For a walk from the root such an identifier does not exist; nobody can make it either.
        raise Denied(outcomes.NOT_RESPONSIBLE.handle, f"nobody answers for {key}")
    if isinstance(answer, Refused) and answer.outcome not in DENIALS:
        raise Denied(answer.outcome.handle, answer.detail)
    zone = known.closest(above, clock.monotonic())
    return administration_endpoint(key, start if zone is None else zone.sites)


def _refuses(answer: Answer) -> bool:
    return isinstance(answer, Refused) and answer.outcome is outcomes.NOT_RESPONSIBLE
