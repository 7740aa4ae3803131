"""The administration of a recorded server, asked of a node again.

Nonces, session ids and keys are drawn anew each time, so answers and MACs are made anew with the
recorded keys; everything else of each reply must be what the recorded server said.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
import pytest_asyncio

from registry.audit.log import Actor
from registry.membership import Identity
from registry.registration.changes import Delete, PutValues
from registry.schemes.handle import PREFIX_RECORDS, Key, parse
from registry.values.value import Value, decode_record
from resolver.codecs.handle.bodies.authentication import decode_challenge_answer
from resolver.codecs.handle.bodies.resolution import decode_resolve_reply
from resolver.codecs.handle.bodies.sessions import decode_session_setup
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.protection import decrypt_message
from tests.support.administered import Client, Place, Session, desk
from tests.support.handle_vectors import case_id, cases
from tests.support.recorded_flows import Recorded, admin_key, recorded
from tests.support.recorded_server import PREFIX, SECRET, records

OPERATOR = Identity(Key(PREFIX_RECORDS, PREFIX), 300)
KEYS = {300: admin_key("flow_challenge"), 301: SECRET}
#: Members of a message that are drawn anew, or tell the time.
DRAWN = {"expiration", "session_id", "request_id", "credential", "envelope_flags"}
ACTOR = Actor("operator", "test")
EMAIL = Value(2, b"EMAIL", b"a@flow.example")
NOTE = Value(54, b"NOTE", b"session 4")


@pytest_asyncio.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    held = {
        **records(),
        Key(f"{PREFIX}.5", "CHILD"): [Value(1, b"URL", b"https://child.example/")],
    }
    homed = [PREFIX, PREFIX_RECORDS, f"{PREFIX}.5"]
    async with desk(tmp_path, held, homed, [OPERATOR]) as made:
        yield made


@pytest_asyncio.fixture
async def client(place: Place) -> AsyncIterator[Client]:
    async with Client.to(place.address) as made:
        yield made


def different(found: Message, captured: Message) -> set[str]:
    """The members in which two replies differ, but for what is drawn anew."""
    names = {field.name for field in fields(Message)} - DRAWN
    if captured.response_code == 402:
        names.remove("body")  # the nonce, and the digest of a request whose time differs
        assert len(found.body) == len(captured.body)
    elif captured.op_code == OpCode.RESOLVE and captured.response_code == 1:
        names.remove("body")
        assert timeless(found) == timeless(captured)
    return {name for name in names if getattr(found, name) != getattr(captured, name)}


def timeless(reply: Message) -> list[Value]:
    """The values in a reply, without the time they were written at."""
    _, record = decode_resolve_reply(reply.body)
    return [replace(value, timestamp=0) for value in decode_record(record)]


class Replay:
    """One flow: what was recorded, asked anew on one connection."""

    def __init__(self, client: Client, place: Place) -> None:
        self._client = client
        self._place = place
        self._sessions: dict[int, Session] = {}
        self._asked: tuple[Message, Message] | None = None

    async def exchange(self, asked: Recorded, answered: Recorded) -> set[str]:
        """Make an exchange again; the members in which the reply differs."""
        request = asked.message
        await self._prepare(asked.case)
        if request.op_code == OpCode.SESSION_SETUP:
            await self._set_up(request)
            return set()
        if request.op_code == OpCode.CHALLENGE_ANSWER:
            sent = self._answer(request)
        else:
            sent = self._again(request)
        reply = await self._say(sent, request, asked, answered)
        self._asked = (sent, reply)
        return different(reply, answered.message)

    async def _prepare(self, case: str) -> None:
        """Do what was done between the recorded exchanges."""
        name = Key(PREFIX, "FLOW-PK" if "pubkey" in case else "FLOW-SK")
        submit = self._place.registrar.submit
        if case.endswith("add-existing-index"):
            await submit(PutValues(name, [EMAIL]), ACTOR)
        if case.endswith("delete-again") and self._place.store.lookup.record(*name) is not None:
            await submit(Delete(name), ACTOR)
        if case.endswith("mode-4"):
            await submit(PutValues(Key(PREFIX, "BASE"), [NOTE]), ACTOR)

    async def _set_up(self, request: Message) -> None:
        setup = decode_session_setup(request.body)
        who = Identity(parse(setup.identity_handle), setup.identity_index)
        self._latest = await self._client.set_up(who, setup.timeout)

    def _again(self, request: Message) -> Message:
        """The recorded request with an id of its own, and in a session of its own."""
        fresh = replace(self._client.request(request.op_code), **_kept(request))
        if not request.session_id:
            return fresh
        session = self._sessions.setdefault(request.session_id, self._latest)
        return session.protect(fresh)

    def _answer(self, request: Message) -> Message:
        answer = decode_challenge_answer(request.body)
        assert self._asked is not None
        who = Identity(parse(answer.user_handle), answer.user_index)
        wrong = "flow-bad" in str(self._asked[0].body)
        key = b"not the secret" if wrong else KEYS[answer.user_index]
        made = self._client.answer(*self._asked, who, key)
        return replace(made, op_flags=request.op_flags)

    async def _say(
        self, sent: Message, request: Message, asked: Recorded, answered: Recorded
    ) -> Message:
        session = self._sessions.get(request.session_id)
        sealed = asked.octets[2] & 0x40
        if session is not None and sealed:
            return await self._client.say_sealed(sent, session)
        if answered.octets[2] & 0x40:
            assert session is not None
            await self._client.send(encode_message(sent))
            return decrypt_message(await self._client.octets(), session.key)
        return await self._client.say(sent)


def _kept(request: Message) -> dict[str, object]:
    names = {field.name for field in fields(Message)} - DRAWN
    return {name: getattr(request, name) for name in names}


@pytest.mark.parametrize("flow", ["flow_challenge", "flow_session"])
async def test_a_recorded_flow(flow: str, client: Client, place: Place):
    replay, said = Replay(client, place), recorded(flow)
    found = {}
    for asked, answered in zip(said[::2], said[1::2], strict=True):
        if asked.message.op_code == OpCode.SITE_INFO:
            continue  # the site is the node's own
        if members := await replay.exchange(asked, answered):
            found[asked.case, asked.message.op_code] = members
    assert found == {}


#: What the recorded server does otherwise, and why a node does not.
OTHERWISE = {
    "tcp-admin-session-setup-server-key": (501, "modes with RSA are not offered"),
}


@pytest.mark.parametrize(
    "case", [case for case in cases("wire_tcp") if "tcp-admin" in case["id"]], ids=case_id
)
async def test_administration_by_strangers(case, client: Client):
    await client.send(bytes.fromhex(case["request_hex"]))
    reply = decode_message(await client.octets())
    captured = decode_message(bytes.fromhex(case["response_hex"]))
    if case["id"] in OTHERWISE:
        assert reply.response_code == OTHERWISE[case["id"]][0]
        return
    assert different(reply, captured) == set()
    assert reply.request_id == captured.request_id
    assert bool(reply.session_id) == bool(captured.session_id)


async def test_a_client_of_the_industrial_internet(client: Client, place: Place):
    """The recorded messages of one kept connection, with its log-in answered."""
    key, made = KEYS[300], Key(PREFIX, "IDS-1")
    expected = {2: {1}, 1: {1}, 2001: {1}, 100: {1}, 104: {1}, 103: {200}, 101: {1}}
    for case in cases("idsdk"):
        request = decode_message(bytes.fromhex(case["request_hex"]))
        reply = await client.administer(request, OPERATOR, key)
        assert reply.response_code in expected[request.op_code], case["id"]
        assert (reply.major, reply.minor) == (2, 10)
    assert place.store.lookup.record(*made) is None
