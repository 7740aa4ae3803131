"""Durations as people write them: `20ms`, `1.5s`, `2m`, `8h`."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(us|µs|ms|s|m|h)")


def seconds(text: str) -> float:
    """The duration in seconds. Raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{text}" is no duration: write 20ms, 1.5s, 2m or 8h')
    return float(found[1]) * _UNITS[found[2]]


def written(duration: float) -> str:
    """Seconds in the unit that suits them, to three digits: `0.412 ms`, `1.5 s`."""
    for limit, scale, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (120.0, 1.0, "s")):
        if duration < limit:
            return f"{duration * scale:.3g} {unit}"
    return f"{duration / 60:.3g} min"
