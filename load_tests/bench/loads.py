"""What is asked for: popular names again and again, or each name of a large store once."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from load_tests.requests import dns, handle
from load_tests.requests.template import Kind, Part, Template, Verdict, Wire
from load_tests.workload import draw, zipf_weights
from registry.schemes.dns_name import to_name
from registry.schemes.handle import Key
from registry.storage.backends import open_reads

#: Requests drawn before a run, gone through again and again: drawing would slow the generator.
_DRAWN: Final = 500_000
_SEED: Final = 6
#: Requests whose replies are looked at to say how long replies are.
_SIZED: Final = 1_000

Records = list[tuple[Key, bytes]]


class Load(NamedTuple):
    """Requests of one protocol, each name once: in the ready file the service is `service`."""

    name: str
    service: str
    wire: Wire
    templates: list[Template]


async def records(store: str, count: int) -> Records:
    """Identifiers of a store, given by its URL, and their values, in no order."""
    reads = await open_reads(store)
    try:
        keys = await reads.sample(count)
        random.Random(_SEED).shuffle(keys)
        return [(key, await reads.record(*key) or b"") for key in keys]
    finally:
        await reads.close()


def over_handle(known: Records) -> Load:
    templates = [handle.resolution(str(key).encode(), record) for key, record in known]
    return Load("Handle UDP", "handle", handle.UDP, templates)


def over_dns(known: Records) -> Load:
    templates = [dns.question(to_name(key), record) for key, record in known]
    return Load("DNS UDP TXT", "dns", dns.UDP, templates)


def reply_size(load: Load) -> int:
    """Octets that answer one of these requests, at the median; each has been answered once."""
    sizes = (sum(part.size for part in one.parts) for one in load.templates[:_SIZED])
    return int(statistics.median(sizes))


def echoed(load: Load, octets: int = 0) -> Load:
    """The same requests, for a server that sends them back (with `octets`: made so long)."""
    wire = Wire("echo", load.wire.id_at, load.wire.id)
    end = wire.id_at + wire.id.size
    templates = [
        Template(
            one.request,
            [
                Part(
                    octets or len(one.request),
                    ((0, one.request[: wire.id_at]), (end, one.request[end:])),
                )
            ],
            _no_echo,
        )
        for one in load.templates
    ]
    return Load("echo", load.service, wire, templates)


def _no_echo(number: int, reply: bytes) -> Verdict:
    return Verdict(Kind.WRONG, "not what was sent")


def popular(templates: Sequence[Template]) -> list[Template]:
    """A long draw by Zipf's law, exponent 1."""
    drawn: Iterator[Template] = draw(
        templates, zipf_weights(len(templates), 1.0), random.Random(_SEED)
    )
    return list(islice(drawn, _DRAWN))
