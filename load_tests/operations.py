"""What a load can do: for each operation its requests, and the carrier they go by."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from load_tests.carrier import Carrier
from load_tests.datagrams import Datagrams
from load_tests.http_connections import HttpConnections
from load_tests.job import Job
from load_tests.oracle import Known
from load_tests.pacing import SECOND
from load_tests.recorder import Recorder
from load_tests.requests import dns, handle, http
from load_tests.requests.template import Template, Wire
from load_tests.streams import Framing, Streams
from registry.errors import InvalidIdentifier
from registry.schemes.dns_name import to_name
from registry.schemes.handle import parse
from registry.values.value import decode_record
from resolver.codecs.dns.framing import Splitter, frame
from resolver.codecs.handle.asking import RESOLVER_FLAGS
from resolver.codecs.handle.framing import MessageStream
from resolver.codecs.handle.header import KC
from resolver.query import Query, Values
from resolver.selection import select

HANDLE_FRAMING: Final = Framing(lambda message: message, MessageStream)
DNS_FRAMING: Final = Framing(frame, Splitter)


class Operation(NamedTuple):
    """A kind of request.

    `door` is the member of a running node that says where it goes, `schemes` those of URLs that
    name such a door. `ask` gives None for an identifier that cannot be asked for in this way;
    `deny` asks for one that does not exist; an operation without either writes. Without `framing`
    messages are datagrams, without `wire` as well it is HTTP.
    """

    door: str
    schemes: tuple[str, ...]
    ask: Callable[[Known, Job], Template | None] | None = None
    deny: Callable[[str, Job], Template] | None = None
    wire: Wire | None = None
    framing: Framing | None = None


def carrier(job: Job, recorder: Recorder) -> Carrier:
    """What carries the requests of a job."""
    operation = OPERATIONS[job.operation]
    wire, framing = operation.wire, operation.framing
    patience = round(job.patience * SECOND)
    if wire is None:
        return HttpConnections(job.host, job.port, recorder, patience, job.connections)
    if framing is None:
        return Datagrams(job.host, job.port, wire, recorder, patience)
    return Streams(job.host, job.port, wire, framing, recorder, patience, job.connections)


def public_record(known: Known, types: tuple[bytes, ...]) -> bytes | None:
    """The values that the public gets when it asks for these types, None if there are none."""
    query = Query(known.handle.encode(), known.key, types=types)
    answer = select(known.record, query, time.time())
    return answer.record if isinstance(answer, Values) else None


def _types(job: Job) -> tuple[bytes, ...]:
    return tuple(one.encode() for one in job.types)


def _handle(wire: Wire, op_flags: int) -> Callable[[Known, Job], Template | None]:
    def ask(known: Known, job: Job) -> Template | None:
        record = public_record(known, _types(job))
        if record is None:
            return None
        name = known.handle.encode()
        return handle.resolution(name, record, wire=wire, types=_types(job), op_flags=op_flags)

    return ask


def _handle_denied(wire: Wire, op_flags: int) -> Callable[[str, Job], Template]:
    return lambda name, job: handle.denied(name.encode(), wire=wire, op_flags=op_flags)


def _dns(known: Known, job: Job) -> Template | None:
    record = public_record(known, ())
    try:
        name = to_name(known.key, job.zone)
    except InvalidIdentifier:
        return None
    return None if record is None else dns.question(name, record)


def _dns_denied(name: str, job: Job) -> Template:
    return dns.denied(to_name(parse(name), job.zone))


def _lookup(known: Known, job: Job) -> Template | None:
    record = public_record(known, _types(job))
    return None if record is None else http.lookup(known.handle, record, _host(job), _types(job))


def _redirect(known: Known, job: Job) -> Template | None:
    record = public_record(known, (b"URL",))
    if record is None:
        return None
    return http.redirect(known.handle, decode_record(record)[0].data, _host(job))


def _host(job: Job) -> str:
    return f"[{job.host}]:{job.port}" if ":" in job.host else f"{job.host}:{job.port}"


_OVER_TCP: Final = RESOLVER_FLAGS | KC
OPERATIONS: Final = {
    "handle-udp": Operation(
        "handle",
        ("hdl", "hdl+udp"),
        _handle(handle.UDP, RESOLVER_FLAGS),
        _handle_denied(handle.UDP, RESOLVER_FLAGS),
        handle.UDP,
    ),
    "handle-tcp": Operation(
        "handle",
        ("hdl", "hdl+tcp"),
        _handle(handle.TCP, _OVER_TCP),
        _handle_denied(handle.TCP, _OVER_TCP),
        handle.TCP,
        HANDLE_FRAMING,
    ),
    "dns-udp": Operation("dns", ("dns",), _dns, _dns_denied, dns.UDP),
    "dns-tcp": Operation("dns", ("dns",), _dns, _dns_denied, dns.TCP, DNS_FRAMING),
    "http-get": Operation(
        "http", ("http",), _lookup, lambda name, job: http.denied_lookup(name, _host(job))
    ),
    "http-redirect": Operation("http", ("http",), _redirect),
    "register": Operation("http", ("http",)),
    "register-bulk": Operation("http", ("http",)),
}
