"""The packet cache forgets exactly what it is told to, and never grows past its bound."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registry.schemes.handle import Key
from resolver.cache.packets import MAX_REQUEST, OVERHEAD, UNKNOWN, PacketCache

A, B = Key("88.1", "A"), Key("88.1", "B")


def octets(cache: PacketCache, request: bytes, now: float = 0.0) -> bytes | None:
    kept = cache.get(request, now)
    return None if kept is None else kept.octets


def test_a_change_drops_the_replies_about_that_identifier_and_no_others():
    cache = PacketCache()
    cache.put(b"a over udp", b"1", "ok", A, 10.0)
    cache.put(b"a with types", b"2", "ok", A, 10.0)
    cache.put(b"b", b"3", "ok", B, 10.0)
    cache.drop([A])
    assert octets(cache, b"a over udp") is None
    assert octets(cache, b"a with types") is None
    assert octets(cache, b"b") == b"3"


def test_a_reply_lasts_until_its_time():
    cache = PacketCache()
    cache.put(b"a", b"1", "ok", A, 10.0)
    cache.put(b"b", b"2", "not-found", B, 11.0)
    assert octets(cache, b"a", 9.99) == b"1"
    assert octets(cache, b"a", 10.0) is None
    assert cache.get_many([b"a", b"c", b"b"], 9.0) == (
        (b"1", None, b"2"),
        ("ok", None, "not-found"),
        2,
    )
    assert cache.get_many([b"a", b"c", b"b"], 10.0) == (
        (None, None, b"2"),
        (None, None, "not-found"),
        1,
    )
    assert cache.get_many([b"a", b"b"], 9.0) == ((b"1", b"2"), ("ok", "not-found"), 2)
    assert cache.hits == 6


def test_replies_to_long_requests_are_not_kept():
    cache = PacketCache()
    cache.put(bytes(MAX_REQUEST), b"1", "ok", A, 10.0)
    cache.put(bytes(MAX_REQUEST + 1), b"1", "ok", A, 10.0)
    assert cache.size == 1


def test_the_oldest_make_room_for_octets_too():
    cache = PacketCache(max_octets=10 * (OVERHEAD + 104))
    for number in range(1000):
        cache.put(b"%4d" % number, bytes(100), "ok", A, 1.0)
        assert cache.octets <= 10 * (OVERHEAD + 104)
    assert cache.size >= 8
    assert octets(cache, b" 999") == bytes(100)
    assert cache.size + cache.evictions == 1000


def test_names_that_nobody_has_do_not_push_out_those_that_exist():
    cache = PacketCache(max_entries=1000)
    for number in range(500):
        cache.put(b"known %d" % number, b"1", "ok", A, 10.0)
    for number in range(5000):
        cache.put(b"unknown %d" % number, b"2", "not-found", B, 10.0)
        assert cache.size <= 500 + 1000 * UNKNOWN
    for number in range(300):
        cache.put(b"elsewhere %d" % number, b"4", "prefix-referral", B, 10.0)
    assert all(octets(cache, b"elsewhere %d" % number) for number in range(300))
    assert all(octets(cache, b"known %d" % number) for number in range(500))
    assert octets(cache, b"unknown 4999") == b"2"
    assert octets(cache, b"unknown 0") is None
    cache.put(b"unknown 4999", b"3", "ok", B, 10.0)
    for number in range(200):
        cache.put(b"more %d" % number, b"2", "not-found", A, 10.0)
    assert octets(cache, b"unknown 4999") == b"3"


class Cache(RuleBasedStateMachine):
    """The cache beside a dictionary that holds everything."""

    def __init__(self) -> None:
        super().__init__()
        self.cache = PacketCache(max_entries=4)
        self.truth: dict[bytes, tuple[bytes, Key]] = {}
        self.count = 0

    requests = st.integers(0, 8)

    @rule(number=requests)
    def put(self, number: int) -> None:
        self.count += 1
        request, key = b"%d" % number, Key("88.1", str(number % 3))
        reply = bytes(self.count)
        self.cache.put(request, reply, "ok", key, 1.0)
        self.truth[request] = (reply, key)

    @rule(numbers=st.lists(requests, max_size=6))
    def put_many(self, numbers: list[int]) -> None:
        replies = []
        for number in numbers:
            self.count += 1
            request, key = b"%d" % number, Key("88.1", str(number % 3))
            replies.append((request, bytes(self.count), key))
            self.truth[request] = (bytes(self.count), key)
        self.cache.put_many(replies, "ok", 1.0)

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
        found = octets(self.cache, b"%d" % number)
        assert found is None or found == self.truth[b"%d" % number][0]

    @invariant()
    def bounded(self) -> None:
        assert self.cache.size <= 4
        kept = [(r, octets(self.cache, r)) for r in self.truth]
        whole = sum(OVERHEAD + len(r) + len(reply) for r, reply in kept if reply is not None)
        assert self.cache.octets == whole


TestCache = Cache.TestCase
TestCache.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
