"""The endless line of requests of a job."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from load_tests import oracle, workload
from load_tests.job import Job
from load_tests.operations import OPERATIONS
from load_tests.requests import http
from load_tests.requests.template import Template


class NothingToAsk(Exception):  # noqa: N818 - it is the state of the data
    """None of the known identifiers can be asked for by the operation."""


def resolutions(job: Job) -> Iterator[Template]:
    """Requests for known identifiers, a part of them for absent ones. Raises NothingToAsk."""
    operation = OPERATIONS[job.operation]
    assert operation.ask is not None
    templates, sectors = [], []
    for known in oracle.load(Path(job.oracle)):
        if (template := operation.ask(known, job)) is not None:
            templates.append(template)
            sectors.append(known.sector)
    if not templates:
        raise NothingToAsk(f"load {job.load}: no identifier can be asked for by {job.operation}")
    chance = random.Random(f"{job.seed}/{job.load}/{job.number}")
    weights = workload.weights(sectors, job.exponent, job.sectors)
    usual = workload.draw(templates, weights, chance)
    deny = operation.deny
    if not job.absent or deny is None:
        return usual
    prefixes = [*dict.fromkeys(known.key.prefix for known in oracle.load(Path(job.oracle)))]

    def absent() -> Template:
        return deny(f"{chance.choice(prefixes)}/NONE-{chance.getrandbits(64):016X}", job)

    return workload.mixed(usual, absent, job.absent, chance)


class Registrations:
    """Requests that register new identifiers, one or so many `rows` each.

    `acknowledged` are look-ups of those that the target says are stored, of a bulk the last one.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._host = f"{job.host}:{job.port}"
        self._numbers = count()
        self._values: list[dict[str, Any]] = [
            {"index": 1, "type": "URL", "data": f"https://{job.prefix}.example/{job.run}"},
            {"index": 2, "type": "DESC", "data": f"load test {job.run}"},
        ]
        self.acknowledged: list[Template] = []

    def __iter__(self) -> Iterator[Template]:
        return self

    def __next__(self) -> Template:
        job, values, host = self._job, self._values, self._host
        if job.operation == "register":
            handle = self._handle()
            return http.registration(handle, values, host, job.token, self._acknowledging(handle))
        rows = [(self._handle(), values) for _ in range(job.rows)]
        told = self._acknowledging(rows[-1][0])
        return http.bulk_registration(rows, host, job.token, told)

    def _handle(self) -> str:
        job = self._job
        number = f"{job.number}-{next(self._numbers):07}"
        return f"{job.prefix}/LOAD-{job.run}-{job.load}-{number}".upper()

    def _acknowledging(self, handle: str) -> Callable[[], None]:
        """What is called when this one is stored."""
        return lambda: self.acknowledged.append(
            http.stored_lookup(handle, self._values, self._host)
        )
