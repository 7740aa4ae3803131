"""Nodes that are administered over the wire, in the process of the test, on free ports.

    async with administered_node(tmp_path) as node: ...     a whole node of a topology
    async with desk(tmp_path) as place: ...                 the Handle front-end and what it needs

and `Client`, which speaks the native protocol with either of them, message by message.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa

from registry.clock import Clock, ManualClock
from registry.membership import Identity
from registry.prefixes.tree import PrefixTree
from registry.registration.registrar import Registrar
from registry.schemes.handle import Key
from registry.storage.interface import ACTIVE, Row
from registry.storage.sqlite import SqliteStore
from registry.values.key_objects import PrivateKeyObject
from registry.values.value import Value, encode_record
from resolver.administration.desk import Certification, Desk
from resolver.authority import Authority
from resolver.codecs.handle.answers import make_key_answer, make_secret_answer
from resolver.codecs.handle.bodies.authentication import (
    ChallengeAnswer,
    decode_challenge,
    encode_challenge_answer,
)
from resolver.codecs.handle.bodies.digest import digest_request, split_digest
from resolver.codecs.handle.bodies.sessions import (
    DIFFIE_HELLMAN,
    SessionSetup,
    decode_session_setup_reply,
    encode_session_setup,
)
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.framing import MessageStream
from resolver.codecs.handle.header import CN, CT, RD
from resolver.codecs.handle.key_exchange import complete_exchange, draw_exchange_key
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.protection import add_mac, decrypt_message, encrypt_message
from resolver.data_directory import DataDirectory, HandleAdmin
from resolver.metrics import Counters
from resolver.node import Node
from resolver.pipeline.handle import HandleFront
from resolver.pipeline.responder import Responder
from resolver.pipeline.sources import Sources
from resolver.topology.loading import parse, with_base_port
from resolver.transports.tcp import TcpServer
from resolver.transports.udp import UdpServer
from tests.support.processes import free_base
from tests.support.recorded_server import TOPOLOGY

SITE_SERIAL: Final = 1
SALT: Final = bytes(16)
PATIENCE: Final = 10.0


class Administered(NamedTuple):
    """A running sector node, its Handle and HTTP endpoints, the secrets of its administrators."""

    node: Node
    address: tuple[str, int]
    http: str
    admins: dict[str, HandleAdmin]


@asynccontextmanager
async def administered_node(directory: Path, settings: str = "") -> AsyncIterator[Administered]:
    """The sector node `bench` with the prefixes 88.1000 and 88.1000.7, and nothing registered.

    `settings` are its own, as TOML.
    """
    async with administered_nodes(directory, "bench", settings=settings) as (node,):
        yield node


@asynccontextmanager
async def administered_nodes(
    directory: Path, *names: str, settings: str = "", clock: Clock | None = None
) -> AsyncIterator[tuple[Administered, ...]]:
    """Nodes of the topology in `recorded_server`, started in this order; nothing is registered.

    `settings` are those of its last node, `bench`.
    """
    text = f"{TOPOLOGY}settings = {{ {settings} }}\n"
    topology = with_base_port(parse(text, "recorded.toml"), free_base(4))
    data = DataDirectory(directory / "data")
    async with AsyncExitStack() as stack:
        nodes = []
        for name in names:
            node = Node(topology, topology.node(name), data, clock)
            await node.start(seed=0)
            stack.push_async_callback(asyncio.wait_for, node.drain(), PATIENCE)
            nodes.append(node)
        admins = {admin.prefix: admin for admin in data.read_credentials().handle_admins}
        yield tuple(_administered(node, admins) for node in nodes)


def _administered(node: Node, admins: dict[str, HandleAdmin]) -> Administered:
    entry = node.ready_entry()
    host, _, port = entry["handle"].rpartition(":")
    return Administered(node, (host, int(port)), entry["http"], admins)


class Place(NamedTuple):
    """A Handle front-end on a TCP and a UDP socket of one port, and the parts behind it."""

    address: tuple[str, int]
    desk: Desk
    front: HandleFront
    registrar: Registrar
    store: SqliteStore
    clock: ManualClock
    counters: Counters
    key: rsa.RSAPrivateKey


@asynccontextmanager
async def desk(
    directory: Path,
    records: Mapping[Key, Iterable[Value]],
    homed: Iterable[str],
    administrators: Iterable[Identity] = (),
) -> AsyncIterator[Place]:
    """A front-end whose clock stands still, with these records and homed prefixes."""
    clock, counters = ManualClock(), Counters()
    key = rsa.generate_private_key(65537, 2048)
    async with AsyncExitStack() as stack:
        store = await SqliteStore.open(directory / "desk.db")
        stack.push_async_callback(store.close)
        async with store.begin() as transaction:
            await transaction.home(sorted(homed))
            await transaction.insert(
                [
                    Row(*at, encode_record(list(values)), ACTIVE, 1, 0)
                    for at, values in records.items()
                ]
            )
        registrar = Registrar(store, clock)
        stack.push_async_callback(registrar.aclose)
        tree = PrefixTree(homed)
        authority = Authority(tree, store.lookup)
        sources = Sources(authority, gather=store.gather, clock=clock)
        certification = Certification(lambda: key)
        stack.callback(certification.close)
        responder = Responder(
            sources, counters, certification.certifier, site=b"site", serial=SITE_SERIAL
        )
        front = HandleFront(sources, counters, responder)
        made = Desk(
            store,
            registrar,
            tree,
            authority,
            certification.certifier,
            clock,
            counters,
            resolve=sources.decide,
            serial=lambda: SITE_SERIAL,
            site=lambda: responder.site,
            administrators=list(administrators),
        )
        stack.callback(made.close)
        responder.dialogue = made.dialogue
        store.subscribe(lambda keys, _: _follow(front, tree, store, keys))
        tcp = TcpServer(front.message, MessageStream, front.garbage, connected=front.connected)
        await tcp.bind("127.0.0.1", 0)
        stack.push_async_callback(tcp.drain, PATIENCE)
        udp = await UdpServer.bind(front.datagram, "127.0.0.1", tcp.port)
        stack.push_async_callback(udp.drain, PATIENCE)
        address = ("127.0.0.1", tcp.port)
        yield Place(address, made, front, registrar, store, clock, counters, key)


async def _follow(front: HandleFront, tree: PrefixTree, store: SqliteStore, keys: Any) -> None:
    tree.homed.clear()
    tree.homed.update(await store.reads.homed_prefixes())
    front.packets.drop(keys)
    front.responder.signed.drop(keys)


class Session:
    """A client's side of a session: its key, and the counter of its next request."""

    def __init__(self, number: int, key: bytes) -> None:
        self.number = number
        self.key = key
        self.counters = itertools.count(1)

    def protect(self, message: Message, counter: int | None = None) -> Message:
        """The message in the session, with a MAC."""
        inside = replace(message, session_id=self.number)
        return add_mac(inside, self.key, next(self.counters) if counter is None else counter)


