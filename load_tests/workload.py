"""Which identifier is asked for next: by a Zipf law or evenly, with a weight for each sector."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, TypeVar

T = TypeVar("T")
_CHUNK: Final = 1024


def zipf_weights(count: int, exponent: float) -> list[float]:
    """The weights of the ranks 1 to `count`: rank to the power of minus the exponent."""
    return [rank**-exponent for rank in range(1, count + 1)]


def weights(sectors: Sequence[str], exponent: float, shares: Mapping[str, float]) -> list[float]:
    """How often each identifier is asked for, where `sectors` names the sector of each.

    Within a sector the first is the most popular one; exponent 0 makes them equal. `shares` gives
    the sectors' parts of the whole; without it the sectors have equal parts.
    """
    sizes: dict[str, int] = {}
    for sector in sectors:
        sizes[sector] = sizes.get(sector, 0) + 1
    ranks: dict[str, Iterator[float]] = {}
    for sector, size in sizes.items():
        of_ranks = zipf_weights(size, exponent)
        scale = (shares.get(sector, 0.0) if shares else 1.0) / sum(of_ranks)
        ranks[sector] = iter([scale * weight for weight in of_ranks])
    return [next(ranks[sector]) for sector in sectors]


def draw(items: Sequence[T], weights_: Sequence[float], chance: random.Random) -> Iterator[T]:
    """Items without end, each as often as its weight says."""
    cumulative = list(accumulate(weights_))
    while True:
        yield from chance.choices(items, cum_weights=cumulative, k=_CHUNK)


def mixed(
    usual: Iterator[T], other: Callable[[], T], part: float, chance: random.Random
) -> Iterator[T]:
    """`usual` items, a part of them at random replaced with other ones."""
    while True:
        yield other() if chance.random() < part else next(usual)
