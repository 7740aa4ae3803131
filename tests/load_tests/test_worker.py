"""Jobs and what is said of them pass unchanged between processes; a fleet is started and ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from load_tests import oracle
from load_tests.fleet import Fleet, GeneratorFailed
from load_tests.job import Job
from load_tests.oracle import Known
from load_tests.pacing import Stage
from load_tests.tally import Second, Tally
from load_tests.worker import Message, decode, encode
from registry.values.value import Value, encode_record
from tests.support.small_node import SmallNode

NAME = "88.901.7/BOT-1"
VALUES = [{"index": 1, "type": "URL", "data": "https://example.org/1"}]


def job(port: int, oracle_file: Path, **changes: object) -> Job:
    made = Job(
        "r", "handle-udp", "127.0.0.1", port, (Stage(0.2, 100, 100),), oracle=str(oracle_file)
    )
    return msgspec.structs.replace(made, **changes)


@pytest.fixture
def known(tmp_path: Path) -> Path:
    path = tmp_path / "oracle"
    record = encode_record([Value(1, b"URL", b"https://example.org/1")])
    oracle.save([Known(NAME, record)], path)
    return path


def test_what_a_worker_says_is_understood() -> None:
    tally = Tally(sent=5, right=3, lost=2, seconds=1.5)
    tally.latency.record(123_456, 3)
    tally.reasons["no reply"] += 2
    said = decode(encode(Message(tally=tally))).tally
    assert said is not None
    assert said.latency.counts == tally.latency.counts
    assert (said.sent, said.reasons, said.seconds) == (5, {"no reply": 2}, 1.5)
    said.reasons["new"] += 1
    second = Second(4, 3, 2, 1)
    second.latency.record(77)
    heard = decode(encode(Message(second=second))).second
    assert heard is not None
    assert (heard.at, heard.latency.counts) == (4, {77: 1})


def test_tallies_add_up() -> None:
    one, other = Tally(sent=5, right=5, cpu=1, seconds=2), Tally(sent=7, wrong=7, cpu=2, seconds=1)
    one.latency.record(10)
    other.latency.record(20)
    other.examples = list("abcdefgh")
    one.add(other)
    assert (one.sent, one.right, one.wrong, one.cpu, one.seconds) == (12, 5, 7, 3, 2)
    assert one.latency.counts == {10: 1, 20: 1}
    assert one.examples == list("abcde")


def test_generators_share_a_load(known: Path) -> None:
    with SmallNode({NAME: VALUES}) as node:
        jobs = [job(node.handle_port, known, number=number, of=2) for number in range(2)]
        with Fleet(jobs) as fleet:
            fleet.start()
            said = list(fleet.messages())
    tallies = [one.message.tally for one in said if one.message.tally is not None]
    assert sum(tally.right for tally in tallies) == 20
    seconds = [one.message.second for one in said if one.message.second is not None]
    assert sum(second.right for second in seconds) == 20


def test_a_fleet_that_is_stopped_tells_what_it_did(known: Path) -> None:
    with SmallNode({NAME: VALUES}) as node:
        endless = job(node.handle_port, known, stages=(Stage(3600, 50, 50),))
        with Fleet([endless]) as fleet:
            fleet.start()
            tally = None
            for said in fleet.messages():
                if said.message.second is not None:
                    fleet.stop()
                tally = said.message.tally
    assert tally is not None
    assert 0 < tally.right == tally.sent < 1000


def test_a_generator_that_has_nothing_to_ask_says_so(tmp_path: Path) -> None:
    oracle.save([], tmp_path / "none")
    with (
        Fleet([job(9, tmp_path / "none")]) as fleet,
        pytest.raises(GeneratorFailed, match="no identifier can be asked for by handle-udp"),
    ):
        fleet.start()


def test_a_generator_that_dies_is_noticed(known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with Fleet([job(9, known)]) as fleet, pytest.raises(GeneratorFailed, match="without a result"):
        fleet.start()


def test_no_process_outlives_its_fleet(known: Path) -> None:
    with Fleet([job(9, known, stages=(Stage(3600, 1, 1),))]) as fleet:
        fleet.start()
        processes: list[subprocess.Popen[bytes]] = fleet._processes  # noqa: SLF001
    assert all(process.poll() is not None for process in processes)
