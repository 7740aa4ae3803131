"""A sector node's way to the national node: signed commands over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from registry.clock import Clock
from registry.http.provisioning import COMMANDS
from registry.provisioning.commands import Command, Reply
from registry.provisioning.reporting import NationalSilent
from registry.provisioning.signature import Request, sign
from resolver.transports.http_client import NoReply, fetch

#: Seconds that the national node has to reply.
_PATIENCE: Final = 5.0


class NationalLink:
    """Sends commands in the name of the node with a prefix to the HTTP address of another."""

    def __init__(
        self, url: str, prefix: str, key: Callable[[], RSAPrivateKey], clock: Clock
    ) -> None:
        self._url = url
        self._prefix = prefix
        self._key = key
        self._clock = clock

    async def send(self, command: Command) -> Reply:
        """The reply to a command. Raises NationalSilent."""
        request = Request("POST", COMMANDS, msgspec.json.encode(command))
        now = int(self._clock.now())
        headers = await asyncio.to_thread(lambda: sign(request, self._prefix, self._key(), now))
        try:
            reply = await fetch(
                "POST",
                self._url + COMMANDS,
                timeout=_PATIENCE,
                headers=headers,
                document=msgspec.Raw(request.body),
            )
        except NoReply as error:
            raise NationalSilent(f"the national node does not answer: {error}") from None
        if reply.status != 200:
            said = reply.document().get("detail", "")
            raise NationalSilent(f"the national node answers {reply.status}: {said}")
        try:
            return msgspec.json.decode(reply.body, type=Reply)
        except (msgspec.DecodeError, RecursionError) as error:
            raise NationalSilent(f"the national node's answer cannot be read: {error}") from None
