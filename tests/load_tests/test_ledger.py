"""Replies and requests are matched by id and packet; what is late, lost or forged is told apart."""

import struct

import pytest

from load_tests.ledger import Ledger
from load_tests.recorder import Recorder
from load_tests.requests.template import UNKNOWN, Kind, Part, Template, Verdict, Wire
from load_tests.tally import Second

MS = 1_000_000
#: Id of two octets at 0, number of the packet at 2.
WIRE = Wire("test", 0, struct.Struct(">H"), part_at=2)


def judge(number: int, packet: bytes) -> Verdict:
    if packet[3:] == b"busy":
        return Verdict(Kind.REFUSED, "busy")
    if packet[3:] == b"GOOD":
        return Verdict(Kind.RIGHT, part=Part(len(packet), ((3, b"GOOD"),)))
    return Verdict(Kind.WRONG, "not good")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(start=0, deadline=100 * MS)


@pytest.fixture
def ledger(recorder: Recorder) -> Ledger:
    return Ledger(WIRE, recorder, patience=200 * MS)


def template(*parts: bytes) -> Template:
    known = [Part(3 + len(part), ((3, part),)) for part in parts]
    return Template(b"??request", known or [UNKNOWN], judge)


def packet(ident: int | None, content: bytes, number: int = 0) -> bytes:
    assert ident is not None
    return struct.pack(">HB", ident, number) + content


def settle(ledger: Ledger, data: bytes, now: int) -> None:
    buffer = b"before" + data + b"behind"
    ledger.settle(bytearray(buffer), 6, len(data), now)


def test_latency_counts_from_the_intended_time_and_service_from_the_real_one(
    ledger: Ledger, recorder: Recorder
) -> None:
    ident = ledger.open(template(b"good"), intended=1 * MS, now=15 * MS)
    settle(ledger, packet(ident, b"good"), 21 * MS)
    recorder.finish(21 * MS)
    tally = recorder.tally
    assert (tally.sent, tally.right, tally.late, len(ledger)) == (1, 1, 1, 0)
    assert tally.latency.quantile(1) == pytest.approx(20 * MS, rel=0.001)
    assert tally.service.quantile(1) == pytest.approx(6 * MS, rel=0.001)
    assert tally.lateness.quantile(1) == pytest.approx(14 * MS, rel=0.001)


def test_replies_in_any_order_find_their_requests(ledger: Ledger, recorder: Recorder) -> None:
    first = ledger.open(template(b"first"), 0, 0)
    second = ledger.open(template(b"other"), 0, 0)
    settle(ledger, packet(second, b"other"), 1)
    settle(ledger, packet(first, b"first"), 1)
    assert recorder.tally.right == 2


def test_the_right_reply_to_another_request_is_wrong(ledger: Ledger, recorder: Recorder) -> None:
    first = ledger.open(template(b"first"), 0, 0)
    settle(ledger, packet(first, b"other"), 1)
    assert (recorder.tally.wrong, recorder.tally.reasons) == (1, {"not good": 1})
    assert recorder.tally.examples == [f"not good: {packet(first, b'other').hex()}"]


def test_one_wrong_octet_is_seen(ledger: Ledger, recorder: Recorder) -> None:
    for content in (b"gooe", b"goo", b"goods", b""):
        settle(ledger, packet(ledger.open(template(b"good"), 0, 0), content), 1)
    assert (recorder.tally.right, recorder.tally.wrong) == (0, 4)


def test_a_refusal_is_not_a_wrong_answer(ledger: Ledger, recorder: Recorder) -> None:
    settle(ledger, packet(ledger.open(template(b"good"), 0, 0), b"busy"), 1)
    assert (recorder.tally.refused, recorder.tally.wrong) == (1, 0)


def test_the_first_right_reply_tells_what_the_next_must_be(
    ledger: Ledger, recorder: Recorder
) -> None:
    asked = template()
    for _ in range(2):
        settle(ledger, packet(ledger.open(asked, 0, 0), b"GOOD"), 1)
    assert recorder.tally.right == 2
    assert asked.parts == [Part(7, ((3, b"GOOD"),))]


def test_a_reply_in_packets_is_complete_with_the_last_whatever_the_order(
    ledger: Ledger, recorder: Recorder
) -> None:
    ident = ledger.open(template(b"a", b"b", b"c"), 0, 0)
    for number, content in ((2, b"c"), (0, b"a"), (0, b"a")):
        settle(ledger, packet(ident, content, number), 1)
    assert (recorder.tally.right, recorder.tally.strays) == (0, 1)
    settle(ledger, packet(ident, b"b", 1), 7)
    assert (recorder.tally.right, len(ledger)) == (1, 0)


def test_a_packet_with_a_number_too_high_is_wrong(ledger: Ledger, recorder: Recorder) -> None:
    settle(ledger, packet(ledger.open(template(b"a"), 0, 0), b"a", 9), 1)
    assert recorder.tally.wrong == 1


def test_slow_is_not_lost_and_lost_is_not_slow(ledger: Ledger, recorder: Recorder) -> None:
    slow = ledger.open(template(b"good"), 0, 0)
    lost = ledger.open(template(b"good"), 0, 0)
    settle(ledger, packet(slow, b"good"), 150 * MS)
    ledger.expire(199 * MS)
    assert recorder.tally.lost == 0
    ledger.expire(200 * MS)
    settle(ledger, packet(lost, b"good"), 201 * MS)
    tally = recorder.tally
    assert (tally.right, tally.slow, tally.lost, tally.strays) == (1, 1, 1, 1)


def test_a_reply_of_which_a_part_is_missing_is_lost(ledger: Ledger, recorder: Recorder) -> None:
    settle(ledger, packet(ledger.open(template(b"a", b"b"), 0, 0), b"a"), 1)
    ledger.expire(200 * MS)
    assert recorder.tally.reasons == {"a part is missing": 1}


def test_junk_and_repetitions_are_strays(ledger: Ledger, recorder: Recorder) -> None:
    ident = ledger.open(template(b"good"), 0, 0)
    assert ident is not None
    for data in (b"", b"\x00", packet(ident ^ 1, b"good"), packet(ident, b"good")):
        settle(ledger, data, 1)
    settle(ledger, packet(ident, b"good"), 1)
    assert (recorder.tally.strays, recorder.tally.right) == (4, 1)


def test_without_a_free_id_nothing_is_sent_and_that_is_counted(
    ledger: Ledger, recorder: Recorder
) -> None:
    for _ in range(1 << 16):
        assert ledger.open(template(b"good"), 0, 0) is not None
    assert ledger.open(template(b"good"), 0, 0) is None
    assert (recorder.tally.sent, recorder.tally.unsent) == (1 << 16, 1)


def test_seconds_are_told_apart(ledger: Ledger, recorder: Recorder) -> None:
    heard: list[Second] = []
    recorder = Recorder(0, 100 * MS, on_second=heard.append)
    ledger = Ledger(WIRE, recorder, 200 * MS)
    for at in (100, 200, 2_500):
        recorder.tick(at * MS)
        ident = ledger.open(template(b"good"), at * MS, at * MS)
        settle(ledger, packet(ident, b"good"), (at + 10) * MS)
    recorder.finish(2_600 * MS)
    assert [(one.at, one.sent, one.right) for one in heard] == [(0, 2, 2), (1, 0, 0), (2, 1, 1)]
    assert [one.latency.total for one in heard] == [2, 0, 1]
    assert recorder.tally.latency.total == 3
