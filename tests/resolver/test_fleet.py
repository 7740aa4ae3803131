"""Which processes serve which nodes."""

from __future__ import annotations

import pytest

from resolver.fleet import Member, members
from resolver.topology import NodeSpec, Title


def node(name: str, workers: int = 1) -> NodeSpec:
    return NodeSpec(name, "sector", Title("x", "例"), workers=workers)


@pytest.mark.parametrize(
    ("processes", "groups"), [(1, ["abcde"]), (2, ["ace", "bd"]), (9, list("abcde"))]
)
def test_nodes_are_spread_evenly(processes, groups):
    found = members([node(name) for name in "abcde"], processes)
    assert found == [Member(tuple(group)) for group in groups]


def test_workers_stand_beside_the_process_that_keeps_their_node():
    found = members([node("a"), node("b", 3), node("c", 2)], 2)
    assert found == [
        Member(("a", "c")),
        Member(("b",)),
        Member(("b",), beside=True),
        Member(("b",), beside=True),
        Member(("c",), beside=True),
    ]
    assert [member.arguments for member in found[1:3]] == [("b",), ("b", "--beside")]
    assert [str(member) for member in found[::4]] == ["the process of a, c", "a worker of c"]
