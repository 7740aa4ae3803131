"""Requests a day, counted at the door and written down now and then.

A process counts in memory and writes what it counted when there is much of it or some time is over.
So a crash forgets at most `STEP` requests of each process, or those of `SECONDS`; and as each
process learns only then what the others counted, all of them together may let that much too many
through.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from typing import Final

from registry.authorisation import Principal
from registry.clock import Clock
from registry.errors import Refusal, RequestQuotaSpent
from registry.quotas.quota import DAY, Quota, QuotaUse, subjects_of
from registry.storage.interface import Store

_log = logging.getLogger(__name__)

#: Requests, and seconds, after which what was counted is written.
STEP: Final = 100
SECONDS: Final = 5.0


class RequestMeter:
    """Counts the requests of those who have a limit; to be closed by `aclose`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._limits: dict[str, int] = {}
        self._used: dict[str, int] = {}
        self._pending: Counter[str] = Counter()
        self._day = 0
        self._read_at = float("-inf")
        self._writing: asyncio.Task[None] | None = None

    async def count(self, principal: Principal) -> None:
        """Let one request more pass. Raises RequestQuotaSpent, StorageUnavailable."""
        await self._look()
        if not self._limits:
            return
        limited = [each for each in subjects_of(principal) if each in self._limits]
        for subject in limited:
            limit = self._limits[subject]
            if self._used.get(subject, 0) + self._pending[subject] >= limit:
                rest = DAY - int(self._clock.now()) % DAY
                raise RequestQuotaSpent(subject, limit, rest)
        self._pending.update(limited)
        if self._pending.total() >= STEP:
            self._write()

    def forget(self) -> None:
        """Limits have been set: look anew."""
        self._read_at = float("-inf")

    async def aclose(self) -> None:
        """Write what is left."""
        if self._writing is not None:
            await self._writing
        if self._pending.total():
            await self._flush()

    async def _look(self) -> None:
        """Read the limits, and what all processes counted, unless that was done a moment ago."""
        now = self._clock.monotonic()
        if now - self._read_at < SECONDS:
            return
        self._read_at = now
        self._turn_day()
        quotas = await self._store.reads.dossiers(Quota)
        self._limits = {
            quota.subject: quota.requests for quota in quotas if quota.requests is not None
        }
        if self._limits:
            uses = await self._store.reads.dossiers(QuotaUse, day=self._day)
            self._used = {use.subject: use.requests for use in uses}
        if self._pending.total():
            self._write()

    def _turn_day(self) -> None:
        today = int(self._clock.now()) // DAY
        if today != self._day:
            self._day = today
            self._used.clear()
            self._pending.clear()

    def _write(self) -> None:
        """Begin to write what was counted, unless that is under way."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._flush(), name="request meter")

    async def _flush(self) -> None:
        counted, day = dict(self._pending), self._day
        try:
            used = await self._add(counted, day)
        except Refusal as refusal:
            _log.warning("requests were counted and not written: %s", refusal)
            return
        if day == self._day:
            self._used |= used
            self._pending.subtract(counted)

    async def _add(self, counted: Mapping[str, int], day: int) -> dict[str, int]:
        """Add to what is stored of a day; what that comes to."""
        used = {}
        async with self._store.begin() as transaction:
            for subject, count in counted.items():
                found = await transaction.dossiers(QuotaUse, subject=subject)
                use = found[0] if found else QuotaUse(subject)
                before = use.requests if use.day == day else 0
                used[subject] = before + count
                await transaction.file([use._replace(day=day, requests=used[subject])])
        return used
