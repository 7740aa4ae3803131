"""What makes no sense in a profile of the right shape: rates, durations, names, combinations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from load_tests import durations, thresholds
from load_tests.profiles.model import Load, Number, Profile, StageSpec
from resolver.topology.problems import Finding

#: Beyond these no generator on one machine goes: such a profile has a slip in it.
MAX_RATE: Final = 1_000_000
MAX_OUTSTANDING: Final = 60_000
MAX_CONNECTIONS: Final = 500
MAX_IDENTIFIERS: Final = 1_000_000
MAX_PROCESSES: Final = 64
MAX_ROWS: Final = 10_000
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_WRITING: Final = ("register", "register-bulk")


def findings(profile: Profile) -> Iterator[Finding]:
    """Everything that has the right shape and still cannot be."""
    if not profile.loads:
        yield Finding("load", "there must be one at least")
    names = [one.name for one in profile.loads]
    yield from _range("processes", profile.processes, 1, MAX_PROCESSES)
    yield from _duration("deadline", profile.deadline)
    yield from _duration("patience", profile.patience)
    yield from _range("identifiers.count", profile.identifiers.count, 1, MAX_IDENTIFIERS)
    yield from _range("identifiers.zipf", profile.identifiers.zipf, 0, 5)
    for sector, part in profile.identifiers.sectors.items():
        yield from _range(f"identifiers.sectors.{sector}", part, 0.000001, 1e9)
    for number, text in enumerate(profile.thresholds):
        try:
            thresholds.parse(text, names)
        except ValueError as error:
            yield Finding(f"thresholds[{number}]", str(error))
    for number, one in enumerate(profile.loads):
        key = f"load[{number}]"
        if names.index(one.name) != number:
            yield Finding(f"{key}.name", f'there is a load "{one.name}" already')
        yield from _load(key, one)


def _load(key: str, load: Load) -> Iterator[Finding]:
    if not _NAME.fullmatch(load.name):
        yield Finding(f"{key}.name", "must be letters, digits, hyphens: it names files and figures")
    yield from _range(f"{key}.connections", load.connections, 1, MAX_CONNECTIONS)
    yield from _range(f"{key}.absent", load.absent, 0, 1)
    if load.outstanding is not None:
        yield from _range(f"{key}.outstanding", load.outstanding, 1, MAX_OUTSTANDING)
    yield from _range(f"{key}.rows", load.rows, 1, MAX_ROWS)
    if (load.prefix is not None) != (load.operation in _WRITING):
        yield Finding(f"{key}.prefix", 'belongs to the operation "register", which needs it')
    if load.absent and load.operation in ("http-redirect", *_WRITING):
        yield Finding(f"{key}.absent", f'"{load.operation}" cannot ask for what does not exist')
    if load.types and load.operation not in ("handle-udp", "handle-tcp", "http-get"):
        yield Finding(f"{key}.types", f'"{load.operation}" cannot choose values')
    if not load.stages:
        yield Finding(f"{key}.stages", "there must be one at least")
    sound = True
    for number, spec in enumerate(load.stages):
        faults = list(_stage(f"{key}.stages[{number}]", spec, load.outstanding is not None))
        yield from faults
        sound = sound and not faults
    if sound and load.outstanding is None and not sum(s.stage().arrivals for s in load.stages):
        yield Finding(f"{key}.stages", "nothing is ever sent: every rate is 0")


def _stage(key: str, spec: StageSpec, closed: bool) -> Iterator[Finding]:
    yield from _duration(f"{key}.for", spec.duration)
    rates = {"rate": spec.rate, "from": spec.start, "to": spec.end}
    given = {name: rate for name, rate in rates.items() if rate is not None}
    for name, rate in given.items():
        yield from _range(f"{key}.{name}", rate, 0, MAX_RATE)
    yield from _range(f"{key}.burst", spec.burst, 0, MAX_RATE)
    if closed:
        if given or spec.burst:
            yield Finding(key, "a load with outstanding requests has no rates and no bursts")
    elif set(given) not in ({"rate"}, {"from", "to"}) and not (spec.burst and not given):
        yield Finding(key, "give a rate, or from and to, or a burst alone")


def _range(key: str, value: Number, least: Number, most: Number) -> Iterator[Finding]:
    if not least <= value <= most:
        yield Finding(key, f"{value:,} is not between {least:,} and {most:,}")


def _duration(key: str, text: str) -> Iterator[Finding]:
    try:
        if not durations.seconds(text) > 0:
            yield Finding(key, "must be longer than nothing")
    except ValueError as error:
        yield Finding(key, str(error))
