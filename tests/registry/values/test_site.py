from __future__ import annotations

import contextlib
from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import DecodeError
from registry.schemes.handle import ascii_upper, parse
from registry.values.site import (
    ADMIN,
    HASH_ALL,
    HASH_PREFIX,
    HASH_SUFFIX,
    HTTPS,
    OUT_OF_SERVICE,
    QUERY,
    UDP,
    Attribute,
    Interface,
    Server,
    Site,
    address_octets,
    address_text,
    decode_site,
    encode_site,
    server_index,
    site_hash,
)
from tests.support.handle_vectors import case_id, cases

U8, U16, U32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))
short = st.binary(max_size=20)
sites = st.builds(
    Site,
    servers=st.lists(
        st.builds(
            Server,
            U32,
            st.one_of(
                st.ip_addresses(v=4).map(str), st.binary(min_size=16, max_size=16).map(address_text)
            ),
            short,
            st.lists(st.builds(Interface, U8, U8, U32), max_size=3).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
    attributes=st.lists(st.builds(Attribute, short, short), max_size=3).map(tuple),
    serial_number=U16,
    flags=U8,
    hash_option=U8,
    hash_filter=short,
    protocol=st.tuples(U8, U8),
    version=U16,
)


@pytest.mark.parametrize("case", cases("sites"), ids=case_id)
def test_reads_and_writes_what_peers_write(case):
    data = bytes.fromhex(case["hex"])
    site = decode_site(data)
    assert encode_site(site) == data
    assert site.hash_option == case["hash_option"]
    assert [server.address for server in site.servers] == [
        server["address"] for server in case["json_api_form"]["servers"]
    ]


def test_the_members_of_a_site():
    case = next(case for case in cases("sites") if case["id"] == "site-suffix-hash")
    site = decode_site(bytes.fromhex(case["hex"]))
    assert (site.primary, site.multi_primary, site.serial_number) == (True, False, 300)
    assert (site.version, site.protocol, site.attributes) == (
        1,
        (2, 11),
        (Attribute(b"desc", b"s"),),
    )
    first, *_, last = site.servers[0].interfaces
    assert first == Interface(QUERY, UDP, 2641)
    assert (first.query, first.admin) == (True, False)
    assert last == Interface(OUT_OF_SERVICE, UDP, 9)
    assert Interface(ADMIN | QUERY, HTTPS, 8443).admin


@given(sites)
def test_encoding_is_read_back(site):
    assert decode_site(encode_site(site)) == site


@given(st.binary(max_size=90))
def test_any_octets_are_read_or_refused(data):
    with contextlib.suppress(DecodeError):
        assert encode_site(decode_site(data)) == data


@given(sites.map(encode_site), st.data())
def test_a_damaged_site_is_read_or_refused(data, draw):
    damaged = bytearray(data)
    damaged[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(U8)
    with contextlib.suppress(DecodeError):
        assert encode_site(decode_site(bytes(damaged))) == damaged


@given(sites.map(encode_site), st.data())
def test_a_site_cut_short_is_refused(data, draw):
    with pytest.raises(DecodeError):
        decode_site(data[: draw.draw(st.integers(0, len(data) - 1))])


def test_left_over_octets_are_refused():
    with pytest.raises(DecodeError, match="left over") as caught:
        decode_site(encode_site(Site(())) + b"\0")
    assert caught.value.offset == len(encode_site(Site(())))


def test_a_count_that_cannot_be_is_refused_at_once():
    data = encode_site(Site(()))[:-4] + b"\x00\x0f\xff\xff"
    with pytest.raises(DecodeError, match="server") as caught:
        decode_site(data)
    assert caught.value.offset == len(data) - 4


def test_ipv4_stands_in_the_last_four_octets():
    assert address_octets("192.0.2.10") == bytes(12) + bytes([192, 0, 2, 10])
    assert address_text(bytes(12) + bytes([192, 0, 2, 10])) == "192.0.2.10"
    assert address_octets("2001:db8::3") == IPv6Address("2001:db8::3").packed


@pytest.mark.parametrize("address", ["", "localhost", "1.2.3", "01.2.3.4", "fe80::1%eth0", "::g"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match=r".*"):
        address_octets(address)


@pytest.mark.parametrize("case", cases("site_hash"), ids=case_id)
def test_the_server_of_a_handle_is_that_of_peers(case):
    handle = bytes.fromhex(case["handle_hex"])
    for part in ("by_prefix", "by_suffix", "by_all"):
        expected = case[part]
        option = expected["hash_option"]
        assert site_hash(handle, option) == expected["hash"]
        counts = {name: number for name, number in expected.items() if name.startswith("servers_")}
        assert counts == {
            name: server_index(handle, option, int(name.removeprefix("servers_")))
            for name in counts
        }
    assert ascii_upper(case["handle"]) == case["upper_case"]
    if "/" in case["handle"] and not parse(case["handle"]).is_prefix_record:
        assert f"0.NA/{parse(case['handle']).prefix}" == case["zero_na_handle"]


@given(st.binary(max_size=60), U8, st.integers(1, 1000))
def test_every_handle_has_a_server(handle, option, count):
    assert 0 <= site_hash(handle, option) <= 1 << 31
    assert 0 <= server_index(handle, option, count) < count
    assert site_hash(handle.upper(), option) == site_hash(handle, option)


@given(st.binary(max_size=20).filter(lambda part: b"/" not in part), short, short)
def test_each_option_looks_at_its_part(prefix, suffix, other):
    handle = prefix + b"/" + suffix
    assert site_hash(handle, HASH_PREFIX) == site_hash(prefix + b"/" + other, HASH_PREFIX)
    assert site_hash(handle, HASH_SUFFIX) == site_hash(b"88.1/" + suffix, HASH_SUFFIX)
    assert site_hash(handle) == site_hash(handle, HASH_ALL)