class Client:
    """One connection to a node; requests get ids of their own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._stream = MessageStream()
        self._waiting: list[bytes] = []

    @classmethod
    @asynccontextmanager
    async def to(cls, address: tuple[str, int]) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection(*address)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()

    def request(self, op_code: int, body: bytes = b"", **members: Any) -> Message:
        """A request of protocol 2.11 with an id of its own."""
        return Message(op_code, body=body, request_id=next(self._ids), **members)

    async def send(self, octets: bytes) -> None:
        self._writer.write(octets)
        await self._writer.drain()

    async def octets(self) -> bytes:
        """The next whole message; fails if the node closes or says nothing for long."""
        while not self._waiting:
            piece = await asyncio.wait_for(self._reader.read(65_536), PATIENCE)
            assert piece, "the node closed the connection"
            self._waiting += self._stream.feed(piece)
        return self._waiting.pop(0)

    async def closed(self) -> bool:
        """Whether the node ends the connection without a further word."""
        return not await asyncio.wait_for(self._reader.read(1), PATIENCE)

    async def say(self, message: Message) -> Message:
        """The (last) reply to a message as it is."""
        await self.send(encode_message(message))
        return decode_message(await self.octets())

    async def ask(self, op_code: int, body: bytes = b"", **members: Any) -> Message:
        return await self.say(self.request(op_code, body, **members))

    async def say_sealed(self, message: Message, session: Session) -> Message:
        """The reply to a message that goes encrypted, which must be so too."""
        await self.send(encrypt_message(message, session.key))
        return decrypt_message(await self.octets(), session.key)

    def answer(
        self, asked: Message, challenge: Message, who: Identity, key: bytes | PrivateKeyObject
    ) -> Message:
        """The message that answers a challenge with a secret or a private key."""
        digest, rest = split_digest(challenge.body, challenge.version)
        assert digest == digest_request(asked.header_and_body, challenge.version)
        nonce, version = decode_challenge(rest), challenge.version
        if isinstance(key, bytes):
            kind = b"HS_SECKEY"
            proof = make_secret_answer(key, nonce, digest.octets, version, SALT)
        else:
            kind = b"HS_PUBKEY"
            proof = make_key_answer(key, nonce, digest.octets, version)
        body = encode_challenge_answer(
            ChallengeAnswer(kind, str(who.handle).encode(), who.index, proof)
        )
        return self.request(OpCode.CHALLENGE_ANSWER, body, session_id=challenge.session_id)

    async def administer(
        self, request: Message, who: Identity, key: bytes | PrivateKeyObject
    ) -> Message:
        """The reply to a request, with a challenge answered in between if there is one."""
        reply = await self.say(request)
        if reply.response_code != 402:
            return reply
        return await self.say(self.answer(request, reply, who, key))

    async def set_up(self, who: Identity | None, idle: int = 3600) -> Session:
        """A new session, not authenticated yet; `who` None makes it an anonymous one."""
        own = draw_exchange_key()
        handle = b"" if who is None else str(who.handle).encode()
        index = 0 if who is None else who.index
        setup = SessionSetup(DIFFIE_HELLMAN, idle, handle, index, own.octets)
        reply = await self.ask(OpCode.SESSION_SETUP, encode_session_setup(setup), op_flags=CT | RD)
        assert reply.response_code == 1
        body = split_digest(reply.body, reply.version)[1]
        data = decode_session_setup_reply(body).data
        return Session(reply.session_id, complete_exchange(own, data))

    async def listed(self, first: Message) -> list[Message]:
        """All messages of a reply that began with this one."""
        messages = [first]
        while messages[-1].op_flags & CN:
            messages.append(decode_message(await self.octets()))
        return messages
