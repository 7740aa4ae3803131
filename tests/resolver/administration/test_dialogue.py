"""Administration by challenge and answer, message by message over TCP."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from registry.audit.log import Actor
from registry.membership import Identity
from registry.quotas.quota import Quota
from registry.rights import bootstrap_administrator
from registry.schemes.handle import Key
from registry.values.value import Reference, Value, decode_record, encode_record
from registry.values.vlist import encode_vlist
from resolver.administration.challenges import LIFE
from resolver.codecs.handle.answers import make_secret_answer
from resolver.codecs.handle.bodies.administration import (
    RemoveRequest,
    ValuesRequest,
    decode_handle,
    decode_handles,
    encode_handle,
    encode_remove_request,
    encode_values_request,
)
from resolver.codecs.handle.bodies.authentication import (
    Login,
    VerifyRequest,
    decode_verify_reply,
    encode_login,
    encode_verify_request,
)
from resolver.codecs.handle.bodies.resolution import (
    ResolveRequest,
    decode_error,
    decode_resolve_reply,
    encode_resolve_request,
)
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.header import CT, MINT, OVERWRITE, PO, RD
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.reply import LIFETIME
from resolver.codecs.handle.signing import verify_message
from resolver.codecs.handle.versions import OWN
from tests.resolver.administration.conftest import (
    PREFIX,
    RECORDS,
    SECRET,
    SIGNING_KEY,
    admin,
)
from tests.support.administered import Client, Place

CHIEF = bootstrap_administrator(PREFIX)
SIGNER = CHIEF._replace(index=301)
READER = Identity(Key(PREFIX, "READER"), 300)
STRANGER = Identity(Key(PREFIX, "NOBODY"), 300)
ACTOR = Actor("operator", "test")
URL = Value(1, b"URL", b"https://new.example/")


def values(name: str, *given: Value) -> bytes:
    return encode_values_request(ValuesRequest(f"{PREFIX}/{name}".encode(), given))


def handle(name: str) -> bytes:
    return encode_handle(f"{PREFIX}/{name}".encode())


def remove(name: str, *indexes: int) -> bytes:
    return encode_remove_request(RemoveRequest(f"{PREFIX}/{name}".encode(), indexes))


def stored(place: Place, name: str) -> list[tuple[int, bytes]] | None:
    record = place.store.lookup.record(PREFIX, name)
    return None if record is None else [(one.index, one.data) for one in decode_record(record)]


async def test_an_answered_challenge_creates(client: Client, place: Place):
    request = client.request(OpCode.CREATE_HANDLE, values("New-1", URL))
    challenge = await client.say(request)
    assert (challenge.response_code, challenge.op_code) == (402, OpCode.CREATE_HANDLE)
    assert challenge.session_id
    assert challenge.op_flags & RD
    assert stored(place, "NEW-1") is None

    answer = client.answer(request, challenge, CHIEF, SECRET)
    reply = await client.say(answer)
    assert (reply.response_code, reply.op_code) == (1, OpCode.CREATE_HANDLE)
    assert (reply.request_id, reply.session_id) == (answer.request_id, 0)
    assert decode_handle(reply.body) == b"88.901/New-1"
    assert stored(place, "NEW-1") == [(1, URL.data)]
    (value,) = decode_record(place.store.lookup.record(PREFIX, "NEW-1"))
    assert value.timestamp == int(place.clock.now())


async def test_an_answer_by_signature(client: Client, place: Place):
    request = client.request(OpCode.CREATE_HANDLE, values("NEW", URL))
    assert (await client.administer(request, SIGNER, SIGNING_KEY)).response_code == 1
    unnamed = SIGNER._replace(index=0)
    request = client.request(OpCode.DELETE_HANDLE, handle("NEW"))
    assert (await client.administer(request, unnamed, SIGNING_KEY)).response_code == 1
    assert stored(place, "NEW") is None


@pytest.mark.parametrize(
    ("op_code", "body", "flags", "left"),
    [
        (OpCode.DELETE_HANDLE, handle("OPEN"), 0, None),
        (OpCode.ADD_VALUES, values("OPEN", replace(URL, index=3)), 0, {1, 2, 3}),
        (OpCode.ADD_VALUES, values("OPEN", replace(URL, index=2)), OVERWRITE, {1, 2}),
        (OpCode.REMOVE_VALUES, remove("OPEN", 1), 0, {2}),
        (OpCode.MODIFY_VALUES, values("OPEN", replace(URL, index=2)), 0, {1, 2}),
        (OpCode.CREATE_HANDLE, values("OPEN", URL), OVERWRITE, {1}),
    ],
)
async def test_changes(client: Client, place: Place, op_code, body, flags, left):
    request = client.request(op_code, body, op_flags=flags)
    assert (await client.administer(request, CHIEF, SECRET)).response_code == 1
    found = stored(place, "OPEN")
    assert found == left if left is None else {index for index, _ in found} == left


async def test_a_minted_handle_is_named_in_the_reply(client: Client, place: Place):
    request = client.request(OpCode.CREATE_HANDLE, values("BOT-", URL), op_flags=MINT)
    reply = await client.administer(request, CHIEF, SECRET)
    made = decode_handle(reply.body).decode()
    assert made.startswith("88.901/BOT-")
    assert len(made) == len("88.901/BOT-") + 36
    assert reply.op_flags & MINT
    assert stored(place, made.removeprefix("88.901/").upper()) == [(1, URL.data)]


async def test_anybody_changes_what_has_public_write(client: Client, place: Place):
    note = replace(RECORDS[Key(PREFIX, "OPEN")][0], data=b"by anybody")
    reply = await client.ask(OpCode.MODIFY_VALUES, values("OPEN", note))
    assert reply.response_code == 1
    assert stored(place, "OPEN")[0] == (1, b"by anybody")
    reply = await client.ask(OpCode.MODIFY_VALUES, values("OPEN", note, replace(URL, index=2)))
    assert reply.response_code == 402


@pytest.mark.parametrize(
    ("op_code", "body", "code", "text"),
    [
        (OpCode.CREATE_HANDLE, values("OPEN", URL), 101, ""),
        (OpCode.CREATE_HANDLE, values("N", replace(URL, index=0)), 202, "positive"),
        (OpCode.CREATE_HANDLE, values("N", replace(URL, index=2**31)), 202, "positive"),
        (OpCode.CREATE_HANDLE, values("N", URL, URL), 201, "Index conflict for 1"),
        (OpCode.CREATE_HANDLE, values("N", replace(URL, type=b"\xff")), 202, "type"),
        (OpCode.ADD_VALUES, values("OPEN"), 202, "empty"),
        (OpCode.ADD_VALUES, values("OPEN", URL, URL), 201, "Index conflict for 1"),
        (OpCode.MODIFY_VALUES, values("NONE", URL), 100, ""),
        (OpCode.MODIFY_VALUES, values("OPEN", replace(URL, index=9)), 200, ""),
        (OpCode.LIST_HANDLES, encode_handle(b"0.NA/88.902"), 301, "live here"),
        (OpCode.LIST_HANDLES, encode_handle(b"88.901/X"), 301, "live here"),
        (OpCode.HOME_PREFIX, encode_handle(b"88.901/X"), 102, "prefix handle"),
        (OpCode.CREATE_HANDLE, encode_values_request(ValuesRequest(b"1/x", (URL,))), 301, "live"),
        (OpCode.DELETE_HANDLE, encode_handle(b"88.902/X"), 301, "live here"),
        (OpCode.DELETE_HANDLE, encode_handle(b"88.901/\x00"), 102, ""),
        (OpCode.DELETE_HANDLE, b"\x00\x00\x00\x09x", 4, ""),
        (OpCode.NEXT_TRANSACTION, encode_handle(b"/"), 5, "no longer supported"),
        (OpCode.IDIS_LOGIN_PASSWORD, b"", 5, "not supported"),
        (OpCode.SESSION_END, encode_handle(b"/"), 500, "session"),
        (OpCode.SESSION_KEY, encode_handle(b"/"), 500, "session"),
    ],
)
async def test_what_is_refused_before_anybody_is_asked_for(
    client, place, op_code, body, code, text
):
    reply = await client.ask(op_code, body, op_flags=0)
    assert reply.response_code == code
    assert text in decode_error(reply.body)


@pytest.mark.parametrize(
    ("op_code", "body", "code"),
    [
        (OpCode.DELETE_HANDLE, handle("NONE"), 100),
        (OpCode.ADD_VALUES, values("NONE", URL), 100),
        (OpCode.REMOVE_VALUES, remove("NONE", 1), 100),
        (OpCode.ADD_VALUES, values("OPEN", URL), 201),
        (OpCode.REMOVE_VALUES, remove("OPEN", 9), 200),
        (OpCode.RETRIEVE_TRANSACTIONS, b"", 5),
    ],
)
async def test_what_is_told_administrators_only(client: Client, op_code, body, code):
    request = client.request(op_code, body)
    challenge = await client.say(request)
    assert challenge.response_code == 402
    reply = await client.say(client.answer(request, challenge, CHIEF, SECRET))
    assert reply.response_code == code


@pytest.mark.parametrize(
    ("who", "key", "code"),
    [
        (CHIEF, b"wrong", 403),
        (SIGNER, SECRET, 403),
        (CHIEF._replace(index=302), SECRET, 403),
        (STRANGER, SECRET, 400),
        (READER, b"reader", 400),
        (READER._replace(index=0), b"reader", 400),
    ],
)
async def test_who_may_not_create(client: Client, place: Place, caplog, who, key, code):
    with caplog.at_level(logging.WARNING, "resolver.security"):
        request = client.request(OpCode.CREATE_HANDLE, values("NEW", URL))
        reply = await client.administer(request, who, key)
    assert (reply.response_code, reply.op_code) == (code, OpCode.CREATE_HANDLE)
    assert stored(place, "NEW") is None
    assert str(who) in caplog.text
    assert "create_handle" in caplog.text
    assert SECRET.decode() not in caplog.text


async def test_an_administrator_without_the_right(client: Client, place: Place):
    request = client.request(OpCode.MODIFY_VALUES, values("HALF", URL))
    assert (await client.administer(request, READER, b"reader")).response_code == 401
    assert stored(place, "HALF")[0] == (1, b"https://x.example/")


async def test_a_proof_of_an_unknown_kind(client: Client):
    request = client.request(OpCode.DELETE_HANDLE, handle("OPEN"))
    challenge = await client.say(request)
    answer = client.answer(request, challenge, CHIEF, SECRET)
    forged = answer.body.replace(b"HS_SECKEY", b"HS_CAKE99")
    assert (await client.say(replace(answer, body=forged))).response_code == 404


async def test_an_answer_is_good_once_and_for_a_minute(client: Client, place: Place):
    request = client.request(OpCode.CREATE_HANDLE, values("NEW", URL))
    challenge = await client.say(request)
    answer = client.answer(request, challenge, CHIEF, SECRET)
    assert (await client.say(answer)).response_code == 1
    assert (await client.say(answer)).response_code == 405

    request = client.request(OpCode.DELETE_HANDLE, handle("NEW"))
    challenge = await client.say(request)
    place.clock.advance(LIFE)
    late = await client.say(client.answer(request, challenge, CHIEF, SECRET))
    assert late.response_code == 405
    assert stored(place, "NEW") is not None


async def test_an_answer_to_no_challenge(client: Client):
    request = client.request(OpCode.DELETE_HANDLE, handle("OPEN"))
    challenge = await client.say(request)
    answer = client.answer(request, challenge, CHIEF, SECRET)
    strange = replace(answer, session_id=challenge.session_id ^ 1)
    assert (await client.say(strange)).response_code == 500
    assert (await client.say(replace(answer, session_id=0))).response_code == 405
    assert (await client.say(answer)).response_code == 1


async def test_writing_what_is_there_is_for_administrators_too(client: Client, place: Place):
    """Otherwise anybody could change versions, and find out secrets by writing them."""
    there = place.store.lookup.row(PREFIX, "OPEN")
    same = values("OPEN", *RECORDS[there.key])
    for op_code in (OpCode.CREATE_HANDLE, OpCode.ADD_VALUES):
        request = client.request(op_code, same, op_flags=OVERWRITE)
        assert (await client.say(request)).response_code == 402
        assert (await client.administer(request, READER, b"reader")).response_code == 400
    assert place.store.lookup.row(PREFIX, "OPEN") == there


@pytest.mark.parametrize("index", [2, 7])
async def test_a_reply_says_whether_something_was_overwritten(client: Client, index: int):
    request = client.request(
        OpCode.ADD_VALUES, values("OPEN", replace(URL, index=index)), op_flags=OVERWRITE
    )
    reply = await client.administer(request, CHIEF, SECRET)
    assert (reply.response_code, reply.body) == (1, b"")
    assert bool(reply.op_flags & OVERWRITE) == (index == 2)


async def test_groups_in_circles_end_in_a_refusal(client: Client, place: Place):
    group = Value(200, b"HS_VLIST", encode_vlist([Reference(b"88.901/ring", 200)]))
    ring = (group, admin(f"{PREFIX}/RING", 200))
    request = client.request(OpCode.CREATE_HANDLE, values("RING", *ring))
    assert (await client.administer(request, CHIEF, SECRET)).response_code == 1
    request = client.request(OpCode.DELETE_HANDLE, handle("RING"))
    assert (await client.administer(request, READER, b"reader")).response_code == 400


async def test_restricted_values_are_read_by_who_may(client: Client):
    body = encode_resolve_request(ResolveRequest(b"88.901/half"))
    request = client.request(OpCode.RESOLVE, body)
    reply = await client.administer(request, READER, b"reader")
    assert reply.response_code == 1
    asked, record = decode_resolve_reply(reply.body)
    assert asked == b"88.901/half"
    assert [value.index for value in decode_record(record)] == [1, 2, 100]
    public = await client.ask(OpCode.RESOLVE, body, op_flags=PO)
    assert len(decode_record(decode_resolve_reply(public.body)[1])) == 2
    reply = await client.administer(client.request(OpCode.RESOLVE, body), STRANGER, b"x")
    assert reply.response_code == 400


async def test_every_reply_goes_by_the_clock_of_the_node(client: Client, place: Place):
    body = encode_resolve_request(ResolveRequest(b"88.901/half"))
    for reply in (
        await client.ask(OpCode.RESOLVE, body),
        await client.administer(client.request(OpCode.RESOLVE, body), CHIEF, SECRET),
        await client.ask(OpCode.SITE_INFO),
        await client.ask(999),
    ):
        assert reply.expiration == int(place.clock.now()) + LIFETIME


@pytest.mark.parametrize("count", [0, 50, 51, 120])
async def test_lists_come_50_in_a_message(client: Client, place: Place, count: int):
    suffixes = [f"BOT-{number:04}" for number in range(count)]
    await place.registrar.load(
        PREFIX, ((suffix, encode_record([URL])) for suffix in suffixes), ACTOR
    )
    expected = sorted(f"{PREFIX}/{key.suffix}" for key in RECORDS if key.prefix == PREFIX)
    expected = sorted([*expected, *(f"{PREFIX}/{suffix}" for suffix in suffixes)])
    request = client.request(OpCode.LIST_HANDLES, encode_handle(b"0.NA/88.901"))
    messages = await client.listed(await client.administer(request, CHIEF, SECRET))
    assert [len(decode_handles(one.body)) for one in messages[:-1]] == [50] * (len(messages) - 1)
    found = [name.decode() for one in messages for name in decode_handles(one.body)]
    assert found == expected
    assert {one.request_id for one in messages} == {messages[0].request_id}


async def test_homing_is_for_those_who_run_the_node(client: Client, place: Place):
    body = encode_handle(b"0.NA/88.901.5")
    request = client.request(OpCode.HOME_PREFIX, body)
    assert (await client.administer(request, READER, b"reader")).response_code == 400
    assert (await client.administer(request, CHIEF, SECRET)).response_code == 1
    listing = client.request(OpCode.LIST_HOMED_PREFIXES, encode_handle(b"/"))
    reply = await client.administer(listing, CHIEF, SECRET)
    assert decode_handles(reply.body) == (b"0.NA/0.NA", b"0.NA/88.901", b"0.NA/88.901.5")
    request = client.request(OpCode.UNHOME_PREFIX, body)
    assert (await client.administer(request, CHIEF, SECRET)).response_code == 1
    assert "88.901.5" not in await place.store.reads.homed_prefixes()


@pytest.mark.parametrize(("secret", "valid"), [(SECRET, True), (b"wrong", False)])
async def test_the_holder_of_a_secret_vouches_for_answers(client: Client, secret, valid):
    nonce, digest = b"n" * 16, b"d" * 32
    proof = make_secret_answer(secret, nonce, digest, OWN, bytes(16))
    body = encode_verify_request(VerifyRequest(b"88.901/admin", 300, nonce, digest, proof))
    reply = await client.ask(OpCode.VERIFY_CHALLENGE, body)
    assert reply.response_code == 1
    assert decode_verify_reply(reply.body) is valid
    elsewhere = encode_verify_request(VerifyRequest(b"88.902/admin", 300, nonce, digest, proof))
    assert (await client.ask(OpCode.VERIFY_CHALLENGE, elsewhere)).response_code == 301


# --- the log-in of the CAICT clients ---

LOGIN = encode_login(Login(b"88.901/ADMIN", 301))


async def log_in(client: Client) -> Message:
    request = client.request(OpCode.IDIS_LOGIN_KEY, LOGIN, op_flags=RD, minor=3, suggest_minor=10)
    return await client.administer(request, SIGNER, SIGNING_KEY)


async def test_after_the_log_in_nothing_is_challenged_on_the_connection(client, place):
    reply = await log_in(client)
    assert (reply.response_code, reply.op_code) == (1, OpCode.IDIS_LOGIN_KEY)
    assert (await client.ask(OpCode.CREATE_HANDLE, values("IDS", URL))).response_code == 1
    assert (await client.ask(OpCode.DELETE_HANDLE, handle("IDS"))).response_code == 1
    async with Client.to(place.address) as other:
        assert (await other.ask(OpCode.DELETE_HANDLE, handle("OPEN"))).response_code == 402


async def test_one_log_in_is_enough(client: Client):
    await log_in(client)
    assert (await client.ask(OpCode.IDIS_LOGIN_KEY, LOGIN)).response_code == 407


async def test_a_spent_quota_is_told_in_the_codes_that_a_client_knows(client: Client, place: Place):
    async with place.registrar.ledger.begin() as writing:
        await writing.transaction.file([Quota(f"account:{CHIEF}", registrations=1)])
    theirs = {"major": 2, "minor": 3, "suggest_major": 2, "suggest_minor": 10}
    replies = [
        await client.administer(
            client.request(OpCode.CREATE_HANDLE, values(name, URL), **version), CHIEF, SECRET
        )
        for name, version in (("FIRST", {}), ("SECOND", {}), ("SECOND", theirs))
    ]
    assert [reply.response_code for reply in replies] == [1, 3, 604]
    assert decode_error(replies[1].body) == decode_error(replies[2].body) != ""
    assert stored(place, "SECOND") is None


async def test_a_log_in_belongs_to_its_connection(client: Client, place: Place):
    request = client.request(OpCode.IDIS_LOGIN_KEY, LOGIN)
    challenge = await client.say(request)
    answer = client.answer(request, challenge, SIGNER, SIGNING_KEY)
    async with Client.to(place.address) as other:
        assert (await other.say(answer)).response_code == 408
        assert (await other.ask(OpCode.DELETE_HANDLE, handle("OPEN"))).response_code == 402


async def test_nobody_logs_in_as_somebody_else(client: Client):
    request = client.request(OpCode.IDIS_LOGIN_KEY, LOGIN)
    assert (await client.administer(request, READER, b"reader")).response_code == 403


# --- certified replies ---


async def test_certified_replies_are_signed_refusals_too(client: Client, place: Place):
    body = encode_resolve_request(ResolveRequest(b"88.901/OPEN"))
    for op_code, asked, code in (
        (OpCode.RESOLVE, body, 1),
        (OpCode.RESOLVE, encode_resolve_request(ResolveRequest(b"88.901/NONE")), 100),
        (OpCode.SITE_INFO, encode_handle(b"/"), 1),
        (OpCode.CREATE_HANDLE, values("OPEN", URL), 101),
        (OpCode.DELETE_HANDLE, handle("OPEN"), 402),
        (OpCode.NEXT_TRANSACTION, b"", 5),
        (9999, b"", 5),
    ):
        reply = await client.ask(op_code, asked, op_flags=CT | RD | PO)
        assert reply.response_code == code
        assert reply.op_flags & CT
        assert verify_message(reply, place.key.public_key())


async def test_a_repeated_certified_request_costs_no_second_signature(client, place):
    body = encode_resolve_request(ResolveRequest(b"88.901/OPEN"))
    request = client.request(OpCode.RESOLVE, body, op_flags=CT | PO)
    first = await client.say(request)
    assert await client.say(request) == first
    assert place.front.responder.signed.hits == 1
    change = client.request(OpCode.MODIFY_VALUES, values("OPEN", replace(URL, index=2)))
    await client.administer(change, CHIEF, SECRET)
    changed = await client.say(request)
    assert b"https://new.example/" in changed.body
    assert verify_message(changed, place.key.public_key())


# --- the connection ---


async def test_too_long_a_message_is_refused_under_its_id_and_ends_the_connection(client):
    head = encode_message(client.request(OpCode.DELETE_HANDLE))[:16]
    await client.send(head + (262_145).to_bytes(4, "big"))
    reply = decode_message(await client.octets())
    assert (reply.response_code, reply.request_id) == (4, int.from_bytes(head[8:12], "big"))
    assert await client.closed()


async def test_the_loop_answers_while_keys_are_derived(client: Client, place: Place):
    """Wrong answers by the hundred take their turn in a thread; resolution does not wait."""
    requests = [client.request(OpCode.DELETE_HANDLE, handle("OPEN")) for _ in range(100)]
    answers = [
        client.answer(request, await client.say(request), CHIEF, b"wrong") for request in requests
    ]
    async with Client.to(place.address) as other:
        for answer in answers:
            await client.send(encode_message(answer))
        body = encode_resolve_request(ResolveRequest(b"88.901/OPEN"))
        assert (await other.ask(OpCode.RESOLVE, body, op_flags=PO)).response_code == 1
        first = asyncio.ensure_future(client.octets())
        codes = {decode_message(await first).response_code}
        codes |= {decode_message(await client.octets()).response_code for _ in answers[1:]}
    assert codes == {403}
