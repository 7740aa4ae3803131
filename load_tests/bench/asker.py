"""The program that asks as fast as a server answers (`asker.c`), compiled on the spot.

A generator that checks every reply is slower than the servers that are measured here, and what is
not busy answers in small batches, each of which has its price. So replies are checked before and
after, and in between it is this one that asks.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
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


class Asker:
    """Asks a sequence of requests again and again. Its program and requests are in `directory`."""

    def __init__(self, directory: Path, templates: Sequence[Template], wire: Wire) -> None:
        program = compiled(_SOURCE, directory)
        if program is None:
            raise SystemExit("no C compiler: who asks has to be compiled")
        self._program = program
        first_at = -1 if wire.part_at is None else wire.part_at
        self._wire = [str(wire.id_at), str(wire.id.size), str(first_at)]
        number, path = tempfile.mkstemp(dir=directory, prefix="requests-")
        self._requests = Path(path)
        with os.fdopen(number, "wb") as file:
            for one in templates:
                file.write(len(one.request).to_bytes(2, "big") + one.request)

    def ask(self, port: int, seconds: float, *, lanes: int = LANES, window: int = WINDOW) -> Asked:
        """Ask whoever serves a port of 127.0.0.1 for so long."""
        limits = [str(port), str(seconds), str(window), str(lanes)]
        with self._requests.open("rb") as requests:
            told = subprocess.run(
                [self._program, *limits, *self._wire],
                stdin=requests,
                stdout=subprocess.PIPE,
                check=True,
            )
        answers, lost, strange, took = told.stdout.split()
        return Asked(int(answers), int(lost), int(strange), float(took))
