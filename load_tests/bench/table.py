"""The figures of a run as a table in Markdown, a column for each peer.

    python -m load_tests.bench.table FILE

FILE is what `python -m load_tests.bench --out FILE` wrote.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from load_tests.bench.plot import OWN

Figure = Mapping[str, Any]


def table(document: Mapping[str, Any]) -> str:
    """A row for each figure: ours, that of each peer and ours in ratio to it, and the goal."""
    figures: Sequence[Figure] = document["figures"]
    peers = [*dict.fromkeys(peer for figure in figures for peer in figure["peers"])]
    head = ["what", OWN, *peers, "goal"]
    rows = [head, ["---"] * len(head), *(_row(figure, peers) for figure in figures)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(figure: Figure, peers: Sequence[str]) -> Iterator[str]:
    yield figure["name"]
    yield _amount(figure["value"], figure["unit"])
    for peer in peers:
        theirs, ratio = figure["peers"].get(peer), figure["ratios"].get(peer)
        beside = "" if ratio is None else f" ({ratio:.2f} x)"
        yield "" if theirs is None else _amount(theirs, figure["unit"]) + beside
    yield figure["goal"]


def _amount(value: float, unit: str) -> str:
    """A figure with as many digits as it is good for."""
    rounded = f"{value:,.1f}" if value < 100 else f"{float(f'{value:.3g}'):,.0f}"
    return f"{rounded} {unit}".replace(" /s", "/s").strip()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.table")
    parser.add_argument("file", type=Path)
    print(table(json.loads(parser.parse_args().file.read_text())), end="")


if __name__ == "__main__":
    main()
