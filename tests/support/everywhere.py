"""One question to a node over every protocol, the answers in one form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

import dns.flags
import dns.message

from registry import outcomes
from registry.outcomes import Outcome
from registry.schemes.dns_name import to_name
from registry.schemes.handle import parse
from registry.values.json_form import value_to_json
from registry.values.value import decode_record
from resolver.codecs.dns_txt import read_txt
from resolver.codecs.handle.bodies.resolution import decode_resolve_reply
from resolver.codecs.handle.message import Message
from tests.support import wire
from tests.support.processes import Node


class Answer(NamedTuple):
    """The protocol's own code, and the values by index in the form of the JSON API."""

    code: int
    values: list[dict[str, Any]]


def _handle(reply: Message) -> Answer:
    if reply.response_code != outcomes.OK.handle:
        return Answer(reply.response_code, [])
    record = decode_resolve_reply(reply.body).record
    return _sorted(reply.response_code, [value_to_json(value) for value in decode_record(record)])


def _dns(reply: dns.message.Message) -> Answer:
    records = [record for found in reply.answer for record in found]
    values = [value_to_json(read_txt(record.strings)) for record in records]
    return _sorted(reply.rcode(), values)


def _http(reply: wire.HttpReply) -> Answer:
    return _sorted(reply.status, reply.json.get("values", []))


def _dns_udp(node: Node, identifier: str) -> dns.message.Message:
    """As clients do: what does not fit into a datagram is asked for over TCP."""
    reply = wire.dns_udp(node.dns, wire.dns_request(_name(identifier), payload=1232))
    if reply.flags & dns.flags.TC:
        assert not reply.answer
        return wire.dns_tcp(node.dns, wire.dns_request(_name(identifier)))
    return reply


def _sorted(code: int, values: list[dict[str, Any]]) -> Answer:
    return Answer(code, sorted(values, key=lambda value: int(value["index"])))


def _name(identifier: str) -> str:
    return to_name(parse(identifier)) + "."


def _path(identifier: str) -> str:
    return f"/api/handles/{quote(identifier, safe='/')}"


#: Protocol -> how it asks a node for an identifier.
PROTOCOLS: dict[str, Callable[[Node, str], Answer]] = {
    "handle-udp": lambda node, identifier: _handle(
        wire.handle_udp(node.handle, wire.resolve_request(identifier))
    ),
    "handle-tcp": lambda node, identifier: _handle(
        wire.handle_tcp(node.handle, wire.resolve_request(identifier))
    ),
    "http": lambda node, identifier: _http(wire.fetch(node.http, _path(identifier))),
    "https": lambda node, identifier: _http(wire.fetch(node.https, _path(identifier))),
    "dns-udp": lambda node, identifier: _dns(_dns_udp(node, identifier)),
    "dns-tcp": lambda node, identifier: _dns(
        wire.dns_tcp(node.dns, wire.dns_request(_name(identifier)))
    ),
}


def ask(node: Node, identifier: str) -> dict[str, Answer]:
    """What the node says of the identifier over each protocol."""
    return {name: asks(node, identifier) for name, asks in PROTOCOLS.items()}


def codes(outcome: Outcome) -> dict[str, int]:
    """The code of an outcome over each protocol."""
    by_family = {"handle": outcome.handle, "http": outcome.http, "https": outcome.http}
    return {name: by_family.get(name.partition("-")[0], outcome.dns) for name in PROTOCOLS}


def values_of(node: Node, identifier: str) -> list[dict[str, Any]]:
    """The values, the same over every protocol."""
    answers = ask(node, identifier)
    assert {name: answer.code for name, answer in answers.items()} == codes(outcomes.OK)
    values = answers["handle-tcp"].values
    assert {name: answer.values for name, answer in answers.items()} == dict.fromkeys(
        answers, values
    )
    return values


def vias(node: Node) -> dict[str, str]:
    """The URLs with which `idnode resolve --via` asks the node."""
    handle, dns_ = (f"{host}:{port}" for host, port in (node.handle, node.dns))
    return {
        "hdl": f"hdl://{handle}",
        "hdl+udp": f"hdl+udp://{handle}",
        "hdl+tcp": f"hdl+tcp://{handle}",
        "http": node.http,
        "https": node.https,
        "dns": f"dns://{dns_}",
    }
