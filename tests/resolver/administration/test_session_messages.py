"""Sessions over TCP: set up, one proof, MACs, counters, encryption, and what is refused."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from registry.registration.changes import Create
from registry.rights import bootstrap_administrator
from registry.schemes.handle import Key
from registry.values.key import PublicKey, encode_public_key
from registry.values.value import Value, decode_record
from resolver.codecs.handle.bodies.administration import (
    ValuesRequest,
    decode_handles,
    encode_handle,
    encode_values_request,
)
from resolver.codecs.handle.bodies.resolution import (
    ResolveRequest,
    decode_error,
    decode_resolve_reply,
    encode_resolve_request,
)
from resolver.codecs.handle.bodies.sessions import SessionSetup, encode_session_setup
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.header import CT, ENC, PO, RD
from resolver.codecs.handle.key_exchange import draw_exchange_key
from resolver.codecs.handle.message import decode_message, encode_message
from resolver.codecs.handle.protection import check_mac, decrypt_message, encrypt_message
from resolver.codecs.handle.signing import verify_message
from tests.resolver.administration.conftest import PREFIX, SECRET
from tests.support.administered import Client, Place, Session

CHIEF = bootstrap_administrator(PREFIX)
URL = Value(1, b"URL", b"https://new.example/")
HALF = encode_resolve_request(ResolveRequest(b"88.901/HALF"))


def create(client: Client, name: str, flags: int = 0):
    body = encode_values_request(ValuesRequest(f"{PREFIX}/{name}".encode(), (URL,)))
    return client.request(OpCode.CREATE_HANDLE, body, op_flags=flags)


async def prove(client: Client, session: Session) -> None:
    """Answer the one challenge of a session."""
    request = session.protect(create(client, "FIRST"))
    challenge = await client.say(request)
    assert (challenge.response_code, challenge.session_id) == (402, session.number)
    reply = await client.say(client.answer(request, challenge, CHIEF, SECRET))
    assert (reply.response_code, reply.session_id) == (1, session.number)


async def test_one_proof_is_enough_for_a_session(client: Client, place: Place):
    session = await client.set_up(CHIEF)
    await prove(client, session)
    for name in ("SECOND", "THIRD"):
        assert (await client.say(session.protect(create(client, name)))).response_code == 1
    async with Client.to(place.address) as other:
        assert (await other.say(session.protect(create(other, "FOURTH")))).response_code == 1
    assert place.store.lookup.record(PREFIX, "FOURTH") is not None


async def test_many_requests_of_a_session_under_way_at_once(client: Client, place: Place):
    session = await client.set_up(CHIEF)
    await prove(client, session)
    requests = [session.protect(create(client, f"BOT-{number}")) for number in range(64)]
    await client.send(b"".join(encode_message(request) for request in reversed(requests)))
    replies = [decode_message(await client.octets()) for _ in requests]
    assert {reply.response_code for reply in replies} == {1}
    assert {reply.request_id for reply in replies} == {one.request_id for one in requests}


async def test_the_set_up_is_signed_by_the_node(client: Client, place: Place):
    body = encode_session_setup(
        SessionSetup(4, 60, b"88.901/ADMIN", 300, draw_exchange_key().octets)
    )
    reply = await client.ask(OpCode.SESSION_SETUP, body, op_flags=CT | RD)
    assert reply.session_id
    assert verify_message(reply, place.key.public_key())


@pytest.mark.parametrize("counter", [0, 1, 2])
async def test_a_counter_counts_once_and_0_never(
    client: Client, place: Place, counter: int, caplog: pytest.LogCaptureFixture
):
    session = await client.set_up(CHIEF)
    await prove(client, session)  # with counter 1
    assert (await client.say(session.protect(create(client, "SECOND")))).response_code == 1
    reply = await client.say(session.protect(create(client, "THIRD"), counter))
    assert reply.response_code == 505
    assert place.store.lookup.record(PREFIX, "THIRD") is None
    logged = json.loads(caplog.messages[-1])
    assert (logged["code"], logged["administrator"]) == (505, str(CHIEF))


async def test_a_message_sent_twice_is_done_once(client: Client):
    session = await client.set_up(CHIEF)
    await prove(client, session)
    request = session.protect(create(client, "SECOND"))
    assert [(await client.say(request)).response_code for _ in range(2)] == [1, 505]


async def test_a_changed_message_is_refused(client: Client, place: Place):
    session = await client.set_up(CHIEF)
    await prove(client, session)
    request = session.protect(create(client, "SECOND"))
    forged = replace(request, body=request.body.replace(b"SECOND", b"FORGED"))
    assert (await client.say(forged)).response_code == 502
    assert (await client.say(replace(request, credential=b"\x00"))).response_code == 502
    assert (await client.say(replace(request, credential=b""))).response_code == 404
    assert place.store.lookup.record(PREFIX, "FORGED") is None


async def test_before_the_proof_a_session_grants_nothing(client: Client):
    session = await client.set_up(CHIEF)
    request = session.protect(create(client, "NEW"))
    challenge = await client.say(request)
    wrong = client.answer(request, challenge, CHIEF, b"wrong")
    assert (await client.say(wrong)).response_code == 403
    assert (await client.say(session.protect(create(client, "NEW")))).response_code == 402


async def test_the_proof_of_another_identity_serves_its_request_alone(client: Client):
    other = CHIEF._replace(handle=Key(PREFIX, "READER"))
    session = await client.set_up(other)
    request = session.protect(create(client, "NEW"))
    challenge = await client.say(request)
    reply = await client.say(client.answer(request, challenge, CHIEF, SECRET))
    assert reply.response_code == 1
    assert (await client.say(session.protect(create(client, "MORE")))).response_code == 402


async def test_an_anonymous_session_is_challenged_each_time(client: Client):
    session = await client.set_up(None)
    for name in ("FIRST", "SECOND"):
        request = session.protect(create(client, name))
        challenge = await client.say(request)
        reply = await client.say(client.answer(request, challenge, CHIEF, SECRET))
        assert (challenge.response_code, reply.response_code) == (402, 1)
    public = encode_resolve_request(ResolveRequest(b"88.901/OPEN"))
    request = session.protect(client.request(OpCode.RESOLVE, public, op_flags=PO))
    assert (await client.say(request)).response_code == 1


async def test_encrypted_requests_get_encrypted_replies(client: Client):
    session = await client.set_up(CHIEF)
    request = session.protect(create(client, "SEALED", CT | ENC))
    challenge = await client.say_sealed(request, session)
    assert challenge.response_code == 402
    assert check_mac(challenge, session.key) == 1
    answer = replace(client.answer(request, challenge, CHIEF, SECRET), op_flags=CT | ENC)
    reply = await client.say_sealed(answer, session)
    assert reply.response_code == 1
    assert reply.op_flags & ENC
    assert check_mac(reply, session.key) == 2


async def test_what_is_not_public_leaves_a_session_encrypted(client: Client):
    session = await client.set_up(CHIEF)
    await prove(client, session)
    await client.send(encode_message(session.protect(client.request(OpCode.RESOLVE, HALF))))
    octets = await client.octets()
    assert b"for administrators" not in octets
    reply = decrypt_message(octets, session.key)
    _, record = decode_resolve_reply(reply.body)
    assert b"for administrators" in [value.data for value in decode_record(record)]


async def test_what_no_key_opens_is_refused_alike(client: Client):
    session = await client.set_up(CHIEF)
    sealed = encrypt_message(session.protect(create(client, "NEW")), session.key)
    said = set()
    for broken in (
        sealed[:-1] + bytes([sealed[-1] ^ 1]),
        sealed[:40] + bytes(16) + sealed[56:],
        encrypt_message(session.protect(create(client, "NEW"), 9), bytes(32)),
        sealed[:16] + (36).to_bytes(4, "big") + sealed[20:56],
    ):
        await client.send(broken)
        reply = decode_message(await client.octets())
        said.add((reply.response_code, decode_error(reply.body)))
        assert reply.request_id == int.from_bytes(broken[8:12], "big")
    assert said == {(502, "Session authentication failed.")}


@pytest.mark.parametrize(("number", "code"), [(0, 501), (77, 500)])
async def test_an_encrypted_message_of_no_session(client: Client, number: int, code: int):
    await client.send(encrypt_message(client.request(1, session_id=number), bytes(32)))
    assert decode_message(await client.octets()).response_code == code


async def test_a_session_ends_when_its_owner_says_so(client: Client):
    session = await client.set_up(CHIEF)
    end = client.request(OpCode.SESSION_END, encode_handle(b"/"))
    stranger = replace(end, session_id=session.number)
    assert (await client.say(stranger)).response_code == 404
    assert (await client.say(session.protect(end))).response_code == 1
    assert (await client.say(session.protect(create(client, "NEW")))).response_code == 500


async def test_a_session_ends_when_it_lies_unused(client: Client, place: Place):
    session = await client.set_up(CHIEF, idle=60)
    await prove(client, session)
    place.clock.advance(59)
    assert (await client.say(session.protect(create(client, "SECOND")))).response_code == 1
    place.clock.advance(60)
    assert (await client.say(session.protect(create(client, "THIRD")))).response_code == 500


RSA = encode_public_key(PublicKey("RSA", {"n": 3233, "e": 17}))
DH = draw_exchange_key().octets
SMALL = encode_public_key(PublicKey("DH", {"y": 5, "p": 23, "g": 2}))


@pytest.mark.parametrize(
    ("setup", "code"),
    [
        (SessionSetup(1, 60, b"88.901/ADMIN", 300, RSA), 501),
        (SessionSetup(1, 60, b"88.901/ADMIN", 300, DH), 503),
        (SessionSetup(2, 60, b"88.901/ADMIN", 300), 501),
        (SessionSetup(3, 60, b"88.901/ADMIN", 300, b"", b"88.901/ADMIN", 301), 501),
        (SessionSetup(4, 60, b"88.901/ADMIN", 300, RSA), 504),
        (SessionSetup(4, 60, b"88.901/ADMIN", 300, SMALL), 504),
        (SessionSetup(4, 60, b"88.901/ADMIN", 300, b""), 504),
        (SessionSetup(4, 60, b"\xff", 300, DH), 504),
    ],
)
async def test_sessions_that_are_not_set_up(client: Client, setup: SessionSetup, code: int):
    reply = await client.ask(OpCode.SESSION_SETUP, encode_session_setup(setup))
    assert (reply.response_code, reply.session_id) == (code, 0)


async def test_peers_of_old_versions_get_no_session(client: Client):
    body = encode_session_setup(SessionSetup(4, 60, b"88.901/ADMIN", 300, DH))
    members = {"minor": 3, "suggest_minor": 3}
    assert (await client.ask(OpCode.SESSION_SETUP, body, **members)).response_code == 504


async def test_a_key_exchange_mode_that_is_none(client: Client):
    reply = await client.ask(OpCode.SESSION_SETUP, b"\x00\x09" + bytes(12))
    assert reply.response_code == 4


async def test_lists_in_a_session_have_a_mac_on_each_message(client: Client, place: Place):
    changes = [Create(Key(PREFIX, f"BOT-{number}"), [URL]) for number in range(60)]
    await asyncio.gather(*(place.desk.service.perform(CHIEF, change, "test") for change in changes))
    session = await client.set_up(CHIEF)
    await prove(client, session)
    listing = client.request(OpCode.LIST_HANDLES, encode_handle(b"0.NA/88.901"), op_flags=CT)
    messages = await client.listed(await client.say(session.protect(listing)))
    assert sum(len(decode_handles(message.body)) for message in messages) == 65
    assert [check_mac(message, session.key) for message in messages] == [1, 2]


@pytest.mark.parametrize("flags", [0, CT])
async def test_the_site_is_told_in_a_session_too(client: Client, flags: int):
    session = await client.set_up(CHIEF)
    request = client.request(OpCode.SITE_INFO, op_flags=flags)
    for reply in (
        await client.say(session.protect(request)),
        await client.say_sealed(session.protect(request), session),
    ):
        assert (reply.response_code, reply.body) == (1, b"site")
        assert bool(reply.credential) == bool(flags)
