"""The JSON API of a running node, over real sockets: who may do what, and who is told what."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
from collections.abc import AsyncIterator
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from multidict import CIMultiDictProxy

from registry.values.json_members import octets_to_base64
from registry.values.key_objects import dump_public_key
from registry.values.key_signature import make_signature
from resolver.codecs.handle.keyed_digest import SHA1, SHA256, Stretching, keyed_digest
from resolver.codecs.handle.keyed_digest import stretched_digest as stretched
from tests.support.administered import administered_node
from tests.support.recorded_server import PREFIX as SECTOR

HANDLE = f"{SECTOR}/j-1"
URL_VALUE = {"index": 1, "type": "URL", "data": "https://j.example/1"}
HIDDEN = {"index": 2, "type": "NOTE", "data": "hidden", "permissions": "1100"}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Reply(NamedTuple):
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def seen(self) -> tuple[int, int]:
        return self.status, self.json["responseCode"]


class Peer:
    """A client of one node; it writes over HTTPS."""

    def __init__(self, http: aiohttp.ClientSession, node: Any) -> None:
        self._http = http
        entry = node.node.ready_entry()
        self.plain, self.tls = entry["http"], entry["https"]
        self.secret = node.admins[SECTOR].secret
        self.admin = f"{node.admins[SECTOR].index}:{node.admins[SECTOR].handle}"

    async def ask(
        self, method: str, path: str, body: Any = None, *, plain: bool = False, **headers: str
    ) -> Reply:
        names = {name.replace("_", "-"): text for name, text in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            names.setdefault("Content-Type", "application/json")
        base = self.plain if plain else self.tls
        async with self._http.request(
            method, base + path, data=body and io.BytesIO(body), headers=names, ssl=False
        ) as reply:
            return Reply(reply.status, reply.headers, await reply.read())

    def basic(self, admin: str | None = None, secret: str | None = None) -> str:
        user = quote(admin or self.admin, safe="")
        pair = f"{user}:{self.secret if secret is None else secret}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    async def do(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """As the administrator of the prefix."""
        return await self.ask(method, path, body, Authorization=self.basic(), **headers)

    async def put(self, *values: Any, handle: str = HANDLE, query: str = "") -> Reply:
        return await self.do("PUT", f"/api/handles/{handle}{query}", list(values))


@pytest.fixture
async def peer(tmp_path) -> AsyncIterator[Peer]:
    async with administered_node(tmp_path) as node, aiohttp.ClientSession() as http:
        yield Peer(http, node)


def handle_header(session: dict[str, str], **members: str) -> str:
    shown = {"sessionId": session["sessionId"], **members}
    return "Handle " + ", ".join(f'{name}="{text}"' for name, text in shown.items())


# --- changes ---


async def test_a_handle_from_its_creation_to_its_end(peer):
    assert (await peer.put(URL_VALUE, HIDDEN)).seen == (201, 1)
    assert (await peer.put(URL_VALUE, HIDDEN)).seen == (200, 1)
    assert (await peer.put(URL_VALUE, query="?overwrite=false")).seen == (409, 101)
    more = {"index": 3, "type": "NOTE", "data": "more"}
    assert (await peer.put(more, query="?index=3")).seen == (201, 1)
    assert (await peer.put(more, URL_VALUE, query="?index=various")).seen == (200, 1)
    again = await peer.put(more, query="?index=3&overwrite=false")
    assert again.seen == (409, 201)
    assert again.json["message"] == "Index conflict for 3"
    assert (await peer.do("DELETE", f"/api/handles/{HANDLE}?index=3&index=2")).seen == (200, 1)
    values = (await peer.ask("GET", f"/api/handles/{HANDLE}")).json["values"]
    assert [value["index"] for value in values] == [1]
    assert (await peer.do("DELETE", f"/api/handles/{HANDLE}")).seen == (200, 1)
    assert (await peer.do("DELETE", f"/api/handles/{HANDLE}")).seen == (404, 100)


async def test_adding_to_nothing_and_changing_what_others_home(peer):
    assert (await peer.put(URL_VALUE, query="?index=1")).seen == (404, 100)
    elsewhere = await peer.put(URL_VALUE, handle="88.2000/x")
    assert elsewhere.seen == (400, 301)
    assert "88.2000" not in elsewhere.json["message"]
    assert "ask" in elsewhere.json["message"]


async def test_minted_names_differ(peer):
    one, two = [
        await peer.put(URL_VALUE, handle=f"{SECTOR}/", query="?mintNewSuffix") for _ in "ab"
    ]
    assert one.seen == two.seen == (201, 1)
    assert one.json["handle"] != two.json["handle"]
    assert (await peer.ask("GET", f"/api/handles/{one.json['handle']}")).status == 200


@pytest.mark.parametrize("body", [{"values": [URL_VALUE]}, [URL_VALUE], URL_VALUE])
async def test_the_forms_of_a_body(peer, body):
    assert (await peer.do("PUT", f"/api/handles/{HANDLE}", body)).seen == (201, 1)


@pytest.mark.parametrize(
    ("body", "seen", "said"),
    [
        (b'{"values":[{"index":1,"type":"URL","data":"x"},]}', (400, 4), "line 1"),
        (b"", (400, 4), "media type"),
        (b"{", (400, 4), "JSON"),
        (b"1", (400, 4), "values are expected"),
        (b'{"values":3}', (400, 4), "values are expected"),
        (b'{"type":"URL"}', (400, 4), "values are expected"),
        (b"[" * 40 + b"]" * 40, (400, 4), "deep"),
        (b"[" * 100_000, (400, 4), "deep"),
        (b'[{"index":1,"index":2,"type":"URL","data":"x"}]', (400, 4), "twice"),
        (b'[{"index":NaN,"type":"URL","data":"x"}]', (400, 4), "NaN"),
        (b'[{"index":' + b"9" * 5000 + b',"type":"URL","data":"x"}]', (400, 4), "digits"),
        (b'[{"index":1e400,"type":"URL","data":"x"}]', (400, 4), "larger"),
        (b'[{"index":1.5,"type":"URL","data":"x"}]', (400, 202), "index"),
        (b'[{"index":true,"type":"URL","data":"x"}]', (400, 202), "index"),
        (b'[{"index":-1,"type":"URL","data":"x"}]', (400, 202), "index"),
        (b'[{"index":2147483648,"type":"URL","data":"x"}]', (400, 202), "positive"),
        (b'[{"index":1,"type":7,"data":"x"}]', (400, 202), "type"),
        (b'[{"index":1,"type":"URL","data":{"format":"ham","value":""}}]', (400, 202), "format"),
        (b'[{"index":1,"type":"URL","data":"x","permissions":"0120"}]', (400, 202), "digits"),
        (b"[null]", (400, 202), "object"),
        (b"\xff", (400, 4), "UTF-8"),
        (b'{"handle":5,"values":[]}', (400, 4), "Mismatched"),
    ],
)
async def test_bodies_that_cannot_be_stored(peer, body, seen, said):
    reply = await peer.do("PUT", f"/api/handles/{HANDLE}", body)
    assert reply.seen == seen
    assert said in reply.json["message"]
    assert len(reply.body) < 300
    assert (await peer.ask("GET", f"/api/handles/{HANDLE}")).status == 404


async def test_a_body_that_is_too_large(peer):
    reply = await peer.do("PUT", f"/api/handles/{HANDLE}", b"[" + b" " * (1 << 20) + b"]")
    assert reply.seen == (413, 4)


async def test_permissions_of_four_and_five_digits(peer):
    values = [
        {"index": at, "type": "T", "data": "x", "permissions": digits}
        for at, digits in enumerate(["0110", "00110", "1100", "11110"], 1)
    ]
    await peer.put(*values)
    found = (await peer.do("GET", f"/api/handles/{HANDLE}")).json["values"]
    shown = [value.get("permissions", "1110") for value in found]
    assert shown == ["0110", "0110", "1100", "1110"]


# --- who asks ---


async def test_restricted_values(peer):
    await peer.put(URL_VALUE, HIDDEN)
    path = f"/api/handles/{HANDLE}"
    assert len((await peer.ask("GET", path)).json["values"]) == 1
    assert len((await peer.do("GET", path)).json["values"]) == 2
    assert len((await peer.do("GET", f"{path}?publicOnly=true")).json["values"]) == 1
    refused = await peer.ask("GET", f"{path}?publicOnly=false")
    assert refused.seen == (401, 402)
    basic, handle = refused.headers.getall("WWW-Authenticate")
    assert basic == 'Basic realm="handle"'
    assert handle.startswith("Handle sessionId=")
    assert (await peer.ask("GET", f"{path}?publicOnly=false", plain=True)).seen == (403, 402)
    plain = await peer.ask("GET", path, plain=True, Authorization=peer.basic())
    assert len(plain.json["values"]) == 1


async def test_over_plain_http_nothing_is_changed(peer):
    for path, body in ((f"/api/handles/{HANDLE}", [URL_VALUE]), ("/api/prefixes/88.9", {})):
        method = "PUT" if "handles" in path else "POST"
        reply = await peer.ask(method, path, body, plain=True, Authorization=peer.basic())
        assert reply.seen == (403, 402)
        assert "WWW-Authenticate" not in reply.headers
    assert (await peer.ask("GET", f"/api/handles/{HANDLE}")).status == 404


async def test_what_does_not_authenticate(peer, caplog):
    wrong = [
        peer.basic(secret="wrong"),
        peer.basic(secret=""),
        peer.basic(admin="300:88.1000/NOBODY"),
        peer.basic(admin="301:88.1000/ADMIN"),
        peer.basic(admin="x" * 300),
        "Basic",
        "Basic !!!",
        "Basic bm9jb2xvbg==",
        "Bearer token",
        "Handle",
        "Handle =",
        'Handle sessionId="nobodys"',
        'Handle id="300:88.1000/ADMIN", type="HS_SECKEY"',
    ]
    with caplog.at_level(logging.WARNING, "resolver.security"):
        for said in wrong:
            path = f"/api/handles/{HANDLE}"
            reply = await peer.ask("PUT", path, [URL_VALUE], Authorization=said)
            assert reply.status == 401, said
            assert "WWW-Authenticate" in reply.headers
    assert len(caplog.records) == len(wrong)
    assert peer.secret not in caplog.text
    assert "300:88.1000/ADMIN" in caplog.text
    assert (await peer.ask("GET", f"/api/handles/{HANDLE}")).status == 404


async def test_who_is_known_and_may_not(peer, caplog):
    key = {"index": 300, "type": "HS_SECKEY", "data": "theirs", "permissions": "1100"}
    await peer.put(key, handle=f"{SECTOR}/OTHER")
    other = peer.basic(f"300:{SECTOR}/OTHER", "theirs")
    with caplog.at_level(logging.WARNING, "resolver.security"):
        reply = await peer.ask("PUT", f"/api/handles/{HANDLE}", [URL_VALUE], Authorization=other)
    assert reply.seen == (403, 400)
    assert len(caplog.records) == 1


async def test_scripts_are_not_asked_for_basic(peer):
    reply = await peer.ask("PUT", f"/api/handles/{HANDLE}", [], X_Requested_With="XMLHttpRequest")
    assert [said.split()[0] for said in reply.headers.getall("WWW-Authenticate")] == ["Handle"]


# --- sessions ---


async def opened(peer: Peer) -> dict[str, str]:
    reply = await peer.ask("POST", "/api/sessions")
    assert reply.status == 201
    return dict(reply.json)


def proofs(secret: bytes, nonces: bytes) -> dict[str, dict[str, str]]:
    """A proof of the secret in each form, as parameters of the header."""
    salt = bytes(16)
    forms = {
        "SHA1": keyed_digest(SHA1, secret, nonces),
        "SHA-256": keyed_digest(SHA256, secret, nonces),
        "PBKDF2WithHmacSHA1": stretched(secret, nonces, Stretching(salt)),
    }
    more = {"salt": octets_to_base64(salt), "iterations": "10000", "length": "160"}
    return {
        name: {"alg": name, "signature": octets_to_base64(digest)}
        | (more if name.startswith("PBKDF2") else {})
        for name, digest in forms.items()
    }


@pytest.mark.parametrize("form", ["SHA1", "SHA-256", "PBKDF2WithHmacSHA1"])
async def test_a_secret_is_proved_in_a_session(peer, form):
    session = await opened(peer)
    nonces = base64.b64decode(session["nonce"]) + b"client"
    proof = proofs(peer.secret.encode(), nonces)[form]
    said = {"id": quote(peer.admin), "type": "HS_SECKEY", "cnonce": octets_to_base64(b"client")}
    header = handle_header(session, **said, **proof)
    created = await peer.ask("PUT", f"/api/handles/{HANDLE}", [URL_VALUE], Authorization=header)
    assert created.seen == (201, 1)
    known = handle_header(session)
    assert (await peer.ask("DELETE", f"/api/handles/{HANDLE}", Authorization=known)).status == 200
    shown = await peer.ask("GET", "/api/sessions/this", Authorization=known)
    assert shown.json == session | {"authenticated": True, "id": peer.admin}
    assert (await peer.ask("DELETE", "/api/sessions/this", Authorization=known)).status == 204
    assert (await peer.ask("PUT", f"/api/handles/{HANDLE}", [], Authorization=header)).status == 401
    for method in ("GET", "PUT", "DELETE"):
        assert (await peer.ask(method, "/api/sessions/this", Authorization=known)).status == 403


async def test_a_private_key_is_proved_in_a_session(peer):
    key = {
        "index": 400,
        "type": "HS_PUBKEY",
        "data": {"format": "base64", "value": octets_to_base64(dump_public_key(KEY.public_key()))},
    }
    await peer.put(key, handle=f"{SECTOR}/KEYED")
    session = await opened(peer)
    nonces = base64.b64decode(session["nonce"]) + b"c"
    members = {
        "sessionId": session["sessionId"],
        "id": f"400:{SECTOR}/KEYED",
        "type": "HS_PUBKEY",
        "alg": "SHA256",
        "cnonce": octets_to_base64(b"c"),
        "signature": octets_to_base64(make_signature(KEY, b"SHA256", nonces)),
    }
    wrong = members | {"signature": octets_to_base64(b"x" * 256)}
    refused = await peer.ask("PUT", "/api/sessions/this", wrong)
    assert refused.status == 401
    assert "authenticated" not in refused.json
    proved = await peer.ask("PUT", "/api/sessions/this", members)
    assert proved.json["id"] == f"400:{SECTOR}/KEYED"


async def test_a_proof_is_good_in_its_session_only(peer):
    one, other = await opened(peer), await opened(peer)
    nonces = base64.b64decode(one["nonce"]) + b"c"
    said = {"id": peer.admin, "type": "HS_SECKEY", "cnonce": octets_to_base64(b"c")}
    proof = said | proofs(peer.secret.encode(), nonces)["SHA1"]
    for session, status in ((other, 401), (one, 201)):
        header = handle_header(session, **proof)
        reply = await peer.ask("PUT", f"/api/handles/{HANDLE}", [URL_VALUE], Authorization=header)
        assert reply.status == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/sessions", 405),
        ("GET", "/api/sessions/other", 403),
        ("GET", "/api/sessions/this", 200),
        ("DELETE", "/api/sessions/this", 403),
        ("PATCH", "/api/sessions", 501),
    ],
)
async def test_sessions_without_a_session(peer, method, path, status):
    assert (await peer.ask(method, path)).status == status
    assert (await peer.ask(method, path, plain=True)).status == (501 if status == 501 else 403)


# --- lists, prefixes, verifications ---


async def test_lists(peer):
    for number in range(5):
        await peer.put(URL_VALUE, handle=f"{SECTOR}/L-{number}")
    path = f"/api/handles?prefix={SECTOR}&pageSize=2&page="
    pages = [(await peer.do("GET", f"{path}{page}")).json for page in range(4)]
    names = [name for page in pages for name in page["handles"]]
    assert names == [f"{SECTOR}/ADMIN", *(f"{SECTOR}/L-{number}" for number in range(5))]
    assert {page["totalCount"] for page in pages} == {"6"}
    counted = (await peer.do("GET", f"/api/handles?prefix=0.NA/{SECTOR}&page=0&pageSize=0")).json
    assert (counted["totalCount"], counted["handles"]) == ("6", [])
    whole = (await peer.do("GET", f"/api/handles?prefix={SECTOR}")).json
    assert whole["handles"] == names
    assert "page" not in whole
    assert (await peer.ask("GET", f"/api/handles?prefix={SECTOR}")).seen == (401, 402)
    assert (await peer.do("GET", f"/api/handles?prefix={SECTOR}&page=x")).seen == (400, 4)
    assert (await peer.do("GET", "/api/handles?prefix=88.1/x")).seen == (400, 102)


async def test_prefixes(peer):
    assert (await peer.ask("GET", "/api/prefixes")).seen == (401, 402)
    found = (await peer.do("GET", "/api/prefixes")).json
    assert found["prefixes"] == [f"0.NA/{SECTOR}", f"0.NA/{SECTOR}.7"]
    assert found["totalCount"] == "2"
    path = f"/api/prefixes/0.NA/{SECTOR}.8"
    assert (await peer.do("POST", path)).seen == (200, 1)
    assert (await peer.put(URL_VALUE, handle=f"{SECTOR}.8/x")).seen == (201, 1)
    assert (await peer.do("DELETE", path)).seen == (200, 1)
    assert (await peer.do("GET", path)).status == 405
    assert (await peer.do("POST", "/api/prefixes")).seen == (400, 4)


async def test_verifications(peer):
    def query(secret: bytes) -> str:
        proof = proofs(secret, b"nonce" + b"client")["SHA1"]
        nonces = f"nonce={octets_to_base64(b'nonce')}&cnonce={octets_to_base64(b'client')}"
        return f"{nonces}&alg=SHA1&signature={quote(proof['signature'])}"

    path = f"/api/verifications/{peer.admin}"
    right = await peer.ask("GET", f"{path}?{query(peer.secret.encode())}")
    assert right.json | {"handle": None} == {"responseCode": 1, "isValid": True, "handle": None}
    assert (await peer.ask("GET", f"{path}?{query(b'wrong')}")).json["isValid"] is False
    assert (await peer.ask("GET", path)).seen == (400, 4)
    assert (await peer.ask("GET", f"/api/verifications/88.1/x?{query(b'')}")).seen == (400, 4)
    elsewhere = await peer.ask("GET", f"/api/verifications/300:88.2000/x?{query(b'')}")
    assert elsewhere.seen == (400, 301)


# --- other sites ---


async def test_scripts_of_other_sites(peer):
    origin = "https://other.example"
    reply = await peer.ask("GET", f"/api/handles/{HANDLE}", Origin=origin)
    assert reply.headers["Access-Control-Allow-Origin"] == origin
    assert "Access-Control-Allow-Credentials" not in reply.headers
    refused = await peer.ask("PUT", f"/api/handles/{HANDLE}", [], Origin=origin)
    assert "WWW-Authenticate" in refused.headers["Access-Control-Expose-Headers"]
    preflight = await peer.ask(
        "OPTIONS", f"/api/handles/{HANDLE}", Origin=origin, Access_Control_Request_Method="PUT"
    )
    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET,POST,HEAD,PUT,DELETE"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    options = await peer.ask("OPTIONS", "/api/handles")
    assert "PUT" in options.headers["Allow"]
    assert "Access-Control-Allow-Origin" not in options.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PATCH", f"/api/handles/{HANDLE}", 501),
        ("PUT", "/api/site", 405),
        ("PUT", "/api/prefixes/0.NA/88", 405),
        ("GET", "/api/nothing", 404),
        ("GET", "/api", 404),
        ("HEAD", "/api/site", 200),
    ],
)
async def test_endpoints_and_methods(peer, method, path, status):
    reply = await peer.ask(method, path)
    assert reply.status == status
    assert reply.headers["Content-Type"].startswith("application/json")


async def test_secrets_are_checked_while_others_are_answered(peer):
    session = await opened(peer)
    said = {"id": peer.admin, "type": "HS_SECKEY", "cnonce": octets_to_base64(b"c")}
    costly = {"alg": "PBKDF2HmacSHA1", "signature": "AAAA", "salt": "AAAA", "length": "160"}
    header = handle_header(session, **said, **costly, iterations="100000")
    slow = [peer.ask("PUT", f"/api/handles/{HANDLE}", [], Authorization=header) for _ in range(4)]
    tasks = [asyncio.ensure_future(one) for one in slow]
    done = [await peer.ask("GET", "/api/site") for _ in range(4)]
    assert not all(task.done() for task in tasks)
    assert {reply.status for reply in done} == {200}
    assert {reply.status for reply in await asyncio.gather(*tasks)} == {401}
