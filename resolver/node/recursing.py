"""What the recursive node asks other nodes with, and what it checks their records by."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack

from registry.schemes.handle import Key
from resolver.client import Client
from resolver.key_hierarchy import trust_root
from resolver.node.setting import Setting
from resolver.pipeline.sources import Sources
from resolver.query import Query
from resolver.recursion.driver import Recursor
from resolver.recursion.targets import plausible
from resolver.verification import Verifier


def open_recursor(
    stack: AsyncExitStack, setting: Setting, learned: Callable[[Key], None]
) -> Recursor:
    """The recursion from the root on; `learned` is told what a walk has found anew."""
    own = {(setting.spec.host, setting.ports.handle)}
    recursor = Recursor(
        (setting.root_site(),),
        Client(setting.clock).ask,
        setting.clock,
        may_ask=lambda host, port: plausible(host, port) and (host, port) not in own,
        learned=learned,
        name=setting.spec.name,
    )
    stack.push_async_callback(recursor.close)
    return recursor


def verifier(setting: Setting, sources: Sources) -> Verifier | None:
    """What checks signed records, where other nodes can be asked for the certificates."""
    if not sources.recursive:
        return None
    return Verifier(
        lambda key: sources.resolve_later(Query(str(key).encode(), key)),
        [trust_root(setting.root_site())],
        setting.clock,
        setting.rules,
    )
