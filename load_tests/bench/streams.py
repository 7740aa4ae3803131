"""Handle and DNS on kept TCP connections: what an answer costs, beside peers with the same names.

With one request under way on each connection every answer takes system calls of its own, as for
JSON GET; with many under way they are shared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from load_tests.bench import loads, peers
from load_tests.bench.asker import ClosedLoop
from load_tests.bench.figure import Figure
from load_tests.bench.loads import Load, Records
from load_tests.bench.measuring import (
    PATIENCE,
    Contender,
    Options,
    beside,
    pass_through,
    take_turns,
)
from load_tests.bench.server import Topology
from load_tests.carrier import Carrier
from load_tests.operations import DNS_FRAMING, HANDLE_FRAMING
from load_tests.recorder import Recorder
from load_tests.requests import dns, handle
from load_tests.requests.template import Template
from load_tests.streams import Framing, Streams
from registry.schemes.dns_name import to_name

CONNECTIONS: Final = 32
#: Requests under way on each of them.
WINDOWS: Final = {"one under way": 1, "16 under way": 16}
ECHO_PORT: Final = 31_607
_SOURCE: Final = Path(__file__).with_name("stream_asker.c")


class Stream(NamedTuple):
    """A protocol over TCP: where framed messages have two octets of id, and where their length."""

    framing: Framing
    id_at: int
    length_at: int
    length_size: int


HANDLE: Final = Stream(HANDLE_FRAMING, 10, 16, 4)
DNS: Final = Stream(DNS_FRAMING, 2, 0, 2)


def compare(
    node: Topology,
    name: str,
    directory: Path,
    core: int,
    known: Records,
    name_servers: Sequence[Contender],
    options: Options,
) -> Iterator[Figure]:
    """CPU and rate of both protocols, for one request and for some under way."""
    for load, stream, others in (
        (over_handle(known), HANDLE, ()),
        (over_dns(known), DNS, name_servers),
    ):
        own = Contender(load.name, node.server, node.address(name, load.service)[1], load)
        rivals = [own, *(other._replace(load=load) for other in others)]
        with _echo(directory, core, load) as echo:
            yield from _compare([*rivals, *echo], len(rivals), stream, directory, options)


def _compare(
    contenders: Sequence[Contender],
    checked: int,
    stream: Stream,
    directory: Path,
    options: Options,
) -> Iterator[Figure]:
    """The first `checked` of them have all their replies looked at, before and after.

    The others are echoes: they send what comes at the same time back without looking at it, so that
    more than one request under way says nothing.
    """
    for one in contenders[:checked]:
        _check(one, stream)
    drawn = loads.popular(contenders[0].load.templates)
    asker = asker_of(directory, drawn, stream)
    for way, window in WINDOWS.items():
        ask = partial(asker.ask, lanes=CONNECTIONS, window=window)
        asked = contenders if window == 1 else contenders[:checked]
        costs = take_turns(asked, [ask] * len(asked), options)
        yield from beside(f"{contenders[0].name}, {way}", asked, costs)
    for one in contenders[:checked]:
        _check(one, stream)


def _check(one: Contender, stream: Stream) -> None:
    """Ask for every name once: a stream loses nothing."""
    lost = pass_through(one, partial(_carry, stream)).lost
    if lost:
        raise SystemExit(f"{one.name}: {lost} requests without a reply")


@contextmanager
def _echo(directory: Path, core: int, load: Load) -> Iterator[list[Contender]]:
    with peers.stream_echo(directory, ECHO_PORT, core) as server:
        yield [] if server is None else [Contender("echo", server, ECHO_PORT, load)]


def asker_of(directory: Path, templates: Sequence[Template], stream: Stream) -> ClosedLoop:
    """What asks for these again and again over connections."""
    frame, at = stream.framing.frame, stream[1:]
    return ClosedLoop(directory, _SOURCE, (frame(one.request) for one in templates), at)


def _carry(stream: Stream, one: Contender, recorder: Recorder) -> Carrier:
    return Streams(
        "127.0.0.1", one.port, one.load.wire, stream.framing, recorder, PATIENCE, CONNECTIONS
    )


def over_handle(known: Records) -> Load:
    """Identifiers asked for over Handle TCP."""
    asked = [handle.resolution(str(key).encode(), rec, wire=handle.TCP) for key, rec in known]
    return Load("Handle TCP", "handle", handle.TCP, asked)


def over_dns(known: Records) -> Load:
    """Their TXT records asked for over DNS TCP."""
    asked = [dns.question(to_name(key), record) for key, record in known]
    return Load("DNS TCP TXT", "dns", dns.TCP, asked)
