from __future__ import annotations

import base64
import socket
import threading

import pytest

from tests.support.small_node import TOKEN

NEW = "88.901.7/new 1"
URL = "1:URL=https://example.org/?a=b:c"


def test_registering_and_replacing(data, node, idnode):
    found = idnode("register", NEW, "--set", URL, "--set", "2:DESC=五粮")
    assert found.status == 0
    assert "registered on sector node baijiu" in found.out
    assert "durable" in found.out
    assert node.requests == [("PUT", "/v1/identifiers/88.901.7%2Fnew%201")]
    assert node.bodies == [
        {
            "values": [
                {"index": 1, "type": "URL", "data": "https://example.org/?a=b:c"},
                {"index": 2, "type": "DESC", "data": "五粮"},
            ],
            "overwrite": False,
        }
    ]
    again = idnode("register", NEW, "--set", URL)
    assert again.status == 1
    assert "exists already (already-exists)" in again.err
    assert "sector node baijiu" in again.err
    replaced = idnode("register", NEW, "--set", URL, "--overwrite", "--ttl", "60", "--json")
    assert replaced.status == 0
    assert replaced.json["created"] is False
    assert node.bodies[-1]["values"][0]["ttl"] == 60


@pytest.mark.parametrize(
    ("argument", "data_member"),
    [
        ("1:X=", ""),
        ("1:X=hex:00 ff", {"format": "hex", "value": "00ff"}),
        ("1:X=base64:AP8=", {"format": "base64", "value": "AP8="}),
        ("1:X=text:hex:00", "hex:00"),
        ("1:X=@-", "from standard input"),
        ("1:a:b=c", "c"),
    ],
)
def test_forms_of_data(argument, data_member, data, node, idnode):
    found = idnode("register", NEW, "--set", argument, stdin=b"from standard input")
    assert found.status == 0
    assert node.bodies[0]["values"][0]["data"] == data_member


def test_data_from_files(data, node, idnode, tmp_path):
    (tmp_path / "text").write_text("五粮")
    (tmp_path / "octets").write_bytes(b"\xff\x00")
    sets = ("--set", f"1:A=@{tmp_path}/text", "--set", f"2:B=@{tmp_path}/octets")
    assert idnode("register", NEW, *sets).status == 0
    given = [value["data"] for value in node.bodies[0]["values"]]
    assert given == ["五粮", {"format": "base64", "value": base64.b64encode(b"\xff\x00").decode()}]


@pytest.mark.parametrize(
    "argument",
    ["URL=x", "1:URL", "x:URL=y", "-1:URL=y", "1:=y", "1:X=hex:0", "1:X=base64:!", "1:X=@/nil"],
)
def test_a_value_that_cannot_be_read(argument, data, node, idnode):
    found = idnode("register", NEW, "--set", argument)
    assert found.status == 2
    assert node.requests == []


def test_the_longest_prefix_chooses_node_and_token(data, node, idnode):
    data.announce([{**node.ready("cellar", "enterprise"), "prefix": "88.901.50"}])
    assert "sector node baijiu" in idnode("register", "88.901.999/x", "--set", URL).out
    assert "sector node baijiu" in idnode("register", "0.NA/88.901.50", "--set", URL).out
    found = idnode("register", "88.901.50/x", "--set", URL)
    assert found.status == 2
    assert "--token" in found.err
    found = idnode("register", "88.901.50/x", "--set", URL, "--token", TOKEN)
    assert "enterprise node cellar" in found.out


def test_a_prefix_that_no_node_homes(data, idnode):
    found = idnode("register", "86.1/x", "--set", URL)
    assert found.status == 1
    assert "86.1" in found.err


def test_node_and_url_may_be_named(data, node, idnode):
    assert idnode("register", NEW, "--set", URL, "--node", "baijiu").status == 0
    via = f"http://127.0.0.1:{node.http_port}"
    assert idnode("register", NEW, "--set", URL, "--via", via, "--overwrite").status == 0
    found = idnode("register", NEW, "--set", URL, "--node", "soup")
    assert found.status == 2
    assert "baijiu" in found.err


def test_a_wrong_token(data, idnode):
    found = idnode("register", NEW, "--set", URL, "--token", "wrong")
    assert found.status == 1
    assert "(authentication)" in found.err


def test_nobody_answers(idnode):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        via = f"http://127.0.0.1:{taken.getsockname()[1]}"
        found = idnode("register", NEW, "--set", URL, "--via", via, "--token", "t")
    assert found.status == 3
    assert "nothing was registered" in found.err


def test_an_unknown_outcome_is_named(idnode):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            connection, _ = server.accept()
            connection.recv(1)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        via = f"http://127.0.0.1:{server.getsockname()[1]}"
        found = idnode("register", NEW, "--set", URL, "--via", via, "--token", "t")
        thread.join(10)
    assert found.status == 3
    assert "it is not known whether" in found.err
