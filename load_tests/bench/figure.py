"""What was measured, how it is printed and kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from load_tests.machine import facts


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` in `unit`, and the goal it is held against, if there is one.

    `peers` are the same figure of other servers in the same run.
    """

    name: str
    value: float
    unit: str
    goal: str = ""
    peers: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratios(self) -> dict[str, float]:
        """The value, in values of each peer."""
        return {peer: self.value / theirs for peer, theirs in self.peers.items() if theirs}

    def __str__(self) -> str:
        goal = f"(goal {self.goal})" if self.goal else ""
        ratios = ", ".join(
            f"{ratio:.2f} x {peer} ({self.peers[peer]:,.1f})" for peer, ratio in self.ratios.items()
        )
        return f"{self.name:40} {self.value:>12,.1f} {self.unit:5} {goal:18} {ratios}".rstrip()


def tell(figures: Iterable[Figure], out: Path | None) -> None:
    """Print figures as they come, and keep them in a file if there is to be one."""
    told = []
    for figure in figures:
        print(figure, flush=True)
        told.append(figure)
    if out is not None:
        out.write_text(json.dumps(document(told), indent=1) + "\n")


def document(figures: Sequence[Figure]) -> dict[str, Any]:
    """The figures of a run and what they were taken on, as data."""
    return {
        "machine": facts(),
        "date": datetime.now(UTC).date().isoformat(),
        "figures": [
            {**asdict(figure), "ratios": {p: round(r, 3) for p, r in figure.ratios.items()}}
            for figure in figures
        ],
    }
