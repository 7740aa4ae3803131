"""Work that an end cuts off."""

from __future__ import annotations

import asyncio

import pytest

from resolver.supervisor import unless


async def test_work_that_is_done_has_its_result():
    async def work() -> int:
        return 7

    assert await unless(asyncio.Event(), work()) == 7


async def test_work_that_fails_says_so():
    async def work() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        await unless(asyncio.Event(), work())


async def test_an_end_cuts_work_off_and_lets_it_tidy_up():
    stop, tidied = asyncio.Event(), []

    async def work() -> None:
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied.append(True)

    assert await unless(stop, work()) is None
    assert tidied == [True]
