"""What an authoritative node holds: its store, the way to change it, and what it knows of it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import NamedTuple

from registry.clock import Clock
from registry.registration.grouping import Seal
from registry.registration.registrar import Registrar
from registry.search.indexing import Indexer
from registry.storage.backends import open_followed, open_store
from registry.storage.copying import COPYING
from registry.storage.following import Followed
from registry.storage.interface import Readable, Store, StoreNotUsable
from resolver.authority import Authority
from resolver.checkpoints import Checkpoints
from resolver.exposure import check_administrators
from resolver.holdings import Holdings, Outdated
from resolver.key_hierarchy import node_signer
from resolver.node.setting import Setting
from resolver.pipeline.sources import Sources
from resolver.provision import Provision
from resolver.topology import endpoints


class View(NamedTuple):
    """A store to read, and what resolution needs to know of it beforehand."""

    store: Readable
    holdings: Holdings

    @property
    def authority(self) -> Authority:
        """What it answers by itself."""
        return Authority(self.holdings.tree, self.store.lookup, self.holdings.computed)

    def sources(self, clock: Clock) -> Sources:
        """The resolve function over it."""
        gather, reading = self.store.gather, self.store.lookup.reading
        return Sources(self.authority, gather=gather, clock=clock, reading=reading)


class Holding(NamedTuple):
    """A store to write to, the registrar of its changes, the view of it, and whoever keeps the
    index of its values."""

    store: Store
    registrar: Registrar
    view: View
    indexer: Indexer

    @property
    def holdings(self) -> Holdings:
        """What is known of the store without asking it."""
        return self.view.holdings


async def open_holding(
    stack: AsyncExitStack, setting: Setting, seed: int, outdated: Outdated
) -> Holding:
    """Open the store and bring it to what the topology says; the stack closes it.

    `seed` is the number of identifiers that an empty store gets; `outdated` is told of commits.
    """
    store = await _open_store(setting)
    stack.push_async_callback(store.close)
    searched = setting.spec.searched
    registrar = Registrar(store, setting.clock, seal=_seal(setting), indexed=searched)
    stack.push_async_callback(registrar.aclose)
    await registrar.ledger.open()
    await _keep_checkpoints(stack, setting, store, registrar)
    await Provision(
        setting.topology, setting.spec, setting.data, store, registrar, setting.clock
    ).run(seed)
    await check_administrators(setting.topology, setting.spec, store.reads)
    view = await _view(stack, setting, store, outdated)
    return Holding(store, registrar, view, await _keep_index(stack, setting, store, registrar))


async def follow_holding(
    stack: AsyncExitStack, setting: Setting, outdated: Outdated
) -> tuple[Followed, View]:
    """The store that another process of the node keeps, to read; the stack closes it."""
    url = setting.data.store_url(setting.spec.name)
    store = await open_followed(url, setting.spec.store_read)
    stack.push_async_callback(store.close)
    return store, await _view(stack, setting, store, outdated)


async def _view(
    stack: AsyncExitStack, setting: Setting, store: Readable, outdated: Outdated
) -> View:
    holdings = Holdings(
        store,
        outdated,
        shown=setting.spec.homed,
        top=setting.spec.role == "root",
        rules=setting.rules,
    )
    stack.callback(await holdings.load())
    return View(store, holdings)


async def _keep_index(
    stack: AsyncExitStack, setting: Setting, store: Store, registrar: Registrar
) -> Indexer:
    indexer = Indexer(store, registrar.ledger)
    stack.push_async_callback(indexer.aclose)
    if setting.spec.searched:
        await indexer.start()
    elif await store.reads.search_progress() is not None:
        async with store.begin() as transaction:
            await transaction.drop_search_index()
    return indexer


async def _open_store(setting: Setting) -> Store:
    name, data = setting.spec.name, setting.data
    data.remember_store(name, setting.spec.store)
    store = await open_store(data.store_url(name), setting.spec.store_read)
    if (of := await store.reads.fact(COPYING)) is not None:
        await store.close()
        raise StoreNotUsable(
            f"the store of {name} is an unfinished copy of {of}: finish it by the same"
            " `idnode store copy`"
        )
    return store


async def _keep_checkpoints(
    stack: AsyncExitStack, setting: Setting, store: Store, registrar: Registrar
) -> None:
    topology, spec = setting.topology, setting.spec
    witness = endpoints(topology, topology.node(spec.parent)).http if spec.parent else None
    kept = await store.reads.checkpoints(spec.name)
    checkpoints = Checkpoints(
        spec.name,
        spec.prefix,
        registrar.ledger,
        setting.key,
        witness,
        kept[-1] if kept else None,
    )
    stack.push_async_callback(checkpoints.aclose)


def _seal(setting: Setting) -> Seal | None:
    spec = setting.spec
    return node_signer(spec, setting.data).sealed if spec.signs else None
