"""The web proxy over an authority: recorded exchanges, aliases, namespaces, refusals."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from functools import cache
from time import time

import pytest

from registry import outcomes
from registry.prefixes.tree import PrefixTree
from registry.schemes.handle import Key, parse
from registry.storage.interface import ACTIVE, Row
from registry.values.site import HTTP, QUERY, Interface, Server, Site, encode_site
from registry.values.value import Value, encode_record
from resolver.authority import Authority
from resolver.codecs.proxy.pages import NodeFacts
from resolver.codecs.proxy.request import Request
from resolver.metrics import Counters
from resolver.pipeline.proxy import MAX_ALIASES, ProxyFront
from resolver.pipeline.sources import Sources
from tests.support.handle_vectors import case_id, cases
from tests.support.recorded_server import records

ORIGIN = "http://10.88.0.1:8000"
FACTS = NodeFacts("sector", "88.1000", {"en": "Bench", "zh": "试验"})


class Stored:
    def __init__(self, values):
        self._records = {key: encode_record(found) for key, found in values.items()}

    def record(self, prefix, suffix):
        return self._records.get(Key(prefix, suffix))

    def row(self, prefix, suffix):
        record = self.record(prefix, suffix)
        return None if record is None else Row(prefix, suffix, record, ACTIVE, 1, 0)


class Node:
    """A proxy in front of an authority that homes 88.1000 and keeps prefix records."""

    def __init__(self, values):
        self.tree = PrefixTree(["88.1000", "0.NA"])
        self.counters = Counters()
        sources = Sources(Authority(self.tree, Stored(values)))
        self.front = ProxyFront(sources, self.counters, FACTS, lambda query: "node <far>")

    async def get(self, target, method="GET", **members):
        return await self.front.reply(Request(method, target, ORIGIN, **members))


def node_with(**values):
    return Node({parse(f"88.1000/{name}"): found for name, found in values.items()})


def url(text, index=1, **members):
    return Value(index, b"URL", text.encode(), **members)


def alias(handle):
    return [Value(1, b"HS_ALIAS", handle.encode())]


@cache
def recorded_node():
    """A node with the records of the server that was recorded."""
    return Node(records())


@pytest.mark.parametrize("case", cases("proxy_http"), ids=case_id)
async def test_recorded_exchanges(case):
    asked, expected = case["request"], case["response"]
    status, headers, body = await recorded_node().get(
        asked["path"], asked["method"], accept=asked["headers"].get("Accept", "")
    )
    assert status == expected["status"]
    assert headers.get("Location") == expected["headers"].get("Location")
    assert ("Expires" in headers) == ("Expires" in expected["headers"])
    if "Content-Type" in expected["headers"]:
        assert headers["Content-Type"] == expected["headers"]["Content-Type"]
    if not expected["text"].startswith("("):
        assert body.decode() == expected["text"]


async def test_expiry_is_that_of_the_value_that_was_followed():
    node = node_with(a=[url("https://x/", ttl=60), Value(2, b"NOTE", b"n", ttl=5)])
    _, headers, _ = await node.get("/88.1000/a")
    left = parsedate_to_datetime(headers["Expires"]).timestamp() - time()
    assert 57 < left <= 61


@pytest.mark.parametrize(
    "text",
    ["javascript:alert(1)", "//evil.example/", "https://x/\r\nSet-Cookie: a=b", "https://a@b/"],
)
async def test_an_address_that_is_not_followed_is_shown(text):
    status, headers, body = await node_with(a=[url(text)]).get("/88.1000/a")
    assert status == 200
    assert "Location" not in headers
    assert b"shown only" in body
    assert b'href="javascript' not in body


async def test_what_is_appended_must_not_lead_elsewhere():
    node = node_with(a=[url("https://example.org")])
    status, headers, _ = await node.get("/88.1000/a?urlappend=.evil.example/")
    assert (status, headers.get("Location")) == (400, None)


async def test_an_alias_is_a_permanent_redirect_with_the_same_parameters():
    node = node_with(a=alias("88.1000/b"), b=alias("88.1000/c d"), **{"c d": [url("https://x/")]})
    status, headers, body = await node.get("/88.1000/a?locatt=x:y%0D%0A")
    assert status == 301
    assert headers["Location"] == f"{ORIGIN}/88.1000/c%20d?locatt=x:y%0D%0A"
    assert body == b""


async def test_aliases_are_followed_for_pages_too_unless_asked_not_to():
    node = node_with(a=alias("88.1000/b"), b=[Value(1, b"NOTE", b"the end")])
    assert b"the end" in (await node.get("/88.1000/a?noredirect"))[2]
    status, _, body = await node.get("/88.1000/a?ignore_aliases")
    assert status == 200
    assert b"the end" not in body


async def test_a_posted_form_is_redirected_to_the_end_of_the_aliases():
    node = node_with(a=alias("88.1000/b"), b=[url("https://x/")])
    status, headers, _ = await node.get("/", "POST", form=b"hdl=88.1000%2Fa")
    assert (status, headers["Location"]) == (302, "https://x/")


@pytest.mark.parametrize(("length", "status"), [(MAX_ALIASES, 301), (MAX_ALIASES + 1, 502)])
async def test_the_bound_on_aliases(length, status):
    chain = {f"a{i}": alias(f"88.1000/a{i + 1}") for i in range(length)}
    node = node_with(**chain, **{f"a{length}": [url("https://x/")]})
    assert (await node.get("/88.1000/a0"))[0] == status


@pytest.mark.parametrize("target", ["88.1000/A", "88.1000/b"])
async def test_aliases_in_a_circle_are_refused(target):
    node = node_with(a=alias(target), b=alias("88.1000/a"))
    status, _, body = await node.get("/88.1000/a")
    assert status == 508
    assert b"in a circle" in body


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("/88.1000/none", 404, "not found"),
        ("/88.1000/a?type=EMAIL", 200, "No such values"),
        ("/88.1000/a?index=x", 400, "not understood"),
        ("/10.1/x", 400, "node &lt;far&gt;"),
        ("/%FF", 400, "Not an identifier"),
        ("/88.1000/%00", 400, "Not an identifier"),
        ("/hdl:", 400, "Not an identifier"),
        ("/88.1000/" + "x" * 300, 400, "Not an identifier"),
        ("/88.1000/dangling", 404, "not found"),
    ],
)
async def test_refusals(target, status, said):
    node = node_with(a=[url("https://x/")], dangling=alias("88.1000/none"))
    if target.startswith("/10."):
        node.tree.homed.discard("0.NA")
    found, headers, body = await node.get(target)
    assert (found, said in body.decode()) == (status, True)
    assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_refusals_as_problem_documents_for_those_who_want_json():
    status, headers, body = await node_with().get("/88.1000/x", accept="application/json")
    assert (status, headers["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(body)["code"] == "not-found"


async def test_a_referral_says_where_to_ask():
    node = node_with()
    node.tree.homed.discard("0.NA")
    interface = Interface(QUERY, HTTP, 8002)
    site = encode_site(Site((Server(1, "127.0.0.1", b"", (interface,)),)))
    node.tree.update("88.2000", encode_record([Value(1, b"HS_SITE", site)]))
    status, _, body = await node.get("/88.2000/a%20b")
    assert status == 400
    assert b'href="http://127.0.0.1:8002/88.2000/a%20b"' in body


@pytest.mark.parametrize("place", ["0.NA/88.1000", "88.1000/"])
async def test_identifiers_of_an_inactive_prefix_are_not_resolved(place):
    data = b"<n><status>inactive</status><statusmsg>moved &lt;b&gt;</statusmsg></n>"
    namespace = [Value(5, b"HS_NAMESPACE", data)]
    node = Node({parse(place): namespace, parse("88.1000/a"): [url("https://x/")]})
    status, headers, body = await node.get("/88.1000/a")
    assert (status, headers.get("Location")) == (404, None)
    assert b"moved &lt;b&gt;" in body


async def test_other_methods_are_not_allowed():
    status, headers, _ = await node_with().get("/88.1000/a", "DELETE")
    assert (status, headers["Allow"]) == (405, "GET, HEAD, POST")


async def test_answers_are_counted():
    node = node_with(a=[url("https://x/")])
    for target in ("/88.1000/a", "/88.1000/b", "/%FF"):
        await node.get(target)
    counted = {slug: count for (_, slug), count in node.counters.answers.items()}
    assert counted == {"ok": 1, outcomes.NOT_FOUND.slug: 1, "invalid-identifier": 1}
