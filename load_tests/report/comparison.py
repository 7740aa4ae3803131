"""Two runs side by side: what changed, by how much, and whether that is good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from load_tests import durations
from load_tests.result import PERCENTILES, Figures, Result

#: Changes up to this part are within what two runs of the same differ by.
NOISE: Final = 0.05


class Difference(NamedTuple):
    """A figure in both runs, in words; `better` is None where it is the same or cannot be said."""

    load: str
    figure: str
    before: str
    after: str
    change: str
    better: bool | None


def differences(before: Result, after: Result) -> Iterator[Difference]:
    """The figures of every load that both runs have, and of all loads together."""
    shared = [name for name in after.loads if name in before.loads]
    for name in shared if len(shared) != 1 or len(after.loads) != 1 else []:
        yield from _of_load(name, before.loads[name], after.loads[name])
    yield from _of_load("all", before.total, after.total)


def _of_load(load: str, before: Figures, after: Figures) -> Iterator[Difference]:
    yield _difference(load, "right/s", before.rate, after.rate, more_is_better=True)
    for name in PERCENTILES:
        yield _difference(load, name, before.latency[name], after.latency[name], is_duration=True)
    yield _difference(load, "failed", before.failed, after.failed)
    yield _difference(load, "late", before.late, after.late)


def _difference(
    load: str,
    figure: str,
    before: float,
    after: float,
    *,
    more_is_better: bool = False,
    is_duration: bool = False,
) -> Difference:
    written = durations.written if is_duration else "{:,.0f}".format
    if before == after:
        change, better = "same", None
    elif not before:
        change, better = "new", more_is_better
    else:
        part = after / before - 1
        change = f"{part:+.0%}"
        better = None if abs(part) <= NOISE else (part > 0) == more_is_better
    return Difference(load, figure, written(before), written(after), change, better)
