"""Search over HTTP: parameters, pages, and that nobody learns of what others have."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import msgspec
import pytest
import pytest_asyncio
from aiohttp import ClientSession, web

from registry.accounts.account import digest
from registry.audit.log import Actor
from registry.authorisation import Principal, Role
from registry.clock import ManualClock
from registry.http.bearer import Bearers
from registry.http.endpoints import Api
from registry.http.paging import make_cursor
from registry.http.search import Search
from registry.prefixes.allocations import Allocation, Hosting
from registry.prefixes.life import PrefixState
from registry.registration.changes import Create, Move, Reserve
from registry.registration.lifecycle import Operation
from registry.registration.registrar import Registrar
from registry.schemes.handle import DEFAULT_RULES, Key
from registry.search.indexing import Indexer
from registry.storage.backends import open_store
from registry.values.value import Value

ACTOR = Actor("tester", "test")
#: The second is as text a beginning of the first; both are somebody's.
TENANTS = ("88.901.7", "88.901.70", "88.901.8")
TOKENS = {
    digest("staff"): Principal("op", Role.OPERATOR, ("88.901",)),
    digest("app"): Principal("app", Role.ENTERPRISE_APP, ("88.901.8", "88.901.7"), "E7"),
    digest("nowhere"): Principal("new", Role.ENTERPRISE_OPERATOR, (), "E8"),
    **{
        digest(prefix): Principal(prefix, Role.ENTERPRISE_OPERATOR, (prefix,)) for prefix in TENANTS
    },
}


class Tokens:
    """Whose the tokens are."""

    async def principal(self, digest: bytes, now: int) -> Principal | None:
        return TOKENS.get(digest)


class Page(NamedTuple):
    status: int
    body: dict[str, Any]
    link: str

    @property
    def found(self) -> list[str]:
        return [item["identifier"] for item in self.body["items"]]


class Asking:
    """Searches in the name of a token."""

    def __init__(self, session: ClientSession, url: str, registrar: Registrar) -> None:
        self._session = session
        self._url = url
        self.registrar = registrar

    async def ask(self, token: str, **query: Any) -> Page:
        headers = {"Authorization": f"Bearer {token}"}
        async with self._session.get(self._url, headers=headers, params=query) as reply:
            body = msgspec.json.decode(await reply.read())
            return Page(reply.status, body, reply.headers.get("Link", ""))

    async def all(self, token: str, **query: Any) -> list[str]:
        """What is found on all pages."""
        found: list[str] = []
        cursor = ""
        for _ in range(200):
            page = await self.ask(token, cursor=cursor, **query)
            assert page.status == 200
            found += page.found
            cursor = page.body.get("next_cursor", "")
            assert ("cursor=" in page.link) == bool(cursor)
            if not cursor:
                return found
        raise AssertionError("the pages do not end")


@pytest_asyncio.fixture
async def asking(store_url: str) -> AsyncIterator[Asking]:
    store = await open_store(store_url)
    registrar = Registrar(store, ManualClock(1_800_000_000), indexed=True)
    await registrar.ledger.open()
    await _fill(registrar)
    await Indexer(store, registrar.ledger).catch_up()
    app = web.Application()
    bearers = Bearers(Tokens(), ManualClock())
    Api(Search(store.reads, DEFAULT_RULES).endpoints(), bearers, Counter()).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as session:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/identifiers"
        yield Asking(session, url, registrar)
    await runner.cleanup()
    await registrar.aclose()
    await store.close()


async def _fill(registrar: Registrar) -> None:
    """Five identifiers of each prefix, the last of them on hold, and one that is reserved."""
    await registrar.home(["88.901", *TENANTS], ACTOR)
    for prefix, number in itertools.product(("88.901", *TENANTS), range(1, 6)):
        values = [
            Value(1, b"URL", b"https://example.org/common"),
            Value(2, b"DESC", f"only {prefix}".encode()),
            Value(2001, b"lot", b"%d" % number),
            Value(2002, b"secret", b"hidden", permissions=0b1100),
        ]
        key = Key(prefix, f"BOT-{number}")
        await registrar.submit(Create(key, values), ACTOR)
    active, hosted = PrefixState.ACTIVE, Hosting.HOSTED
    async with registrar.ledger.begin() as writing:
        await writing.transaction.file(
            [Allocation(prefix, "E7", active, hosted, 0) for prefix in ("88.901.8", "88.901.7")]
        )
    for prefix in TENANTS:
        await registrar.submit(Move(Key(prefix, "BOT-5"), Operation.HOLD), ACTOR)
        await registrar.submit(Reserve(Key(prefix, "NEXT")), ACTOR)


def of(prefix: str, *suffixes: str) -> list[str]:
    return [f"{prefix}/{suffix}" for suffix in suffixes]


BOTTLES = tuple(f"BOT-{number}" for number in range(1, 6))


async def test_what_is_asked_for_is_found(asking: Asking) -> None:
    own = "88.901.7"
    assert await asking.all(own) == of(own, *BOTTLES, "NEXT")
    assert await asking.all(own, prefix=own, suffix_begins="bot") == of(own, *BOTTLES)
    assert await asking.all(own, state="on-hold") == of(own, "BOT-5")
    assert await asking.all(own, state="reserved") == of(own, "NEXT")
    assert await asking.all(own, state="active") == of(own, *BOTTLES[:4])
    assert await asking.all(own, value="3") == of(own, "BOT-3")
    assert await asking.all(own, value="3", type="LOT", index=2001) == of(own, "BOT-3")
    assert await asking.all(own, value="3", index=2002) == []
    assert await asking.all(own, value="3", type="URL") == []
    assert await asking.all(own, value="hidden") == []
    assert await asking.all(own, value="5", state="active") == []
    url = "https://example.org/common"
    assert sorted(await asking.all("app", value=url)) == sorted(
        of("88.901.7", *BOTTLES) + of("88.901.8", *BOTTLES)
    )
    everything = await asking.all("staff")
    assert everything == sorted(everything, key=lambda text: text.encode().split(b"/"))
    assert len(everything) == 4 * 5 + 3


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_pages_have_everything_once(asking: Asking, limit: int) -> None:
    url = "https://example.org/common"
    for query in ({}, {"value": url}, {"value": url, "type": "URL"}, {"state": "on-hold"}):
        whole = await asking.all("staff", **query)
        assert await asking.all("staff", limit=limit, **query) == whole
        assert len(set(whole)) == len(whole) > 0


async def test_nobody_learns_of_what_others_have(asking: Asking) -> None:
    foreign = [make_cursor((0, 0, prefix, "")) for prefix in ("", *TENANTS)]
    queries = [
        {
            name: text
            for name, text in zip(("value", "state", "cursor"), picked, strict=True)
            if text
        }
        for picked in itertools.product(
            ("", "1", "https://example.org/common", *(f"only {prefix}" for prefix in TENANTS)),
            ("", "active", "on-hold"),
            ("", *foreign),
        )
    ]
    for own in TENANTS:
        for query in queries:
            page = await asking.ask(own, **query)
            assert all(name.startswith(f"{own}/") for name in page.found)
        answers = [
            await asking.ask(own, prefix=prefix)
            for prefix in ("88.901", "88.999", *TENANTS)
            if prefix != own
        ]
        said = [{**each.body, "request_id": "", "instance": ""} for each in answers]
        assert said == said[:1] * len(said)
        assert {each.status for each in answers} == {404}


async def test_the_prefixes_of_an_enterprise(asking: Asking) -> None:
    both = of("88.901.7", *BOTTLES, "NEXT") + of("88.901.8", *BOTTLES, "NEXT")
    for token in ("app", "staff"):
        assert await asking.all(token, enterprise="E7") == both
        assert await asking.all(token, enterprise="E7", prefix="88.901.8") == both[6:]
        assert await asking.all(token, enterprise="E7", prefix="88.901.70") == []
    assert await asking.all("staff", enterprise="E9") == []
    assert (await asking.ask("app", enterprise="E9")).status == 404


async def test_how_far_the_index_is_is_told(asking: Asking) -> None:
    own = "88.901.7"
    page = await asking.ask(own, value="1")
    last = page.body["indexed_through"]
    assert page.body["complete"] is True
    assert "indexed_through" not in (await asking.ask(own)).body
    await asking.registrar.submit(Create(Key(own, "NEW"), [Value(1, b"lot", b"1")]), ACTOR)
    page = await asking.ask(own, value="1")
    assert (page.body["indexed_through"], page.body["complete"]) == (last, False)
    assert page.found == of(own, "BOT-1")


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ({"type": "URL"}, 422, "/type"),
        ({"index": "2001"}, 422, "/index"),
        ({"suffix_begins": "B"}, 422, "/suffix_begins"),
        ({"state": "gone"}, 422, "/state"),
        ({"state": "null"}, 422, "/state"),
        ({"limit": "0"}, 422, "/limit"),
        ({"limit": "1001"}, 422, "/limit"),
        ({"cursor": "AAAA"}, 422, "/cursor"),
        ({"cursor": make_cursor((0, 0, "88.901.7", "\x00"))}, 422, "/cursor"),
        ({"value": "1", "cursor": make_cursor((0, 1 << 70, "88.901.7", ""))}, 200, None),
        ({"prefix": "88.901.7\x00"}, 422, "/prefix"),
        ({"colour": "red"}, 422, None),
        ({"value": "x" * 601}, 422, "/value"),
    ],
)
async def test_queries_that_are_refused(
    asking: Asking, query: dict[str, str], status: int, pointer: str | None
) -> None:
    page = await asking.ask("88.901.7", **query)
    assert page.status == status
    errors = page.body.get("errors", [])
    assert [error.get("pointer") for error in errors] == ([pointer] if pointer else [])


async def test_who_has_no_prefix_finds_nothing(asking: Asking) -> None:
    assert (await asking.ask("nowhere")).status == 403
    assert (await asking.ask("nobody")).status == 401
