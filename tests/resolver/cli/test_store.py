"""`idnode store` on data directories: what it does, and what it refuses."""

from __future__ import annotations

import asyncio

import pytest

from registry.storage.sqlite import SqliteStore
from resolver.cli.main import run
from resolver.data_directory import DataDirectory
from resolver.topology import TopologyError, parse


@pytest.fixture
def data(tmp_path) -> DataDirectory:
    """A directory in which node `tea` homes a prefix."""
    data = DataDirectory(tmp_path / "data")

    async def fill() -> None:
        store = await SqliteStore.open(data.node_path("tea") / "node.db")
        async with store.begin() as transaction:
            await transaction.home(["88.902"])
        await store.close()

    asyncio.run(fill())
    return data


async def homed(url_path) -> list[str]:
    store = await SqliteStore.open(url_path)
    found = await store.reads.homed_prefixes()
    await store.close()
    return found


def test_a_backup_is_restored_where_there_is_nothing(data, tmp_path, capsys) -> None:
    backup, place = tmp_path / "tea.backup", ("--data", str(data.path))
    assert run(["store", "backup", "tea", str(backup), *place]) == 0
    assert run(["store", "restore", str(backup), "tea", *place]) == 1
    assert "move it away first" in capsys.readouterr().err
    assert run(["store", "restore", str(backup), "new", *place]) == 0
    assert asyncio.run(homed(data.path / "new" / "node.db")) == ["88.902"]


def test_a_copy_shows_what_it_proved(data, tmp_path, capsys) -> None:
    target = f"sqlite:///{tmp_path}/copy.db"
    assert run(["store", "copy", "tea", target, "--data", str(data.path)]) == 0
    out = capsys.readouterr().out
    assert "homed_prefixes" in out
    assert "2 rows are the same" in out
    assert run(["store", "copy", "tea", target, "--data", str(data.path)]) == 1
    assert "not empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["copy", "nobody", "sqlite:///x.db"], 1, "no node 'nobody' has a store"),
        (["backup", "nobody", "x"], 1, "no node 'nobody' has a store"),
        (["copy", "tea", "mysql://host/name"], 2, "there is no store for 'mysql'"),
        (["restore", "absent", "tea"], 2, "does not exist"),
    ],
)
def test_what_is_not_there(data, capsys, arguments, status, said) -> None:
    assert run(["store", *arguments, "--data", str(data.path)]) == status
    assert said in capsys.readouterr().err


def test_a_node_that_runs_is_not_moved(data, tmp_path, capsys) -> None:
    with data.lock_node("tea", "node tea"):
        target = f"sqlite:///{tmp_path}/copy.db"
        assert run(["store", "copy", "tea", target, "--data", str(data.path)]) == 1
    assert "stop it first" in capsys.readouterr().err


TOPOLOGY = """
name = "stores"
title = { en = "s", zh = "s" }
[[node]]
name = "recursive"
role = "recursive"
title = { en = "r", zh = "r" }
[[node]]
name = "root"
role = "root"
title = { en = "r", zh = "r" }
ROOT
[[node]]
name = "top"
role = "national"
parent = "root"
prefix = "88"
title = { en = "n", zh = "n" }
TOP
"""
PG = "postgresql://host/root"


@pytest.mark.parametrize(
    ("root", "top", "key"),
    [
        (f'store = "{PG}"', f'store = "{PG}2"', None),
        (f'store = "{PG}"\nstore_read = "{PG}_copy"', 'store = "sqlite:///top.db"', None),
        (f'store = "{PG}"', f'store = "{PG}"', "node[2].store"),
        ('store = "node.db"', "", "node[1].store"),
        (f'store_read = "{PG}"', "", "node[1].store_read"),
        (f'store = "sqlite:///a"\nstore_read = "{PG}"', "", "node[1].store_read"),
    ],
)
def test_stores_in_a_topology(root, top, key) -> None:
    text = TOPOLOGY.replace("ROOT", root).replace("TOP", top)
    if key is None:
        assert parse(text, "stores.toml").node("root").store == PG
        return
    with pytest.raises(TopologyError) as caught:
        parse(text, "stores.toml")
    assert [problem.key for problem in caught.value.problems] == [key]
