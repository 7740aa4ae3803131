"""What is refused before a resource is asked has the name of the request too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from yarl import URL

from registry.http.problem import problem
from registry.outcomes import Outcome
from resolver.transports.http_refusals import MAX_TARGET, PARSER_LIMITS, HttpReply, refusals


class Front:
    """Has words for what is refused."""

    def refuse(self, outcome: Outcome, detail: str, target: str = "") -> HttpReply:
        return problem(outcome, detail, instance=target)


async def answer(_request: web.Request) -> web.Response:
    return web.Response()


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application(middlewares=[refusals(Front())])
    app.router.add_get("/here", answer)
    runner = web.AppRunner(app, **PARSER_LIMITS)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/here", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/" + "x" * MAX_TARGET, 414),
    ],
)
async def test_a_refusal_names_the_request(url: str, method: str, path: str, status: int) -> None:
    headers = {"X-Request-Id": "mine"}
    async with (
        ClientSession() as session,
        session.request(method, URL(url + path), headers=headers) as reply,
    ):
        document = await reply.json(content_type="application/problem+json")
    assert (reply.status, reply.headers["X-Request-Id"]) == (status, "mine")
    assert document["request_id"] == "mine"
