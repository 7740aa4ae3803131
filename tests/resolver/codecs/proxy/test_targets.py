"""Where browsers may be sent."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.values.site import HTTP, QUERY, TCP, Interface, Server, Site, encode_site
from registry.values.value import Value, encode_record
from resolver.codecs.proxy.targets import appended, own_path, safe_url, web_address


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.org/abc", "https://example.org/abc"),
        (" HTTP://Example.org:8080?a=b#c ", "http://Example.org:8080?a=b#c"),
        ("https://example.org/白酒 1", "https://example.org/%E7%99%BD%E9%85%92%201"),
        ("https://example.org/%E7?a=%20+b", "https://example.org/%E7?a=%20+b"),
        ("https://例子.example/", "https://xn--fsqu00a.example/"),
        ('https://example.org/"<x>\\', "https://example.org/%22%3Cx%3E%5C"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("ftp://example.org/f", "ftp://example.org/f"),
        ("mailto:a@b.example", "mailto:a@b.example"),
    ],
)
def test_urls_that_are_followed(text, url):
    assert safe_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "//evil.example/",
        "/relative",
        "example.org",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "file:///etc/hostname",
        "http:example.org",
        "https:/example.org",
        "https:///example.org",
        "https://",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://example.org\\@evil.example/",
        "https://exa mple.org/",
        "https://example.org/\r\nSet-Cookie: a=b",
        "https://example.org/\x00",
        "https://example.org/\u2028x",
        "https://白酒@example.org/",
        "https://example.org:80x/",
        "mailto://a@b.example",
        "https://example.org/" + "x" * 8_000,
    ],
)
def test_what_is_not_followed(text):
    assert safe_url(text) is None


@given(
    st.text(max_size=60) | st.text("htps:/@\\#?[]%.\r\n\t a白", max_size=40).map("https:".__add__)
)
def test_a_url_is_refused_or_harmless_in_a_header(text):
    url = safe_url(text)
    if url is not None:
        assert re.fullmatch(r"[!#-;=?-~]*", url), "printable ASCII without quotes and brackets"
        assert "\\" not in url
        assert url.split(":")[0] in {"http", "https", "ftp", "mailto"}
        assert safe_url(url) == url


@pytest.mark.parametrize(
    ("text", "append", "url"),
    [
        ("https://example.org/abc", "?a=1&b=2", "https://example.org/abc?a=1&b=2"),
        ("https://example.org/abc", "#part", "https://example.org/abc#part"),
        ("https://example.org", "/path", "https://example.org/path"),
        ("https://example.org", "", "https://example.org"),
        ("javascript:x", "?a", None),
    ],
)
def test_what_is_appended(text, append, url):
    assert appended(text, append) == url


@pytest.mark.parametrize("append", [".evil.example/", "@evil.example/", ":8080/", "\r\nX: y"])
def test_what_is_appended_must_not_lead_elsewhere(append):
    with pytest.raises(DecodeError):
        appended("https://example.org", append)


def test_own_paths_hold_any_identifier():
    assert own_path("88.1/a b?#%白") == "/88.1/a%20b%3F%23%25%E7%99%BD"
    assert own_path("88.1/x", "a=b&lang=zh\r\n") == "/88.1/x?a=b&lang=zh%0D%0A"


def test_the_web_address_of_a_site():
    interfaces = (Interface(QUERY, TCP, 2641), Interface(QUERY, HTTP, 8000))
    site = encode_site(Site((Server(1, "127.0.0.1", b"", interfaces),)))
    broken = Value(1, b"HS_SITE", b"x")
    assert web_address(encode_record([broken, Value(2, b"HS_SITE", site)])) == (
        "http://127.0.0.1:8000"
    )
    assert web_address(encode_record([broken])) is None
