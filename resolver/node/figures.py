"""The figures of a node's parts, as its metrics port shows them beside its counters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from registry.storage.interface import Store
from resolver.cache.packets import PacketCache
from resolver.metrics import Figure
from resolver.node.holding import Holding
from resolver.recursion.driver import Recursor

_RECURSION_FIGURES: Final = {
    "walks": "Resolutions that asked other nodes",
    "queries": "Requests sent to other nodes",
    "referrals": "Referrals followed",
    "timeouts": "Requests to other nodes that nobody answered",
    "failures": "Resolutions that ended in no answer",
    "cache_hits": "Resolutions answered from the answer cache",
    "joined": "Questions that waited for the walk of another",
}


def store_figures(holding: Holding) -> Iterator[Figure]:
    """How much is in the store."""
    read = partial(_as_float, holding.holdings, "identifiers")
    yield "idnode_store_identifiers", "Identifiers registered", "gauge", read
    read = partial(_as_float, holding.indexer, "through")
    text = "Last entry of the audit log that the index of values has"
    yield "idnode_search_indexed_through", text, "gauge", read
    text = "Entries of the audit log that the index of values does not have yet"
    yield "idnode_search_entries_behind", text, "gauge", partial(_behind, holding)
    text = "Octets of the store: its file, and the log of writes not moved there yet"
    for name in holding.store.figures():
        yield f"idnode_store_{name}", text, "gauge", partial(_store_figure, holding.store, name)


def datagram_figures(
    protocol: str, packets: PacketCache, servers: Mapping[str, object]
) -> Iterator[Figure]:
    """The packet cache of a protocol, and what its socket lost, once it is among `servers`."""
    prefix = f"idnode_{protocol}"
    hits, size, octets = (partial(_as_float, packets, of) for of in ("hits", "size", "octets"))
    yield f"{prefix}_packet_cache_hits", "Replies taken from the packet cache", "counter", hits
    yield f"{prefix}_packet_cache_entries", "Replies in the packet cache", "gauge", size
    yield f"{prefix}_packet_cache_bytes", "Octets that they take", "gauge", octets
    text = "Datagrams that found no room in the socket, or were held back there for their source"
    lost = partial(_of_server, servers, protocol, "lost")
    yield f"{prefix}_datagrams_lost", text, "counter", lost


def recursion_figures(recursion: Recursor) -> Iterator[Figure]:
    """What asking other nodes came to."""
    for name, text in _RECURSION_FIGURES.items():
        read = partial(_as_float, recursion.stats, name)
        yield f"idnode_recursion_{name}", text, "counter", read


def _of_server(servers: Mapping[str, object], protocol: str, name: str) -> float:
    return float(getattr(servers.get(protocol), name, 0))


def _store_figure(store: Store, name: str) -> float:
    return store.figures()[name]


def _behind(holding: Holding) -> float:
    head = holding.registrar.ledger.head
    return float(0 if head is None else head.sequence - holding.indexer.through)


def _as_float(owner: object, name: str) -> float:
    return float(getattr(owner, name))
