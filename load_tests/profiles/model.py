"""What a load profile says, as read-only structs."""

from __future__ import annotations

from typing import Literal

import msgspec

from load_tests import durations
from load_tests.pacing import Stage
from resolver.topology.model import Title

OperationName = Literal[
    "handle-udp",
    "handle-tcp",
    "dns-udp",
    "dns-tcp",
    "http-get",
    "http-redirect",
    "register",
    "register-bulk",
]
Number = int | float


class StageSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A stage: `rate` throughout, or evenly `from` one rate `to` another; `burst` at its start."""

    duration: str = msgspec.field(name="for")
    rate: Number | None = None
    start: Number | None = msgspec.field(name="from", default=None)
    end: Number | None = msgspec.field(name="to", default=None)
    burst: int = 0

    def stage(self) -> Stage:
        """The same in numbers."""
        start = self.rate if self.start is None else self.start
        end = self.rate if self.end is None else self.end
        return Stage(durations.seconds(self.duration), start or 0, end or 0, self.burst)


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Requests of one kind, in stages: an open loop, or with `outstanding` a closed one.

    `target` overrides the profile's. `absent` is the part of requests for identifiers that do not
    exist, `types` what is asked for (all values if empty), `prefix` where
    `register` and `register-bulk` register, the latter so many `rows` with each request.
    """

    name: str
    operation: OperationName
    stages: tuple[StageSpec, ...]
    arrivals: Literal["poisson", "constant"] = "poisson"
    outstanding: int | None = None
    connections: int = 64
    types: tuple[str, ...] = ()
    absent: Number = 0.0
    target: str | None = None
    prefix: str | None = None
    rows: int = 500

    @property
    def seconds(self) -> float:
        return sum(spec.stage().seconds for spec in self.stages)


class Identifiers(msgspec.Struct, frozen=True):
    """Which identifiers are asked for: how many, how popular the first ones, which sectors.

    `zipf` is the exponent of the law within a sector, 0 for all alike. `sectors` gives parts of the
    whole by prefix; without it all sectors have the same.
    """

    count: int = 10_000
    zipf: Number = 1.0
    sectors: dict[str, Number] = {}


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole profile. `target` is a node of the running topology, by name or role."""

    name: str
    title: Title
    loads: tuple[Load, ...] = msgspec.field(name="load")
    target: str = "recursive"
    seed: int = 1
    processes: int = 1
    deadline: str = "1s"
    patience: str = "3s"
    thresholds: tuple[str, ...] = ()
    identifiers: Identifiers = Identifiers()

    @property
    def seconds(self) -> float:
        """How long requests are sent."""
        return max(load.seconds for load in self.loads)
