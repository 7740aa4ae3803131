"""A sector node's prefixes and the national node they go to, each on a store of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from registry.audit.log import Actor
from registry.clock import Clock, ManualClock
from registry.enterprises.enrolment import Enrolment
from registry.enterprises.enterprise import Enterprise
from registry.prefixes.advancing import Advancing
from registry.prefixes.allocating import Allocating
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.records import site_value
from registry.provisioning.commands import Command, Reply
from registry.provisioning.national import National
from registry.provisioning.reporting import Reporting
from registry.quotas.office import check_prefixes
from registry.registration.registrar import Registrar
from registry.schemes.handle import DEFAULT_RULES
from registry.storage.backends import open_store
from registry.storage.interface import Store
from registry.values.value import Value
from tests.support.enterprises import form

SECTOR = "88.901"
OPERATOR = Actor("operator@88.901", "http 127.0.0.1")
OWNER = Actor("cellar", "http 127.0.0.2")
OWN_SITE = b"the site of the sector node"


class Cut(BaseException):
    """The process dies here."""


class Link:
    """The way to a national node; `cut_before` and `cut_after` count the commands until it dies."""

    def __init__(self, national: National) -> None:
        self._national = national
        self.sent: list[Command] = []
        self.cut_before = 0
        self.cut_after = 0

    async def send(self, command: Command) -> Reply:
        self.sent.append(command)
        if len(self.sent) == self.cut_before:
            raise Cut
        reply = await self._national.carry_out(SECTOR, command, Actor(SECTOR, "http 127.0.0.1"))
        if len(self.sent) == self.cut_after:
            raise Cut
        return reply


class SectorNode:
    """The use cases of one process of a sector node. `served` are prefixes that enterprises' own
    nodes answer for."""

    def __init__(self, store: Store, registrar: Registrar, link: Link) -> None:
        self.reads = store.reads
        self.registrar = registrar
        self.link = link
        self.served: set[str] = set()
        self.enrolment = Enrolment(registrar.ledger)
        self.allocating = Allocating(registrar, SECTOR, _record, DEFAULT_RULES, check_prefixes)
        reporting = Reporting(self.reads, self.enrolment, self.allocating, link)
        self.advancing = Advancing(self.reads, self.allocating, reporting, self._answers)

    async def _answers(self, prefix: str, site: bytes) -> bool:
        return prefix in self.served

    async def enterprise(self, number: int = 1) -> Enterprise:
        """An enterprise that was accepted."""
        enrolled = await self.enrolment.enrol(form(number), OWNER)
        return await self.enrolment.accept(enrolled.number, OPERATOR)

    async def accepted(
        self, enterprise: Enterprise, prefix: str, hosting: Hosting = Hosting.HOSTED
    ) -> Allocation:
        """A prefix whose review ended well."""
        await self.allocating.apply(enterprise.number, prefix, hosting, OWNER)
        return await self.allocating.accept(prefix, OPERATOR)

    async def active(self, enterprise: Enterprise, prefix: str) -> Allocation:
        """A hosted prefix that resolves."""
        await self.accepted(enterprise, prefix)
        return await self.advancing.advance(prefix)

    async def resolves(self, prefix: str) -> bool:
        """Whether the node homes the prefix and publishes its record."""
        record = await self.reads.record("0.NA", prefix)
        return record is not None and prefix in await self.reads.homed_prefixes()


def _record(allocation: Allocation, kept: bytes | None) -> list[Value]:
    return [site_value(allocation.site or OWN_SITE)]


@asynccontextmanager
async def national_on(url: str, clock: Clock, *, manual: bool = False) -> AsyncIterator[National]:
    """A national node on a store."""
    store = await open_store(url)
    registrar = Registrar(store, clock)
    await registrar.ledger.open()
    try:
        yield National(registrar.ledger, store.reads, manual=manual)
    finally:
        await registrar.aclose()
        await store.close()


@asynccontextmanager
async def sector_on(url: str, national: National, clock: Clock) -> AsyncIterator[SectorNode]:
    """One process of a sector node on a store."""
    store = await open_store(url)
    async with store.begin() as transaction:
        await transaction.home([SECTOR])
    registrar = Registrar(store, clock)
    await registrar.ledger.open()
    try:
        yield SectorNode(store, registrar, Link(national))
    finally:
        await registrar.aclose()
        await store.close()


@asynccontextmanager
async def nodes_on(
    new_url: Callable[[], str], clock: ManualClock, *, manual: bool = False
) -> AsyncIterator[tuple[SectorNode, National]]:
    """Both of them on new stores."""
    async with (
        national_on(new_url(), clock, manual=manual) as national,
        sector_on(new_url(), national, clock) as sector,
    ):
        yield sector, national
