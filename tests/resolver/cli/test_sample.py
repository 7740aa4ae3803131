from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from registry.schemes.handle import parse
from registry.storage.interface import ACTIVE, Row
from registry.storage.sqlite import SqliteStore
from registry.values.value import Value, encode_record

RECORD = encode_record([Value(1, b"URL", b"https://example.org/")])


async def fill(path, suffixes):
    """A node's store in which prefixes are homed and hold these suffixes, and what is no item."""
    path.parent.mkdir(parents=True)
    store = await SqliteStore.open(path)
    keys = [(prefix, suffix) for prefix, held in suffixes.items() for suffix in held]
    others = [("0.NA", f"{prefix}.1") for prefix in suffixes]
    others += [(prefix, "ADMIN") for prefix in suffixes]
    async with store.begin() as transaction:
        await transaction.home([*suffixes, "0.NA"])
        await transaction.insert(
            [Row(*key, RECORD, ACTIVE, 1, 1_700_000_000) for key in (*keys, *others)]
        )
        await transaction.count({prefix: len(held) for prefix, held in suffixes.items()})
    await store.close()


@pytest.fixture
def stores(tmp_path):
    """Three nodes with 40 and 10, 2, and 30 identifiers."""

    async def make():
        data = tmp_path / "data"
        baijiu = {
            "88.901": [f"BOTTLE-{number:03}" for number in range(40)],
            "88.901.7": [f"批次-{number}" for number in range(10)],
        }
        await fill(data / "baijiu" / "node.db", baijiu)
        await fill(data / "cellar" / "node.db", {"88.901.50": ["A", "B"]})
        await fill(data / "steel" / "node.db", {"88.902": [f"COIL-{n}" for n in range(30)]})

    asyncio.run(make())


def lines(found):
    return found.out.splitlines()


def test_the_nodes_take_turns(stores, idnode):
    found = idnode("sample", "--count", 12)
    assert found.status == 0
    prefixes = Counter(parse(line).prefix.partition(".7")[0] for line in lines(found))
    assert prefixes == {"88.901": 5, "88.901.50": 2, "88.902": 5}
    assert {parse(line).prefix for line in lines(found)[:3]} == {"88.901", "88.901.50", "88.902"}
    assert found.out == idnode("sample", "--count", 12).out


def test_all_there_is_and_no_more(stores, idnode):
    found = idnode("sample", "--count", 100)
    assert found.status == 1
    assert len(set(lines(found))) == len(lines(found)) == 82
    assert "100 asked for, 82 found" in found.err
    assert not [line for line in lines(found) if line.startswith("0.NA") or "ADMIN" in line]
    quiet = idnode("--quiet", "sample", "--count", 100)
    assert (quiet.status, quiet.out, quiet.err) == (1, found.out, "")


def test_one_sector(stores, idnode):
    found = idnode("sample", "--count", 50, "--sector", "88.901")
    assert found.status == 0
    assert {parse(line).prefix for line in lines(found)} == {"88.901", "88.901.7"}
    missing = idnode("sample", "--count", 1, "--sector", "88.999")
    assert (missing.status, missing.out) == (1, "")
    assert "88.999" in missing.err


def test_a_seed_draws_at_random(stores, idnode):
    first, again, other = (
        idnode("sample", "--count", 15, "--seed", seed).out for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(set(first.splitlines())) == 15


def test_dnsperf_lines(stores, idnode):
    found = idnode("sample", "--count", 82, "--format", "dnsperf")
    assert found.status == 0
    assert "bottle-000.h.901.88.id.test TXT" in lines(found)
    assert found.out.isascii()
    elsewhere = idnode("sample", "--count", 1, "--format", "dnsperf", "--zone", "x.example")
    assert elsewhere.out.endswith(".x.example TXT\n")


def test_urls_need_a_running_topology(stores, idnode):
    assert idnode("sample", "--count", 1, "--format", "urls").status == 3


def test_identifiers_without_a_dns_name_are_left_out(tmp_path, idnode):
    asyncio.run(fill(tmp_path / "data" / "baijiu" / "node.db", {"88.901": ["设" * 60, "A"]}))
    found = idnode("sample", "--count", 2, "--format", "dnsperf")
    assert (found.status, lines(found)) == (1, ["a.h.901.88.id.test TXT"])


def test_urls(tmp_path, data, node, idnode):
    asyncio.run(fill(tmp_path / "data" / "baijiu" / "node.db", {"88.901": ["a b/c"]}))
    found = idnode("sample", "--count", 1, "--format", "urls")
    assert found.out == f"http://127.0.0.1:{node.http_port}/api/handles/88.901/a%20b/c\n"


def test_no_data(idnode):
    found = idnode("sample", "--count", 1)
    assert found.status == 3
    assert "idnode up" in found.err
