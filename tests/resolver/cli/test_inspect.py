from __future__ import annotations

import json


def test_one_thing(idnode):
    found = idnode("inspect", "hs-vlist", "0000 0000")
    assert (found.status, found.json) == (0, {"refs": []})
    found = idnode("inspect", "handle", "88.901/设备")
    assert found.json["canonical"] == "88.901/设备"


def test_standard_input(idnode):
    assert idnode("inspect", "hs-vlist", "-", stdin=b"00000000\n").json == {"refs": []}
    assert idnode("inspect", "handle", "-", stdin=b"88.1/a\n").json["canonical"] == "88.1/A"
    found = idnode("inspect", "handle", "-", stdin=b"88.1/\xff")
    assert found.status == 1
    assert "UTF-8" in found.err


def test_a_refusal_says_where(idnode):
    found = idnode("inspect", "hs-admin", "00")
    assert found.status == 1
    assert "at octet 0 (malformed)" in found.err
    assert idnode("inspect", "hs-admin", "0").status == 1


def test_lines_never_stop(idnode):
    lines = [
        b'{"kind": "hs-vlist", "hex": "00000000"}',
        b"{",
        b"",
        b'{"kind": "oid", "text": "1.2"}',
        b"\xff\xfe",
        b'{"kind": "handle", "text": "88.901/\xe8\xae\xbe"}',
    ]
    found = idnode("inspect", "--jsonl", stdin=b"\n".join(lines))
    assert found.status == 0
    answers = [json.loads(line) for line in found.out.splitlines()]
    assert [answer["ok"] for answer in answers] == [True, False, False, False, False, True]
    assert answers[0] == {"ok": True, "kind": "hs-vlist", "fields": {"refs": []}}
    assert set(answers[1]["error"]) == {"code", "message", "offset"}


def test_wrong_usage(idnode):
    assert idnode("inspect").status == 2
    assert idnode("inspect", "handle").status == 2
    assert idnode("inspect", "soup", "00").status == 2
    assert idnode("inspect", "--jsonl", "handle").status == 2
