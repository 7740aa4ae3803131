"""What a run must hold to pass: `p99 < 20ms`, `errors < 0.1%`, `scans.rate > 900`.

A threshold names a load in front, or means all of them together.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from load_tests import durations
from load_tests.pacing import SECOND
from load_tests.tally import Tally

#: What can be counted, and as which part of the requests that were due it is given in percent.
COUNTS: Final[dict[str, Callable[[Tally], int]]] = {
    "errors": lambda tally: tally.failed + tally.unsent,
    "wrong": lambda tally: tally.wrong,
    "refused": lambda tally: tally.refused,
    "lost": lambda tally: tally.lost,
    "slow": lambda tally: tally.slow,
    "late": lambda tally: tally.late,
    "unsent": lambda tally: tally.unsent,
    "dropped": lambda tally: tally.dropped,
}
_COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
}
_THRESHOLD: Final = re.compile(
    r"(?:(?P<load>[\w-]+)\.)?(?P<metric>p\d{1,2}(?:\.\d+)?|[a-z]+)\s*"
    r"(?P<comparison><=|>=|<|>|=)\s*(?P<limit>\d.*)"
)
_LIMIT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(%|/s)?")


class Threshold(NamedTuple):
    """A threshold that was read; `limit` is in seconds, requests a second, or a count or part."""

    text: str
    load: str | None
    metric: str
    comparison: str
    limit: float
    is_part: bool = False


class Judged(NamedTuple):
    """A threshold and what was measured, in words."""

    text: str
    held: bool
    measured: str


#: A wrong answer fails a run whatever its profile says of speed.
ALWAYS: Final = Threshold("wrong = 0", None, "wrong", "=", 0)


def parse(text: str, loads: Iterable[str] = ()) -> Threshold:
    """Read a threshold about one of `loads`, or about all. Raises ValueError."""
    found = _THRESHOLD.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{text}" is no threshold: write "p99 < 20ms" or "errors < 0.1%"')
    load, metric, comparison, limit = found.group("load", "metric", "comparison", "limit")
    if load is not None and load not in loads:
        raise ValueError(f'"{text}": there is no load "{load}"')
    read = Threshold(text, load, metric, comparison, 0.0)
    if _is_duration(metric):
        return read._replace(limit=durations.seconds(limit))
    if metric != "rate" and metric not in COUNTS:
        known = ", ".join(("p50…p99.99", "max", "mean", "rate", *COUNTS))
        raise ValueError(f'"{text}": "{metric}" is none of {known}')
    number = _LIMIT.fullmatch(limit.strip())
    if number is None or (number[2] or "") not in (("/s", "") if metric == "rate" else ("%", "")):
        wanted = "a number of requests a second" if metric == "rate" else "a number or a percentage"
        raise ValueError(f'"{text}": "{limit}" is not {wanted}')
    is_part = number[2] == "%"
    return read._replace(limit=float(number[1]) / (100 if is_part else 1), is_part=is_part)


def judge(
    thresholds: Iterable[Threshold], total: Tally, by_load: Mapping[str, Tally]
) -> Iterator[Judged]:
    """Whether each threshold held."""
    for threshold in thresholds:
        tally = total if threshold.load is None else by_load[threshold.load]
        value = _measured(threshold, tally)
        held = value is not None and _COMPARISONS[threshold.comparison](value, threshold.limit)
        yield Judged(threshold.text, held, _written(threshold, value))


def _is_duration(metric: str) -> bool:
    return metric in ("max", "mean") or metric[1:2].isdigit()


def _measured(threshold: Threshold, tally: Tally) -> float | None:
    """The figure; None where there was nothing to measure."""
    metric = threshold.metric
    if metric == "rate":
        return tally.right / tally.seconds if tally.seconds else None
    if not _is_duration(metric):
        count = COUNTS[metric](tally)
        due = tally.sent + tally.unsent
        return count / due if threshold.is_part and due else float(count)
    if not tally.right:
        return None
    if metric == "mean":
        return tally.latency.mean / SECOND
    fraction = 1.0 if metric == "max" else float(metric[1:]) / 100
    return tally.latency.quantile(fraction) / SECOND


def _written(threshold: Threshold, value: float | None) -> str:
    if value is None:
        return "nothing was answered"
    if _is_duration(threshold.metric):
        return durations.written(value)
    if threshold.metric == "rate":
        return f"{value:,.0f}/s"
    return f"{value:.4%}" if threshold.is_part else f"{value:,.0f}"
