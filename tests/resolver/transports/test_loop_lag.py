"""The event loop's lag, as often as it is measured and as long as it is."""

from __future__ import annotations

import asyncio
import time

from resolver.transports.loop_lag import LoopLag


async def test_a_loop_that_is_held_up_is_late_by_that():
    seen: asyncio.Queue[float] = asyncio.Queue()
    lag = LoopLag(seen.put_nowait, every=0.001)
    lag.start()
    assert await seen.get() >= 0.0
    time.sleep(0.05)  # noqa: ASYNC251 - holding up the loop is what is tested
    assert max([await seen.get(), await seen.get()]) >= 0.04
    lag.stop()
