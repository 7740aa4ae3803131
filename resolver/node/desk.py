"""The offices of a node that keeps its store: who asks is found out, and what they want is done."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from registry.rights import bootstrap_administrator
from registry.schemes.handle import PREFIX_RECORDS, Key
from registry.storage.interface import ADMINISTRATOR
from resolver.administration.certification import Certifier
from resolver.administration.desk import Desk
from resolver.administration.elsewhere import OtherNodes
from resolver.client import Client
from resolver.metrics import Counters
from resolver.node.facts import responsible
from resolver.node.fronts import Offices
from resolver.node.holding import Holding
from resolver.node.setting import Setting
from resolver.pipeline.json_administration import JsonAdministration
from resolver.pipeline.responder import Responder
from resolver.pipeline.sources import Sources


def open_desk(
    stack: AsyncExitStack,
    setting: Setting,
    holding: Holding,
    sources: Sources,
    counters: Counters,
    responder: Responder,
    certifier: Certifier,
) -> Offices:
    """The offices over what a node holds; the stack ends their threads."""
    desk = Desk(
        holding.store,
        holding.registrar,
        holding.holdings.tree,
        holding.view.authority,
        certifier,
        setting.clock,
        counters,
        resolve=sources.decide,
        serial=lambda: responder.serial,
        site=lambda: responder.site,
        administrators=[bootstrap_administrator(setting.spec.prefix or PREFIX_RECORDS)],
        elsewhere=OtherNodes(Client(setting.clock), setting.root_site, setting.clock),
        rules=setting.rules,
    )
    stack.callback(desk.close)
    json = JsonAdministration(
        desk.service,
        desk.verifier,
        sources.decide,
        counters,
        clock=setting.clock,
        responsible=partial(responsible, setting.topology),
        rules=setting.rules,
    )

    def follow(keys: Sequence[Key] | None, homed_changed: bool) -> None:
        """A bootstrap administrator whose key is another now, or gone, shows anew who it is."""
        administrators = {key for key in keys or () if key.suffix == ADMINISTRATOR}
        if administrators:
            desk.sessions.end_of(administrators)
            json.callers.login.sessions.end_of(administrators)

    stack.callback(holding.store.subscribe(follow))
    return Offices(desk.dialogue, json)
