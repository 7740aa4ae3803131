"""The figures of all processes of a node, added up.

A worker says what was counted since it last said so. What is added to the sums stays in them when
the worker dies; a writer that begins anew begins at zero, and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from resolver.codecs.link import Family

_Sample = tuple[str, tuple[tuple[str, str], ...]]
_GAUGE = "gauge"


class Increments:
    """What a collector has counted since it was last asked."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._told: dict[_Sample, float] = {}

    def take(self) -> tuple[Family, ...]:
        """The increments, and gauges as they are."""
        return tuple(self._family(metric) for metric in self._collector.collect())

    def _family(self, metric: Metric) -> Family:
        samples = []
        for sample, value in _samples(metric):
            if metric.type != _GAUGE:
                before, self._told[sample] = self._told.get(sample, 0.0), value
                value -= before
            samples.append((*sample, value))
        return Family(metric.name, metric.documentation, metric.type, tuple(samples))


class Sums(Collector):
    """Shows what a collector of this process has, and what other processes have told."""

    def __init__(self, own: Collector) -> None:
        self._own = own
        self._families: dict[str, Family] = {}
        self._grown: dict[str, dict[_Sample, float]] = {}
        self._levels: dict[Hashable, dict[str, dict[_Sample, float]]] = {}

    def add(self, process: Hashable, families: Iterable[Family]) -> None:
        """Take in what a process has told."""
        levels: dict[str, dict[_Sample, float]] = {}
        self._levels[process] = levels
        for family in families:
            self._families[family.name] = family
            if family.kind == _GAUGE:
                _add(levels.setdefault(family.name, {}), family)
            else:
                _add(self._grown.setdefault(family.name, {}), family)

    def forget(self, process: Hashable) -> None:
        """A process is gone, and so are its gauges; what it has counted stays."""
        self._levels.pop(process, None)

    def collect(self) -> Iterator[Metric]:
        own = {metric.name: metric for metric in self._own.collect()}
        for metric in own.values():
            yield self._summed(metric, dict(_samples(metric)))
        for name, family in self._families.items():
            if name not in own:
                yield self._summed(Metric(name, family.text, family.kind), {})

    def _summed(self, metric: Metric, samples: dict[_Sample, float]) -> Metric:
        told = [self._grown.get(metric.name, {})]
        told += [levels.get(metric.name, {}) for levels in self._levels.values()]
        for more in told:
            for sample, value in more.items():
                samples[sample] = samples.get(sample, 0.0) + value
        summed = Metric(metric.name, metric.documentation, metric.type)
        for (name, labels), value in samples.items():
            summed.add_sample(name, dict(labels), value)
        return summed


def _add(sums: dict[_Sample, float], family: Family) -> None:
    for name, labels, value in family.samples:
        sums[name, labels] = sums.get((name, labels), 0.0) + value


def _samples(metric: Metric) -> Iterator[tuple[_Sample, float]]:
    for sample in metric.samples:
        yield (sample.name, tuple(sample.labels.items())), sample.value
