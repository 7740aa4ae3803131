"""Programs that ask more than a server can answer, compiled on the spot: `asker.c`, `presser.c` and
`flood.c`.

A generator that checks every reply is slower than the servers that are measured here, and what is
not busy answers in small batches, each of which has its price. So replies are checked before and
after, and in between it is one of these that asks.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from load_tests.bench.peers import compiled
from load_tests.requests.template import Template, Wire

_ASKER: Final = Path(__file__).with_name("asker.c")
_PRESSER: Final = Path(__file__).with_name("presser.c")
_FLOOD: Final = Path(__file__).with_name("flood.c")
#: Sockets that ask, and requests under way on each.
LANES: Final = 16
WINDOW: Final = 32
#: The first of the addresses that floods come from.
FIRST_SOURCE: Final = "127.0.0.2"


class Asked(NamedTuple):
    """Answers that came, requests without one, packets that answer nothing asked, seconds taken."""

    answers: int
    lost: int
    strange: int
    seconds: float


class Program:
    """Asks messages in order, again and again; it and they are in `directory`.

    `layout` is what it is told of where things are in them.
    """

    def __init__(
        self, directory: Path, source: Path, messages: Iterable[bytes], layout: Sequence[int]
    ) -> None:
        program = compiled(source, directory)
        if program is None:
            raise SystemExit("no C compiler: who asks has to be compiled")
        self._program = program
        self._layout = [*map(str, layout)]
        number, path = tempfile.mkstemp(dir=directory, prefix="requests-")
        self._requests = Path(path)
        with os.fdopen(number, "wb") as file:
            for message in messages:
                file.write(len(message).to_bytes(2, "big") + message)

    def _run(self, before: Sequence[object], behind: Sequence[object] = ()) -> list[bytes]:
        """What it prints, told these numbers before and behind where things are."""
        with self._requests.open("rb") as requests:
            told = subprocess.run(
                [self._program, *map(str, before), *self._layout, *map(str, behind)],
                stdin=requests,
                stdout=subprocess.PIPE,
                check=True,
            )
        return told.stdout.split()


class ClosedLoop(Program):
    """Asks again as soon as it is answered."""

    def ask(self, port: int, seconds: float, *, lanes: int = LANES, window: int = WINDOW) -> Asked:
        """Ask whoever serves a port of 127.0.0.1 for so long."""
        answers, lost, strange, took = self._run([port, seconds, window, lanes])
        return Asked(int(answers), int(lost), int(strange), float(took))


class Asker(ClosedLoop):
    """The same over UDP."""

    def __init__(self, directory: Path, templates: Sequence[Template], wire: Wire) -> None:
        super().__init__(directory, _ASKER, *_datagrams(templates, wire))


class Second(NamedTuple):
    """What was sent within a second: requests, those answered, those answered in time.

    `p99`: in how many seconds 99 of 100 answers came.
    """

    sent: int
    answers: int
    in_time: int
    p99: float


class Presser(Program):
    """Asks over UDP at a rate, whether it is answered or not."""

    def __init__(self, directory: Path, templates: Sequence[Template], wire: Wire) -> None:
        super().__init__(directory, _PRESSER, *_datagrams(templates, wire))

    def press(
        self, port: int, stages: Sequence[tuple[float, int]], deadline: float
    ) -> tuple[list[Second], int]:
        """So many requests a second for so many seconds, then the next; each second of it.

        An answer is in time within `deadline` seconds. With how many packets that answer nothing.
        """
        told = self._run([port, LANES, deadline * 1000], [*chain.from_iterable(stages)])
        numbers, strange = [*map(int, told[:-1])], int(told[-1])
        rows = zip(*[iter(numbers)] * 4, strict=True)
        seconds = [
            Second(sent, answers, in_time, p99 * 1e-6) for sent, answers, in_time, p99 in rows
        ]
        return seconds, strange


class Flood(Program):
    """Sends datagrams over UDP as fast as it can and reads no answers."""

    def __init__(self, directory: Path, datagrams: Iterable[bytes], sources: int) -> None:
        super().__init__(directory, _FLOOD, datagrams, [])
        self._sources = sources

    def send(self, port: int, seconds: float) -> int:
        """To a port of 127.0.0.1 for so long, from 127.0.0.2 on; how many there were."""
        (sent,) = self._run([FIRST_SOURCE, self._sources, port, seconds])
        return int(sent)


def _datagrams(templates: Sequence[Template], wire: Wire) -> tuple[Iterator[bytes], Sequence[int]]:
    """The requests, and where things are in them and in their answers."""
    first_at = -1 if wire.part_at is None else wire.part_at
    return (one.request for one in templates), (wire.id_at, wire.id.size, first_at)
