"""The SNMS-shaped API over a real socket, with the bodies of its guide's form."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import ClientSession, web

from registry.accounts.account import issue_account
from registry.accounts.challenges import Challenges
from registry.accounts.passwords import Passwords
from registry.accounts.sign_in import SignIn
from registry.audit.log import Actor
from registry.authorisation import Role
from registry.clock import ManualClock
from registry.http.bearer import Bearers
from registry.http.endpoints import Api
from registry.http.snms.answering import refusal_answer
from registry.http.snms.identifiers import Identifiers
from registry.http.snms.identity import Identity
from registry.http.snms.templates import Templates
from registry.registration.changes import AddValues
from registry.registration.registrar import Registrar
from registry.schemes.handle import HandleRules, Key
from registry.storage.backends import open_store
from registry.templates.office import TemplateOffice
from registry.values.value import ADMIN_READ, Value

#: Two o'clock at night of 2026-03-01 in Beijing.
NOW = 1_772_301_600
SEVEN = issue_account("operator@88.901.7", Role.ENTERPRISE_OPERATOR, "88.901.7")
EIGHT = issue_account("operator@88.901.8", Role.ENTERPRISE_OPERATOR, "88.901.8")
READER = issue_account("reader", Role.READ_ONLY, "88.901")
TEMPLATE: dict[str, Any] = {
    "prefix": "88.901.7",
    "version": "1.0.0",
    "industryCategory": "C",
    "industrySpecific": "15",
    "industryTrade": "151",
    "industrySubclass": "1512",
    "type": 2,
    "description": "示例",
    "items": [
        {
            "name": "名称",
            "idType": "name",
            "idIndex": "2000",
            "metadata": {"type": "string", "minLength": 1, "maxLength": 10},
            "required": True,
        }
    ],
}


class Client:
    """Speaks to the API as one account."""

    def __init__(self, session: ClientSession, url: str, token: str) -> None:
        self._session = session
        self._url = url
        self.token = token

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else msgspec.json.encode(body)
        url = self._url + path
        async with self._session.request(method, url, headers=headers, data=data) as reply:
            assert reply.status == 200
            return msgspec.json.decode(await reply.read())

    def as_account(self, token: str) -> Client:
        return Client(self._session, self._url, token)


@pytest_asyncio.fixture
async def registrar(store_url: str) -> AsyncIterator[Registrar]:
    store = await open_store(store_url)
    async with store.begin() as transaction:
        await transaction.home(["88.901.7", "88.901.8"])
        for issued in (SEVEN, EIGHT, READER):
            await transaction.file([issued.account, issued.app_key])
    registrar = Registrar(store, ManualClock(NOW))
    await registrar.ledger.open()
    yield registrar
    await registrar.aclose()
    await store.close()


@pytest_asyncio.fixture
async def client(registrar: Registrar) -> AsyncIterator[Client]:
    reads, clock, passwords = registrar.reads, ManualClock(NOW), Passwords()
    sign_in = SignIn(registrar.ledger, reads, clock, passwords, Challenges("test", b"test" * 8))
    endpoints = [
        *Identity(sign_in, clock).endpoints(),
        *Identifiers(registrar, reads, HandleRules()).endpoints(),
        *Templates(TemplateOffice(registrar.ledger), reads, HandleRules()).endpoints(),
    ]
    app = web.Application()
    Api(endpoints, Bearers(reads, clock), Counter(), refusal_answer).add_to(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as session:
        yield Client(session, f"http://127.0.0.1:{runner.addresses[0][1]}", SEVEN.token)
    await runner.cleanup()
    sign_in.close()
    passwords.close()


@pytest_asyncio.fixture
async def templated(client: Client) -> Client:
    assert await client.ask("POST", "/snms/api/v5/template", TEMPLATE) == success(True)
    return client


def success(data: object) -> dict[str, object]:
    return {"message": "success", "status": 1, "data": data}


def form(
    handle: str, *, index: int = 2000, type_: str = "name", text: str = "一"
) -> dict[str, Any]:
    data = {"format": "string", "value": text}
    value = {"data": data, "auth": "", "index": index, "type": type_}
    return {"handle": handle, "templateVersion": "1.0.0", "value": [value]}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- logging in ---


async def test_a_password_for_a_token(client: Client) -> None:
    login = {"username": "operator@88.901.7", "password": SEVEN.password}
    said = await client.ask("POST", "/identity/token", login)
    assert said["status"] == 1
    other = client.as_account(said["data"]["token"])
    assert (await other.ask("GET", "/identityv2/data/detail?handle=88.901.7/X"))["status"] == -2


@pytest.mark.parametrize(
    ("day", "status"), [("2026-03-01", 1), ("2026-02-28", 1), ("2026-02-27", -2)]
)
async def test_the_digest_of_password_and_day_for_a_token(
    client: Client, day: str, status: int
) -> None:
    proof = digest(digest(SEVEN.password) + day)
    said = await client.ask(
        "POST", "/identity/token/v1", {"username": "operator@88.901.7", "password": proof}
    )
    assert said["status"] == status


@pytest.mark.parametrize("path", ["/identity/token", "/identity/token/v1"])
@pytest.mark.parametrize("username", ["operator@88.901.7", "nobody", "ü"])
async def test_a_wrong_password(client: Client, path: str, username: str) -> None:
    said = await client.ask("POST", path, {"username": username, "password": "wröng"})
    assert said == {"message": "用户名/密码错误！", "status": -2, "data": None}


async def test_without_a_token_nothing_is_done(client: Client) -> None:
    stranger = client.as_account("nobody's")
    said = await stranger.ask("POST", "/identityv2/data", form("88.901.7/A"))
    assert (said["status"], said["data"]) == (-1, None)


# --- identifiers ---


async def test_register_read_change_delete(templated: Client) -> None:
    assert await templated.ask("POST", "/identityv2/data", form("88.901.7/a")) == success(True)
    said = await templated.ask("GET", "/identityv2/data/detail?handle=88.901.7/a")
    data = said["data"]
    assert (data["prefix"], data["handle"], data["templateVersion"]) == (
        "88.901.7",
        "88.901.7/a",
        "1.0.0",
    )
    assert [(value["index"], value["type"], value["data"]["value"]) for value in data["value"]] == [
        (1000, "TEMPLATE_ID", "88.901.7/1.0.0"),
        (1001, "TEMPLATE", "1.0.0"),
        (2000, "name", "一"),
    ]
    again = await templated.ask("POST", "/identityv2/data", form("88.901.7/A"))
    assert again == {"message": "标识已存在", "status": -2, "data": None}
    changed = form("88.901.7/A", text="二")
    assert await templated.ask("PUT", "/identityv2/data", changed) == success(True)
    said = await templated.ask("GET", "/identityv2/data/detail?handle=88.901.7/A")
    assert said["data"]["value"][2]["data"]["value"] == "二"
    assert await templated.ask("DELETE", "/identityv2/data", {"handle": "88.901.7/A"}) == success(
        True
    )
    gone = await templated.ask("DELETE", "/identityv2/data", {"handle": "88.901.7/A"})
    assert gone == {"message": "没有找到标识", "status": -2, "data": None}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            form("88.901.7/B", index=2001),
            "非法操作，索引2001在模板中不存在；缺少必填属性: name",
        ),
        (form("88.901.7/B", index=1000), "非法操作，索引1000在模板中不存在"),
        (form("88.901.7/B", index=1001), "参数错误: value/0/index: 1001 is reserved"),
        (form("88.901.7/B", type_="Name"), "非法操作，索引2000的类型与模板不一致，应为name"),
        (form("88.901.7/B", text="x" * 11), "属性name的长度不符合模板限制"),
        (form("88.901.7/B") | {"value": []}, "缺少必填属性: name"),
        (form("88.901.7/B") | {"templateVersion": "2"}, "数据模板不存在或未发布"),
    ],
)
async def test_what_the_template_does_not_allow(
    templated: Client, body: dict[str, Any], message: str
) -> None:
    said = await templated.ask("POST", "/identityv2/data", body)
    assert said == {"message": message, "status": -2, "data": None}


async def test_the_prefix_of_another_enterprise(templated: Client) -> None:
    said = await templated.ask("POST", "/identityv2/data", form("88.901.8/A"))
    assert said == {"message": "没有权限", "status": -3, "data": None}
    reader = templated.as_account(READER.token)
    assert (await reader.ask("POST", "/identityv2/data", form("88.901.7/A")))["status"] == -3


async def test_others_see_what_resolution_shows(templated: Client, registrar: Registrar) -> None:
    await templated.ask("POST", "/identityv2/data", form("88.901.7/A"))
    hidden = Value(5, b"note", b"for administrators", permissions=ADMIN_READ)
    await registrar.submit(AddValues(Key("88.901.7", "A"), [hidden]), Actor("e7", "test"))
    path = "/identityv2/data/detail?handle=88.901.7/A"
    for token, seen in ((SEVEN.token, [5, 1000, 1001, 2000]), (EIGHT.token, [1000, 1001, 2000])):
        values = (await templated.as_account(token).ask("GET", path))["data"]["value"]
        assert [value["index"] for value in values] == seen


async def test_batches_tell_what_came_of_each(templated: Client) -> None:
    forms = [
        form("88.901.7/1"),
        form("88.901.7/1"),
        form("88.901.8/2"),
        form("88.901.7/3", text=""),
    ]
    said = await templated.ask("POST", "/identityv2/data/batchCreate", forms)
    assert said["status"] == 1
    assert [(item["handle"], item["code"], item["msg"]) for item in said["data"]] == [
        ("88.901.7/1", 1, "success"),
        ("88.901.7/1", -2, "标识已存在"),
        ("88.901.8/2", -3, "没有权限"),
        ("88.901.7/3", -2, "属性name的长度不符合模板限制"),
    ]
    updates = [form("88.901.7/1", text="二"), form("88.901.7/9")]
    said = await templated.ask("PUT", "/identityv2/data/batchUpdate", updates)
    assert [item["code"] for item in said["data"]] == [1, -2]
    for body in (["88.901.7/1", "88.901.7/9"], {"handles": ["88.901.7/1"]}):
        said = await templated.ask("DELETE", "/identityv2/data/batchDelete", body)
    assert said["data"] == [{"handle": "88.901.7/1", "msg": "没有找到标识", "code": -2}]


async def test_a_batch_has_its_bound(templated: Client) -> None:
    handles = [f"88.901.7/{number}" for number in range(2001)]
    said = await templated.ask("DELETE", "/identityv2/data/batchDelete", handles)
    assert said["status"] == -2
    assert (await templated.ask("DELETE", "/identityv2/data/batchDelete", handles[1:]))[
        "status"
    ] == 1


# --- templates ---


async def test_templates_are_read_as_they_were_written(templated: Client) -> None:
    path = "/snms/api/v5/template?prefix=88.901.7&version=1.0.0"
    data = (await templated.ask("GET", path))["data"]
    written = {name: value for name, value in TEMPLATE.items() if name != "items"}
    assert written.items() <= data.items()
    assert data["handle"] == "88.901.7/1.0.0"
    assert data["items"] == [TEMPLATE["items"][0] | {"idIndex": 2000, "state": 1}]


async def test_a_template_is_added_once(templated: Client) -> None:
    again = await templated.ask("POST", "/snms/api/v5/template", TEMPLATE)
    assert again == {"message": "数据模板已存在", "status": -2, "data": None}
    for method in ("PUT", "DELETE"):
        other = TEMPLATE | {"version": "2.0.0"}
        said = await templated.ask(method, "/snms/api/v5/template", other)
        assert said == {"message": "数据模板不存在或未发布", "status": -2, "data": None}


async def test_what_cannot_be_published_leaves_nothing(client: Client) -> None:
    twice = TEMPLATE | {"items": [TEMPLATE["items"][0], TEMPLATE["items"][0] | {"idIndex": 2001}]}
    assert (await client.ask("POST", "/snms/api/v5/template", twice))["status"] == -2
    assert await client.ask("POST", "/snms/api/v5/template", TEMPLATE) == success(True)


async def test_changes_of_a_template_are_incremental(templated: Client) -> None:
    item = TEMPLATE["items"][0]
    disabled = item | {"state": 0, "required": False}
    added = item | {"idType": "size", "name": "大小", "idIndex": None, "required": False}
    body = TEMPLATE | {"items": [added, disabled]}
    assert await templated.ask("PUT", "/snms/api/v5/template", body) == success(True)
    path = "/snms/api/v5/template?prefix=88.901.7&version=1.0.0"
    items = (await templated.ask("GET", path))["data"]["items"]
    assert [(each["idIndex"], each["idType"], each["state"]) for each in items] == [
        (2000, "name", 0),
        (2001, "size", 1),
    ]
    said = await templated.ask("POST", "/identityv2/data", form("88.901.7/A"))
    assert said["message"] == "属性name已禁用"


async def test_a_dropped_template_takes_no_records(templated: Client) -> None:
    name = {"prefix": "88.901.7", "version": "1.0.0"}
    assert await templated.ask("DELETE", "/snms/api/v5/template", name) == success(True)
    said = await templated.ask("POST", "/identityv2/data", form("88.901.7/A"))
    assert said["message"] == "数据模板不存在或未发布"
    path = "/snms/api/v5/template?prefix=88.901.7&version=1.0.0"
    assert (await templated.ask("GET", path))["status"] == -2


async def test_bodies_that_are_none(client: Client) -> None:
    for body in ({}, [], {"handle": 1}, {"handle": "88.901.7/A", "value": []}):
        assert (await client.ask("POST", "/identityv2/data", body))["status"] == -2
    said = await client.ask("GET", "/identityv2/data/detail")
    assert said["status"] == -2
    assert "handle" in said["message"]
