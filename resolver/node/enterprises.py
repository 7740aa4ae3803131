"""The business side: enterprises and prefixes at a sector node, audits at a national node."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

from registry.accounts.passwords import Passwords
from registry.enterprises.enrolment import Enrolment
from registry.http.audit import AuditLogResources
from registry.http.endpoints import Endpoint
from registry.http.enterprises import EnterpriseResources
from registry.http.prefixes import PrefixResources
from registry.http.provisioning import ProvisioningResources
from registry.prefixes.advancing import Advancing
from registry.prefixes.allocating import Allocating
from registry.provisioning.national import National
from registry.provisioning.reporting import Reporting
from registry.quotas.office import check_prefixes
from resolver.key_hierarchy import node_signer
from resolver.national_link import NationalLink
from resolver.node.holding import Holding
from resolver.node.setting import Setting
from resolver.prefix_routes import PrefixRoutes
from resolver.topology import endpoints


def enterprise_endpoints(
    stack: AsyncExitStack, setting: Setting, holding: Holding, passwords: Passwords
) -> Iterator[Endpoint]:
    """What is served about enterprises and prefixes, by the role of the node; the stack ends what
    goes on by itself."""
    if setting.spec.prefix is not None:
        yield from AuditLogResources(holding.store.reads, setting.spec.prefix).endpoints()
    if setting.spec.role == "sector":
        yield from _of_sector(stack, setting, holding, passwords)
    if setting.spec.role == "national":
        yield from _of_national(setting, holding)


def _of_sector(
    stack: AsyncExitStack, setting: Setting, holding: Holding, passwords: Passwords
) -> Iterator[Endpoint]:
    registrar, reads = holding.registrar, holding.store.reads
    prefix, parent = setting.spec.prefix, setting.spec.parent
    assert prefix is not None, "topologies are checked for it"
    assert parent is not None, "topologies are checked for it"
    signer = node_signer(setting.spec, setting.data)
    topology, clock = setting.topology, setting.clock
    routes = PrefixRoutes(topology, setting.spec, setting.site(), signer, clock)
    above = endpoints(topology, topology.node(parent)).http
    national = NationalLink(above, prefix, setting.key, clock)
    enrolment = Enrolment(registrar.ledger)
    allocating = Allocating(registrar, prefix, routes.record_of, setting.rules, check_prefixes)
    reporting = Reporting(reads, enrolment, allocating, national)
    advancing = Advancing(reads, allocating, reporting, routes.answers)
    _go_on(stack, advancing, setting.spec.name)
    yield from EnterpriseResources(enrolment, reads, passwords, clock).endpoints()
    yield from PrefixResources(allocating, advancing, reads, routes.read).endpoints()


def _of_national(setting: Setting, holding: Holding) -> Iterator[Endpoint]:
    prefix = setting.spec.prefix
    assert prefix is not None, "topologies are checked for it"
    reads, manual = holding.store.reads, setting.spec.audits_manually
    national = National(holding.registrar.ledger, reads, manual=manual)
    yield from ProvisioningResources(national, reads, setting.clock, prefix).endpoints()


def _go_on(stack: AsyncExitStack, advancing: Advancing, node: str) -> None:
    """Have prefixes go on by themselves until the node ends."""
    task = asyncio.create_task(advancing.run(), name=f"prefixes of {node}")

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)
