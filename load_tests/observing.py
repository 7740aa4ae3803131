"""What the nodes say themselves about a run: their Prometheus counters, and traced resolutions."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Final
from urllib.parse import quote

import msgspec
from prometheus_client.parser import text_string_to_metric_families

_TIMEOUT: Final = 3.0
#: Seconds between two traced resolutions, and the most of them.
_EVERY: Final = 0.5
_MOST: Final = 50


class Hop(msgspec.Struct, frozen=True):
    """How long the nodes of a role took to answer the recursive node, in milliseconds."""

    role: str
    protocol: str
    asked: int
    p50: float
    longest: float


def scrape(metrics: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Counters of each node by series, from the URLs of their metrics; silent ones are left out."""
    return {name: found for name, url in metrics.items() if (found := _counters(url))}


def differences(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """By how much each counter grew in between; what did not is left out."""
    return {
        node: {
            series: grown
            for series, value in sorted(counters.items())
            if (grown := value - before.get(node, {}).get(series, 0.0)) > 0
        }
        for node, counters in after.items()
    }


class HopSampler:
    """Has the recursive node trace a resolution now and then, past its caches, in a thread.

    A context. `hops` tells what the traces were made of, in the order asked.
    """

    def __init__(self, url: str | None, identifiers: Sequence[str]) -> None:
        self._url = url
        self._identifiers = identifiers
        self._ended = threading.Event()
        self._steps: dict[tuple[str, str], list[float]] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> HopSampler:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def hops(self) -> list[Hop]:
        return [
            Hop(role, protocol, len(times), round(median(times), 3), round(max(times), 3))
            for (role, protocol), times in self._steps.items()
        ]

    def _run(self) -> None:
        if self._url is None or not self._identifiers:
            return
        for number in range(_MOST):
            if self._ended.wait(_EVERY):
                return
            identifier = self._identifiers[number % len(self._identifiers)]
            for step in _trace(f"{self._url}/v1/resolve/{quote(identifier, safe='')}"):
                if isinstance(step.get("ms"), int | float):
                    key = (str(step.get("role")), str(step.get("protocol")))
                    self._steps.setdefault(key, []).append(float(step["ms"]))


def _trace(url: str) -> Iterator[dict[str, Any]]:
    if text := _get(f"{url}?trace=1&fresh=1"):
        members = json.loads(text)
        yield from members.get("trace", ())


def _counters(url: str) -> dict[str, float]:
    return {
        _series(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(_get(url))
        if family.type == "counter"
        for sample in family.samples
        if sample.name.endswith("_total")
    }


def _series(name: str, labels: Mapping[str, str]) -> str:
    """A series without the labels that say which node it is of."""
    kept = ",".join(f"{k}={v}" for k, v in sorted(labels.items()) if k not in ("node", "role"))
    return f"{name}{{{kept}}}" if kept else name


def _get(url: str) -> str:
    """The body of the reply; empty where there is none that counts."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as reply:
            return str(reply.read().decode())
    except (urllib.error.URLError, OSError, UnicodeDecodeError):
        return ""
