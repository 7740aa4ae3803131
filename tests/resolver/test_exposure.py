"""Nodes that others can reach are not started with secrets that others have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from registry.accounts.passwords import is_known
from registry.storage.interface import ACTIVE, Row
from registry.storage.sqlite import SqliteStore
from registry.values.value import ADMIN_READ, Value, encode_record
from resolver.data_directory import Account, Credentials, DataDirectory, HandleAdmin
from resolver.exposure import Rule, UnsafeToExpose, check_administrators, check_files
from resolver.topology import Topology
from resolver.topology.loading import parse
from tests.support.recorded_server import TOPOLOGY

DOCUMENTS = Path(__file__).parents[2] / "docs"


def topology(host: str) -> Topology:
    return parse(f'{TOPOLOGY}host = "{host}"\n', "exposed.toml")


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    directory = DataDirectory(tmp_path / "data")
    directory.node_path("bench")
    account = Account("bench", "88.1000", "operator", "operator@88.1000", "k3J-x8", "t0K-en")
    admin = HandleAdmin("88.1000", "88.1000/ADMIN", 300, "s3C-ret")
    directory.add_credentials(Credentials([account], [admin]))
    return directory


def refused(data: DataDirectory, host: str) -> Rule | None:
    chosen = topology(host)
    try:
        check_files(chosen, [chosen.node("bench")], data)
    except UnsafeToExpose as error:
        rule, _, said = str(error).partition(": ")
        return Rule(rule) if said.startswith("node bench listens") else None
    return None


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1", "2001:db8::1"])
def test_what_is_private_and_ones_own_is_served_anywhere(data: DataDirectory, host: str) -> None:
    assert refused(data, host) is None


@pytest.mark.parametrize("name", ["credentials.json", "bench/server.key", "bench/store.url"])
def test_files_that_others_may_read(data: DataDirectory, name: str) -> None:
    path = data.path / name
    path.touch()
    path.chmod(0o640)
    assert refused(data, "127.0.0.1") is refused(data, "::1") is None
    assert refused(data, "192.0.2.1") is Rule.PRIVATE_FILES


@pytest.mark.parametrize(
    "known",
    [
        Credentials([Account("bench", "88.1000", "operator", "o", "Password", "t0K-en")]),
        Credentials([Account("bench", "88.1000", "operator", "o", "k3J-x8", "changeme")]),
        Credentials(handle_admins=[HandleAdmin("88.1000", "88.1000/ADMIN", 300, "secret")]),
    ],
)
def test_secrets_that_everybody_knows(data: DataDirectory, known: Credentials) -> None:
    data.add_credentials(known)
    assert refused(data, "127.0.0.1") is None
    assert refused(data, "192.0.2.1") is Rule.OWN_SECRETS


async def test_administrators_with_a_secret_that_everybody_knows(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "node.db")
    near, far = topology("127.0.0.1"), topology("192.0.2.1")
    await check_administrators(far, far.node("bench"), store.reads)
    key = Value(300, b"HS_SECKEY", b"another secret", permissions=ADMIN_READ)
    record = encode_record([key])
    async with store.begin() as transaction:
        await transaction.insert([Row("88.1000", "ADMIN", record, ACTIVE, 1, 0)])
    await check_administrators(near, near.node("bench"), store.reads)
    with pytest.raises(UnsafeToExpose, match=r"own-secrets: .* 88\.1000/ADMIN"):
        await check_administrators(far, far.node("bench"), store.reads)
    await store.close()


def test_secrets_that_documents_show_are_known() -> None:
    shown = set()
    for page in DOCUMENTS.glob("*.md"):
        text = page.read_text()
        shown |= set(re.findall(r'"HS_SECKEY", "data": "([^"$]+)"', text))
        shown |= set(re.findall(r'"password": "([^"$…\\]+)"', text))
    assert shown, "the pattern fits no page any more"
    assert all(map(is_known, shown))
