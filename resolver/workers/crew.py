"""The workers of a node, as its writer sees them: told of commits, answered, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from registry.schemes.handle import Key
from resolver.codecs.link import Changed, Welcome, encode_frame
from resolver.workers.counting import Sums
from resolver.workers.worker_link import Answer, WorkerLink

#: Seconds that workers have to say what they counted.
PATIENCE: Final = 1.0


class Crew:
    """Listens for workers; to be closed by `drain`.

    `answer` replies to the Handle messages that workers hand over.
    """

    def __init__(self, answer: Answer, sums: Sums) -> None:
        self._answer = answer
        self.sums = sums
        self._welcome = Welcome(1, ())
        self._links: set[WorkerLink] = set()
        self._server: asyncio.Server | None = None
        self._recounts = 0

    async def listen(self, address: str, resources: Sequence[str]) -> None:
        """Let workers in, and tell them the paths that only the writer serves."""
        self._welcome = Welcome(self._welcome.changes, tuple(resources))
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._link, address)

    def tell(self, keys: Sequence[Key] | None, homed_changed: bool, changes: int) -> None:
        """Tell all workers of a commit; `changes` counts those so far."""
        self._welcome = Welcome(changes, self._welcome.resources)
        if self._links:
            told = None if keys is None else tuple((key.prefix, key.suffix) for key in keys)
            octets = encode_frame(Changed(told, homed_changed, changes))
            for link in tuple(self._links):
                link.write(octets)

    async def recount(self) -> None:
        """Bring the sums up to date; who does not answer in time is left out."""
        self._recounts += 1
        asked = [link.recount(self._recounts) for link in self._links]
        if asked:
            await asyncio.wait(asked, timeout=PATIENCE)

    async def drain(self, seconds: float) -> None:
        """Let no more in, give requests under way that long, then hang up."""
        if self._server is not None:
            self._server.close()
        under_way = [task for link in self._links for task in link.under_way]
        if under_way:
            await asyncio.wait(under_way, timeout=seconds)
        for link in tuple(self._links):
            link.close()

    def _link(self) -> WorkerLink:
        return WorkerLink(self._links, self._welcome, self._answer, self.sums)
