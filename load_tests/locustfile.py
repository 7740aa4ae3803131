"""Locust users of every operation: `locust -f load_tests/locustfile.py` and nothing else.

    locust -f load_tests/locustfile.py --headless -u 200 -r 50 -t 60s --processes 2
    locust -f load_tests/locustfile.py HandleUdp DnsUdp --idnode-target baijiu

The load may come from many machines with Locust's own master and workers; each needs a copy of the
data directory, for the identifiers and what they must resolve to. The model is closed: users wait
for their answers. What that hides, `idnode load` shows.
"""

from __future__ import annotations

from locust import constant_throughput

from load_tests.users.base import OperationUser


class HandleUdp(OperationUser):
    """Resolves over Handle UDP."""

    operation = "handle-udp"
    weight = 5


class HandleTcp(OperationUser):
    """Resolves over a Handle TCP connection that is kept."""

    operation = "handle-tcp"
    weight = 2


class DnsUdp(OperationUser):
    """Asks for the TXT records of identifiers."""

    operation = "dns-udp"
    weight = 3


class DnsTcp(OperationUser):
    """The same over TCP."""

    operation = "dns-tcp"
    weight = 1


class JsonApi(OperationUser):
    """Looks identifiers up with the Handle JSON API."""

    operation = "http-get"
    weight = 3


class WebProxy(OperationUser):
    """Opens identifiers as web addresses, as a phone does that has scanned one."""

    operation = "http-redirect"
    weight = 2


class Registration(OperationUser):
    """Registers a new identifier with each request."""

    operation = "register"
    weight = 1


class BulkRegistration(OperationUser):
    """Registers 500 new identifiers with each request."""

    operation = "register-bulk"
    weight = 1
    wait_time = constant_throughput(0.5)
