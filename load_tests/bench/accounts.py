"""What a node says of its requests, for who knows how many were sent."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families


class Account(NamedTuple):
    """The requests of a protocol since the node started; `lost` are datagrams only."""

    received: int
    answered: int
    refused: int
    dropped: dict[str, int]
    waiting: int
    lost: int

    @property
    def balance(self) -> int:
        """Requests that are received and nothing else, or the other way round: 0."""
        ended = self.answered + self.refused + sum(self.dropped.values())
        return self.received - ended - self.waiting


def fetch(metrics: str, protocol: str) -> Account:
    """The account of a protocol, such as "handle-udp", from a node's metrics URL."""
    with urllib.request.urlopen(metrics) as reply:
        samples = list(_samples(reply.read().decode(), protocol))
    of = {name: value for name, reason, value in samples if not reason}
    dropped = {reason: value for name, reason, value in samples if reason and value}
    service = protocol.partition("-")[0]
    return Account(
        of["idnode_requests_received_total"],
        of["idnode_requests_answered_total"],
        of["idnode_requests_refused_total"],
        dropped,
        of["idnode_requests_waiting"],
        of.get(f"idnode_{service}_datagrams_lost_total", 0),
    )


def _samples(text: str, protocol: str) -> Iterator[tuple[str, str, int]]:
    """Name, reason and value of the samples of a protocol, and of those that have none."""
    for family in text_string_to_metric_families(text):
        for name, labels, value, *_ in family.samples:
            if labels.get("protocol", protocol) == protocol and name != "idnode_drops_total":
                yield name, labels.get("reason", ""), int(value)
