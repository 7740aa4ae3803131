"""/v1/templates over a real socket: its life, who sees what, what is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest_asyncio
from aiohttp import ClientSession, web

from registry.accounts.account import digest
from registry.authorisation import Principal, Role
from registry.clock import ManualClock
from registry.http.bearer import Bearers
from registry.http.endpoints import Api
from registry.http.templates import TemplateResources
from registry.registration.registrar import Registrar
from registry.storage.backends import open_store
from registry.templates.office import TemplateOffice

TOKENS = {
    digest("operator"): Principal("op", Role.OPERATOR, ("88.901",)),
    digest("seven"): Principal("e7", Role.ENTERPRISE_OPERATOR, ("88.901.7",), "E7"),
    digest("app"): Principal("a8", Role.ENTERPRISE_APP, ("88.901.8",), "E8"),
}
BOTTLE: dict[str, Any] = {
    "prefix": "88.901",
    "name": "BOTTLE",
    "industry": "C1512",
    "title": {"en": "bottle", "zh": "瓶"},
    "items": [{"index": 2000, "name": "productName", "required": True}],
}


class Tokens:
    """Three tokens and whose they are."""

    async def principal(self, digest: bytes, now: int) -> Principal | None:
        return TOKENS.get(digest)


@pytest_asyncio.fixture
async def url(store_url: str) -> AsyncIterator[str]:
    store = await open_store(store_url)
    registrar = Registrar(store, ManualClock())
    await registrar.ledger.open()
    templates = TemplateResources(TemplateOffice(registrar.ledger), store.reads)
    app = web.Application()
    Api(templates.endpoints(), Bearers(Tokens(), ManualClock()), Counter()).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/templates"
    await runner.cleanup()
    await registrar.aclose()
    await store.close()


async def ask(method: str, url: str, token: str, body: object = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    data = None if body is None else msgspec.json.encode(body)
    async with (
        ClientSession() as session,
        session.request(method, url, headers=headers, data=data) as reply,
    ):
        octets = await reply.read()
        return reply.status, msgspec.json.decode(octets) if octets else None


async def test_from_draft_to_withdrawn(url: str) -> None:
    status, made = await ask("POST", url, "operator", BOTTLE)
    assert (status, made["version"], made["state"]) == (201, 1, "draft")
    definition = {name: BOTTLE[name] for name in ("industry", "items")}
    status, changed = await ask("PUT", f"{url}/88.901/BOTTLE", "operator", definition)
    assert (status, changed["title"]) == (200, {"en": "", "zh": ""})
    for step, state in (("publish", "published"), ("withdraw", "withdrawn")):
        status, moved = await ask("POST", f"{url}/88.901/BOTTLE/{step}", "operator")
        assert (status, moved["state"]) == (200, state)
    status, problem = await ask("DELETE", f"{url}/88.901/BOTTLE", "operator")
    assert (status, problem["code"]) == (409, "state-conflict")
    status, second = await ask("PUT", f"{url}/88.901/BOTTLE", "operator", definition)
    assert (status, second["version"]) == (200, 2)
    assert await ask("DELETE", f"{url}/88.901/BOTTLE", "operator") == (204, None)


async def test_drafts_are_for_those_who_may_draft(url: str) -> None:
    await ask("POST", url, "operator", BOTTLE)
    assert (await ask("GET", f"{url}/88.901/BOTTLE", "seven"))[0] == 404
    assert (await ask("GET", url, "seven"))[1] == {"items": []}
    await ask("POST", f"{url}/88.901/BOTTLE/publish", "operator")
    assert (await ask("GET", f"{url}/88.901/bottle?version=1", "seven"))[0] == 404
    assert (await ask("GET", f"{url}/88.901/BOTTLE?version=1", "seven"))[0] == 200
    assert [each["name"] for each in (await ask("GET", url, "app"))[1]["items"]] == ["BOTTLE"]


async def test_enterprises_have_templates_of_their_own(url: str) -> None:
    own = BOTTLE | {"prefix": "88.901.7"}
    assert (await ask("POST", url, "seven", own))[0] == 201
    assert (await ask("POST", f"{url}/88.901.7/BOTTLE/publish", "seven"))[0] == 200
    assert (await ask("POST", url, "seven", BOTTLE))[0] == 403
    assert (await ask("POST", url, "app", own | {"prefix": "88.901.8"}))[0] == 403
    assert (await ask("GET", f"{url}/88.901.7/BOTTLE", "app"))[0] == 404
    assert (await ask("GET", url, "app"))[1] == {"items": []}
    assert len((await ask("GET", url, "operator"))[1]["items"]) == 1


async def test_lists_come_page_by_page(url: str) -> None:
    for number in range(5):
        await ask("POST", url, "operator", BOTTLE | {"name": f"T{number}"})
    status, first = await ask("GET", f"{url}?limit=3", "operator")
    assert [each["name"] for each in first["items"]] == ["T0", "T1", "T2"]
    status, rest = await ask("GET", f"{url}?limit=3&cursor={first['next_cursor']}", "operator")
    assert (status, [each["name"] for each in rest["items"]]) == (200, ["T3", "T4"])
    assert "next_cursor" not in rest
    assert (await ask("GET", f"{url}?state=published", "operator"))[1] == {"items": []}


async def test_what_is_refused_names_the_member(url: str) -> None:
    wrong = BOTTLE | {"items": [{"index": 1999, "name": "a"}]}
    status, problem = await ask("POST", url, "operator", wrong)
    assert (status, problem["errors"][0]["pointer"]) == (422, "/items/0/index")
    twice = BOTTLE | {"items": [{"index": 2000, "name": "a"}, {"index": 2000, "name": "b"}]}
    status, problem = await ask("POST", url, "operator", twice)
    assert (status, problem["errors"][0]["pointer"]) == (422, "/items/1")
    assert (await ask("GET", f"{url}/88.901/NONE", "operator"))[0] == 404
    await ask("POST", url, "operator", BOTTLE)
    status, problem = await ask("POST", url, "operator", BOTTLE)
    assert (status, problem["code"]) == (409, "already-exists")
