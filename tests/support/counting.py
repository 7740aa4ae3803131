"""What a node has counted of the requests it got."""

from __future__ import annotations

from tests.support.processes import Node
from tests.support.wire import metrics

_SERIES = ("idnode_answers_total", "idnode_drops_total")


def counted(node: Node, protocol: str) -> dict[str, float]:
    """What the node has counted of a protocol, by the label that says how it went."""
    found = {}
    for series, number in metrics(node.metrics_url).items():
        name, _, labels = series.partition("{")
        if f'protocol="{protocol}"' in labels and name in _SERIES:
            reason = labels.rstrip("}").replace(f'protocol="{protocol}"', "").strip(",")
            found[reason.split('"')[1]] = number
    return found


def difference(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {
        name: number - before.get(name, 0)
        for name, number in after.items()
        if number != before.get(name, 0)
    }
