"""A store that another process writes to: what it holds is seen at once, what changed is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from registry.schemes.handle import Key
from registry.storage.backends import open_followed, open_store
from registry.storage.interface import Row

ROW = Row("88.901", "A", b"\0\0\0\0", 0, 1, 1)


async def test_what_the_writer_commits_is_read_at_once_and_told_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'node.db'}"
    writer = await open_store(url)
    followed = await open_followed(url)
    heard: list[tuple[Sequence[Key] | None, bool]] = []
    end = followed.subscribe(lambda keys, homed: heard.append((keys, homed)))

    assert await followed.gather(lambda: followed.lookup.row(*ROW.key)) is None
    async with writer.begin() as transaction:
        await transaction.insert([ROW])
    assert followed.lookup.row(*ROW.key) == ROW
    assert await followed.reads.row(*ROW.key) == ROW

    await followed.told([ROW.key], False)
    end()
    await followed.told(None, True)
    assert heard == [([ROW.key], False)]
    await followed.close()
    await writer.close()
