"""The figures that peers have too as a bar chart: what each costs, side by side.

    python -m load_tests.bench.plot FILE SVG

FILE is what `python -m load_tests.bench --out FILE` wrote.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

OWN: Final = "idnode"
_WIDTH: Final = 720
_NAMES: Final = 136  # room for the names of servers, left of the bars
_FIGURES: Final = 64  # room for the figures, right of them
_BAR, _STEP, _HEAD, _GAP = 14, 18, 22, 12
#: Colours that people with any colour vision tell apart (Okabe and Ito): ours, and those of peers.
_COLOURS: Final = {True: "#0072b2", False: "#999999"}
_UNIT: Final = "us"

Bars = Sequence[tuple[str, float]]


def groups(document: Mapping[str, Any]) -> dict[str, Bars]:
    """Microseconds by figure and server, of the figures that have peers."""
    return {
        figure["name"]: [(OWN, figure["value"]), *figure["peers"].items()]
        for figure in document["figures"]
        if figure["peers"] and figure["unit"] == _UNIT
    }


def chart(document: Mapping[str, Any]) -> str:
    """The chart as an SVG file. All bars have one scale, from 0."""
    shown = groups(document)
    longest = max((cost for bars in shown.values() for _, cost in bars), default=1.0)
    scale = (_WIDTH - _NAMES - _FIGURES) / longest
    parts: list[str] = []
    y = 0
    for name, bars in shown.items():
        parts += _group(f"{name}, microseconds", bars, y, scale)
        y += _HEAD + _STEP * len(bars) + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" role="img"'
        ' font-family="sans-serif" font-size="12">\n'
        f'<rect width="{_WIDTH}" height="{y}" fill="#ffffff"/>\n{"".join(parts)}</svg>\n'
    )


def _group(title: str, bars: Bars, y: int, scale: float) -> Iterator[str]:
    yield f'<text x="4" y="{y + 16}" font-weight="bold">{escape(title)}</text>\n'
    for place, (name, cost) in enumerate(bars):
        top, width = y + _HEAD + place * _STEP, round(cost * scale, 1)
        base = top + _BAR - 3
        yield f'<text x="{_NAMES - 6}" y="{base}" text-anchor="end">{escape(name)}</text>'
        yield (
            f'<rect x="{_NAMES}" y="{top}" width="{width}" height="{_BAR}"'
            f' fill="{_COLOURS[name == OWN]}"/>'
        )
        yield f'<text x="{_NAMES + width + 6}" y="{base}">{cost:.1f}</text>\n'


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.plot")
    parser.add_argument("file", type=Path)
    parser.add_argument("svg", type=Path)
    options = parser.parse_args()
    options.svg.write_text(chart(json.loads(options.file.read_text())))


if __name__ == "__main__":
    main()
