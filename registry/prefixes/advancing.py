"""Taking prefixes on by themselves: to the national node, through its audit, to resolution.

Where a prefix stands is in the store, and each step can be made again: whatever was cut off goes on
from there, after a restart too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from registry.enterprises.enterprise import Enterprise
from registry.errors import StateConflict
from registry.prefixes.allocating import Allocating, allocation_of
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.life import PrefixOperation, PrefixState
from registry.provisioning.reporting import IDNODE, NationalSilent, Reporting
from registry.storage.interface import Reads

_log = logging.getLogger(__name__)

#: Seconds between two looks at what waits for somebody else, and where nothing waits.
PAUSE: Final = 2.0
LONG_PAUSE: Final = 60.0
#: The states in which a prefix goes on by itself.
PENDING: Final = (
    PrefixState.ACCEPTED,
    PrefixState.SUBMITTED,
    PrefixState.ALLOCATED,
    PrefixState.ROUTED,
)

#: Whether the servers of a site (HS_SITE data) answer for a prefix.
Answers = Callable[[str, bytes], Awaitable[bool]]


class Advancing:
    """Takes the prefixes of a sector node on, as far as they go by themselves."""

    def __init__(
        self,
        reads: Reads,
        allocating: Allocating,
        reporting: Reporting,
        answers: Answers,
    ) -> None:
        self._reads = reads
        self._allocating = allocating
        self._reporting = reporting
        self._answers = answers
        self._one_at_a_time = asyncio.Lock()
        self._due = asyncio.Event()
        self._steps: dict[PrefixState, Callable[[Allocation], Awaitable[Allocation]]] = {
            PrefixState.ACCEPTED: reporting.submit,
            PrefixState.SUBMITTED: self._poll,
            PrefixState.ALLOCATED: self._route,
            PrefixState.ROUTED: self._home,
        }

    def wake(self) -> None:
        """Something may be there to be taken on."""
        self._due.set()

    async def run(self) -> None:
        """Take on what there is until cancelled."""
        while True:
            self._due.clear()
            try:
                waiting = await self.advance_all()
            except Exception:
                # What goes wrong with one prefix now must not keep all of them back for good.
                _log.exception("prefixes could not be taken on")
                waiting = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE if waiting else LONG_PAUSE):
                    await self._due.wait()

    async def advance_all(self) -> bool:
        """Take every prefix on; whether any waits for somebody else."""
        waiting = False
        with contextlib.suppress(NationalSilent):
            await self._reporting.take_in_results()
        for state in PENDING:
            for allocation in await self._reads.dossiers(Allocation, state=state.value):
                after = await self.advance(allocation.prefix)
                waiting = waiting or after.state in PENDING
        for enterprise in await self._reads.dossiers(Enterprise, reported=0):
            if enterprise.national:
                await self._reporting.update(enterprise)
        return waiting

    async def advance(self, prefix: str) -> Allocation:
        """Take a prefix as far as it goes now. Raises NotFound, StorageUnavailable."""
        async with self._one_at_a_time:
            current = await allocation_of(self._reads, prefix)
            while (step := self._steps.get(current.state)) is not None:
                try:
                    after = await step(current)
                except NationalSilent as silence:
                    await self._allocating.note_problem(current, str(silence))
                    break
                except StateConflict:
                    # Somebody else moved it meanwhile.
                    break
                if after.state is current.state:
                    break
                current = after
            return await allocation_of(self._reads, prefix)

    # --- the steps: each returns where the prefix stands then ---

    async def _poll(self, allocation: Allocation) -> Allocation:
        """See whether its audit has ended."""
        await self._reporting.take_in_results()
        return await allocation_of(self._reads, allocation.prefix)

    async def _route(self, allocation: Allocation) -> Allocation:
        """Publish who serves it; a self-hosted one waits for its enterprise to say so."""
        if allocation.hosting is Hosting.SELF_HOSTED and not allocation.site:
            return allocation
        return await self._allocating.route(allocation.prefix, IDNODE, allocation.site)

    async def _home(self, allocation: Allocation) -> Allocation:
        """Home it here, or see whether the enterprise's node answers for it."""
        prefix, site = allocation.prefix, allocation.site
        if allocation.hosting is Hosting.SELF_HOSTED and not await self._answers(prefix, site):
            await self._allocating.note_problem(
                allocation, "the node of the enterprise does not answer for the prefix yet"
            )
            return allocation
        return await self._move(allocation, PrefixOperation.HOME)

    async def _move(
        self, allocation: Allocation, operation: PrefixOperation, reason: str = ""
    ) -> Allocation:
        return await self._allocating.move(allocation.prefix, operation, IDNODE, reason)
