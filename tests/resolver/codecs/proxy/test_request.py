"""Requests of browsers taken apart."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import Refusal
from resolver.codecs.proxy.request import Action, Request, preferences, read_request


def asked(target, method="GET", **members):
    return read_request(Request(method, target, **members))


@pytest.mark.parametrize(
    ("target", "handle"),
    [
        ("/88.1/abc", "88.1/abc"),
        ("/88.1%2Fabc", "88.1/abc"),
        ("//88.1/abc", "88.1/abc"),
        ("/88.1/a+b%20c%3F", "88.1/a+b c?"),
        ("/88.1/%E7%99%BD", "88.1/白"),
        ("/hdl:88.1/abc", "88.1/abc"),
        ("/info:hdl/88.1/abc", "88.1/abc"),
        ("/?hdl=%20doi:88.1/a+b", "88.1/a+b"),
        ("/", ""),
        ("/?lang=zh", ""),
        ("/88.1/abc?hdl=88.1/other", "88.1/abc"),
    ],
)
def test_the_identifier(target, handle):
    assert asked(target).handle.decode() == handle


@pytest.mark.parametrize(
    ("query", "action"),
    [
        ("", Action.REDIRECT),
        ("?noredirect", Action.SHOW_VALUES),
        ("?action=ShowUrls", Action.SHOW_URLS),
        ("?action=showvalues", Action.SHOW_VALUES),
        ("?action=toolbar", Action.REDIRECT),
    ],
)
def test_the_action(query, action):
    assert asked(f"/88.1/abc{query}").action is action


def test_who_looks_an_identifier_up_sees_it():
    assert asked("/?hdl=88.1/abc").action is Action.SHOW_VALUES
    posted = asked("/", "POST", form=b"hdl=88.1%2Fabc")
    assert (posted.handle, posted.action, posted.posted) == (b"88.1/abc", Action.REDIRECT, True)


def test_the_other_parameters():
    found = asked(
        "/88.1/abc?type=URL&type=EMAIL&index=1&index=2&auth&cert&ignore_aliases&urlappend=%3Fa+b"
        "&redirectionHeaders&locatt=country:gb&country=cn"
    )
    assert (found.types, found.indexes) == ((b"URL", b"EMAIL"), (1, 2))
    assert (found.fresh, found.follow_aliases, found.headers_only) == (True, False, True)
    assert (found.append, found.wishes[0], found.country) == ("?a+b", "country:gb", "cn")


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", "", "en"),
        ("", "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("", "de,en;q=0.5,zh;q=0.7", "zh"),
        ("", "fr", "en"),
        ("?lang=zh-TW", "en", "zh"),
        ("?lang=xx", "zh", "zh"),
    ],
)
def test_the_language(query, header, language):
    assert asked(f"/{query}", accept_language=header).language == language


@pytest.mark.parametrize(
    ("accept", "agent", "wishes"),
    [
        ("", "", ["http_role:no_conneg"]),
        ("*/*", "curl/8", ["http_role:no_conneg"]),
        ("*/*", "Mozilla/5.0", ["http_role:browser", "ctype:text/html", "media-type:text/html"]),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", "", ["http_role:browser"]),
        (
            "application/rdf+xml",
            "",
            ["ctype:application/rdf+xml", "media-type:application/rdf+xml", "http_role:conneg"],
        ),
    ],
)
def test_wishes_from_headers(accept, agent, wishes):
    assert list(asked("/88.1/x", accept=accept, user_agent=agent).wishes) == wishes


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_request_is_read_or_refused(target, accept, language):
    preferences(accept)
    with contextlib.suppress(Refusal):
        asked(f"/{target}", accept=accept, accept_language=language)
