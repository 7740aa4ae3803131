"""The chart shows what the data say, and the one in the docs is that of the data beside it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from load_tests.bench.figure import Figure, document
from load_tests.bench.plot import chart, groups

DATA = Path(__file__).parents[3] / "docs" / "data"
FIGURES = [
    Figure("DNS <UDP>: CPU", 5.0, "us", peers={"Knot": 4.0, "echo": 1.0}),
    Figure("DNS: rate", 5.0, "/s", peers={"Knot": 4.0}),
    Figure("start", 5.0, "us"),
]


def test_costs_that_peers_have_too_are_shown():
    shown = groups(document(FIGURES))
    assert shown == {"DNS <UDP>: CPU": [("idnode", 5.0), ("Knot", 4.0), ("echo", 1.0)]}


def test_bars_are_as_long_as_the_figures():
    root = ElementTree.fromstring(chart(document(FIGURES)))
    _, *bars = (float(each.get("width", "0")) for each in root if each.tag.endswith("rect"))
    assert [round(bar / bars[0], 2) for bar in bars] == [1.0, 0.8, 0.2]


def test_without_peers_there_is_nothing_to_show():
    assert groups(document([])) == {}
    ElementTree.fromstring(chart(document([])))


def test_the_chart_of_the_docs_is_that_of_its_data():
    data = json.loads((DATA / "bench.json").read_text())
    assert (DATA / "bench.svg").read_text() == chart(data)
