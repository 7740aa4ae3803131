"""The client's side of a session (RFC 3652 section 3.7): set-up, MACs, encryption, counters."""

from __future__ import annotations

from typing import Final

from registry.clock import Clock
from registry.errors import DecodeError
from registry.values.key_objects import PublicKeyObject
from resolver.client.channel import Channel
from resolver.client.errors import Denied
from resolver.client.keys import AdministratorKey
from resolver.client.requests import new_request
from resolver.codecs.handle.bodies.resolution import decode_error
from resolver.codecs.handle.bodies.sessions import (
    DIFFIE_HELLMAN,
    SessionSetup,
    decode_session_setup_reply,
    encode_session_setup,
)
from resolver.codecs.handle.checking import check_digest, check_signature, reply_body
from resolver.codecs.handle.codes import OpCode, ResponseCode
from resolver.codecs.handle.envelope import decode_envelope
from resolver.codecs.handle.header import CT, RD
from resolver.codecs.handle.key_exchange import ExchangeKey, complete_exchange, draw_exchange_key
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.protection import (
    add_mac,
    check_mac,
    decrypt_message,
    encrypt_message,
)

#: Seconds that a session may lie unused.
TIMEOUT: Final = 3600
#: What a server says that has no session to protect its reply with.
_UNPROTECTED: Final = range(ResponseCode.SESSION_TIMEOUT, ResponseCode.MESSAGE_REJECTED + 1)


class Session:
    """A key shared with a server. `proved` once the server knows whose session it is."""

    def __init__(self, number: int, secret: bytes, encrypted: bool = False) -> None:
        self.number = number
        self.encrypted = encrypted
        self.proved = False
        self._secret = secret
        self._counter = 0

    def protect(self, request: Message) -> bytes:
        """The octets of a request, with a MAC under a counter of its own, and encrypted if so."""
        self._counter += 1
        message = add_mac(request, self._secret, self._counter)
        return encrypt_message(message, self._secret) if self.encrypted else encode_message(message)

    def open(self, data: bytes) -> Message:
        """A reply, whose MAC must hold. Raises DecodeError.

        Its counter need not be kept: the MAC covers the request id, and no two requests share one.
        """
        sealed = decode_envelope(data).encrypted
        reply = decrypt_message(data, self._secret) if sealed else decode_message(data)
        if check_mac(reply, self._secret) is None and reply.response_code not in _UNPROTECTED:
            raise DecodeError("the reply does not prove that it belongs to the session")
        return reply


async def set_up_session(
    channel: Channel,
    identity: AdministratorKey,
    server: PublicKeyObject,
    clock: Clock,
    seconds: float,
    *,
    encrypted: bool = False,
) -> Session:
    """Agree upon a key with the server, which must sign its part. Raises ExchangeFailed, Denied."""
    own = draw_exchange_key()
    handle = identity.handle.encode()
    setup = SessionSetup(DIFFIE_HELLMAN, TIMEOUT, handle, identity.index, own.octets)
    body = encode_session_setup(setup)
    request = new_request(OpCode.SESSION_SETUP, body, clock, op_flags=CT | RD)
    found: list[Session] = []

    def receive(data: bytes) -> bool:
        reply = decode_message(data)
        body = reply_body(reply, request.request_id, OpCode.SESSION_SETUP)
        if reply.response_code != ResponseCode.SUCCESS:
            raise Denied(reply.response_code, decode_error(body))
        check_digest(request, reply)
        check_signature(reply, server)
        found.append(Session(reply.session_id, _shared_key(own, body), encrypted))
        return False

    await channel.exchange(encode_message(request), receive, seconds)
    return found[0]


def _shared_key(own: ExchangeKey, body: bytes) -> bytes:
    mode, data = decode_session_setup_reply(body)
    if mode != DIFFIE_HELLMAN:
        raise DecodeError(f"the server answered with key exchange mode {mode}", 0)
    return complete_exchange(own, data)
