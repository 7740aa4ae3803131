"""Keys that are kept on other nodes: who holds a secret says whether an answer was made with it.

What another node says counts only if it is signed with the key that its site publishes, and is the
reply to the very request that was sent (RFC 3652 section 3.5.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from registry.clock import Clock
from registry.errors import AuthenticationUnchecked, Overloaded
from registry.schemes.handle import Key, parse
from registry.values.site import Site
from resolver.client import Client, Denied, ExchangeFailed
from resolver.client.endpoint import server_key
from resolver.client.requests import new_request
from resolver.codecs.handle.bodies.authentication import (
    VerifyRequest,
    decode_verify_reply,
    encode_verify_request,
)
from resolver.codecs.handle.checking import check_digest, check_signature, reply_body
from resolver.codecs.handle.codes import OpCode, ResponseCode
from resolver.codecs.handle.header import CT, RD
from resolver.codecs.handle.message import Message, decode_message, encode_message
from resolver.codecs.handle.versions import Version
from resolver.query import Values
from resolver.transports.outbound import exchange_tcp

#: Seconds that a node is given for its verdict.
PATIENCE: Final = 5.0
#: Questions to other nodes that may be under way.
MAX_ASKING: Final = 64


class OtherNodes:
    """`Elsewhere` for a node that finds the others from the root down; `root` gives its site."""

    def __init__(self, client: Client, root: Callable[[], Site], clock: Clock) -> None:
        self._client = client
        self._root = root
        self._clock = clock
        self._asking = 0

    async def record(self, key: Key) -> bytes | None:
        """The public values of an identifier as its own node certifies them.

        Raises AuthenticationUnchecked where nobody does, Overloaded.
        """
        with self._one_more():
            try:
                endpoint = await self._client.find(str(key), (self._root(),))
                answer = await self._client.resolve(str(key), endpoint, certified=True)
            except (ExchangeFailed, Denied) as failure:
                raise AuthenticationUnchecked(f"{key} could not be read") from failure
        return answer.record if isinstance(answer, Values) else None

    async def vouches(self, request: VerifyRequest, version: Version) -> bool:
        """Whether the node that holds the secret finds the answer right.

        `version` is that of the answer, which says how its digest was made. Raises
        AuthenticationUnchecked where nobody says, Overloaded.
        """
        identifier = str(parse(request.user_handle))
        body = encode_verify_request(request)
        asked = new_request(
            OpCode.VERIFY_CHALLENGE, body, self._clock, op_flags=CT | RD, version=version
        )
        with self._one_more():
            try:
                home = await self._client.find(identifier, (self._root(),))
                received = await exchange_tcp(
                    home.host,
                    home.port,
                    encode_message(asked),
                    lambda octets: _verdict(asked, octets, home.public_key),
                    PATIENCE,
                )
            except (ExchangeFailed, Denied) as failure:
                raise AuthenticationUnchecked(f"nobody vouches for {identifier}") from failure
        return received.reply

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        """Count a question that is under way. Raises Overloaded if there are too many."""
        if self._asking >= MAX_ASKING:
            raise Overloaded("too many keys are asked for elsewhere")
        self._asking += 1
        try:
            yield
        finally:
            self._asking -= 1


def _verdict(asked: Message, octets: bytes, public_key: bytes) -> bool:
    """What a signed reply says. Raises DecodeError for one that is not to be believed."""
    reply = decode_message(octets)
    body = reply_body(reply, asked.request_id, asked.op_code)
    check_signature(reply, server_key(public_key))
    check_digest(asked, reply)
    if reply.response_code != ResponseCode.SUCCESS:
        return False
    return decode_verify_reply(body)
