"""The packet cache forgets exactly what it is told to, and never grows past its bound."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registry.schemes.handle import Key
from resolver.cache.packets import PacketCache

A, B = Key("88.1", "A"), Key("88.1", "B")


def test_a_change_drops_the_replies_about_that_identifier_and_no_others():
    cache: PacketCache[str] = PacketCache()
    cache.put(b"a over udp", "1", A, 10.0)
    cache.put(b"a with types", "2", A, 10.0)
    cache.put(b"b", "3", B, 10.0)
    cache.drop([A])
    assert cache.get(b"a over udp", 0.0) is None
    assert cache.get(b"a with types", 0.0) is None
    assert cache.get(b"b", 0.0) == "3"


def test_a_reply_lasts_until_its_time():
    cache: PacketCache[str] = PacketCache()
    cache.put(b"a", "1", A, 10.0)
    assert cache.get(b"a", 9.99) == "1"
    assert cache.get(b"a", 10.0) is None


class Cache(RuleBasedStateMachine):
    """The cache beside a dictionary that holds everything."""

    def __init__(self) -> None:
        super().__init__()
        self.cache: PacketCache[int] = PacketCache(max_entries=4)
        self.truth: dict[bytes, tuple[int, Key]] = {}
        self.count = 0

    requests = st.integers(0, 8)

    @rule(number=requests)
    def put(self, number: int) -> None:
        self.count += 1
        request, key = b"%d" % number, Key("88.1", str(number % 3))
        self.cache.put(request, self.count, key, 1.0)
        self.truth[request] = (self.count, key)

    @rule(number=st.integers(0, 2))
    def drop(self, number: int) -> None:
        key = Key("88.1", str(number))
        self.cache.drop([key])
        self.truth = {r: entry for r, entry in self.truth.items() if entry[1] != key}

    @rule()
    def clear(self) -> None:
        self.cache.clear()
        self.truth.clear()

    @rule(number=requests)
    def get(self, number: int) -> None:
        found = self.cache.get(b"%d" % number, 0.0)
        assert found is None or found == self.truth[b"%d" % number][0]

    @invariant()
    def bounded(self) -> None:
        assert self.cache.size <= 4


TestCache = Cache.TestCase
TestCache.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
