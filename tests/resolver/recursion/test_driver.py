"""Walks over a network of nodes in memory: joined, cached, selected."""

from __future__ import annotations

import asyncio

import pytest

from registry import outcomes
from registry.clock import ManualClock
from registry.schemes.handle import Key, parse
from registry.values.value import Value, decode_record, encode_record
from resolver.query import Query, Refused, Values
from resolver.recursion.budget import Limits
from resolver.recursion.driver import Recursor
from resolver.recursion.trace import Step
from tests.support.fake_network import FakeNetwork, hierarchy
from tests.support.playbook import site

ROOT = (site("10.0.0.1", node="root", role="root"),)
HOPS = ["10.0.0.1", "10.0.1.1", "10.0.2.1"]
IDENTIFIER = "88.901/BOT-000001"


def query(text: str = IDENTIFIER, **more: object) -> Query:
    return Query(text.encode(), parse(text), **more)  # type: ignore[arg-type]


def recursor(network: FakeNetwork, **more: object) -> Recursor:
    return Recursor(ROOT, network.ask, network.clock, **more)  # type: ignore[arg-type]


def lone(*values: Value) -> FakeNetwork:
    """A root that holds a record of these values itself."""
    return FakeNetwork({"10.0.0.1": lambda _: Values(encode_record(values))})


async def test_from_the_root_alone():
    network = FakeNetwork(hierarchy())
    answer = await recursor(network).resolve(query())
    assert isinstance(answer, Values)
    assert [value.data for value in decode_record(answer.record)] == [
        b"https://example.org/BOT-000001"
    ]
    assert not answer.authoritative
    assert network.asked == HOPS


async def test_a_thousand_clients_ask_one_cold_name():
    network = FakeNetwork(hierarchy())
    source = recursor(network)
    answers = await asyncio.gather(*(source.resolve(query()) for _ in range(1000)))
    assert network.asked == HOPS
    assert len(set(answers)) == 1
    assert (source.stats.walks, source.stats.joined, source.stats.queries) == (1, 999, 3)
    assert source.stats.referrals == 2


async def test_names_that_differ_in_case_are_one_name():
    network = FakeNetwork(hierarchy())
    source = recursor(network)
    await asyncio.gather(source.resolve(query()), source.resolve(query(IDENTIFIER.lower())))
    assert network.asked == HOPS


def spelled(timestamp: int) -> FakeNetwork:
    """A root whose values are what it was asked for."""

    def node(asked: Query) -> Values:
        value = Value(1, b"NAME", asked.asked, timestamp=timestamp)
        return Values(encode_record([value]), 60)

    return FakeNetwork({"10.0.0.1": node})


async def test_values_made_from_a_name_follow_its_spelling():
    network = spelled(timestamp=0)
    source = recursor(network)
    names = ["88.901/B@AB", "88.901/b@ab", "88.901/b@aB"]
    for _ in range(2):
        found = await asyncio.gather(*(source.resolve(query(name)) for name in names))
        assert [made(answer) for answer in found] == names
    assert len(network.asked) == len(names)
    assert [made(source.cached(query(name), 0)) for name in names] == names
    assert made(await source.resolve(query(names[1], fresh=True))) == names[1]
    assert len(network.asked) == len(names) + 2


async def test_registered_values_are_the_same_in_every_spelling():
    network = spelled(timestamp=1)
    source = recursor(network)
    for name in ("88.901/b@ab", "88.901/B@ab", "0.na/88", "88"):
        assert made(await source.resolve(query(name))) == str(parse(name))
    assert len(network.asked) == 2


def made(answer: object) -> str:
    assert isinstance(answer, Values)
    (value,) = decode_record(answer.record)
    return value.data.decode()


