"""Limits over HTTP, on a node that runs: set, shown, held."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from registry.clock import ManualClock
from registry.outcomes import OK
from registry.quotas.quota import DAY
from registry.quotas.request_meter import SECONDS, STEP
from registry.rights import bootstrap_administrator
from registry.values.value import Value
from resolver.codecs.handle.bodies.administration import ValuesRequest, encode_values_request
from resolver.codecs.handle.codes import OpCode
from resolver.data_directory import DataDirectory
from tests.support.administered import Client, administered_nodes
from tests.support.management import HOSTED, SECTOR, Answer, Management, managed

APP = "line-3"
SUBJECT = f"account:{APP}"
PATIENCE = 30.0
URL = [{"index": 1, "type": "URL", "data": "https://example.test/"}]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def node(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Management]:
    async with managed(tmp_path, clock) as running:
        yield running


@pytest_asyncio.fixture
async def app(node: Management) -> str:
    """The token of an app of an enterprise."""
    return await node.account(APP, "enterprise-app", node.tokens[HOSTED])


async def limit(node: Management, **limits: int | None) -> dict[str, Any]:
    answer = await node.ask("PUT", f"/v1/quotas/{SUBJECT}", node.tokens[SECTOR], limits)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.body
    return found


async def register(node: Management, token: str, name: str, **more: Any) -> Answer:
    body = {"values": URL, **more}
    return await node.ask("PUT", f"/v1/identifiers/{HOSTED}/{name}", token, body)


def lines(*names: str) -> bytes:
    rows = ({"identifier": f"{HOSTED}/{name}", "values": URL} for name in names)
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


async def used(node: Management) -> dict[str, int]:
    answer = await node.ask("GET", f"/v1/quotas/{SUBJECT}", node.tokens[SECTOR])
    found: dict[str, int] = answer.body["used"]
    return found


async def test_who_has_no_limits_is_not_counted(node: Management, app: str) -> None:
    await register(node, app, "A")
    answer = await node.ask("GET", f"/v1/quotas/{SUBJECT}", app)
    limits = {"requests": None, "registrations": None, "prefixes": None}
    assert answer.body == {"subject": SUBJECT, "limits": limits, "used": {}}


class TestRegistrations:
    async def test_one_by_one(self, node: Management, app: str) -> None:
        await limit(node, registrations=2)
        answers = [await register(node, app, name) for name in "ABC"]
        assert [each.status for each in answers] == [201, 201, 429]
        assert (answers[2].code, answers[2].body["retryable"]) == ("quota-exceeded", False)
        assert await used(node) == {"registrations": 2}
        assert (await register(node, app, "A", overwrite=True)).status == 200, "a change is none"
        assert (await register(node, node.tokens[HOSTED], "C")).status == 201, "another account"
        await limit(node, registrations=3)
        assert (await register(node, app, "D")).status == 201
        assert (await register(node, app, "E")).status == 429

    async def test_what_is_deleted_is_not_given_back(self, node: Management, app: str) -> None:
        await limit(node, registrations=1)
        await register(node, app, "A")
        await node.ask("DELETE", f"/v1/identifiers/{HOSTED}/A", app)
        assert (await register(node, app, "A")).code == "quota-exceeded"

    async def test_they_end_with_the_account(self, node: Management, app: str) -> None:
        await limit(node, registrations=1)
        await register(node, app, "A")
        await node.ask("DELETE", f"/v1/accounts/{APP}", node.tokens[HOSTED])
        token = await node.account(APP, "enterprise-app", node.tokens[HOSTED])
        assert (await register(node, token, "B")).status == 201
        assert await used(node) == {}

    async def test_a_reservation_counts_once_registered(self, node: Management, app: str) -> None:
        await limit(node, registrations=1)
        for name in "AB":
            await node.ask("POST", f"/v1/identifiers/{HOSTED}/{name}/reserve", app)
        assert [(await register(node, app, name)).status for name in "AB"] == [201, 429]

    async def test_a_list_stops_where_the_limit_is(self, node: Management, app: str) -> None:
        await limit(node, registrations=3)
        await register(node, app, "A")
        names = ["A", "B", "C", "D", "E"]
        items = [{"identifier": f"{HOSTED}/{name}", "values": URL} for name in names]
        answer = await node.ask("POST", "/v1/identifiers/batch", app, {"identifiers": items})
        codes = [each.get("error", {}).get("code") for each in answer.body["results"]]
        assert codes == ["already-exists", None, None, "quota-exceeded", "quota-exceeded"]
        assert await used(node) == {"registrations": 3}

    async def test_an_upload_is_told_row_by_row(self, node: Management, app: str) -> None:
        await limit(node, registrations=2500)
        names = [f"N-{number:04d}" for number in range(3000)]
        told = await node.upload(app, lines(*names))
        refused = [each for each in told if "line" in each]
        assert [each["line"] for each in refused] == [*range(2501, 3001)]
        assert {each["error"]["code"] for each in refused} == {"quota-exceeded"}
        assert told[-1]["accepted"] == 2500
        assert await used(node) == {"registrations": 2500}

    async def test_an_idempotency_key_counts_once(self, node: Management, app: str) -> None:
        await limit(node, registrations=1)
        for _ in range(2):
            answer = await node.ask(
                "PUT",
                f"/v1/identifiers/{HOSTED}/A",
                app,
                {"values": URL},
                headers={"Idempotency-Key": "k"},
            )
            assert answer.status == 201


class TestRequests:
    async def test_a_day_has_so_many(self, node: Management, app: str, clock: ManualClock) -> None:
        await limit(node, requests=3)
        answers = [await node.ask("GET", "/v1/me", app) for _ in range(4)]
        assert [each.status for each in answers] == [200, 200, 200, 429]
        rest = DAY - int(clock.now()) % DAY
        assert (answers[3].code, answers[3].headers["Retry-After"]) == ("rate-limited", str(rest))
        assert (await register(node, app, "A")).code == "rate-limited"
        assert (await node.ask("GET", "/v1/me", node.tokens[HOSTED])).status == 200
        clock.advance(rest)
        assert (await node.ask("GET", "/v1/me", app)).status == 200

    async def test_what_was_counted_is_written_now_and_then(
        self, node: Management, app: str, clock: ManualClock
    ) -> None:
        await limit(node, requests=10 * STEP)
        for count in (STEP, 2):
            for _ in range(count):
                await node.ask("GET", "/v1/me", app)
            clock.advance(SECONDS)
        async with asyncio.timeout(PATIENCE):
            while await used(node) != {"requests": STEP + 2}:
                clock.advance(SECONDS)

    async def test_a_restart_forgets_nothing(self, tmp_path: Path, clock: ManualClock) -> None:
        async with managed(tmp_path, clock) as node:
            token = await node.account(APP, "enterprise-app", node.tokens[HOSTED])
            await limit(node, requests=2)
            await node.ask("GET", "/v1/me", token)
        async with managed(tmp_path, clock) as node:
            statuses = [(await node.ask("GET", "/v1/me", token)).status for _ in range(2)]
        assert statuses == [200, 429]


class TestOverHandle:
    async def test_the_limit_of_an_enterprise_counts_there_too(
        self, tmp_path: Path, clock: ManualClock
    ) -> None:
        async with (
            administered_nodes(tmp_path, "bench", clock=clock) as (running,),
            aiohttp.ClientSession() as session,
        ):
            accounts = DataDirectory(tmp_path / "data").read_credentials().accounts
            tokens = {account.prefix: account.token for account in accounts}
            node = Management(session, running.http, tokens)
            me = (await node.ask("GET", "/v1/me", tokens[HOSTED])).body
            path = f"/v1/quotas/enterprise:{me['enterprise']}"
            await node.ask("PUT", path, tokens[SECTOR], {"registrations": 1})
            who, key = bootstrap_administrator(HOSTED), running.admins[HOSTED].secret.encode()
            codes = []
            async with Client.to(running.address) as client:
                for name in (f"{HOSTED}/H-1", f"{HOSTED}/H-2"):
                    values = ValuesRequest(name.encode(), (Value(1, b"URL", b"https://a.test/"),))
                    body = encode_values_request(values)
                    request = client.request(OpCode.CREATE_HANDLE, body)
                    codes.append((await client.administer(request, who, key)).response_code)
            assert codes[0] == OK.handle
            assert codes[1] != OK.handle
            assert (await node.ask("GET", path, tokens[SECTOR])).body["used"] == {
                "registrations": 1,
                "prefixes": 1,
            }
            assert (await register(node, tokens[HOSTED], "H-3")).code == "quota-exceeded"


class TestWho:
    async def test_only_who_runs_the_node_sets_limits(self, node: Management, app: str) -> None:
        for token, status in ((node.tokens[HOSTED], 404), (app, 404), ("", 401)):
            answer = await node.ask("PUT", f"/v1/quotas/{SUBJECT}", token, {})
            assert answer.status == status

    @pytest.mark.parametrize(
        "subject", ["account:nobody", "enterprise:E99", "x", "account:%00", "enterprise:%00"]
    )
    async def test_of_nobody(self, node: Management, subject: str) -> None:
        answer = await node.ask("GET", f"/v1/quotas/{subject}", node.tokens[SECTOR])
        assert answer.status == 404

    @pytest.mark.parametrize(
        "limits", [{"requests": -1}, {"requests": "1"}, {"prefixes": 1}, {"days": 1}]
    )
    async def test_limits_that_make_no_sense(
        self, node: Management, app: str, limits: dict[str, Any]
    ) -> None:
        path = f"/v1/quotas/{SUBJECT}"
        assert (await node.ask("PUT", path, node.tokens[SECTOR], limits)).status == 422
