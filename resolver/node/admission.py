"""Letting in the workers of a node: they serve its ports and leave the rest to this process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack

from registry.schemes.handle import Key
from resolver.node.holding import Holding
from resolver.node.management import AddRoutes
from resolver.node.setting import Setting
from resolver.node.sockets import DRAIN_SECONDS
from resolver.transports.forwarding import paths_of
from resolver.transports.http import HttpServer
from resolver.workers.crew import Crew
from resolver.workers.place import HTTP, LINK, Place


async def admit_workers(
    stack: AsyncExitStack,
    setting: Setting,
    crew: Crew,
    web: HttpServer,
    routes: Iterable[AddRoutes],
    holding: Holding | None,
) -> None:
    """Listen for workers, who are told of every commit from then on; the stack ends it.

    They hand over to `web` what is asked of the resources that `routes` add.
    """
    place = Place(setting.data.node_path(setting.spec.name))
    stack.callback(place.close)
    if holding is not None:
        known = holding.holdings

        def tell(keys: Sequence[Key] | None, homed_changed: bool) -> None:
            crew.tell(keys, homed_changed, known.changes)

        stack.callback(holding.store.subscribe(tell))
    await web.bind_unix(place.address(HTTP))
    await crew.listen(place.address(LINK), paths_of(routes))
    for name in (HTTP, LINK):
        place.protect(name)
        stack.callback(place.remove, name)
    stack.push_async_callback(crew.drain, DRAIN_SECONDS)
