"""A node's front-ends, put together: each protocol's way to the one resolve function."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from functools import partial
from typing import NamedTuple

from prometheus_client.registry import Collector

from registry.values.site import Site, encode_site
from registry.values.site_json import site_to_json
from resolver.administration.certification import Certifier
from resolver.administration.desk import Certification
from resolver.cache.packets import PacketCache
from resolver.codecs.dns.zone import ZoneView, name_server
from resolver.holdings import Holdings
from resolver.metrics import Counters
from resolver.node.facts import own_step, responsible, start_page
from resolver.node.setting import Setting
from resolver.pipeline.dns import DnsFront
from resolver.pipeline.handle import HandleFront
from resolver.pipeline.http import HttpFront
from resolver.pipeline.json_api import Administration, JsonApi
from resolver.pipeline.plain_http import PlainHttp
from resolver.pipeline.proxy import ProxyFront
from resolver.pipeline.responder import Dialogue, Responder
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

    @property
    def caches(self) -> tuple[PacketCache, ...]:
        """The replies that they keep."""
        signed = self.handle.responder.signed
        return (self.handle.packets, signed, self.dns.packets, self.plain.packets)


class Offices(NamedTuple):
    """Where those go who have to say who they are, by the protocol they speak."""

    dialogue: Dialogue
    json: Administration


#: Opens them for a responder, with what signs its replies.
OpenOffices = Callable[[Responder, Certifier], Offices]


def front_ends(
    stack: AsyncExitStack,
    setting: Setting,
    sources: Sources,
    counters: Counters,
    verifier: Verifier,
    holdings: Holdings | None,
    open_offices: OpenOffices | None,
) -> Fronts:
    """The front-ends of a node; the stack ends their threads.

    A node with nothing registered has no `holdings`, and nothing to administer.
    """
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
    offices = None
    if open_offices is not None:
        offices = open_offices(responder, certification.certifier)
        responder.dialogue = offices.dialogue
    json = _json_api(setting, site, sources, counters, offices and offices.json)
    return Fronts(
        HandleFront(sources, counters, responder, rules=setting.rules),
        DnsFront(sources, counters, _zone_view(setting, sources, holdings)),
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
    recount: Callable[[], Awaitable[None]] | None = None,
) -> HttpFront:
    """The front-end of the HTTP ports, and of the metrics port that shows the collectors.

    `recount` brings those up to date that have to be waited for.
    """
    return HttpFront(
        sources,
        counters,
        collectors,
        json=json,
        own_step=partial(own_step, setting),
        verifier=verifier if sources.recursive else None,
        recount=recount,
        proxy=ProxyFront(
            sources,
            counters,
            start_page(setting, holdings),
            partial(responsible, setting.topology),
            setting.rules,
        ),
        rules=setting.rules,
    )


def _json_api(
    setting: Setting,
    site: Site,
    sources: Sources,
    counters: Counters,
    administration: Administration | None,
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
