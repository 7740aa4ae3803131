"""A generator process: a job on standard input, what it counts on standard output, as JSON lines.

    in   the job; then `{"start": NS}` on the monotonic clock of the machine
    out  `{"ready": true}`; `{"second": …}` for each second; `{"tally": …}`; or `{"error": TEXT}`

SIGTERM ends the sending; the replies to what was sent are still waited for.
"""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, get_origin

import msgspec

from load_tests.generator import generate
from load_tests.histogram import Histogram
from load_tests.job import Job
from load_tests.operations import OPERATIONS, carrier
from load_tests.pacing import SECOND, ClosedLoop, OpenLoop, Pacer, Share, constant, poisson
from load_tests.recorder import OnSecond, Recorder
from load_tests.requesting import NothingToAsk, Registrations, resolutions
from load_tests.requests.template import Template
from load_tests.tally import Second, Tally

#: About so many acknowledged registrations are read again after the run.
READ_AGAIN: Final = 200


class Start(msgspec.Struct):
    """When to begin, in nanoseconds of the monotonic clock."""

    start: int


class Message(msgspec.Struct, omit_defaults=True):
    """What a worker says."""

    ready: bool = False
    second: Second | None = None
    tally: Tally | None = None
    error: str | None = None


def encode(message: Message) -> bytes:
    return msgspec.json.encode(message, enc_hook=_to_builtin)


def decode(line: bytes) -> Message:
    """Raises msgspec.DecodeError."""
    return msgspec.json.decode(line, type=Message, dec_hook=_from_builtin)


def run_job(
    job: Job, start: int, on_second: OnSecond, stopped: list[bool], templates: Iterator[Template]
) -> Tally:
    """Do the job, beginning at `start`; it ends early once `stopped` holds something."""
    recorder = Recorder(start, round(job.deadline * SECOND), on_second)
    carried_by = carrier(job, recorder)
    while (left := start - time.perf_counter_ns()) > 0:
        time.sleep(left / SECOND)
    generate(carried_by, templates, pacer_of(job, start), recorder, lambda: bool(stopped))
    if isinstance(templates, Registrations):
        _read_again(job, templates.acknowledged, recorder.tally)
    return recorder.tally


def templates_of(job: Job) -> Iterator[Template]:
    """The requests of a job. Raises NothingToAsk."""
    return Registrations(job) if OPERATIONS[job.operation].ask is None else resolutions(job)


def pacer_of(job: Job, start: int) -> Pacer:
    """When the requests of a job are due."""
    if job.outstanding is not None:
        return ClosedLoop(job.outstanding, start + round(job.seconds * SECOND))
    share = Share(job.number, job.of)
    arrivals = poisson(job.stages, job.seed, share) if job.poisson else constant(job.stages, share)
    return OpenLoop(arrivals, start)


def _read_again(job: Job, acknowledged: list[Template], tally: Tally) -> None:
    """Ask for some of what was acknowledged; what is not there counts as a wrong answer."""
    reads = acknowledged[:: max(1, len(acknowledged) // READ_AGAIN)]
    start = time.perf_counter_ns()
    recorder = Recorder(start, round(job.deadline * SECOND))
    pacer = OpenLoop((0 for _ in reads), start)
    generate(carrier(job, recorder), iter(reads), pacer, recorder)
    if missing := recorder.tally.wrong:
        tally.wrong += missing
        tally.reasons["acknowledged, but not there when read again"] += missing
        tally.examples += recorder.tally.examples


def main() -> None:
    """Speak as the module says."""
    stopped: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    try:
        templates = templates_of(job)
        gc.collect()
        _say(Message(ready=True))
        begin = msgspec.json.decode(sys.stdin.buffer.readline(), type=Start)
        tally = run_job(
            job, begin.start, lambda second: _say(Message(second=second)), stopped, templates
        )
    except (NothingToAsk, OSError) as error:
        _say(Message(error=str(error)))
        return
    _say(Message(tally=tally))


def _say(message: Message) -> None:
    sys.stdout.buffer.write(encode(message) + b"\n")
    sys.stdout.buffer.flush()


def _to_builtin(value: Any) -> Any:
    if isinstance(value, Histogram):
        return dict(value.counts)
    raise NotImplementedError(f"{type(value).__name__} is never sent")


def _from_builtin(kind: type, value: Any) -> Any:
    if get_origin(kind) is Counter:
        return Counter(value)
    if kind is Histogram:
        return Histogram({int(bucket): count for bucket, count in value.items()})
    raise NotImplementedError(f"{kind.__name__} is never received")


if __name__ == "__main__":
    main()
