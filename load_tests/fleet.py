"""Generator processes: started together, heard until all are done, ended early if wanted."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from load_tests.job import Job
from load_tests.pacing import SECOND
from load_tests.worker import Message, Start, decode

#: Seconds from "all are ready" to the first request.
_RUN_UP: Final = 0.2
#: Seconds a generator may take to prepare, to be heard of while it runs, and to end.
PREPARATION: Final = 120.0
_SILENCE: Final = 60.0
_ENDING: Final = 5.0


class GeneratorFailed(Exception):  # noqa: N818 - it is what happened
    """A generator process could not do its job; str() says why."""


class Said(NamedTuple):
    """What a generator said; `job` is its place in the list of jobs."""

    job: int
    message: Message


class Fleet:
    """One process for each job. A context: no process outlives it."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = jobs
        self._heard: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._threads: list[threading.Thread] = []
        self._unfinished = set(range(len(jobs)))

    def __enter__(self) -> Fleet:
        for number, job in enumerate(self._jobs):
            process = subprocess.Popen(
                [sys.executable, "-m", "load_tests.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # A Ctrl-C in the terminal is for the one who asked for the run, not for these.
                start_new_session=True,
            )
            self._processes.append(process)
            thread = threading.Thread(target=self._hear, args=(number, process), daemon=True)
            self._threads.append(thread)
            thread.start()
            self._tell(process, job)
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._processes:
            process.terminate()
        for process, thread in zip(self._processes, self._threads, strict=True):
            try:
                process.wait(_ENDING)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            thread.join()
            for pipe in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]

    def start(self) -> int:
        """Wait until all are ready, then let them begin together at the time returned (ns).

        Raises GeneratorFailed.
        """
        for _ in self._jobs:
            said = self._next(PREPARATION)
            if not said.message.ready:
                raise GeneratorFailed(said.message.error or "a generator did not start")
        begin = time.perf_counter_ns() + round(_RUN_UP * SECOND)
        for process in self._processes:
            self._tell(process, Start(begin))
        return begin

    def messages(self) -> Iterator[Said]:
        """Seconds and tallies, until every generator has given its tally. Raises GeneratorFailed.

        It may be left by an exception and called again.
        """
        while self._unfinished:
            said = self._next(_SILENCE)
            if said.message.error is not None:
                raise GeneratorFailed(said.message.error)
            if said.message.tally is not None:
                self._unfinished.discard(said.job)
            yield said

    def stop(self) -> None:
        """Send no more. What is under way is waited for."""
        for process in self._processes:
            process.terminate()

    def _next(self, seconds: float) -> Said:
        try:
            number, line = self._heard.get(timeout=seconds)
        except queue.Empty:
            raise GeneratorFailed(f"a generator said nothing for {seconds:.0f} s") from None
        if not line:
            load = self._jobs[number].load
            raise GeneratorFailed(f"the generator of load {load} ended without a result")
        return Said(number, decode(line))

    def _hear(self, number: int, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        done = False
        for line in process.stdout:
            done = b'"tally":' in line or b'"error":' in line
            self._heard.put((number, line))
        if not done:
            self._heard.put((number, b""))

    def _tell(self, process: subprocess.Popen[bytes], what: msgspec.Struct) -> None:
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, which is heard
            process.stdin.write(msgspec.json.encode(what) + b"\n")
            process.stdin.flush()
