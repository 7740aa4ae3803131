"""The description of the API and the page about it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Annotated, Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from msgspec import Meta
from openapi_spec_validator import OpenAPIV31SpecValidator

from registry.authorisation import Operation
from registry.http.description import describe
from registry.http.documentation import Documentation
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.headers import ETAG, IF_MATCH
from registry.http.paging import PageQuery


class Thing(msgspec.Struct):
    """A body."""

    name: Annotated[str, Meta(max_length=9)]
    parts: list[Thing] = []


class ThingQuery(PageQuery, kw_only=True):
    """A query."""

    colour: str | None = None
    size: Annotated[int, Meta(ge=1)]


async def act(call: Call) -> Reply:
    raise NotImplementedError


PATH = "/v1/things/{prefix}/{rest:(?s:.+)}"
ENDPOINTS = (
    Endpoint(
        "PUT",
        PATH,
        "put-thing",
        "Put a thing",
        act,
        Operation.REGISTER,
        body=Thing,
        answers={201: Thing, 204: None},
        tag="things",
        takes=(IF_MATCH,),
        gives=(ETAG,),
    ),
    Endpoint(
        "GET",
        "/v1/things",
        "list-things",
        "Things",
        act,
        None,
        query=ThingQuery,
        answers={200: dict[str, Thing]},
        tag="things",
    ),
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(ENDPOINTS)


def test_it_is_openapi(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"


def test_an_operation_says_what_the_endpoint_says(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/things/{prefix}/{rest}"]["put"]
    assert operation["operationId"] == "put-thing"
    assert operation["security"] == [{"bearer": []}]
    names = [(each["in"], each["name"]) for each in operation["parameters"]]
    assert names == [("path", "prefix"), ("path", "rest"), ("header", "If-Match")]
    content = operation["requestBody"]["content"]["application/json"]
    assert content == {"schema": {"$ref": "#/components/schemas/Thing"}}
    assert set(operation["responses"]["201"]["headers"]) == {"X-Request-Id", "ETag"}
    assert "content" not in operation["responses"]["204"]
    refused = document["components"]["responses"]["Refused412"]
    assert refused["description"] == "`precondition-failed`"
    assert [*refused["content"]] == ["application/problem+json"]


def test_a_query_is_described_by_its_members(document: dict[str, Any]) -> None:
    operation = document["paths"]["/v1/things"]["get"]
    assert operation["security"] == []
    described = {each["name"]: each for each in operation["parameters"]}
    assert described["colour"]["schema"] == {"type": "string"}
    assert [name for name, each in described.items() if each["required"]] == ["size"]
    assert described["limit"]["schema"]["maximum"] == 1000
    assert "Link" in operation["responses"]["200"]["headers"]
    assert {"400", "422"} <= set(operation["responses"]) >= {"200"}
    assert "401" not in operation["responses"]


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    Documentation(ENDPOINTS).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_the_page_loads_nothing_from_elsewhere(url: str) -> None:
    async with ClientSession() as session:
        async with session.get(f"{url}/docs") as reply:
            assert reply.content_type == "text/html"
            assert reply.headers["Content-Security-Policy"].startswith("default-src 'self'")
            page = await reply.text()
        named = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert named
        for path in named:
            assert path.startswith("/")
            async with session.get(url + path) as reply:
                assert (reply.status, reply.headers["X-Content-Type-Options"]) == (200, "nosniff")
                tag = {"If-None-Match": reply.headers["ETag"]}
            async with session.get(url + path, headers=tag) as reply:
                assert reply.status == 304
    for file in files("registry.http").joinpath("docs_page").iterdir():
        assert not re.search(r"https?://(?!example\.org/)", file.read_text())
        assert "style=" not in file.read_text()
