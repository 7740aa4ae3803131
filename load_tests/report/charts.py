"""Line charts as SVG: axes with round numbers, a legend, nothing that has to be fetched."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final, NamedTuple

WIDTH, HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 28, 36
#: Colours that people with any colour vision tell apart (Okabe and Ito), dashes besides.
_COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_DASHES: Final = ("", "6 3", "2 2")


class Line(NamedTuple):
    """A named line; `dashed` picks a way of drawing, `colour` a place in the palette."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 0
    dashed: int = 0


class Axis(NamedTuple):
    """From least to most; `ticks` are values to mark, `written` says them."""

    least: float
    most: float
    ticks: Sequence[float]
    written: Callable[[float], str]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies, from 0 to 1."""
        if self.logarithmic:
            least, most = math.log10(self.least), math.log10(self.most)
            value = math.log10(max(value, self.least))
        else:
            least, most = self.least, self.most
        return min(1.0, max(0.0, (value - least) / (most - least)))


def linear(most: float, written: Callable[[float], str]) -> Axis:
    """An axis from 0 to a round number, with four to eight marks."""
    step = _round_step(most / 5 if most > 0 else 0.2)
    count = max(1, math.ceil(most / step - 1e-9))
    return Axis(0.0, count * step, [i * step for i in range(count + 1)], written)


def decades(least: float, most: float, written: Callable[[float], str]) -> Axis:
    """A logarithmic axis over whole decades."""
    low = math.floor(math.log10(least) + 1e-9)
    high = max(low + 1, math.ceil(math.log10(most) - 1e-9))
    return Axis(10.0**low, 10.0**high, [10.0**i for i in range(low, high + 1)], written, True)


def chart(title: str, lines: Sequence[Line], across: Axis, up: Axis) -> str:
    """The chart as an SVG element."""
    drawn = [*_grid(across, up), *(_path(line, across, up) for line in lines), *_legend(lines)]
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' role="img" aria-label="{escape(title)}">{"".join(drawn)}</svg></figure>'
    )


def _grid(across: Axis, up: Axis) -> list[str]:
    parts = []
    for tick in across.ticks:
        x = _x(across, tick)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>')
        parts.append(
            f'<text x="{x}" y="{HEIGHT - _BOTTOM + 16}" text-anchor="middle">'
            f"{escape(across.written(tick))}</text>"
        )
    for tick in up.ticks:
        y = _y(up, tick)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{escape(up.written(tick))}</text>'
        )
    return parts


def _path(line: Line, across: Axis, up: Axis) -> str:
    if not line.points:
        return ""
    points = " ".join(f"{_x(across, x)},{_y(up, y)}" for x, y in line.points)
    return f'<polyline points="{points}" {_stroke(line)}/>'


def _legend(lines: Sequence[Line]) -> list[str]:
    parts, x = [], float(_LEFT)
    for line in lines:
        parts.append(f'<line x1="{x}" x2="{x + 22}" y1="14" y2="14" {_stroke(line)}/>')
        parts.append(f'<text x="{x + 28}" y="18">{escape(line.name)}</text>')
        x += 46 + 7 * len(line.name)
    return parts


def _stroke(line: Line) -> str:
    dash = _DASHES[line.dashed % len(_DASHES)]
    colour = _COLOURS[line.colour % len(_COLOURS)]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'fill="none" stroke="{colour}" stroke-width="2"{dashes}'


def _x(axis: Axis, value: float) -> float:
    return round(_LEFT + axis.place(value) * (WIDTH - _LEFT - _RIGHT), 1)


def _y(axis: Axis, value: float) -> float:
    return round(HEIGHT - _BOTTOM - axis.place(value) * (HEIGHT - _TOP - _BOTTOM), 1)


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, not below the step."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * one for one in (1, 2, 5, 10) if power * one >= step * (1 - 1e-9))
