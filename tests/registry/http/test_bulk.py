"""Uploads over HTTP, on real sockets and a real store."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from registry.accounts.account import issue_account
from registry.authorisation import Role
from registry.bulk.written import line_of
from registry.clock import ManualClock
from registry.http.bearer import Bearers
from registry.http.bulk import NDJSON, ROW, BulkRegistration
from registry.http.endpoints import Api
from registry.registration.changes import MAX_VALUES
from registry.registration.grouping import Seal
from registry.registration.registrar import Registrar
from registry.schemes.handle import DEFAULT_RULES
from registry.storage.backends import open_store
from registry.storage.interface import Store
from registry.values.value import scan
from resolver.transports.http import HttpServer
from tests.support.disk import full_disk
from tests.support.trust import NOW, World, signer

PREFIX = "88.901.7"
OPERATOR = issue_account("operator", Role.ENTERPRISE_OPERATOR, PREFIX)
NEVER_ASKED = object()


class Service:
    """A store and the routes to it on a port of its own."""

    def __init__(self, store: Store, port: int, changes: Counter[Any]) -> None:
        self.store = store
        self.port = port
        self.changes = changes
        self.headers = {"Authorization": f"Bearer {OPERATOR.token}", "Content-Type": NDJSON}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/identifiers"

    async def upload(self, body: Any, query: str = "", **headers: str) -> list[dict[str, Any]]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.url}/bulk{query}", data=body, headers=self.headers | headers
            ) as reply,
        ):
            assert (reply.status, reply.content_type) == (200, NDJSON)
            return [json.loads(line) async for line in reply.content]

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=body, headers=self.headers | headers) as reply,
        ):
            return reply.status, await reply.json(content_type=None)


async def names(store: Store) -> list[str]:
    """What a store holds under the prefix."""
    return [row.suffix async for row in store.reads.scan(PREFIX)]


@asynccontextmanager
async def serving(url: str, seal: Seal | None = None) -> AsyncIterator[Service]:
    store = await open_store(url)
    async with store.begin() as transaction:
        await transaction.home([PREFIX])
        await transaction.add_accounts([OPERATOR.account], [OPERATOR.app_key])
    clock, changes = ManualClock(NOW), Counter[Any]()
    registrar = Registrar(store, clock, seal=seal)
    app = web.Application()
    bearers = Bearers(store.reads, clock)
    bulk = BulkRegistration(registrar, store.reads, DEFAULT_RULES, clock, changes)
    Api(bulk.endpoints(), bearers, changes).add_to(app)
    server = HttpServer(app, NEVER_ASKED)  # type: ignore[arg-type]
    await server.bind("127.0.0.1", 0)
    yield Service(store, server.port, changes)
    await server.drain()
    await registrar.aclose()
    await store.close()


@pytest_asyncio.fixture
async def service(store_url: str) -> AsyncIterator[Service]:
    async with serving(store_url) as service:
        yield service


def line(suffix: str, data: str = "https://example.org/", prefix: str = PREFIX) -> bytes:
    values = [{"index": 1, "type": "URL", "data": data}]
    return json.dumps({"identifier": f"{prefix}/{suffix}", "values": values}).encode() + b"\n"


def errors(answer: list[dict[str, Any]]) -> dict[int, str]:
    return {each["line"]: each["error"]["code"] for each in answer if "line" in each}


class TestUpload:
    async def test_every_row_is_told_of(self, service: Service) -> None:
        body = (
            b"\xef\xbb\xbf" + line("A") + b"\r\n" + line("B") + line("a") + b"{\n"
            + line("C", prefix="88.901.8") + b"\xff\xfe\n" + line("x" * 300) + line("D").rstrip()
        )  # fmt: skip
        answer = await service.upload(body)
        assert errors(answer) == {
            4: "already-exists",
            5: "malformed",
            6: "not-permitted",
            7: "malformed",
            8: "invalid-identifier",
        }
        assert answer[-1] == {"accepted": 3, "rejected": 5, "committed_through": 9}
        assert await names(service.store) == ["A", "B", "D"]
        assert (service.changes[ROW, "ok"], service.changes[ROW, "malformed"]) == (3, 2)

    async def test_it_answers_while_it_goes(self, service: Service) -> None:
        told, sent = asyncio.Event(), []

        async def body() -> AsyncIterator[bytes]:
            yield line("A") + line("B")
            await told.wait()
            yield line("C")

        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{service.url}/bulk", data=body(), headers=service.headers) as reply,
        ):
            async for octets in reply.content:
                sent.append(json.loads(octets))
                told.set()
        assert sent[0] == {"committed_through": 2}
        assert sent[-1] == {"accepted": 3, "rejected": 0, "committed_through": 3}

    async def test_a_long_upload_is_committed_in_batches(self, service: Service) -> None:
        body = b"".join(line(f"{number:05}") for number in range(4500))
        answer = await service.upload(body)
        through = [each["committed_through"] for each in answer]
        assert through == [2000, 4000, 4500, 4500]
        assert sum((await service.store.reads.counts()).values()) == 4500

    async def test_a_second_time_everything_exists(self, service: Service) -> None:
        body = line("A") + line("B")
        await service.upload(body)
        answer = await service.upload(body + line("C"))
        assert errors(answer) == {1: "already-exists", 2: "already-exists"}
        assert answer[-1] == {"accepted": 1, "rejected": 2, "committed_through": 3}

    async def test_what_is_sent_once_more_may_be_the_same(self, service: Service) -> None:
        await service.upload(line("A") + line("B"))
        answer = await service.upload(line("A") + line("B", "other"), "?existing=same")
        assert errors(answer) == {2: "already-exists"}

    async def test_it_may_replace_what_is_there(self, service: Service) -> None:
        await service.upload(line("A", "before"))
        answer = await service.upload(line("A", "after") + line("B"), "?existing=replace")
        assert answer[-1] == {"accepted": 2, "rejected": 0, "committed_through": 2}
        row = await service.store.reads.row(PREFIX, "A")
        assert row is not None
        assert (row.version, b"after" in row.record) == (2, True)

    async def test_an_endless_line_is_one_refused_row(self, service: Service) -> None:
        async def body() -> AsyncIterator[bytes]:
            yield line("A")
            for _ in range(30):
                yield b"x" * 100_000
            yield b"\n" + line("B")

        answer = await service.upload(body())
        assert errors(answer) == {2: "malformed"}
        assert answer[-1] == {"accepted": 2, "rejected": 1, "committed_through": 3}

    async def test_a_compressed_upload_is_read(self, service: Service) -> None:
        packed = gzip.compress(line("A") + b"x" * 50_000_000 + b"\n" + line("B"))
        answer = await service.upload(packed, **{"Content-Encoding": "gzip"})
        assert answer[-1] == {"accepted": 2, "rejected": 1, "committed_through": 3}

    @pytest.mark.parametrize("accept", [NDJSON, "application/json", "*/*", f"{NDJSON};q=0.5"])
    async def test_who_asks_for_lines_gets_them(self, service: Service, accept: str) -> None:
        answer = await service.upload(line("A"), Accept=accept)
        assert answer[-1]["accepted"] == 1

    async def test_an_empty_upload(self, service: Service) -> None:
        assert await service.upload(b"") == [{"accepted": 0, "rejected": 0, "committed_through": 0}]

    @pytest.mark.parametrize("chunked", [True, False])
    async def test_a_sender_that_stops_hears_what_stays(
        self, service: Service, chunked: bool
    ) -> None:
        framing = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100000"
        body = line("A") + line("B") + b'{"identifier":'
        head = f"POST /v1/identifiers/bulk HTTP/1.1\r\nHost: x\r\n{framing}\r\n"
        head += "".join(f"{name}: {text}\r\n" for name, text in service.headers.items())
        if chunked:
            body = b"%x\r\n%b\r\n" % (len(body), body)
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(head.encode() + b"\r\n" + body)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        last = json.loads(next(each for each in answer.split(b"\r\n") if b"accepted" in each))
        assert (last["accepted"], last["committed_through"]) == (2, 2)
        assert last["error"]["code"] == "malformed"
        assert await names(service.store) == ["A", "B"]

    async def test_a_sender_that_is_gone_leaves_what_was_committed(self, service: Service) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        head = "POST /v1/identifiers/bulk HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n"
        head += "".join(f"{name}: {text}\r\n" for name, text in service.headers.items())
        writer.write(head.encode() + b"\r\n" + line("A"))
        assert b"committed_through" in await reader.readuntil(b"}")
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.close()
        assert (await service.upload(line("A") + line("B")))[-1]["accepted"] == 1

    async def test_a_full_disk_is_told_and_reading_goes_on(self, tmp_path: Path) -> None:
        async with serving(f"sqlite:///{tmp_path}/node.db") as service:
            await service.upload(line("A"))
            with full_disk(tmp_path / "node.db-wal"):
                status, said = await service.post("/bulk", line("TOO-LARGE", "x" * 100_000))
                assert (status, said["code"]) in ((507, "storage"), (500, "outcome-unknown"))
                assert await names(service.store) == ["A"]
            assert (await service.upload(line("B")))[-1]["accepted"] == 1

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": "Basic eDp5"}, 401),
            ({"Content-Type": "text/csv"}, 415),
        ],
    )
    async def test_it_is_refused_before_it_is_read(
        self, service: Service, headers: dict[str, str], status: int
    ) -> None:
        async def body() -> AsyncIterator[bytes]:
            yield line("A")
            await asyncio.Event().wait()

        assert (await service.post("/bulk", body(), **headers))[0] == status


class TestSigned:
    """On a node that signs, what comes in bulk is signed like everything else."""

    @pytest_asyncio.fixture
    async def service(self, store_url: str) -> AsyncIterator[Service]:
        async with serving(store_url, signer("88.901").sealed) as service:
            yield service

    async def signed(self, service: Service) -> dict[str, tuple[bool, int]]:
        """Of each identifier, whether its record can be trusted, and how many values it has."""
        world = World("88", "88.901")
        rows = [row async for row in service.store.reads.scan(PREFIX)]
        return {
            row.suffix: (world.verify(row.key, row.record).trusted, len([*scan(row.record)]))
            for row in rows
        }

    async def test_every_row(self, service: Service) -> None:
        answer = await service.upload(b"".join(line(f"N-{number}") for number in range(50)))
        assert answer[-1]["accepted"] == 50
        items = [json.loads(line("LISTED")), json.loads(line("n-0"))]
        _, said = await service.post("/batch", json.dumps({"identifiers": items}))
        assert (said["accepted"], said["rejected"]) == (1, 1)
        assert await self.signed(service) == dict.fromkeys(
            ["LISTED", *sorted(f"N-{number}" for number in range(50))], (True, 2)
        )

    async def test_what_is_sent_once_more_is_the_same(self, service: Service) -> None:
        await service.upload(line("A") + line("B"))
        answer = await service.upload(line("A") + line("B", "other"), "?existing=same")
        assert errors(answer) == {2: "already-exists"}
        row = await service.store.reads.row(PREFIX, "A")
        assert row is not None
        exported = line_of(row)
        assert b"HS_SIGNATURE" in exported
        assert (await service.upload(exported, "?existing=same"))[-1]["accepted"] == 1

    async def test_what_replaces_another_is_signed_anew(self, service: Service) -> None:
        await service.upload(line("A", "before"))
        await service.upload(line("A", "after"), "?existing=replace")
        assert await self.signed(service) == {"A": (True, 2)}

    async def test_a_row_without_room_is_refused(self, service: Service) -> None:
        values = [{"index": at, "type": "X", "data": "x"} for at in range(1, MAX_VALUES + 1)]
        full = json.dumps({"identifier": f"{PREFIX}/FULL", "values": values}).encode() + b"\n"
        answer = await service.upload(line("A") + full + line("B"))
        assert errors(answer) == {2: "validation"}
        assert answer[-1] == {"accepted": 2, "rejected": 1, "committed_through": 3}


class TestList:
    async def test_each_item_has_a_result(self, service: Service) -> None:
        items = [json.loads(each) for each in (line("A"), line("a"), line("B"))]
        body = json.dumps({"identifiers": [*items, 7]})
        status, said = await service.post("/batch", body)
        codes = [each.get("error", {}).get("code") for each in said["results"]]
        assert (status, said["accepted"], said["rejected"]) == (200, 2, 2)
        assert codes == [None, "already-exists", None, "validation"]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (json.dumps({"identifiers": [1] * 2001}), 422),
            ("{", 400),
            ("[]", 422),
            (b" " * (9 << 20), 413),
        ],
    )
    async def test_a_list_that_is_none(self, service: Service, body: Any, status: int) -> None:
        sent = io.BytesIO(body.encode() if isinstance(body, str) else body)
        assert (await service.post("/batch", sent))[0] == status


class TestOne:
    async def test_it_is_created_once(self, service: Service) -> None:
        assert await service.post("", line("A")) == (
            201,
            {"identifier": f"{PREFIX}/A", "version": 1},
        )
        assert (await service.post("", line("A")))[0] == 409
        assert (await service.post("", line("A", prefix="88.901.8")))[0] == 403
