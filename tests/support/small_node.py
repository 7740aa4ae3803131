"""A small node on real sockets, in a thread of its own: the peer of command-line tests.

It answers from a dictionary over Handle UDP and TCP, the JSON API, `/v1` and DNS, and keeps what
was registered with it.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from urllib.parse import unquote_to_bytes

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rrset
from aiohttp import web

from registry import outcomes
from registry.http.problem import problem
from registry.schemes.dns_name import to_name
from registry.schemes.handle import parse
from registry.values.json_form import value_from_json, value_to_json
from registry.values.value import decode_record, encode_record
from resolver.codecs import json_api
from resolver.codecs.dns.rdata import txt
from resolver.codecs.handle.bodies.resolution import (
    ResolveReply,
    decode_resolve_request,
    encode_resolve_reply,
)
from resolver.codecs.handle.fragments import split_message
from resolver.codecs.handle.framing import MessageStream
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.reply import error_to, reply_to
from resolver.query import Answer, Query, Refused, Values
from resolver.selection import select
from resolver.transports.tcp import TcpServer
from resolver.transports.udp import UdpServer

NOW = 4_000_000_000.0
TOKEN = "token-of-the-operator"
HOPS = [
    {
        "node": "root",
        "role": "root",
        "endpoint": "127.0.0.1:2651",
        "protocol": "handle-udp",
        "question": "88.901.7/白酒-0001",
        "response": "302 refers to 88",
        "ms": 0.41,
        "cached": False,
    },
    {
        "node": "baijiu",
        "role": "sector",
        "endpoint": "127.0.0.1:2671",
        "protocol": "handle-udp",
        "question": "88.901.7/白酒-0001",
        "response": "1 with 3 values",
        "ms": None,
        "cached": True,
    },
]


class SmallNode:
    """A context in which the node runs; `records` may be changed at any time."""

    def __init__(self, records: dict[str, list[dict[str, Any]]]) -> None:
        self.records = {
            parse(name): encode_record([value_from_json(form) for form in values])
            for name, values in records.items()
        }
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.protocols: list[str] = []

    def __enter__(self) -> SmallNode:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def ready(self, name: str = "recursive", role: str = "recursive") -> dict[str, Any]:
        """This node as an entry of the ready file."""
        return {
            "name": name,
            "role": role,
            "prefix": None,
            "handle": f"127.0.0.1:{self.handle_port}",
            "http": f"http://127.0.0.1:{self.http_port}",
            "https": None,
            "dns": f"127.0.0.1:{self.dns_port}",
            "metrics": None,
            "identifiers": len(self.records),
        }

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/resolve/{rest:.+}", self._traced)
        app.router.add_put("/v1/identifiers/{rest:.+}", self._put)
        app.router.add_route("*", "/api/{rest:.*}", self._api)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.http_port = self._runner.addresses[0][1]
        self._tcp = TcpServer(self._message, MessageStream, lambda *garbage: None)
        # The kernel keeps TCP ports of ended connections back for a while, so it chooses this one.
        await self._tcp.bind("127.0.0.1", 0)
        self.handle_port = self._tcp.port
        self._udp = await UdpServer.bind(self._datagram, "127.0.0.1", self.handle_port)
        self._dns = await UdpServer.bind(self._dns_query, "127.0.0.1", 0)
        self.dns_port = self._dns.port

    async def _close(self) -> None:
        await self._runner.cleanup()
        await self._udp.drain(0)
        await self._dns.drain(0)
        await self._tcp.drain(0.1)

    def _answer(self, query: Query) -> Answer:
        record = self.records.get(query.key)
        return Refused(outcomes.NOT_FOUND) if record is None else select(record, query, NOW)

    async def _api(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.raw_path))
        found = json_api.decode(json_api.Request(request.method, request.raw_path))
        if isinstance(found, json_api.Lookup):
            found = json_api.encode(found, self._answer(found.query), "sector node baijiu")
        assert isinstance(found, json_api.Reply)
        return web.Response(status=found.status, headers=found.headers, body=found.body)

    async def _traced(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.raw_path))
        asked = _path(request, "/v1/resolve/")
        record = self.records.get(parse(asked))
        members: dict[str, Any] = {"responseCode": 1 if record else 100, "handle": asked.decode()}
        if record:
            members["values"] = [value_to_json(value) for value in decode_record(record)]
        else:
            members["responsible"] = "sector node baijiu"
        return web.json_response({**members, "trace": HOPS})

    async def _put(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.raw_path))
        self.bodies.append(await request.json())
        key = parse(_path(request, "/v1/identifiers/"))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _problem(outcomes.AUTHENTICATION_NEEDED, "the token is not known")
        if key in self.records and not self.bodies[-1]["overwrite"]:
            return _problem(outcomes.ALREADY_EXISTS, f"{key} exists already")
        created = key not in self.records
        values = [value_from_json(form) for form in self.bodies[-1]["values"]]
        self.records[key] = encode_record(values)
        members = {"identifier": str(key), "version": 1, "created": created}
        return web.json_response(members, status=201 if created else 200)

    def _datagram(self, data: bytes, address: object) -> list[bytes]:
        self.protocols.append("udp")
        return split_message(self._handle(decode_message(data)))

    def _message(self, data: bytes, address: object) -> bytes:
        self.protocols.append("tcp")
        return self._handle(decode_message(data))

    def _handle(self, message: Message) -> bytes:
        asked, indexes, types = decode_resolve_request(message.body)
        answer = self._answer(Query(asked, parse(asked), tuple(indexes), tuple(types)))
        if isinstance(answer, Values):
            body = encode_resolve_reply(ResolveReply(asked, answer.record))
            return encode_message(reply_to(message, 1, body, serial=1, now=NOW))
        assert isinstance(answer, Refused)
        return encode_message(error_to(message, answer.outcome.handle, serial=1, now=NOW))

    def _dns_query(self, data: bytes, address: object) -> list[bytes]:
        self.protocols.append("dns")
        question = dns.message.from_wire(data)
        asked = question.question[0].name.to_text(omit_final_dot=True)
        reply = dns.message.make_response(question)
        names = {to_name(key): record for key, record in self.records.items()}
        if asked not in names:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif rdatas := list(txt(names[asked])):
            read = [dns.rdata.from_wire("IN", "TXT", wire, 0, len(wire)) for wire in rdatas]
            reply.answer.append(dns.rrset.from_rdata(f"{asked}.", 60, *read))
        wire = reply.to_wire(max_size=65_535)
        return [wire]


def _path(request: web.Request, head: str) -> bytes:
    return unquote_to_bytes(request.raw_path.partition("?")[0].removeprefix(head))


def _problem(outcome: outcomes.Outcome, detail: str) -> web.Response:
    status, headers, body = problem(outcome, detail, responsible="sector node baijiu")
    return web.Response(status=status, headers=headers, body=body)
