"""Thresholds: what is read, what is refused, what holds."""

import pytest

from load_tests import thresholds
from load_tests.histogram import Histogram
from load_tests.tally import Tally

MS = 1_000_000
FAST = Histogram({})
FAST.record(5 * MS, times=980)
FAST.record(50 * MS, times=15)
FAST.record(2000 * MS, times=5)
TALLY = Tally(sent=1010, unsent=0, late=7, right=1000, lost=9, refused=1, seconds=10, latency=FAST)


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("p50 < 6ms", True),
        ("p50 < 5ms", False),
        ("p99 <= 51ms", True),
        ("p99 < 20ms", False),
        ("p99.9 < 1s", False),
        ("max < 2.01s", True),
        ("mean > 1us", True),
        ("rate >= 100", True),
        ("rate > 100/s", False),
        ("errors = 10", True),
        ("errors < 1%", True),
        ("errors < 0.9%", False),
        ("lost < 0.5 %", False),
        ("wrong = 0", True),
        ("late < 1%", True),
        ("resolve.errors = 0", False),
    ],
)
def test_thresholds_hold_or_do_not(text: str, held: bool) -> None:
    read = thresholds.parse(text, ["resolve"])
    (judged,) = thresholds.judge([read], TALLY, {"resolve": TALLY})
    assert (judged.text, judged.held) == (text, held)
    assert judged.measured


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no threshold"),
        ("p99 ~ 20ms", "no threshold"),
        ("p99 < 20", "no duration"),
        ("p99 < 20%", "no duration"),
        ("latency < 20ms", "none of"),
        ("errors < 20ms", "not a number or a percentage"),
        ("rate > 5%", "requests a second"),
        ("other.p99 < 20ms", 'no load "other"'),
    ],
)
def test_what_is_no_threshold_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        thresholds.parse(text, ["resolve"])


@pytest.mark.parametrize("text", ["p99 < 1s", "rate > 0", "max < 1s"])
def test_where_nothing_was_answered_no_latency_is_good(text: str) -> None:
    (judged,) = thresholds.judge([thresholds.parse(text)], Tally(sent=5, lost=5), {})
    assert (judged.held, judged.measured) == (False, "nothing was answered")
