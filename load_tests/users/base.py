"""What all users share: the target, the identifiers, and a line in Locust's statistics."""

from __future__ import annotations

import random
import time
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from locust import User, constant_throughput, events, task

from load_tests import oracle, workload
from load_tests.job import Job
from load_tests.operations import OPERATIONS
from load_tests.oracle import Known
from load_tests.profiles.model import Load, Profile, StageSpec
from load_tests.requesting import Registrations
from load_tests.requests.template import Template
from load_tests.targets import of_load
from load_tests.users.exchanges import Exchange, ExchangeFailed, open_exchange
from registry.schemes.dns_name import DEFAULT_ZONE
from resolver.cli.running import default_data, read_running
from resolver.data_directory import DataDirectory
from resolver.topology.model import Title

#: Seconds that a reply is waited for.
PATIENCE = 3.0


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--idnode-data",
        env_var="IDNODE_DATA",
        default=str(default_data()),
        help="data directory of the topology: identifiers, tokens, where its nodes are",
    )
    parser.add_argument("--idnode-target", default="recursive", help="node to ask, by name or role")
    parser.add_argument(
        "--idnode-count", type=int, default=10_000, help="how many identifiers are asked for"
    )
    parser.add_argument(
        "--idnode-prefix", default="88.901.7", help="prefix that is registered under"
    )


@lru_cache(maxsize=1)
def known_identifiers(data: Path, count: int) -> list[Known]:
    """The identifiers of all nodes with their records; read once for all users of a process."""
    return oracle.from_stores(data, count, {})


class OperationUser(User):
    """Does one operation again and again, in a closed loop, and checks every reply.

    `--host` names the target as a URL of the operation's schemes; without it the node is looked up
    in the data directory.
    """

    abstract = True
    wait_time = constant_throughput(10)
    operation: ClassVar[str]

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        options = environment.parsed_options
        job = _job(
            self.operation,
            Path(options.idnode_data),
            options.idnode_target,
            options.idnode_prefix,
            self.host,
        )
        self._exchange: Exchange = open_exchange(job.operation, job.host, job.port, PATIENCE)
        known = known_identifiers(Path(options.idnode_data), options.idnode_count)
        self._requests = requests_of(job, known)

    @task
    def perform(self) -> None:
        """One request; Locust hears how it went."""
        template = next(self._requests)
        started = time.time()
        before = time.perf_counter()
        failure: ExchangeFailed | None = None
        octets = 0
        try:
            octets = self._exchange.ask(template)
        except ExchangeFailed as error:
            failure = error
        self.environment.events.request.fire(
            request_type=self.operation,
            name="write" if OPERATIONS[self.operation].ask is None else "resolve",
            start_time=started,
            response_time=(time.perf_counter() - before) * 1000,
            response_length=octets,
            exception=failure,
            context={},
        )

    def on_stop(self) -> None:
        self._exchange.close()


def requests_of(job: Job, known: list[Known]) -> Iterator[Template]:
    """Requests without end, for popular identifiers more often; encoded when first drawn."""
    ask = OPERATIONS[job.operation].ask
    if ask is None:
        yield from Registrations(job)
    else:
        encoded: dict[str, Template | None] = {}
        weights = workload.weights([one.sector for one in known], 1.0, {})
        for one in workload.draw(known, weights, random.Random()):
            if one.handle not in encoded:
                encoded[one.handle] = ask(one, job)
            if (template := encoded[one.handle]) is not None:
                yield template


def _job(operation: str, data: Path, target: str, prefix: str, host: str | None) -> Job:
    """Where a user's requests go, and what they need."""
    writes = OPERATIONS[operation].ask is None
    load = Load(
        name=operation,
        operation=operation,  # type: ignore[arg-type]
        stages=(StageSpec(duration="1s"),),
        prefix=prefix if writes else None,
    )
    profile = Profile(name="locust", title=Title("", ""), loads=(load,), target=target)
    running = None if host else read_running(data)
    found = of_load(profile, load, running, host, DataDirectory(data).read_credentials().accounts)
    return Job(
        load=operation,
        operation=operation,
        host=found.host,
        port=found.port,
        stages=(),
        run=uuid.uuid4().hex[:8],
        zone=DEFAULT_ZONE,
        prefix=prefix,
        token=found.token,
        rows=load.rows,
    )
