"""Counters as plain integers, and the collector that shows them to Prometheus at scrape time.

The hot path adds to integers; label values come from closed sets. Names follow
`idnode_<subsystem>_<name>_<unit>`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from resolver.transports.account import REASONS, Account
from resolver.transports.connections import Connections

#: Upper bounds of the latency buckets in seconds: 0.25 ms doubled up to 4 s.
BUCKETS: Final = tuple(0.00025 * 2**step for step in range(15))
_LAST: Final = len(BUCKETS)


#: Families by protocol: name -> the attribute that is counted, and what it is. Received requests
#: are all the others together, and those that were dropped.
_ACCOUNT: Final = {
    "idnode_requests_received": ("received", "Requests taken in"),
    "idnode_requests_answered": ("answered", "Requests answered, or refused for what they are"),
    "idnode_requests_refused": ("refused", "Requests told that the node is overloaded"),
    "idnode_requests_waiting": ("waiting", "Requests under way"),
}
_CONNECTIONS: Final = {
    "idnode_connections": ("open", "Connections that are served"),
    "idnode_connections_turned_away": ("turned_away", "Connections told that there are too many"),
    "idnode_connections_made_room": ("made_room", "Connections at rest closed for another"),
    "idnode_connections_late": (
        "late",
        "Connections closed for what they left unfinished too long",
    ),
}
_GAUGES: Final = frozenset({"waiting", "open"})


class Latencies:
    """A histogram of seconds in fixed buckets, one per protocol."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def observe(self, seconds: float, answers: int = 1) -> None:
        """Count an answer, or several that took as long."""
        # 0.25 ms steps doubled: the bit length of the whole number of steps names the bucket.
        bucket = int(seconds * 4000).bit_length()
        self.counts[bucket if bucket < _LAST else _LAST] += answers
        self.total += seconds * answers

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper bound, as Prometheus wants them."""
        rows, below = [], 0
        for bound, count in zip((*BUCKETS, float("inf")), self.counts, strict=True):
            below += count
            rows.append(("+Inf" if bound == float("inf") else f"{bound:g}", float(below)))
        return rows


class Counters:
    """What one node counted since it started.

    `answers` is keyed (protocol, outcome slug), `drops` (protocol, reason), `changes`
    (operation, result), `latencies`, `accounts` and `connections` protocol.
    """

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, str]] = Counter()
        self.drops: Counter[tuple[str, str]] = Counter()
        self.changes: Counter[tuple[str, str]] = Counter()
        self.latencies: dict[str, Latencies] = {}
        self.accounts: dict[str, Account] = {}
        self.connections: dict[str, Connections] = {}
        self.loop_lag = Latencies()

    def answered(self, protocol: str, slugs: Sequence[str | None]) -> None:
        """Count many answers of one protocol by their outcomes; None is no answer."""
        first = slugs[0]
        if first is not None and slugs.count(first) == len(slugs):
            self.answers[protocol, first] += len(slugs)
            return
        for slug, count in Counter(slugs).items():
            if slug is not None:
                self.answers[protocol, slug] += count

    def latency(self, protocol: str) -> Latencies:
        return self.latencies.setdefault(protocol, Latencies())

    def account(self, protocol: str) -> Account:
        return self.accounts.setdefault(protocol, Account())


#: Further figures of a node: (name, help, kind, function to a number).
Figure = tuple[str, str, str, Callable[[], float]]


class NodeCollector(Collector):
    """Shows one node's counters and figures under the labels `node` and `role`."""

    def __init__(
        self, node: str, role: str, counters: Counters, figures: Iterable[Figure] = ()
    ) -> None:
        self._labels = [node, role]
        self._counters = counters
        self._figures = tuple(figures)

    def collect(self) -> Iterator[Metric]:
        counters = self._counters
        yield self._counter(
            "idnode_answers", "Requests answered", ("protocol", "result"), counters.answers
        )
        yield self._counter(
            "idnode_drops", "Requests dropped unanswered", ("protocol", "reason"), counters.drops
        )
        yield self._counter(
            "idnode_registrations", "Changes asked for", ("operation", "result"), counters.changes
        )
        yield self._latencies()
        yield self._loop_lag()
        yield from self._accounts()
        yield from self._by_protocol(_CONNECTIONS, self._counters.connections)
        for name, text, kind, read in self._figures:
            family = (CounterMetricFamily if kind == "counter" else GaugeMetricFamily)(
                name, text, labels=["node", "role"]
            )
            family.add_metric(self._labels, read())
            yield family

    def _counter(
        self,
        name: str,
        text: str,
        labels: tuple[str, str],
        counts: Counter[tuple[str, str]],
    ) -> Metric:
        family = CounterMetricFamily(name, text, labels=["node", "role", *labels])
        for values, count in sorted(counts.items()):
            family.add_metric([*self._labels, *values], count)
        return family

    def _accounts(self) -> Iterator[Metric]:
        accounts = self._counters.accounts
        yield from self._by_protocol(_ACCOUNT, accounts)
        dropped: Counter[tuple[str, str]] = Counter()
        for protocol, account in accounts.items():
            dropped.update({(protocol, reason): account.dropped[reason] for reason in REASONS})
        text = "Requests that ended without an answer"
        yield self._counter("idnode_requests_dropped", text, ("protocol", "reason"), dropped)

    def _by_protocol(
        self, families: Mapping[str, tuple[str, str]], owners: Mapping[str, object]
    ) -> Iterator[Metric]:
        for name, (attribute, text) in families.items():
            kind = GaugeMetricFamily if attribute in _GAUGES else CounterMetricFamily
            family = kind(name, text, labels=["node", "role", "protocol"])
            for protocol, owner in sorted(owners.items()):
                family.add_metric([*self._labels, protocol], getattr(owner, attribute))
            yield family

    def _loop_lag(self) -> Metric:
        family = HistogramMetricFamily(
            "idnode_event_loop_lag_seconds",
            "By how much the event loop of the node's process was late",
            labels=["node", "role"],
        )
        lag = self._counters.loop_lag
        family.add_metric(self._labels, buckets=lag.buckets(), sum_value=lag.total)
        return family

    def _latencies(self) -> Metric:
        family = HistogramMetricFamily(
            "idnode_answer_duration_seconds",
            "Time from a request's arrival to its answer",
            labels=["node", "role", "protocol"],
        )
        for protocol, latencies in sorted(self._counters.latencies.items()):
            family.add_metric(
                [*self._labels, protocol], buckets=latencies.buckets(), sum_value=latencies.total
            )
        return family


def exposition(collectors: Iterable[Collector]) -> bytes:
    """The text that Prometheus scrapes."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    return generate_latest(registry)
