"""The program that asks as fast as a server answers (`asker.c`), compiled on the spot.

A generator that checks every reply is slower than the servers that are measured here, and what is
not busy answers in small batches, each of which has its price. So replies are checked before and
after, and in between it is this one that asks.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from load_tests.bench.peers import compiled
from load_tests.requests.template import Template, Wire

_SOURCE: Final = Path(__file__).with_name("asker.c")
#: Sockets that ask, and requests under way on each.
LANES: Final = 16
WINDOW: Final = 32


class Asked(NamedTuple):
    """Answers that came, requests without one, packets that answer nothing asked, seconds taken."""

    answers: int
    lost: int
    strange: int
    seconds: float


class Program:
    """Asks messages again and again; it and they are in `directory`.

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

    def ask(self, port: int, seconds: float, *, lanes: int = LANES, window: int = WINDOW) -> Asked:
        """Ask whoever serves a port of 127.0.0.1 for so long."""
        limits = [str(port), str(seconds), str(window), str(lanes)]
        with self._requests.open("rb") as requests:
            told = subprocess.run(
                [self._program, *limits, *self._layout],
                stdin=requests,
                stdout=subprocess.PIPE,
                check=True,
            )
        answers, lost, strange, took = told.stdout.split()
        return Asked(int(answers), int(lost), int(strange), float(took))


class Asker(Program):
    """Asks over UDP."""

    def __init__(self, directory: Path, templates: Sequence[Template], wire: Wire) -> None:
        first_at = -1 if wire.part_at is None else wire.part_at
        messages = (one.request for one in templates)
        super().__init__(directory, _SOURCE, messages, (wire.id_at, wire.id.size, first_at))
