"""Pages: everything that others wrote stays text, in both languages."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.values.admin import Admin, encode_admin
from registry.values.site import HTTP, QUERY, Attribute, Interface, Server, Site, encode_site
from registry.values.value import Reference, Value
from registry.values.vlist import encode_vlist
from resolver.codecs.proxy.html import element, join
from resolver.codecs.proxy.pages import (
    NodeFacts,
    Notice,
    PageContext,
    notice_page,
    redirect_page,
    start_page,
    values_page,
)
from resolver.codecs.proxy.style import CSS, POLICY
from resolver.codecs.proxy.texts import TEXTS, Speaker

EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;\x00\u202e"
NODE = NodeFacts(
    "sector",
    "88.901",
    {"en": f"Baijiu {EVIL}", "zh": f"白酒 {EVIL}"},
    (("Handle", EVIL),),
    lambda: [f"88.901/{EVIL}"],
)


class Seen(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


def evil_values():
    handle = f"88.1/{EVIL}".encode()
    server = Server(1, "127.0.0.1", b"", (Interface(QUERY, HTTP, 80),))
    site = Site((server,), (Attribute(b"desc", EVIL.encode()), Attribute(EVIL.encode(), b"x")))
    texts = [Value(i, kind, EVIL.encode()) for i, kind in enumerate((b"URL", b"EMAIL", b"T"), 1)]
    return [
        *texts,
        Value(4, EVIL.encode(), b"x", references=(Reference(handle, 1),)),
        Value(5, b"URL", b"javascript:alert(1)"),
        Value(6, b"HS_ALIAS", b"javascript:alert(1)"),
        Value(7, b"HS_ADMIN", encode_admin(Admin(handle, 300, 0xFFF))),
        Value(8, b"HS_VLIST", encode_vlist([Reference(handle, 1)])),
        Value(9, b"HS_SITE", encode_site(site)),
        Value(10, b"BIN", b"\x00\xff" * 200, permissions=0, ttl_type=1, ttl=2_000_000_000),
        Value(11, b"HS_PUBKEY", b"broken"),
        Value(12, b"T", f"88.1/{EVIL}".replace(" ", "").encode()),
    ]


def context(language="en", asked=EVIL):
    return PageContext(NODE, Speaker(language), asked)


def all_pages():
    for language in ("en", "zh"):
        said = context(language)
        yield start_page(said)
        yield values_page(said, EVIL, evil_values(), None, "not-followed")
        yield notice_page(said, Notice("not-found", (EVIL,), f"http://127.0.0.1:80/{EVIL}"))


def test_what_others_wrote_stays_text():
    for page in all_pages():
        seen = Seen(page)
        assert "script" not in seen.tags
        assert "img" not in seen.tags
        for name, text in seen.attributes:
            assert not name.startswith("on")
            if name == "href":
                assert text is not None
                assert text.startswith(("/", "http://", "https://", "mailto:"))


def test_pages_load_nothing_and_their_style_is_the_one_the_policy_allows():
    digest = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in POLICY
    for page in all_pages():
        seen = Seen(page)
        assert set(seen.tags).isdisjoint({"link", "script", "img", "iframe", "object"})
        assert not {name for name, _ in seen.attributes} & {"style", "src", "onclick"}
        assert f"<style>{CSS}</style>".encode() in page
        assert len(page) < 40_000


def test_both_languages():
    english, chinese = (
        values_page(context(language, "88.1/x"), "88.1/x", [Value(1, b"T", b"x")], None, None)
        for language in ("en", "zh")
    )
    assert b'lang="en"' in english
    assert b"Properties" in english
    assert "属性".encode() in chinese
    assert 'href="/88.1/x?noredirect&amp;lang=en"' in chinese.decode()


def test_every_text_takes_the_same_arguments_in_both_languages():
    for name, text in TEXTS.items():
        assert text.en.count("{}") == text.zh.count("{}"), name


def test_values_are_shown_as_what_they_are():
    url = b"https://example.org/\xe7\x99\xbd"
    page = values_page(
        context(asked="88.1/x"),
        "88.1/x",
        [
            Value(1, b"URL", url),
            Value(2, b"EMAIL", b"a@b.example"),
            Value(3, b"lot", b"88.901.7/LOT-0001"),
            Value(4, b"NOTE", b"2023/06/07"),
            Value(5, b"BIN", b"\x00\x01"),
            Value(6, b"DESC", "白酒 500 ml".encode(), ttl=60, timestamp=1, permissions=0b1111),
        ],
        "https://example.org/",
        None,
    ).decode()
    assert 'href="https://example.org/%E7%99%BD"' in page
    assert 'href="mailto:a@b.example"' in page
    assert 'href="/88.901.7/LOT-0001?noredirect&amp;lang=en"' in page
    assert '<td class="data">2023/06/07</td>' in page
    assert "<code>00 01</code>" in page
    assert "白酒 500 ml" in page
    for said in ("TTL 60 s", "changed 1970-01-01 00:00:01 UTC", "permissions 1111"):
        assert said in page


@given(st.text(max_size=80))
def test_any_text_is_shown_and_nothing_else(text):
    seen = Seen(element("p", text, title=text).encode())
    assert seen.tags == ["p"]
    assert [name for name, _ in seen.attributes] == ["title"]


@given(st.text(max_size=40))
def test_redirect_pages_are_one_link(url):
    assert Seen(redirect_page(url)).tags == ["html", "head", "title", "body", "a"]


def test_elements():
    assert element("input", required=True, disabled=False, value=None, class_="a") == (
        '<input required class="a">'
    )
    assert join("<", element("b", "x", None)) == "&lt;<b>x</b>"


@pytest.mark.parametrize("name", ["not-found", "inactive", "failed", "resolution-loop"])
def test_notices_have_an_explanation(name):
    assert TEXTS[f"{name}.more"].zh in notice_page(context("zh"), Notice(name)).decode()
