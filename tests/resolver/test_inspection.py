from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.schemes.handle import Key
from resolver.inspection import KINDS, LATER, TEXT_KINDS, Fault, inspect, inspect_hex, inspect_line
from tests.support.handle_vectors import case_id, cases

OCTET_KINDS = sorted(set(KINDS) - TEXT_KINDS)


def has(found, expected):
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("case", cases("handle_values"), ids=case_id)
def test_handle_value(case):
    expected = {**case["fields"], "json_api_form": case["json_api_form"]}
    has(inspect_hex("handle-value", case["hex"]), expected)


@pytest.mark.parametrize("case", cases("sites"), ids=case_id)
def test_hs_site(case):
    members = ("hash_option", "json_api_form")
    has(inspect_hex("hs-site", case["hex"]), {name: case[name] for name in members})


@pytest.mark.parametrize("case", cases("admin_records"), ids=case_id)
@pytest.mark.parametrize("form", ["hex", "legacy_hex"])
def test_hs_admin(case, form):
    members = ("admin_handle", "admin_index", "perm_mask", "json_api_form")
    has(inspect_hex("hs-admin", case[form]), {name: case[name] for name in members})


@pytest.mark.parametrize("case", cases("vlists"), ids=case_id)
def test_hs_vlist(case):
    assert inspect_hex("hs-vlist", case["hex"]) == {"refs": case["refs"]}


@pytest.mark.parametrize("case", cases("public_keys"), ids=case_id)
def test_hs_pubkey(case):
    found = inspect_hex("hs-pubkey", case["handle_binary_hex"])
    assert found == {"json_api_form": case["json_api_form"]}


@pytest.mark.parametrize("case", cases("site_hash"), ids=case_id)
def test_site_hash(case):
    found = inspect("site-hash", case["handle"].encode())
    has(found, {name: case[name] for name in ("handle", "by_prefix", "by_suffix", "by_all")})


@pytest.mark.parametrize("case", cases("messages"), ids=case_id)
def test_handle_message(case):
    found = inspect_hex("handle-message", case["hex"])
    has(found["message"], case["message"])
    # The request that a reply answers stands beside its fields; it is not in the octets.
    context = ("request_hex",)
    has(found["body"], {name: case["body"][name] for name in case["body"] if name not in context})


def test_handle():
    assert inspect("handle", b"88.901.7/Mes.0001") == {
        "canonical": "88.901.7/MES.0001",
        "prefix": "88.901.7",
        "suffix": "MES.0001",
        "prefix_handle": "0.NA/88.901.7",
        "is_prefix_record": False,
        "octets": 17,
        "dns_name": "mes--0001.h.7.901.88.id.test",
    }


def test_a_handle_that_fits_no_dns_name_says_why():
    found = inspect("handle", b"88.901/" + b"\xe8\xae\xbe" * 80)
    assert found["dns_name"] is None
    assert "253" in found["dns_name_reason"]


@pytest.mark.parametrize("handle", ["88.901/MES.0001", "0.NA/88.901", "88.1/设备", "88.1/A B/c"])
def test_a_dns_name_gives_its_identifier(handle):
    fields = inspect("handle", handle.encode())
    found = inspect("dns-name", fields["dns_name"].upper().encode())
    assert found["canonical"] == fields["canonical"]
    assert found["dns_name"] == fields["dns_name"]
    assert found["canonical"] == str(Key(found["prefix"], found["suffix"]))


@pytest.mark.parametrize(
    ("line", "code", "offset"),
    [
        (b"", "bad-line", None),
        (b"{", "bad-line", None),
        (b"\xff", "bad-line", None),
        (b"[" * 100_000, "bad-line", None),
        (b"[]", "bad-line", None),
        (b'{"hex":"00"}', "bad-line", None),
        (b'{"kind":1,"hex":"00"}', "bad-line", None),
        (b'{"kind":"handle"}', "bad-line", None),
        (b'{"kind":"handle","text":"a/b","hex":"00"}', "bad-line", None),
        (b'{"kind":"hs-admin","hex":"0"}', "bad-hex", None),
        (b'{"kind":"hs-admin","hex":"zz"}', "bad-hex", None),
        (b'{"kind":"soup","text":"a"}', "unknown-kind", None),
        (b'{"kind":"hs-admin","hex":"00"}', "malformed", 0),
        (b'{"kind":"hs-vlist","hex":"0000000000"}', "malformed", 4),
        (b'{"kind":"handle","text":"88.1/a\\u0000"}', "invalid-identifier", 6),
        (b'{"kind":"handle","hex":"ff"}', "invalid-identifier", 0),
        (b'{"kind":"dns-name","text":"www.example.org"}', "invalid-identifier", 0),
        (b'{"kind":"handle-message","hex":""}', "malformed", 0),
    ],
)
def test_a_bad_line_is_answered_by_an_error(line, code, offset):
    found = inspect_line(line)
    assert found["ok"] is False
    assert (found["error"]["code"], found["error"]["offset"]) == (code, offset)
    assert found["error"]["message"]


@pytest.mark.parametrize("kind", sorted(LATER))
def test_kinds_that_are_not_read_say_so(kind):
    found = inspect_line(json.dumps({"kind": kind, "text": "1.2"}).encode())
    assert found["error"]["code"] == "unsupported-kind"


def test_a_line_names_its_kind_in_the_answer():
    found = inspect_line(b'{"kind":"handle","hex":"38382e312f61"}')
    assert (found["ok"], found["kind"], found["fields"]["canonical"]) == (True, "handle", "88.1/A")


def test_hexadecimal_may_be_parted():
    assert inspect_hex("hs-vlist", "0x00:00 00\n00") == {"refs": []}


def recorded():
    """(kind, octets) of everything that is recorded."""
    kinds = {"handle-value": "handle_values", "hs-site": "sites", "hs-admin": "admin_records"}
    pairs = [(kind, case["hex"]) for kind, name in kinds.items() for case in cases(name)]
    pairs += [("handle-message", case["hex"]) for case in cases("messages")]
    return [(kind, bytes.fromhex(octets)) for kind, octets in pairs]


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=120))
def test_any_octets_are_taken_apart_or_refused(kind, octets):
    with suppress(Fault):
        json.dumps(inspect(kind, octets))


@given(st.sampled_from(recorded()), st.integers(min_value=0), st.binary(max_size=4))
def test_damaged_octets_are_taken_apart_or_refused(recording, place, patch):
    kind, octets = recording
    place %= len(octets)
    with suppress(Fault):
        json.dumps(inspect(kind, octets[:place] + patch + octets[place + len(patch) :]))
        json.dumps(inspect(kind, octets[:place]))


@given(st.binary(max_size=80) | st.text().map(lambda text: json.dumps({"kind": text}).encode()))
def test_any_line_has_an_answer(line):
    assert inspect_line(line)["ok"] is False
