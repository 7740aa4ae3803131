"""The client library pyhandle in its whole use of a node, over HTTPS with its certificate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyhandle.client.resthandleclient import RESTHandleClient
from pyhandle.handleexceptions import (
    HandleAlreadyExistsException,
    HandleAuthenticationError,
    HandleNotFoundException,
    ReverseLookupException,
)

from tests.support.indexed import wait_for_the_index
from tests.support.processes import Topology, up
from tests.support.wire import fetch

JSON = {"Content_Type": "application/json"}


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[tuple[Topology, Path]]:
    data = tmp_path_factory.mktemp("pyhandle") / "data"
    with up("minimal", data, "--seed", 3, nodes=4) as topology:
        yield topology, data


@pytest.fixture(scope="module")
def sector(running):
    """The sector node, its administrator, and the certificate to trust."""
    topology, data = running
    entry = next(node for node in topology.nodes.values() if node["role"] == "sector")
    admins = json.loads((data / "credentials.json").read_bytes())["handle_admins"]
    admin = next(admin for admin in admins if admin["prefix"] == entry["prefix"])
    return entry, admin, str(data / entry["name"] / "tls.pem")


def client(sector, secret: str | None = None) -> RESTHandleClient:
    entry, admin, certificate = sector
    return RESTHandleClient.instantiate_with_username_and_password(
        entry["https"],
        f"{admin['index']}:{admin['handle']}",
        secret or admin["secret"],
        HTTPS_verify=certificate,
        handleowner=f"{admin['index']}:{admin['handle']}",
    )


def test_the_whole_life_of_a_handle(sector):
    entry, _, _ = sector
    handle = f"{entry['prefix']}/py-1"
    peer = client(sector)
    assert peer.register_handle(handle, "https://py.example/1", checksum="abc", EXTRA="x") == handle
    with pytest.raises(HandleAlreadyExistsException):
        peer.register_handle(handle, "https://py.example/2")
    peer.register_handle(handle, "https://py.example/2", overwrite=True)
    peer.modify_handle_value(handle, URL="https://py.example/3", NEW="added")
    assert peer.get_value_from_handle(handle, "URL") == "https://py.example/3"
    assert peer.get_value_from_handle(handle, "NEW") == "added"
    peer.delete_handle_value(handle, "NEW")
    assert peer.get_value_from_handle(handle, "NEW") is None
    assert set(peer.retrieve_handle_record(handle)) == {"URL", "HS_ADMIN"}
    peer.delete_handle(handle)
    assert peer.retrieve_handle_record_json(handle) is None
    with pytest.raises(HandleNotFoundException):
        peer.modify_handle_value(handle, URL="x")


def test_generated_and_listed_forms(sector):
    entry, _, _ = sector
    peer = client(sector)
    generated = peer.generate_and_register_handle(entry["prefix"], "https://py.example/g")
    assert peer.get_value_from_handle(generated, "URL") == "https://py.example/g"
    kv = peer.register_handle_kv(f"{entry['prefix']}/py-kv", URL="https://py.example/kv")
    values = [
        {"index": 1, "type": "URL", "data": {"format": "string", "value": "https://py.example/j"}}
    ]
    as_json = peer.register_handle_json(f"{entry['prefix']}/py-json", values)
    for handle in (generated, kv, as_json):
        peer.delete_handle(handle)


def test_the_recursive_node_names_the_node_to_write_to(running, sector):
    topology, _ = running
    entry, _, _ = sector
    path = f"/api/handles/{entry['prefix']}/py-3"
    reply = fetch(topology.nodes["recursive"]["https"], path, "PUT", b"[]", **JSON)
    assert reply.status == 400
    assert f"ask sector node {entry['name']}" in json.loads(reply.body)["message"]


def test_a_wrong_secret(sector):
    entry, _, _ = sector
    with pytest.raises(HandleAuthenticationError):
        client(sector, "wrong").register_handle(f"{entry['prefix']}/py-2", "https://py.example/")
    assert client(sector).retrieve_handle_record_json(f"{entry['prefix']}/py-2") is None


def test_reverse_look_up(running, sector):
    _, data = running
    entry, _, certificate = sector
    accounts = json.loads((data / "credentials.json").read_bytes())["accounts"]
    account = next(each for each in accounts if each["prefix"] == entry["prefix"])
    handles = [f"{entry['prefix']}/rev-{number}" for number in (1, 2)]
    for handle, checksum in zip(handles, ("one", "two"), strict=True):
        client(sector).register_handle(handle, "https://py.example/reverse", checksum=checksum)
    wait_for_the_index(entry["http"], account["token"])
    peer = RESTHandleClient(
        reverselookup_baseuri=entry["https"],
        reverselookup_username=account["username"],
        reverselookup_password=account["token"],
        HTTPS_verify=certificate,
    )
    found = [handle.upper() for handle in handles]
    assert peer.search_handle(URL="https://py.example/reverse") == found
    assert peer.search_handle(URL="https://py.example/reverse", CHECKSUM="two") == found[1:]
    assert peer.search_handle(URL="https://py.example/nowhere") == []
    with pytest.raises(ReverseLookupException):
        peer.search_handle(URL="https://py.example/*")
    stranger = RESTHandleClient(
        reverselookup_baseuri=entry["https"],
        reverselookup_username="somebody",
        reverselookup_password=account["token"],
        HTTPS_verify=certificate,
    )
    with pytest.raises(ReverseLookupException, match="Authentication failed"):
        stranger.search_handle(URL="https://py.example/reverse")
