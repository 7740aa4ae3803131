"""Counters as Prometheus sees them."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from resolver.metrics import BUCKETS, Counters, Latencies, NodeCollector, exposition


@pytest.mark.parametrize("bound", range(len(BUCKETS)))
def test_a_latency_is_counted_up_to_its_bound(bound):
    seconds = BUCKETS[bound]
    latencies = Latencies()
    latencies.observe(seconds * 0.999)
    counts = [count for _, count in latencies.buckets()]
    assert counts == [0.0] * bound + [1.0] * (len(BUCKETS) + 1 - bound)


def test_the_longest_wait_is_in_the_last_bucket():
    latencies = Latencies()
    latencies.observe(1e9)
    assert latencies.buckets()[-1] == ("+Inf", 1.0)
    assert latencies.buckets()[-2][1] == 0.0


def test_what_prometheus_reads():
    counters = Counters()
    counters.answers["handle-udp", "ok"] += 3
    counters.drops["dns-udp", "short"] += 1
    counters.loop_lag.observe(0.003)
    counters.latency("handle-udp").observe(0.001)
    account = counters.account("handle-udp")
    account.received, account.answered, account.waiting = 7, 3, 2
    account.dropped["aged"] = 2
    figures = [("idnode_store_identifiers", "Identifiers registered", "gauge", lambda: 7.0)]
    text = exposition([NodeCollector("baijiu", "sector", counters, figures)]).decode()
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    node = (("node", "baijiu"),)
    role = (("role", "sector"),)
    answers = (*node, ("protocol", "handle-udp"), ("result", "ok"), *role)
    assert samples["idnode_answers_total", answers] == 3
    drops = (*node, ("protocol", "dns-udp"), ("reason", "short"), *role)
    assert samples["idnode_drops_total", drops] == 1
    assert samples["idnode_store_identifiers", node + role] == 7
    assert samples["idnode_event_loop_lag_seconds_count", node + role] == 1
    udp = (*node, ("protocol", "handle-udp"), *role)
    assert samples["idnode_requests_received_total", udp] == 7
    assert samples["idnode_requests_waiting", udp] == 2
    aged = (*node, ("protocol", "handle-udp"), ("reason", "aged"), *role)
    assert samples["idnode_requests_dropped_total", aged] == 2
