"""Answers that are waited for: each source's share of the places, and how each wait ends."""

from __future__ import annotations

import asyncio

import pytest

from resolver.transports.account import Account
from resolver.transports.waiting import Waiting


class Desk:
    """Eight places, and answers that come when the gate is opened."""

    def __init__(self) -> None:
        self.account = Account()
        self.sent: list[tuple[list[bytes], str]] = []
        self.waiting = Waiting(
            lambda replies, address: self.sent.append((list(replies), address[0])),
            self.account,
            places=8,
        )
        self.gate = asyncio.Event()

    async def later(self, replies: list[bytes] | None) -> list[bytes] | None:
        await self.gate.wait()
        return replies

    def ask(self, host: str, replies: list[bytes] | None) -> bool:
        """Whether there was room to wait."""
        if not self.waiting.has_room(host):
            return False
        self.waiting.add(self.later(replies), (host, 53))
        return True


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_no_source_takes_all_the_places(desk):
    assert [desk.ask("greedy", [b"1"]) for _ in range(10)] == [True] * 4 + [False] * 6
    assert desk.ask("polite", [b"2"])
    assert desk.account.waiting == 5
    desk.gate.set()
    await desk.waiting.drain(5)
    assert sorted(desk.sent) == [([b"1"], "greedy")] * 4 + [([b"2"], "polite")]
    assert desk.account.waiting == 0


async def test_places_are_free_again_after_the_answer(desk):
    desk.gate.set()
    for _ in range(3):
        for _ in range(4):
            desk.ask("a", [b"1"])
        await desk.waiting.drain(5)
    assert len(desk.sent) == 12


async def test_each_wait_ends_in_one_way(desk):
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context))

    async def fail() -> list[bytes]:
        raise RuntimeError("broken")

    desk.ask("a", None)
    desk.waiting.add(fail(), ("a", 53))
    desk.gate.set()
    await desk.waiting.drain(5)
    desk.gate.clear()
    desk.ask("a", [b"too late"])
    await desk.waiting.drain(0)
    assert desk.account.dropped == {"unanswerable": 1, "failed": 1, "ended": 1}
    assert [str(context["exception"]) for context in told] == ["broken"]
    assert desk.sent == []
