"""Handle and DNS over TCP: many requests on few connections, and connections that end."""

from __future__ import annotations

import itertools
import socket
import time

import dns.message
import dns.rdata
import dns.rrset

from load_tests.generator import generate
from load_tests.operations import DNS_FRAMING, HANDLE_FRAMING
from load_tests.pacing import SECOND, OpenLoop, Stage, constant
from load_tests.recorder import Recorder
from load_tests.requests import dns as questions
from load_tests.requests import handle
from load_tests.requests.template import Template, Wire
from load_tests.streams import Framing, Streams
from load_tests.tally import Tally
from registry.values.value import Value, encode_record
from resolver.codecs.dns.framing import Splitter, frame
from resolver.codecs.dns.rdata import txt
from resolver.codecs.handle.bodies.resolution import (
    ResolveReply,
    decode_resolve_request,
    encode_resolve_reply,
)
from resolver.codecs.handle.framing import MessageStream
from resolver.codecs.handle.message import decode_message, encode_message
from resolver.codecs.handle.reply import reply_to
from tests.support.stream_service import Conversation, stream_service

NAMES = [f"88.901/BOT-{number}".encode() for number in range(10)]
RECORDS = {name: encode_record([Value(1, b"URL", name * 300)]) for name in NAMES}


def templates() -> list[Template]:
    return [handle.resolution(name, RECORDS[name], wire=handle.TCP) for name in NAMES]


def run(
    address: tuple[str, int],
    asked: list[Template],
    wire: Wire = handle.TCP,
    framing: Framing = HANDLE_FRAMING,
    connections: int = 3,
) -> Tally:
    start = time.perf_counter_ns()
    recorder = Recorder(start, SECOND)
    carrier = Streams(*address, wire, framing, recorder, SECOND // 2, connections)
    pacer = OpenLoop(constant([Stage(0.1, 1000, 1000)]), start)
    generate(carrier, itertools.cycle(asked), pacer, recorder)
    return recorder.tally


def answer(message: bytes) -> bytes:
    request = decode_message(message)
    name = decode_resolve_request(request.body).handle
    body = encode_resolve_reply(ResolveReply(name, RECORDS[name]))
    return encode_message(reply_to(request, 1, body, serial=1, now=0))


def handle_conversation() -> Conversation:
    stream = MessageStream()
    return lambda data: b"".join(map(answer, reversed(stream.feed(data))))


def test_replies_in_any_order_find_their_requests() -> None:
    with stream_service(handle_conversation) as service:
        tally = run(service.address, templates())
        assert service.connections == 3
    assert (tally.sent, tally.right, tally.failed) == (100, 100, 0)


def test_a_wrong_record_is_found() -> None:
    asked = [handle.resolution(NAMES[0], RECORDS[NAMES[1]], wire=handle.TCP), *templates()[1:]]
    with stream_service(handle_conversation) as service:
        tally = run(service.address, asked)
    assert (tally.right, tally.wrong) == (90, 10)


def test_what_was_under_way_on_a_connection_that_ends_is_lost_and_the_next_one_opened() -> None:
    def moody() -> Conversation:
        converse = handle_conversation()
        replies = itertools.count()
        return lambda data: None if next(replies) == 3 else converse(data)

    with stream_service(moody) as service:
        tally = run(service.address, templates(), connections=1)
        assert service.connections > 1
    assert tally.right + tally.lost == 100
    assert tally.lost > 0
    assert "no reply" not in tally.reasons


def test_a_stream_that_cannot_be_read_is_given_up() -> None:
    with stream_service(lambda: lambda data: b"\xff" * 64) as service:
        tally = run(service.address, templates())
    assert (tally.right, tally.lost) == (0, 100)
    assert any("cannot be read" in reason for reason in tally.reasons)


def test_silence_is_lost() -> None:
    with stream_service(lambda: lambda data: b"") as service:
        tally = run(service.address, templates())
    assert tally.reasons == {"no reply": 100}


def test_where_nobody_listens_everything_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = listener.getsockname()
    tally = run(nobody, templates())
    assert (tally.right, tally.lost) == (0, 100)


def test_dns_goes_over_tcp_too() -> None:
    name = "bot-1.h.901.88.id.test"
    record = RECORDS[NAMES[1]]

    def reply(message: bytes) -> bytes:
        made = dns.message.make_response(dns.message.from_wire(message))
        rdatas = [dns.rdata.from_wire("IN", "TXT", wire, 0, len(wire)) for wire in txt(record)]
        made.answer.append(dns.rrset.from_rdata(f"{name}.", 60, *rdatas))
        return frame(made.to_wire(max_size=65_535))

    def conversation() -> Conversation:
        splitter = Splitter()
        return lambda data: b"".join(map(reply, splitter.feed(data)))

    with stream_service(conversation) as service:
        asked = [questions.question(name, record)]
        tally = run(service.address, asked, questions.TCP, DNS_FRAMING)
    assert (tally.right, tally.failed) == (100, 0)
