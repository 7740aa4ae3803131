"""The writer and a worker on one socket: news, questions, figures, and either of them lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from registry import outcomes
from registry.errors import OutcomeUnknown, Overloaded
from registry.schemes.handle import Key
from resolver.administration.context import TCP, Context
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.message import Message
from resolver.codecs.link import Changed
from resolver.metrics import Counters, NodeCollector
from resolver.workers.counting import Increments, Sums
from resolver.workers.crew import Crew
from resolver.workers.handing_over import HandedOverMessages
from resolver.workers.place import LINK, Place
from resolver.workers.worker_link import Answer
from resolver.workers.writer_link import WriterLink

KEY = Key("88.901", "A")


async def echo(message: bytes, context: Context) -> bytes:
    """Says where a message came from, after as many parts as it has octets."""
    assert context.send is not None
    for number in range(len(message)):
        await context.send(b"part %d" % number)
    return message + f" {context.protocol} {context.source}".encode()


class News:
    """Keeps the commits that it is told of."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Changed] = asyncio.Queue()
        self.follow: Callable[[Changed], Awaitable[None]] = self._queue.put

    async def next(self) -> Changed:
        async with asyncio.timeout(5):
            return await self._queue.get()


@pytest.fixture
def place(tmp_path: Path):
    place = Place(tmp_path / ("a long name " * 12))
    yield place
    place.close()


@pytest.fixture(autouse=True)
def directory(tmp_path: Path) -> None:
    (tmp_path / ("a long name " * 12)).mkdir()


@asynccontextmanager
async def writing(
    place: Place, answer: Answer = echo, counters: Counters | None = None
) -> AsyncIterator[Crew]:
    crew = Crew(answer, Sums(NodeCollector("baijiu", "sector", counters or Counters())))
    await crew.listen(place.address(LINK), ["/v1/identifiers/{rest}"])
    try:
        yield crew
    finally:
        await crew.drain(0.0)


@asynccontextmanager
async def working(place: Place) -> AsyncIterator[WriterLink]:
    link = WriterLink(place.address(LINK))
    try:
        yield link
    finally:
        await link.close()


def client(taken: list[bytes] | None = None) -> Context:
    async def send(message: bytes) -> None:
        assert taken is not None
        taken.append(message)

    return Context("192.0.2.7", TCP, send)


async def test_a_worker_waits_for_its_writer_and_hears_of_commits(place):
    async with working(place) as link:
        news = News()
        link.follow(news.follow)
        async with writing(place) as crew:
            welcome = await link.welcome()
            assert welcome.resources == ("/v1/identifiers/{rest}",)
            assert await news.next() == Changed(None, True, welcome.changes)
            crew.tell([KEY], False, 7)
            assert await news.next() == Changed((("88.901", "A"),), False, 7)
            crew.tell(None, True, 8)
            assert await news.next() == Changed(None, True, 8)


async def test_after_a_new_writer_came_anything_may_have_changed(place):
    async with working(place) as link:
        news = News()
        link.follow(news.follow)
        async with writing(place) as crew:
            crew.tell([KEY], False, 7)
            await link.welcome()
            assert await news.next() == Changed(None, True, 7)
        async with writing(place):
            assert await news.next() == Changed(None, True, 1)


async def test_the_writer_replies_in_as_many_parts_as_it_likes(place):
    async with writing(place), working(place) as link:
        await link.welcome()
        parts: list[bytes] = []
        others: list[bytes] = []
        asked = link.ask(b"abc", client(parts)), link.ask(b"d", client(others))
        replies = await asyncio.gather(*asked)
        assert replies == [b"abc handle-tcp 192.0.2.7", b"d handle-tcp 192.0.2.7"]
        assert parts == [b"part 0", b"part 1", b"part 2"]
        assert others == [b"part 0"]


async def test_what_is_known_of_a_connection_lasts_as_long_as_it(place):
    seen: list[Context] = []

    def remember(message: bytes, context: Context) -> bytes:
        seen.append(context)
        return message

    async with writing(place, remember), working(place) as link:
        await link.welcome()
        one, other = client(), client()
        for asking in (one, other, one):
            await link.ask(b"", asking)
        assert seen[0] is seen[2]
        assert seen[0] is not seen[1]


class Listing:
    """Answers in parts without end, until it is stopped."""

    def __init__(self) -> None:
        self.began, self.ended = asyncio.Event(), asyncio.Event()

    async def __call__(self, message: bytes, context: Context) -> bytes:
        assert context.send is not None
        try:
            while True:
                await context.send(b"part")
                self.began.set()
        finally:
            self.ended.set()


async def test_nothing_more_is_made_for_a_client_that_left(place):
    listing = Listing()
    async with writing(place, listing), working(place) as link:
        await link.welcome()
        asking = asyncio.create_task(link.ask(b"", client([])))
        await listing.began.wait()
        asking.cancel()
        await asyncio.wait({asking})
        del asking
        async with asyncio.timeout(5):
            await listing.ended.wait()


async def test_nothing_more_is_made_for_a_worker_that_is_gone(place):
    listing = Listing()
    async with writing(place, listing):
        async with working(place) as link:
            await link.welcome()
            asking = asyncio.create_task(link.ask(b"", client([])))
            await listing.began.wait()
        async with asyncio.timeout(5):
            await listing.ended.wait()
        with pytest.raises(OutcomeUnknown):
            await asking


async def test_who_asks_a_writer_that_is_not_there_is_refused(place):
    async with working(place) as link:
        with pytest.raises(Overloaded):
            await link.ask(b"", client())


async def test_a_writer_that_is_lost_leaves_the_outcome_unknown(place):
    asked = asyncio.Event()

    async def never(message: bytes, context: Context) -> bytes:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with working(place) as link:
        async with writing(place, never):
            await link.welcome()
            asking = asyncio.create_task(link.ask(b"", client()))
            await asked.wait()
        with pytest.raises(OutcomeUnknown):
            await asking


@pytest.mark.parametrize(
    ("op_code", "outcome"),
    [
        (OpCode.CREATE_HANDLE, outcomes.OUTCOME_UNKNOWN),
        (OpCode.CHALLENGE_ANSWER, outcomes.OUTCOME_UNKNOWN),
        (OpCode.RESOLVE, outcomes.BUSY),
    ],
)
async def test_a_lost_request_is_refused_for_what_it_may_have_done(place, op_code, outcome):
    def fail(message: bytes, context: Context) -> bytes | None:
        return None

    def refuse(request: Message, outcome: outcomes.Outcome, text: str, context: Context) -> bytes:
        assert request.op_code == op_code
        return outcome.slug.encode()

    async with writing(place, fail), working(place) as link:
        await link.welcome()
        said = HandedOverMessages(link, refuse).converse(Message(op_code), client())
        assert await said == outcome.slug.encode()


async def test_figures_are_added_up_when_they_are_asked_for(place):
    async with writing(place) as crew, working(place) as link:
        counters = Counters()
        counters.answers["http", "ok"] = 5
        link.report(Increments(NodeCollector("baijiu", "sector", counters)))
        await link.welcome()
        await crew.recount()
        metrics = {metric.name: metric for metric in crew.sums.collect()}
        [sample] = metrics["idnode_answers"].samples
        assert sample.value == 5


async def test_a_worker_that_talks_nonsense_is_hung_up_on(place):
    async with writing(place):
        reader, writer = await asyncio.open_unix_connection(place.address(LINK))
        writer.write(b"\xff" * 8)
        async with asyncio.timeout(5):
            await reader.read()
        writer.close()
