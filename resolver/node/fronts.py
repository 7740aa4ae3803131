"""A node's front-ends, put together: each protocol's way to the one resolve function."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple

from prometheus_client.registry import Collector

from registry.rights import bootstrap_administrator
from registry.schemes.handle import PREFIX_RECORDS
from registry.values.site import Site, encode_site
from registry.values.site_json import site_to_json
from resolver.administration.desk import Certification, Desk
from resolver.administration.elsewhere import OtherNodes
from resolver.client import Client
from resolver.codecs.dns.zone import ZoneView, name_server
from resolver.holdings import Holdings
from resolver.metrics import Counters
from resolver.node.facts import own_step, responsible, start_page
from resolver.node.holding import Holding
from resolver.node.setting import Setting
from resolver.pipeline.dns import DnsFront
from resolver.pipeline.handle import HandleFront
from resolver.pipeline.http import HttpFront
from resolver.pipeline.json_administration import JsonAdministration
from resolver.pipeline.json_api import JsonApi
from resolver.pipeline.plain_http import PlainHttp
from resolver.pipeline.proxy import ProxyFront
from resolver.pipeline.responder import Responder
from resolver.pipeline.sources import Sources
from resolver.transports.http_plain import SERVER
from resolver.trusted_queries import TrustedQueries
from resolver.verification import Verifier


class Fronts(NamedTuple):
    """The protocols that ask the same sources, and the JSON API that two of them share."""

    handle: HandleFront
    dns: DnsFront
    json: JsonApi
    plain: PlainHttp


def front_ends(
    stack: AsyncExitStack,
    setting: Setting,
    sources: Sources,
    counters: Counters,
    verifier: Verifier,
    holding: Holding | None,
) -> Fronts:
    """The front-ends of a node; the stack ends their threads. `holding` is what it administers."""
    site = setting.site()
    certification = Certification(setting.key)
    stack.callback(certification.close)
    responder = Responder(
        sources,
        counters,
        certification.certifier,
        site=encode_site(site),
        serial=site.serial_number,
        trusted=TrustedQueries(sources.resolve_later, verifier),
        rules=setting.rules,
    )
    administration = None
    if holding is not None:
        desk = _desk(setting, holding, sources, counters, certification, responder)
        stack.callback(desk.close)
        responder.dialogue = desk.dialogue
        administration = _json_administration(setting, desk, sources, counters)
    json = _json_api(setting, site, sources, counters, administration)
    view = _zone_view(setting, sources, None if holding is None else holding.holdings)
    return Fronts(
        HandleFront(sources, counters, responder, rules=setting.rules),
        DnsFront(sources, counters, view),
        json,
        PlainHttp(sources, counters, json, SERVER),
    )


def http_front(
    setting: Setting,
    sources: Sources,
    counters: Counters,
    json: JsonApi,
    collectors: Iterable[Collector],
    verifier: Verifier,
    holdings: Holdings | None,
) -> HttpFront:
    """The front-end of the HTTP ports, and of the metrics port that shows the collectors."""
    return HttpFront(
        sources,
        counters,
        collectors,
        json=json,
        own_step=partial(own_step, setting),
        verifier=verifier if sources.recursive else None,
        recount=None if holdings is None else holdings.count,
        proxy=ProxyFront(
            sources,
            counters,
            start_page(setting, holdings),
            partial(responsible, setting.topology),
            setting.rules,
        ),
        rules=setting.rules,
    )


def _desk(
    setting: Setting,
    holding: Holding,
    sources: Sources,
    counters: Counters,
    certification: Certification,
    responder: Responder,
) -> Desk:
    return Desk(
        holding.store,
        holding.registrar,
        holding.holdings.tree,
        holding.authority,
        certification.certifier,
        setting.clock,
        counters,
        resolve=sources.decide,
        serial=lambda: responder.serial,
        administrators=[bootstrap_administrator(setting.spec.prefix or PREFIX_RECORDS)],
        elsewhere=OtherNodes(Client(setting.clock), setting.root_site, setting.clock),
        rules=setting.rules,
    )


def _json_administration(
    setting: Setting, desk: Desk, sources: Sources, counters: Counters
) -> JsonAdministration:
    return JsonAdministration(
        desk.service,
        desk.verifier,
        sources.decide,
        counters,
        clock=setting.clock,
        responsible=partial(responsible, setting.topology),
        rules=setting.rules,
    )


def _json_api(
    setting: Setting,
    site: Site,
    sources: Sources,
    counters: Counters,
    administration: JsonAdministration | None,
) -> JsonApi:
    return JsonApi(
        sources,
        counters,
        site=lambda: site_to_json(site),
        responsible=partial(responsible, setting.topology),
        administration=administration,
        rules=setting.rules,
    )


def _zone_view(setting: Setting, sources: Sources, holdings: Holdings | None) -> ZoneView:
    return ZoneView(
        tuple(setting.topology.zone.encode().split(b".")),
        name_server(setting.spec.host, setting.ports.dns),
        holdings.tree.homed if holdings is not None else (),
        sources.recursive,
        lambda: holdings.changes if holdings is not None else 1,
        setting.rules,
    )
