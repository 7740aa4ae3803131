"""The offices of a node that keeps its store: who asks is found out, and what they want is done."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial

from registry.rights import bootstrap_administrator
from registry.schemes.handle import PREFIX_RECORDS
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
    return Offices(desk.dialogue, json)
