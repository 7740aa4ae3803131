"""What a node tells about itself and about who else could help."""

from __future__ import annotations

from typing import Any

from registry.schemes.handle import ancestors, parent
from resolver.codecs.proxy.pages import NodeFacts
from resolver.holdings import Holdings
from resolver.node.setting import Setting
from resolver.query import Query
from resolver.recursion.trace import Step
from resolver.topology import NodeSpec, Topology, endpoints


def ready_entry(setting: Setting, identifiers: int) -> dict[str, Any]:
    """The node as the ready file shows it."""
    spec, places = setting.spec, setting.endpoints
    return {
        "name": spec.name,
        "role": spec.role,
        "prefix": spec.prefix,
        "handle": places.handle,
        "http": places.http,
        "https": places.https,
        "dns": places.dns,
        "metrics": f"{places.metrics}/metrics",
        "identifiers": identifiers,
    }


def responsible(topology: Topology, query: Query) -> str | None:
    """The node that answers for an identifier, as far as the topology file says."""
    key = query.key
    prefix = (parent(key.suffix) or "") if key.is_prefix_record else key.prefix
    for above in ancestors(prefix) if prefix else ():
        home = topology.home_of(above)
        if home is not None:
            return _called(topology, home)
    return _called(topology, topology.root)


def start_page(setting: Setting, holdings: Holdings | None) -> NodeFacts:
    """What the start page says."""
    spec, places = setting.spec, setting.endpoints
    titles = {"en": spec.title.en, "zh": spec.title.zh}
    shown = [("Handle", f"hdl://{places.handle}"), ("HTTP", places.http)]
    shown += [("HTTPS", places.https), ("DNS", f"dns://{places.dns}")]

    def examples() -> list[str]:
        return [] if holdings is None else list(map(str, holdings.examples))

    return NodeFacts(spec.role, spec.prefix, titles, tuple(shown), examples)


def own_step(setting: Setting, question: str, response: str, seconds: float) -> Step:
    """The step of a trace that says what this node answered by itself."""
    spec, ms = setting.spec, round(seconds * 1000, 3)
    handle = setting.endpoints.handle
    return Step(spec.name, spec.role, handle, "local", question, response, ms)


def _called(topology: Topology, node: NodeSpec) -> str:
    where = endpoints(topology, node)
    prefix = f", prefix {node.prefix}" if node.prefix else ""
    return f"{node.role} node {node.name}{prefix} (hdl://{where.handle}, {where.http})"
