"""The tables show what the data say, and those in the docs are those of the data beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from load_tests.bench.figure import Figure, document
from load_tests.bench.table import table

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "performance.md").read_text()


def test_every_peer_has_a_column():
    figures = [
        Figure("DNS: CPU", 5.0, "us", "<= 1.25 x Knot", {"Knot": 4.0, "echo": 2.0}),
        Figure("DNS: rate", 123_456.0, "/s", peers={"echo": 246_912.0}),
        Figure("wrong", 0.0, ""),
    ]
    assert table(document(figures)).splitlines() == [
        "| what | idnode | Knot | echo | goal |",
        "| --- | --- | --- | --- | --- |",
        "| DNS: CPU | 5.0 us | 4.0 us (1.25 x) | 2.0 us (2.50 x) | <= 1.25 x Knot |",
        "| DNS: rate | 123,000/s |  | 247,000/s (0.50 x) |  |",
        "| wrong | 0.0 |  |  |  |",
    ]


@pytest.mark.parametrize(
    "name", ["bench", "workers", "overload", "slow_clients", "login_floods", "bulk"]
)
def test_the_tables_of_the_docs_are_those_of_the_data(name):
    assert table(json.loads((DOCS / "data" / f"{name}.json").read_text())) in PAGE
