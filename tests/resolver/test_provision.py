"""Provisioning: what a node's store holds after it, again and again, and after it was cut off."""

from __future__ import annotations

import asyncio

import pytest

from registry.clock import ManualClock
from registry.registration.registrar import Registrar
from registry.schemes.handle import parse
from registry.storage.backends import open_store
from registry.storage.interface import is_counted
from registry.values.admin import decode_admin
from registry.values.site import HTTP, TCP, UDP, decode_site
from registry.values.value import Value, decode_record, encode_record
from resolver.data_directory import DataDirectory
from resolver.key_hierarchy import node_signer, trust_root
from resolver.provision import Provision, published_site
from resolver.query import Values
from resolver.topology import load, with_base_port
from resolver.verification import Verifier

TOPOLOGY = load("minimal")


@pytest.fixture
def data(tmp_path) -> DataDirectory:
    return DataDirectory(tmp_path)


async def provisioned(data, name, seed=10, topology=TOPOLOGY, clock=None):
    """Run the steps for a node; its rows by key, and the number of commits that it took."""
    spec = topology.node(name)
    store = await open_store(f"sqlite:///{data.node_path(name) / 'node.db'}")
    clock = clock or ManualClock()
    registrar = Registrar(store, clock)
    commits = []
    store.subscribe(lambda keys, homed: commits.append(keys))
    try:
        await Provision(topology, spec, data, store, registrar, clock).run(seed)
        homed = await store.reads.homed_prefixes()
        rows = {str(row.key): row for prefix in homed async for row in store.reads.scan(prefix)}
        rows |= {str(row.key): row async for row in store.reads.scan("0.NA")}
        return rows, len(commits)
    finally:
        await registrar.aclose()
        await store.close()


def values(rows, key):
    return {value.index: value for value in decode_record(rows[key].record)}


async def test_a_sector_node_has_its_identifiers_administrators_and_prefix_records(data):
    rows, _ = await provisioned(data, "baijiu")
    sector = TOPOLOGY.node("baijiu")
    seeded = [key for key in rows if not key.startswith("0.NA/") and not key.endswith("/ADMIN")]
    assert len(seeded) == 10
    for prefix in sector.homed:
        secret = values(rows, f"{prefix}/ADMIN")[300]
        assert (secret.type, secret.permissions) == (b"HS_SECKEY", 0b1100)
    (hosted,) = (entry.prefix for entry in sector.hosted[:1])
    record = values(rows, f"0.NA/{hosted}")
    assert decode_site(record[1].data) == published_site(TOPOLOGY, sector, data)
    assert decode_admin(record[100].data).handle == f"{hosted}/ADMIN".encode()
    (child,) = TOPOLOGY.children("baijiu")
    delegated = values(rows, f"0.NA/{child.prefix}")
    assert decode_site(delegated[1].data) == published_site(TOPOLOGY, child, data)
    assert delegated[2].type == b"HS_SITE.PREFIX"


async def test_a_second_run_writes_nothing(data):
    before, _ = await provisioned(data, "baijiu")
    after, commits = await provisioned(data, "baijiu")
    assert after == before
    assert commits == 0


async def test_credentials_fit_what_is_stored(data):
    rows, _ = await provisioned(data, "baijiu")
    credentials = data.read_credentials()
    assert {account.prefix for account in credentials.accounts} == set(
        TOPOLOGY.node("baijiu").homed
    )
    for admin in credentials.handle_admins:
        stored = values(rows, admin.handle)[admin.index]
        assert stored.data.decode() == admin.secret


async def test_moved_ports_change_the_records_and_the_serial_number(data):
    await provisioned(data, "root")
    moved = with_base_port(TOPOLOGY, 31000)
    rows, _ = await provisioned(data, "root", topology=moved)
    site = decode_site(values(rows, "0.NA/88")[1].data)
    assert site.servers[0].interfaces[0].port == 31021
    assert site.serial_number == 2
    assert site == published_site(moved, moved.node("chongqing"), data)


async def test_a_site_names_tcp_first(data):
    """Clients of CAICT take the first interface of a site for all that they ask."""
    await provisioned(data, "root")
    interfaces = published_site(TOPOLOGY, TOPOLOGY.root, data).servers[0].interfaces
    assert [(one.protocol, one.admin) for one in interfaces] == [
        (TCP, True),
        (UDP, False),
        (HTTP, True),
    ]


async def test_the_root_knows_itself(data):
    rows, _ = await provisioned(data, "root")
    site = decode_site(values(rows, "0.NA/0.NA")[1].data)
    assert site == published_site(TOPOLOGY, TOPOLOGY.root, data)


async def test_a_seed_is_not_repeated_when_identifiers_are_there(data):
    await provisioned(data, "distillery", seed=5)
    rows, _ = await provisioned(data, "distillery", seed=50)
    assert sum(not key.endswith("/ADMIN") for key in rows) == 5


async def test_each_prefix_record_has_a_certificate_by_the_node_above(data):
    records = {}
    for name in ("root", "chongqing", "baijiu"):
        rows, _ = await provisioned(data, name)
        records |= {parse(key): row.record for key, row in rows.items()}
    signer = node_signer(TOPOLOGY.node("distillery"), data)
    identifier = parse("88.901.100/X")
    now = int(ManualClock().now())
    record = signer.sealed(identifier, encode_record([Value(1, b"URL", b"x")]), now)
    root = trust_root(published_site(TOPOLOGY, TOPOLOGY.root, data))

    async def look_up(key):
        return Values(records[key])

    report = await Verifier(look_up, [root], ManualClock()).verify(identifier, record)
    assert report.trusted
    assert len(report.signatures[0].chain) == 4


@pytest.mark.parametrize("name", ["root", "chongqing"])
async def test_certificates_are_made_again_when_they_are_about_to_expire(data, name):
    await provisioned(data, name)
    for days, commits in ((3650 - 366, 0), (3650 - 364, 1 if name == "chongqing" else 2)):
        clock = ManualClock(ManualClock().now() + days * 86_400)
        _, made = await provisioned(data, name, clock=clock)
        assert made == commits


async def test_a_lost_key_changes_key_and_certificate(data):
    before, _ = await provisioned(data, "baijiu")
    (data.node_path("distillery") / "server.key").unlink()
    after, _ = await provisioned(data, "baijiu")
    was, now = (values(rows, "0.NA/88.901.100") for rows in (before, after))
    assert was[300].data != now[300].data
    assert was[400].data != now[400].data


async def test_seeding_that_was_cut_off_is_finished(data):
    """The process ends after the first commit of generated identifiers."""
    store = await open_store(f"sqlite:///{data.node_path('baijiu') / 'node.db'}")
    registrar = Registrar(store, ManualClock())
    provision = Provision(TOPOLOGY, TOPOLOGY.node("baijiu"), data, store, registrar, ManualClock())
    seeding = asyncio.create_task(provision.run(3000))
    store.subscribe(lambda keys, homed: seeding.cancel() if len(keys) > 100 else None)
    with pytest.raises(asyncio.CancelledError):
        await seeding
    assert 0 < sum((await store.reads.counts()).values()) < 3000
    await registrar.aclose()
    await store.close()
    rows, _ = await provisioned(data, "baijiu", seed=7)
    assert sum(is_counted(row.prefix, row.suffix) for row in rows.values()) == 3000
