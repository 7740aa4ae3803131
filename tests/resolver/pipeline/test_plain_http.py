"""Plain lookups: the replies of the JSON API, kept until the record changes."""

from __future__ import annotations

from registry.prefixes.tree import PrefixTree
from registry.schemes.handle import Key, parse
from registry.values.value import Value, encode_record
from resolver.authority import Authority
from resolver.codecs import json_api
from resolver.metrics import Counters
from resolver.pipeline.json_api import JsonApi
from resolver.pipeline.plain_http import PlainHttp
from resolver.pipeline.sources import Sources

KEY = parse("88.901/A-1")


class Records(dict):
    def record(self, prefix, suffix):
        return self.get(Key(prefix, suffix))

    def row(self, prefix, suffix):
        return None


def front_with(records):
    counters = Counters()
    sources = Sources(Authority(PrefixTree(["88.901"]), records))
    api = JsonApi(sources, counters, site=dict, responsible=lambda query: None)
    return PlainHttp(sources, counters, api, "node"), api, counters


def line(target):
    return f"GET {target} HTTP/1.1".encode()


def test_the_replies_are_those_of_the_json_api():
    front, api, counters = front_with(Records({KEY: encode_record([Value(1, b"URL", b"x")])}))
    for target in (
        "/api/handles/88.901/A-1",
        "/api/handles/88.901/a-1?type=URL",
        "/api/handles/88.901/A-1?type=EMAIL",
        "/api/handles/88.901/none?pretty",
        "/api/handles/88.902/none?callback=f",
    ):
        plain = front.reply(line(target))
        full = api.reply(json_api.Request("GET", target))
        assert isinstance(full, json_api.Reply)
        assert plain.startswith(b"HTTP/1.1 %d " % full.status)
        assert plain.endswith(b"\r\n\r\n" + full.body)
        for name, text in full.headers.items():
            assert f"\r\n{name}: {text}\r\n".encode() in plain
    assert counters.answers["http", "ok"] == 4


def test_a_change_drops_what_was_kept():
    records = Records({KEY: encode_record([Value(1, b"URL", b"old")])})
    front, _, counters = front_with(records)
    asked = line("/api/handles/88.901/A-1")
    assert b'"old"' in front.reply(asked)
    assert front.reply(asked) == front.reply(asked)
    assert front.packets.hits == 2
    records[KEY] = encode_record([Value(1, b"URL", b"new")])
    front.packets.drop([KEY])
    assert b'"new"' in front.reply(asked)
    assert counters.answers["http", "ok"] == 4


def test_what_the_full_server_has_to_answer():
    secret = encode_record([Value(1, b"URL", b"x", permissions=0b1100)])
    front, _, counters = front_with(Records({KEY: secret}))
    for target in (
        "/api/handles/88.901/A-1?publicOnly=false",
        "/api/handles/?prefix=88.901",
        "/api/handles/88.901/A-1?index=x",
    ):
        assert front.reply(line(target)) is None
    assert not counters.answers
