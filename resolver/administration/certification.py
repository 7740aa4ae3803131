"""Certified replies: the node's signature under what it says (RFC 3652 section 2.2.4, flag CT)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from registry.errors import Overloaded
from registry.workers import Workers
from resolver.codecs.handle.bodies.resolution import encode_error
from resolver.codecs.handle.header import CT, RD
from resolver.codecs.handle.message import Message
from resolver.codecs.handle.signing import sign_message


class Certifier:
    """Signs with the key that the node's site publishes. `key` loads it, once it is needed."""

    def __init__(self, key: Callable[[], RSAPrivateKey], workers: Workers) -> None:
        self._load = key
        self._key: RSAPrivateKey | None = None
        self._workers = workers

    async def certify(self, message: Message) -> Message:
        """The message, final but for its credential, with a signature.

        Where too much waits to be signed it is a refusal without one: the node is busy.
        """
        try:
            return await self._workers.run(self._sign, message)
        except Overloaded as overloaded:
            return replace(
                message,
                response_code=overloaded.outcome.handle,
                body=encode_error(str(overloaded)),
                op_flags=message.op_flags & ~(CT | RD),
            )

    def _sign(self, message: Message) -> Message:
        if self._key is None:
            self._key = self._load()
        return sign_message(message, self._key)
