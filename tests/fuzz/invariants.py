"""What holds of every decoder, whatever it is fed: it decodes, or raises what it declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from registry.errors import DecodeError

Run = Callable[[bytes], None]


class Target(NamedTuple):
    """A function to feed with octets, which raises where an invariant is broken; and what to begin
    with. `cost` is how much dearer than others one run is, in whole numbers."""

    run: Run
    seeds: Sequence[bytes] = ()
    cost: int = 1


def stable(decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]) -> Run:
    """What is decoded can be encoded, and is then decoded to the same."""

    def run(data: bytes) -> None:
        with suppress(DecodeError):
            found = decode(data)
            again = encode(found)
            assert decode(again) == found, (found, again)

    return run


def only(decode: Callable[[bytes], Any], *errors: type[Exception]) -> Run:
    """Nothing is raised but the errors declared."""

    def run(data: bytes) -> None:
        with suppress(*errors):
            decode(data)

    return run


def in_pieces(data: bytes) -> list[bytes]:
    """The octets cut where their own low bits say."""
    pieces, start = [], 0
    for size in data[:64]:
        pieces.append(data[start : start + size % 41])
        start += size % 41
    return [*pieces, data[start:]]
