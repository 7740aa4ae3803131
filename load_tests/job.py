"""The work of one generator process, as it is handed over."""

from __future__ import annotations

import msgspec

from load_tests.pacing import Stage


class Job(msgspec.Struct, frozen=True):
    """One generator's share of one load. Times are in seconds.

    `outstanding` makes it a closed loop over the length of the stages. `sectors` gives the parts of
    the sectors, `exponent` the Zipf law within each, 0 for none; `absent` is the part of requests
    for identifiers that do not exist. `oracle` is a file of known identifiers.
    `rows` is how many are registered with one request.
    """

    load: str
    operation: str
    host: str
    port: int
    stages: tuple[Stage, ...]
    number: int = 0
    of: int = 1
    poisson: bool = False
    outstanding: int | None = None
    seed: int = 1
    run: str = "0"
    deadline: float = 1.0
    patience: float = 3.0
    connections: int = 64
    types: tuple[str, ...] = ()
    absent: float = 0.0
    exponent: float = 0.0
    sectors: dict[str, float] = {}
    oracle: str = ""
    zone: str = ""
    prefix: str = ""
    token: str = ""
    rows: int = 1

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)
