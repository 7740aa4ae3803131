"""One run of a profile: generators started, listened to, stopped, and their figures judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from load_tests import durations, health, machine, oracle, thresholds
from load_tests.fleet import Fleet
from load_tests.job import Job
from load_tests.observing import HopSampler, differences, scrape
from load_tests.oracle import Known
from load_tests.profiles.model import Load, Profile
from load_tests.result import Result, add_up, by_load, figures
from load_tests.series import Point, Series
from load_tests.tally import Tally
from load_tests.targets import Target

OnPoint = Callable[[Point], None]


class Setting(NamedTuple):
    """What a run needs besides its profile.

    `targets` are by load; `metrics` the metrics URLs of nodes by name; `tracer` the URL of a node
    that traces resolutions, if there is one.
    """

    targets: dict[str, Target]
    known: Sequence[Known]
    zone: str
    metrics: dict[str, str]
    tracer: str | None = None


class Run(NamedTuple):
    """What came of a run: the result, and the tallies that its histograms are in."""

    result: Result
    tallies: dict[str, Tally]


def run(profile: Profile, setting: Setting, on_point: OnPoint = lambda point: None) -> Run:
    """Run a profile; `on_point` hears of every second. A KeyboardInterrupt ends the sending early.

    Raises GeneratorFailed.
    """
    started = datetime.now(UTC)
    before = scrape(setting.metrics)
    names = [known.handle for known in setting.known[:50]]
    with _jobs(profile, setting, started) as jobs, HopSampler(setting.tracer, names) as sampler:
        heard = _listen(jobs, on_point)
    tallies = by_load(heard.tallies)
    total = add_up([*tallies.values()])
    checks = [thresholds.parse(text, tallies) for text in profile.thresholds]
    if not any(check.metric == "wrong" for check in checks):
        checks.insert(0, thresholds.ALWAYS)
    result = Result(
        profile=profile.name,
        title=msgspec.structs.asdict(profile.title),
        started=started.isoformat(timespec="seconds"),
        planned=profile.seconds,
        interrupted=heard.interrupted,
        target={name: f"{one.host}:{one.port}" for name, one in setting.targets.items()},
        health=health.examine(total, len(jobs)),
        thresholds=list(thresholds.judge(checks, total, tallies)),
        total=figures(total),
        loads={name: figures(tally) for name, tally in tallies.items()},
        points=heard.points,
        hops=sampler.hops(),
        nodes=differences(before, scrape(setting.metrics)),
        machine=machine.facts(),
    )
    return Run(result, {**tallies, "total": total})


class _Heard(NamedTuple):
    tallies: dict[str, list[Tally]]
    points: list[Point]
    interrupted: bool


def _listen(jobs: Sequence[Job], on_point: OnPoint) -> _Heard:
    """Let the jobs be done, and take down what the generators say."""
    series = Series(len(jobs))
    tallies: dict[str, list[Tally]] = {job.load: [] for job in jobs}
    interrupted = False
    with Fleet(jobs) as fleet:
        fleet.start()
        while True:
            try:
                for said in fleet.messages():
                    if said.message.second is not None:
                        told = len(series.points)
                        series.feed(said.message.second)
                        for point in series.points[told:]:
                            on_point(point)
                    elif said.message.tally is not None:
                        tallies[jobs[said.job].load].append(said.message.tally)
                break
            except KeyboardInterrupt:
                if interrupted:
                    raise
                interrupted = True
                fleet.stop()
    series.finish()
    return _Heard(tallies, series.points, interrupted)


@contextmanager
def _jobs(profile: Profile, setting: Setting, started: datetime) -> Iterator[list[Job]]:
    """The jobs of every load for every process, with the file of known identifiers."""
    with TemporaryDirectory(prefix="idnode-load-") as directory:
        path = Path(directory) / "oracle"
        oracle.save(setting.known, path)
        yield [
            _job(profile, load, setting, number, path, f"{started:%y%m%d%H%M%S}")
            for load in profile.loads
            for number in range(profile.processes)
        ]


def _job(profile: Profile, load: Load, setting: Setting, number: int, path: Path, name: str) -> Job:
    target = setting.targets[load.name]
    of = profile.processes
    outstanding = load.outstanding
    if outstanding is not None:
        outstanding = max(1, outstanding // of + (number < outstanding % of))
    return Job(
        load=load.name,
        operation=load.operation,
        host=target.host,
        port=target.port,
        stages=tuple(spec.stage() for spec in load.stages),
        number=number,
        of=of,
        poisson=load.arrivals == "poisson",
        outstanding=outstanding,
        seed=profile.seed,
        run=name,
        deadline=durations.seconds(profile.deadline),
        patience=durations.seconds(profile.patience),
        connections=load.connections,
        types=load.types,
        absent=load.absent,
        exponent=profile.identifiers.zipf,
        sectors={prefix: float(part) for prefix, part in profile.identifiers.sectors.items()},
        oracle=str(path),
        zone=setting.zone,
        prefix=load.prefix or "",
        token=target.token,
        rows=load.rows,
    )
