"""The enterprises that a topology gives a sector node: enrolled, accepted, with their prefixes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from registry.audit.ledger import Ledger, Writing
from registry.audit.log import Actor, Event
from registry.enterprises.enterprise import Enterprise, EnterpriseState, Form
from registry.enterprises.marking import mark
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.life import PrefixState
from registry.seed.enterprises import synthetic_form
from registry.storage.interface import Reads
from resolver.topology import NodeSpec, Title, Topology

#: States that a restart does not end.
_RESTING: Final = (PrefixState.SUSPENDED, PrefixState.REVOKED)


class Given(NamedTuple):
    """A prefix that a topology gives to an enterprise; `site` is that of the enterprise's node."""

    prefix: str
    title: Title
    industry: str | None = None
    prefecture: str | None = None
    site: bytes = b""


async def resting_prefixes(reads: Reads) -> frozenset[str]:
    """The prefixes that were suspended or revoked here."""
    found = [await reads.dossiers(Allocation, state=state.value) for state in _RESTING]
    return frozenset(each.prefix for some in found for each in some)


async def enrol(
    ledger: Ledger,
    reads: Reads,
    topology: Topology,
    spec: NodeSpec,
    given: Sequence[Given],
    actor: Actor,
) -> None:
    """Enrol the enterprises of prefixes that nobody has here; sites are kept as they are now."""
    there = {each.prefix: each for each in await reads.dossiers(Allocation)}
    missing = [each for each in given if each.prefix not in there]
    moved = [
        there[each.prefix]._replace(site=each.site)
        for each in given
        if each.prefix in there and each.site and there[each.prefix].site != each.site
    ]
    if not missing and not moved:
        return
    async with ledger.begin() as writing:
        await writing.transaction.file(moved)
        for each in missing:
            await _enrol(writing, _form(topology, spec, each), each, actor)


async def _enrol(writing: Writing, form: Form, given: Given, actor: Actor) -> None:
    number = f"E{writing.next_number}"
    enterprise = Enterprise(
        number,
        EnterpriseState.ACCEPTED,
        int(form.certificate_type),
        form.certificate_code,
        form,
        writing.time,
    )
    hosting = Hosting.SELF_HOSTED if given.site else Hosting.HOSTED
    allocation = Allocation(
        given.prefix, number, PrefixState.ACTIVE, hosting, writing.time, site=given.site
    )
    await mark(writing, actor, Event.ENTERPRISE_ACCEPTED, number, None, enterprise)
    await mark(writing, actor, Event.PREFIX_HOMED, given.prefix, None, allocation)


def _form(topology: Topology, spec: NodeSpec, given: Given) -> Form:
    industry, prefecture = given.industry or spec.industry, given.prefecture or spec.prefecture
    assert industry is not None, "topologies are checked for it"
    assert prefecture is not None, "topologies are checked for it"
    return synthetic_form(
        given.prefix,
        given.title.zh,
        given.title.en,
        industry=industry,
        prefecture=prefecture,
        seed=topology.seed,
    )
