"""10320/loc: the choice among several places."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.values.value import Value
from resolver.codecs.proxy.locations import Wishes, locations_of

LISTED = """<locations chooseby="locatt,country,weighted">
<location id="0" href="https://a.example/" country="gb" weight="0"/>
<location id="1" href="https://b.example/" weight="3"/>
<location id="2" href="https://c.example/" country="cn" weight="1" http_sc="303"/>
</locations>"""


def values(*loc, urls=()):
    found = [Value(i, b"10320/loc", text.encode()) for i, text in enumerate(loc, 1)]
    return found + [Value(100 + i, b"URL", url.encode()) for i, url in enumerate(urls)]


def chosen(found, chance=0.0, **wishes):
    place = locations_of(found).choose(Wishes(**wishes), lambda: chance)
    return None if place is None else place.href("88.1/白 x")


@pytest.mark.parametrize(
    ("wishes", "href"),
    [
        ({"attributes": ["country:gb"]}, "https://a.example/"),
        ({"attributes": ["id:2"]}, "https://c.example/"),
        ({"attributes": ["nothing:x"]}, "https://b.example/"),
        ({"attributes": ["http_sc"]}, "https://c.example/"),
        ({"country": "CN"}, "https://c.example/"),
        ({"country": "de"}, "https://b.example/"),
        ({"attributes": ["id:1"], "country": "cn"}, "https://b.example/"),
    ],
)
def test_methods_narrow_the_choice(wishes, href):
    assert chosen(values(LISTED), **wishes) == href


def test_weights_are_proportions_and_nothing_of_weight_0_comes_by_chance():
    found = values(LISTED, urls=["https://url.example/"])
    counts = Counter(chosen(found, step / 1000) for step in range(1000))
    assert counts == {"https://b.example/": 750, "https://c.example/": 250}


def test_where_all_have_weight_0_one_is_taken():
    places = '<l><location href="a" weight="0"/><location href="b" weight="-1"/></l>'
    assert {chosen(values(places), chance) for chance in (0.0, 0.5, 0.999)} == {"a", "b"}


def test_by_address_and_score():
    places = (
        '<l choose_by="address,score"><location href="a" score="1"/><location href="b" score="5"/>'
        '<location href="c" addresses="10.0.0.0/8, 2001:db8::/32"/></l>'
    )
    assert chosen(values(places), address="192.0.2.1") == "b"
    assert chosen(values(places), address="10.1.2.3") == "c"
    assert chosen(values(places), address="2001:db8::7") == "c"
    assert chosen(values(places), address="no address") == "b"


def test_templates_hold_the_identifier():
    places = '<l><location href_template="https://x/{hdl:path}?{hdl}"/></l>'
    assert chosen(values(places)) == "https://x/88.1/%E7%99%BD%20x?88.1%2F%E7%99%BD%20x"


def test_urls_alone_the_first_one_and_subtypes_only_without_a_plain_one():
    assert chosen(values(urls=["https://1/", "https://2/"]), 0.9) == "https://1/"
    mirror = Value(1, b"URL.MIRROR", b"https://m/")
    assert chosen([mirror, *values(urls=["https://1/"])]) == "https://1/"
    assert chosen([mirror]) == "https://m/"
    assert chosen([Value(1, b"EMAIL", b"x")]) is None


def test_locations_that_cannot_be_read_leave_the_urls():
    laughing = '<!DOCTYPE l [<!ENTITY a "x">]><l><location href="&a;"/></l>'
    assert chosen(values("<l", laughing, urls=["https://1/"])) == "https://1/"


@pytest.mark.parametrize(("code", "status"), [("303", 303), ("200", 302), ("x", 302)])
def test_the_status_a_location_asks_for(code, status):
    (place,) = locations_of(values(f'<l><location href="a" http_sc="{code}"/></l>')).locations
    assert place.status == status


def test_shown_as_xml():
    places = '<l><location href_template="https://x/{hdl}" note="&quot;&lt;"/></l>'
    shown = locations_of(values(places, urls=["https://1/?a&b"])).to_xml("88.1/x").decode()
    assert shown == (
        "<locations>\n"
        '<location href_template="https://x/{hdl}" note=\'"&lt;\' href="https://x/88.1%2Fx"/>\n'
        '<location mode="legacy" weight="0.0" href="https://1/?a&amp;b"/>\n'
        "</locations>\n"
    )


@given(
    st.lists(st.sampled_from(["1", "0", "-1", "nan", "inf", "1e308", "x", ""]), max_size=4),
    st.floats(0, 1, exclude_max=True),
    st.text("abc,loctweighscry", max_size=20),
)
def test_any_weights_give_one_of_the_places(weights, chance, methods):
    places = "".join(f'<location href="h" weight="{each}" score="{each}"/>' for each in weights)
    found = chosen(values(f'<l chooseby="{methods}">{places}</l>'), chance)
    assert found == ("h" if weights else None)
