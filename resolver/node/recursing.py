"""What a node asks other nodes with, and what it checks records by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from registry import outcomes
from registry.schemes.handle import Key
from resolver.client import Client
from resolver.key_hierarchy import trust_root
from resolver.node.setting import Setting
from resolver.pipeline.sources import Sources
from resolver.query import Answer, Query, Referral, Refused
from resolver.recursion.driver import Recursor
from resolver.recursion.targets import plausible
from resolver.verification import Verifier


def open_recursor(
    stack: AsyncExitStack,
    setting: Setting,
    outdated: Callable[[Sequence[Key]], None] = lambda keys: None,
) -> Recursor:
    """The recursion from the root on; `outdated` is told what a walk has found anew."""
    own = {(setting.spec.host, setting.ports.handle)}
    recursor = Recursor(
        (setting.root_site(),),
        Client(setting.clock).ask,
        setting.clock,
        may_ask=lambda host, port: plausible(host, port) and (host, port) not in own,
        learned=lambda key: outdated([key]),
        name=setting.spec.name,
    )
    stack.push_async_callback(recursor.close)
    return recursor


def open_verifier(stack: AsyncExitStack, setting: Setting, sources: Sources) -> Verifier:
    """What checks signed records; certificates that are not kept here are asked for from the root
    on, and remembered.
    """
    recursion = None if sources.recursive else open_recursor(stack, setting)

    async def look_up(key: Key) -> Answer:
        query = Query(str(key).encode(), key)
        answer = await sources.resolve_later(query)
        if recursion is None or not _is_elsewhere(answer):
            return answer
        return await recursion.resolve(query)

    return Verifier(look_up, [trust_root(setting.root_site())], setting.clock, setting.rules)


def _is_elsewhere(answer: Answer) -> bool:
    return isinstance(answer, Referral) or (
        isinstance(answer, Refused) and answer.outcome is outcomes.NOT_RESPONSIBLE
    )