async def test_a_client_that_goes_away_takes_nothing_from_the_others():
    network = FakeNetwork(hierarchy())
    source = recursor(network)
    first, second = (asyncio.create_task(source.resolve(query())) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert isinstance(await second, Values)
    assert network.asked == HOPS


async def test_what_was_asked_is_kept_for_its_time():
    network = FakeNetwork(hierarchy(ttl=60))
    source = recursor(network)
    fresh = await source.resolve(query())
    assert isinstance(fresh, Values)
    network.clock.advance(59)
    kept = source.cached(query(), network.clock.now())
    assert isinstance(kept, Values)
    assert (kept.record, kept.ttl, kept.authoritative) == (fresh.record, 1, False)
    network.clock.advance(1)
    assert source.cached(query(), network.clock.now()) is None
    await source.resolve(query())
    assert network.asked == [*HOPS, HOPS[-1]]  # the way was known
    assert source.stats.cache_hits == 1


async def test_a_missing_name_is_asked_for_again_after_five_seconds():
    network = FakeNetwork(hierarchy())
    source = recursor(network)
    missing = query("88.901/MISSING")
    for _ in range(2):
        answer = await source.resolve(missing)
        assert isinstance(answer, Refused)
        assert answer.outcome is outcomes.NOT_FOUND
    assert network.asked == HOPS
    network.clock.advance(5)
    await source.resolve(missing)
    assert network.asked == [*HOPS, HOPS[-1]]


async def test_a_failure_is_kept_for_a_moment():
    network = FakeNetwork({})
    source = recursor(network)
    for _ in range(2):
        answer = await source.resolve(query())
        assert isinstance(answer, Refused)
        assert answer.outcome is outcomes.UPSTREAM_TIMEOUT
    assert len(network.asked) == 2  # UDP and TCP of the root, once
    assert source.stats.failures == 1


async def test_fresh_goes_by_every_cache_and_renews_them():
    network = FakeNetwork(hierarchy("https://old.example/"))
    source = recursor(network)
    await source.resolve(query())
    network.nodes = dict(hierarchy("https://new.example/"))
    await source.resolve(query(fresh=True))
    assert network.asked == HOPS * 2
    renewed = source.cached(query(), network.clock.now())
    assert isinstance(renewed, Values)
    assert b"new.example" in renewed.record


async def test_it_says_whose_answer_is_new():
    network = FakeNetwork(hierarchy())
    learned: list[Key] = []
    source = recursor(network, learned=learned.append)
    await source.resolve(query())
    await source.resolve(query())
    await source.resolve(query(fresh=True))
    assert learned == [query().key] * 2


async def test_a_fresh_question_does_not_join_an_older_walk():
    network = FakeNetwork(hierarchy())
    source = recursor(network)
    await asyncio.gather(source.resolve(query()), source.resolve(query(fresh=True)))
    assert source.stats.walks == 2


async def test_one_walk_serves_every_selection():
    network = lone(Value(1, b"URL", b"u"), Value(2, b"EMAIL", b"e"), Value(3, b"URL.MIRROR", b"m"))
    source = recursor(network)

    async def indexes(**selection: object) -> list[int]:
        answer = await source.resolve(query(**selection))
        assert isinstance(answer, Values)
        return [value.index for value in decode_record(answer.record)]

    assert await indexes(types=(b"url",)) == [1]
    assert await indexes(types=(b"URL.",)) == [1, 3]
    assert await indexes(types=(b"EMAIL",), indexes=(1,)) == [1, 2]
    assert await indexes() == [1, 2, 3]
    assert len(network.asked) == 1
    nothing = await source.resolve(query(indexes=(9,)))
    assert isinstance(nothing, Refused)
    assert nothing.outcome is outcomes.VALUES_NOT_FOUND
    assert 0 < nothing.ttl <= 5


async def test_values_pass_unchanged():
    """Their TTL too: a signature covers it. What is left counts down in the answer alone."""
    network = lone(Value(1, b"URL", b"u", ttl=300, timestamp=1_700_000_000))
    source = recursor(network)
    before = await source.resolve(query())
    network.clock.advance(100)
    after = source.cached(query(), network.clock.now())
    assert isinstance(before, Values)
    assert isinstance(after, Values)
    assert after.record == before.record
    assert (before.ttl, after.ttl) == (300, 200)


async def test_too_many_walks_at_once_is_busy():
    network = FakeNetwork(hierarchy())
    source = recursor(network, max_walks=2)
    answers = await asyncio.gather(*(source.resolve(query(f"88.901/{n}")) for n in range(3)))
    assert [isinstance(answer, Values) for answer in answers] == [True, True, False]
    assert answers[2] == Refused(outcomes.BUSY, "too many resolutions are under way")
    assert source.stats.busy == 1
    assert isinstance(await source.resolve(query("88.901/2")), Values)


async def test_everyone_who_waited_gets_the_trace():
    network = FakeNetwork(hierarchy())
    source = recursor(network, name="recursive-1")
    traces: list[list[Step]] = [[], []]
    await asyncio.gather(*(source.resolve(query(), trace) for trace in traces))
    assert traces[0] == traces[1]
    assert [step.role for step in traces[0]] == ["root", "national", "sector"]
    cached: list[Step] = []
    await source.resolve(query(), cached)
    assert cached == [
        Step("recursive-1", "recursive", "", "cache", IDENTIFIER, "1 ok, 1 value", 0.0, cached=True)
    ]


async def test_close_ends_the_walks_under_way():
    network = FakeNetwork(hierarchy())
    source = recursor(network)
    waiting = asyncio.create_task(source.resolve(query()))
    await asyncio.sleep(0)
    await source.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("seed", range(20))
async def test_loss_is_survived(seed):
    network = FakeNetwork(hierarchy(), seed=seed, loss=0.1)
    source = recursor(network)
    answer = await source.resolve(query())
    assert isinstance(answer, Values)
    assert len(network.asked) == 3 + source.stats.timeouts


async def test_the_limits_are_the_recursors():
    network = FakeNetwork(hierarchy())
    answer = await recursor(network, limits=Limits(queries=2)).resolve(query())
    assert isinstance(answer, Refused)
    assert answer.outcome is outcomes.RESOLUTION_LIMIT


async def test_only_permitted_addresses_are_asked():
    network = FakeNetwork(hierarchy())
    source = recursor(network, may_ask=lambda host, _: host != "10.0.1.1")
    answer = await source.resolve(query())
    assert isinstance(answer, Refused)
    assert network.asked == ["10.0.0.1"]


async def test_a_revoked_prefix_is_gone_when_its_parents_word_ends():
    """Whatever the prefix itself says of how long its records live."""
    clock = ManualClock()
    network = FakeNetwork(hierarchy(ttl=9_999_999), clock)
    source = recursor(network)
    await source.resolve(query())
    network.nodes["10.0.1.1"] = lambda _: Refused(outcomes.NOT_FOUND)
    for _ in range(36):
        clock.advance(100)
        answer = await source.resolve(query())
    assert isinstance(answer, Refused)
    assert answer.outcome is outcomes.NOT_FOUND
