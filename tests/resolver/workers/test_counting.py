"""Figures of several processes added up: nothing counted twice, nothing lost with a process."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from resolver.metrics import Counters, NodeCollector, exposition
from resolver.workers.counting import Increments, Sums


class Process:
    """One process's counters, and a gauge."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.entries = 0.0
        figures = [
            ("idnode_entries", "Replies kept", "gauge", lambda: self.entries),
            ("idnode_hits", "Replies taken", "counter", lambda: 2 * self.entries),
        ]
        self.collector = NodeCollector("baijiu", "sector", self.counters, figures)
        self.increments = Increments(self.collector)

    def answer(self, protocol: str, count: int) -> None:
        self.counters.answers[protocol, "ok"] += count
        self.counters.latency(protocol).observe(0.001, count)


def shown(sums: Sums) -> dict[str, float]:
    """Sample name and protocol -> value, buckets left out."""
    return {
        f"{sample.name} {sample.labels.get('protocol', '')}".strip(): sample.value
        for family in text_string_to_metric_families(exposition([sums]).decode())
        for sample in family.samples
        if "le" not in sample.labels
    }


def test_processes_are_added_up_and_their_end_takes_nothing_back():
    writer, worker = Process(), Process()
    sums = Sums(writer.collector)
    writer.answer("http", 3)
    writer.entries = 5.0
    worker.answer("http", 4)
    worker.answer("dns-udp", 2)
    worker.entries = 7.0
    sums.add("worker", worker.increments.take())
    found = shown(sums)
    assert found["idnode_answers_total http"] == 7
    assert found["idnode_answers_total dns-udp"] == 2
    assert found["idnode_answer_duration_seconds_count http"] == 7
    assert found["idnode_entries"] == 12
    assert found["idnode_hits_total"] == 24

    worker.answer("http", 1)
    sums.add("worker", worker.increments.take())
    assert shown(sums)["idnode_answers_total http"] == 8

    sums.forget("worker")
    found = shown(sums)
    assert found["idnode_answers_total http"] == 8
    assert found["idnode_hits_total"] == 24
    assert found["idnode_entries"] == 5

    successor = Process()
    successor.answer("http", 1)
    sums.add("successor", successor.increments.take())
    assert shown(sums)["idnode_answers_total http"] == 9


def test_a_writer_that_begins_anew_hears_of_what_comes_after():
    worker = Process()
    worker.answer("http", 4)
    Sums(Process().collector).add("worker", worker.increments.take())
    worker.answer("http", 2)
    again = Sums(Process().collector)
    again.add("worker", worker.increments.take())
    assert shown(again)["idnode_answers_total http"] == 2


def test_what_only_a_worker_has_is_shown_too():
    worker, sums = Process(), Sums(NodeCollector("baijiu", "sector", Counters()))
    worker.entries = 1.0
    sums.add("worker", worker.increments.take())
    assert shown(sums)["idnode_hits_total"] == 2
