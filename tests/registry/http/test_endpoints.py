"""The table of endpoints: who may, what is read, what is refused, over a real socket."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio
from aiohttp import ClientSession, web

from registry.accounts.account import digest
from registry.authorisation import Operation, Principal, Role
from registry.clock import ManualClock
from registry.http.bearer import Bearers
from registry.http.endpoints import Api, Call, Endpoint, Reply
from registry.http.paging import PageQuery, make_cursor, page_of, read_cursor


class Thing(msgspec.Struct, forbid_unknown_fields=True):
    """A body."""

    names: list[str]
    size: int = 0


TOKENS = {
    digest("staff"): Principal("op", Role.OPERATOR, ("88.901",)),
    digest("tenant"): Principal("e7", Role.ENTERPRISE_OPERATOR, ("88.901.7",), "E7"),
}


class Tokens:
    """Two tokens and whose they are."""

    async def principal(self, digest: bytes, now: int) -> Principal | None:
        return TOKENS.get(digest)


async def make(call: Call) -> Reply:
    call.need(call.path["prefix"])
    return Reply(201, {"names": call.body.names, "by": call.actor.name})


async def show(call: Call) -> Reply:
    call.need_to_see(call.path["prefix"])
    return Reply(body=make_page(call.query))


async def forget(call: Call) -> Reply:
    return Reply(body={"secret": True})


async def greet(call: Call) -> Reply:
    return Reply(204)


def make_page(query: PageQuery) -> dict[str, object]:
    start = (read_cursor(query.cursor, int) or (0,))[0]
    found = [*range(start + 1, 8)][: query.limit + 1]
    return page_of(found, query.limit, lambda item: (item,), str)


PATH = "/v1/things/{prefix}"
ENDPOINTS = (
    Endpoint("POST", PATH, "make-thing", "Make", make, Operation.REGISTER, body=Thing),
    Endpoint("GET", PATH, "show-thing", "Show", show, Operation.READ, query=PageQuery),
    Endpoint("DELETE", PATH, "forget-thing", "Forget", forget, Operation.READ),
    Endpoint("GET", "/v1/greeting", "greet", "Greet", greet, None, answers={204: None}),
)
CHANGES: Counter[tuple[str, str]] = Counter()


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    CHANGES.clear()
    app = web.Application()
    Api(ENDPOINTS, Bearers(Tokens(), ManualClock()), CHANGES).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


async def ask(url: str, method: str = "GET", token: str = "", **more: object) -> tuple[int, dict]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        ClientSession() as session,
        session.request(method, url, headers=headers, **more) as reply,  # type: ignore[arg-type]
    ):
        body = await reply.read()
        return reply.status, msgspec.json.decode(body) if body else {}


async def test_who_may_is_answered_and_counted(url: str) -> None:
    body = b'{"names": ["a"]}'
    made = await ask(f"{url}/things/88.901.7", "POST", "tenant", data=body)
    assert made == (201, {"names": ["a"], "by": "e7"})
    status, problem = await ask(f"{url}/things/88.901.8", "POST", "tenant", data=body)
    assert (status, problem["code"]) == (403, "not-permitted")
    assert CHANGES == {("make-thing", "ok"): 1, ("make-thing", "not-permitted"): 1}


async def test_what_others_have_is_not_there(url: str) -> None:
    assert (await ask(f"{url}/things/88.901.8", token="tenant"))[0] == 404
    assert (await ask(f"{url}/things/88.901.8", token="staff"))[0] == 200


@pytest.mark.parametrize("token", ["", "nobody"])
async def test_without_a_token_nothing_is_read(url: str, token: str) -> None:
    status, problem = await ask(f"{url}/things/88.901", "POST", token, data=b"{")
    assert (status, problem["code"]) == (401, "authentication")
    assert (await ask(f"{url}/greeting"))[0] == 204


async def test_an_endpoint_that_never_asks_who_may_answers_nothing(url: str) -> None:
    status, _ = await ask(f"{url}/things/88.901", "DELETE", "staff")
    assert status == 500


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b'{"names": ["a"], "names": []}', 400, "malformed", None),
        (b"[" * 40 + b"]" * 40, 400, "malformed", None),
        (b'{"names": ["a", 1]}', 422, "validation", "/names/1"),
        (b'{"names": [], "colour": 1}', 422, "validation", None),
        (b'{"names": [], "size": "1"}', 422, "validation", "/size"),
        (b"", 400, "malformed", None),
    ],
)
async def test_bodies_that_are_refused(
    url: str, body: bytes, status: int, code: str, pointer: str | None
) -> None:
    got, problem = await ask(f"{url}/things/88.901", "POST", "staff", data=body)
    assert (got, problem["code"]) == (status, code)
    assert [error.get("pointer") for error in problem.get("errors", [])] == (
        [pointer] if pointer else []
    )


async def test_pages_follow_one_another(url: str) -> None:
    seen, cursor = [], ""
    while True:
        query = {"limit": "3", "cursor": cursor}
        status, page = await ask(f"{url}/things/88.901", token="staff", params=query)
        assert status == 200
        seen.append(page["items"])
        if (cursor := page.get("next_cursor", "")) == "":
            break
    assert seen == [["1", "2", "3"], ["4", "5", "6"], ["7"]]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "limit=1001", "limit=1&limit=2", "colour=1", "cursor=*", "cursor=WzFd."],
)
async def test_queries_that_are_refused(url: str, query: str) -> None:
    status, problem = await ask(f"{url}/things/88.901?{query}", token="staff")
    assert status in (400, 422)
    assert problem["code"] in ("malformed", "validation")


def test_cursors_hold_keys_of_their_types_only() -> None:
    assert read_cursor(make_cursor(("a", 1)), str, int) == ("a", 1)
    for wrong in (make_cursor((1, "a")), make_cursor(("a",)), "e30", "é"):
        with pytest.raises(Exception, match="cursor"):
            read_cursor(wrong, str, int)


async def exchange(url: str, method: str, body: bytes = b"", **headers: str) -> tuple[int, object]:
    """Status and headers of a reply to the operator's request."""
    given = {
        "Authorization": "Bearer staff",
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    async with (
        ClientSession() as session,
        session.request(method, url, headers=given, data=body or None) as reply,
    ):
        return reply.status, reply.headers


async def test_what_a_resource_can_be_asked(url: str) -> None:
    path = f"{url}/things/88.901"
    status, headers = await exchange(path, "OPTIONS")
    assert (status, headers["Allow"]) == (204, "POST, GET, HEAD, DELETE, OPTIONS")
    status, headers = await exchange(path, "HEAD")
    assert (status, int(headers["Content-Length"]) > 0) == (200, True)


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("application/things+json", 201),
        ("application/x-www-form-urlencoded", 201),  # what curl says of any body
        ("text/xml", 415),
        ("multipart/form-data", 415),
    ],
)
async def test_media_types_of_bodies(url: str, media: str, status: int) -> None:
    path = f"{url}/things/88.901"
    assert (await exchange(path, "POST", b'{"names": []}', Content_Type=media))[0] == status


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("text/html, application/*;q=0.5", 200),
        ("application/json;q=0", 406),
        ("text/html", 406),
        ("application/json;q=high", 406),
    ],
)
async def test_media_types_of_answers(url: str, accept: str, status: int) -> None:
    assert (await exchange(f"{url}/things/88.901", "GET", Accept=accept))[0] == status


async def test_a_request_has_the_name_it_was_given_or_one_of_its_own(url: str) -> None:
    path = f"{url}/things/88.901"
    for status, token in ((200, "staff"), (404, "tenant")):
        named = {"X_Request_Id": "mine-1", "Authorization": f"Bearer {token}"}
        got, headers = await exchange(path, "GET", **named)
        assert (got, headers["X-Request-Id"]) == (status, "mine-1")
    names = [
        (await exchange(path, "GET", X_Request_Id="not one"))[1]["X-Request-Id"] for _ in range(2)
    ]
    assert len({*names, "not one"}) == 3
    _, problem = await ask(path, "POST", "staff", data=b"{")
    assert problem["request_id"].partition("-")[0] == names[0].partition("-")[0]
