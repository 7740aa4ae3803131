from __future__ import annotations

import json
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InvalidValue
from registry.values.json_members import Members
from registry.values.site import Attribute, Interface, Server, Site, decode_site, encode_site
from registry.values.site_json import site_from_json, site_to_json
from tests.support.handle_vectors import case_id, cases

U8, U16, U32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
text = st.text(max_size=10).map(str.encode)
servers = st.builds(
    Server,
    U32,
    st.ip_addresses().map(str).filter(lambda address: not address.startswith("::")),
    st.binary(max_size=20),
    st.lists(st.builds(Interface, st.integers(0, 3), U8, U32), max_size=3).map(tuple),
)
sites = st.builds(
    Site,
    servers=st.lists(servers, max_size=3).map(tuple),
    attributes=st.lists(st.builds(Attribute, text, text), max_size=3).map(tuple),
    serial_number=U16,
    flags=st.sampled_from([0, 0x40, 0x80, 0xC0]),
    hash_option=U8,
    hash_filter=text,
    protocol=st.tuples(U8, U8),
    version=U16,
)


@pytest.mark.parametrize("case", cases("sites"), ids=case_id)
def test_form_is_that_of_peers(case):
    site = decode_site(bytes.fromhex(case["hex"]))
    assert json.dumps(site_to_json(site)) == json.dumps(case["json_api_form"])
    assert encode_site(site_from_json(Members(case["json_api_form"]))).hex() == case["hex"]


@given(sites, st.booleans())
def test_form_is_read_back(site, signed):
    form = json.loads(json.dumps(site_to_json(site, signed_serial=signed)))
    assert site_from_json(Members(form)) == site


def test_serial_number_may_be_signed():
    site = Site((), serial_number=0xFFFF)
    assert site_to_json(site, signed_serial=True)["serialNumber"] == -1
    assert site_to_json(site)["serialNumber"] == 0xFFFF
    assert site_to_json(Site((), serial_number=7), signed_serial=True)["serialNumber"] == 7


def test_little_is_needed():
    assert site_from_json(Members({"servers": []})) == Site((), serial_number=0, flags=0)


FORM = next(case for case in cases("sites") if case["id"] == "site-mirror-3")["json_api_form"]


@pytest.mark.parametrize(
    ("path", "member"),
    [
        ("serialNumber", 65536),
        ("serialNumber", -32769),
        ("serialNumber", True),
        ("primarySite", 1),
        ("protocolVersion", "2"),
        ("protocolVersion", "2.²"),
        ("protocolVersion", "2.256"),
        ("attributes", {}),
        ("attributes.0.name", 5),
        ("servers", None),
        ("servers.1", "x"),
        ("servers.1.serverId", -1),
        ("servers.1.address", "hdl.example"),
        ("servers.1.address", "fe80::1%lo"),
        ("servers.1.publicKey", "AAAA"),
        ("servers.1.publicKey.format", "pem"),
        ("servers.1.publicKey.value", "AAAA"),
        ("servers.1.publicKey.value.n", "%"),
        ("servers.1.publicKey.value.kty", "EC"),
        ("servers.1.interfaces.0.protocol", "SCTP"),
        ("servers.1.interfaces.0.protocol", 256),
        ("servers.1.interfaces.0.port", 2641.0),
        ("servers.1.interfaces.0.query", None),
    ],
)
def test_refusal_names_the_member(path, member):
    form = deepcopy(FORM)
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place = form
    for step in steps:
        place = place[step]
    place[last] = member
    with pytest.raises(InvalidValue) as caught:
        site_from_json(Members(form))
    expected = "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in path.split("."))
    assert caught.value.field == expected.lstrip(".")


def test_a_key_that_cannot_be_read_travels_as_base64():
    site = Site((Server(1, "192.0.2.1", b"\0key", ()),))
    form = site_to_json(site)
    assert form["servers"][0]["publicKey"] == {"format": "base64", "value": "AGtleQ=="}
    form["servers"][0]["publicKey"]["value"] = "AGtl*"
    with pytest.raises(InvalidValue, match="base64"):
        site_from_json(Members(form))


def test_text_that_is_not_utf8_has_no_form():
    with pytest.raises(UnicodeDecodeError):
        site_to_json(Site((), (Attribute(b"desc", b"\xff"),)))
