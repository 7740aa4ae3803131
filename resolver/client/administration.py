"""Changing identifiers on one server, and what only administrators may see of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

from registry.schemes.handle import PREFIX_RECORDS
from registry.values.site import Site
from registry.values.value import Value, decode_record
from resolver.client.conversation import Conversation
from resolver.codecs.handle.bodies.administration import (
    RemoveRequest,
    ValuesRequest,
    decode_handle,
    decode_handles,
    encode_handle,
    encode_remove_request,
    encode_values_request,
)
from resolver.codecs.handle.bodies.resolution import (
    ResolveRequest,
    decode_resolve_reply,
    encode_resolve_request,
)
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.header import MINT, OVERWRITE

T = TypeVar("T")


class Administration:
    """One server. Each method raises Denied where the server refuses, ExchangeFailed otherwise.

    Any number of them may be under way at once. After a ConnectionLost or a Silent it is not known
    whether the change was made.
    """

    def __init__(self, conversation: Conversation, site: Site) -> None:
        self.site = site
        self._conversation = conversation

    async def create(
        self,
        identifier: str,
        values: Sequence[Value],
        *,
        overwrite: bool = False,
        mint: bool = False,
    ) -> str:
        """Make an identifier; its name is returned as the server wrote it.

        `overwrite` replaces the values of one that exists. With `mint` the server completes the
        name, of which `identifier` is the beginning, with its slash: `88.901.7/`.
        """
        flags = (OVERWRITE if overwrite else 0) | (MINT if mint else 0)
        body = _with_values(identifier, values)
        made = await self._ask(OpCode.CREATE_HANDLE, body, decode_created, flags)
        return made or identifier

    async def delete(self, identifier: str) -> None:
        """Remove an identifier and all its values."""
        await self._do(OpCode.DELETE_HANDLE, encode_handle(identifier.encode()))

    async def add_values(
        self, identifier: str, values: Sequence[Value], *, overwrite: bool = False
    ) -> None:
        """Add values; `overwrite` replaces those whose index is taken."""
        body = _with_values(identifier, values)
        await self._do(OpCode.ADD_VALUES, body, OVERWRITE if overwrite else 0)

    async def modify_values(self, identifier: str, values: Sequence[Value]) -> None:
        """Replace the values with the same indexes, all of which must exist."""
        await self._do(OpCode.MODIFY_VALUES, _with_values(identifier, values))

    async def remove_values(self, identifier: str, indexes: Sequence[int]) -> None:
        """Remove the values with these indexes."""
        request = RemoveRequest(identifier.encode(), tuple(indexes))
        await self._do(OpCode.REMOVE_VALUES, encode_remove_request(request))

    async def values(
        self, identifier: str, *, types: Sequence[bytes] = (), indexes: Sequence[int] = ()
    ) -> tuple[Value, ...]:
        """The values of an identifier, with those that only administrators may read.

        `types` and `indexes` select as a union, none means all.
        """
        request = ResolveRequest(identifier.encode(), tuple(indexes), tuple(types))
        return await self._ask(OpCode.RESOLVE, encode_resolve_request(request), _decode_values)

    def identifiers(self, prefix: str) -> AsyncIterator[str]:
        """The identifiers under a prefix, while they arrive."""
        return self._listed(OpCode.LIST_HANDLES, _prefix_record(prefix))

    def homed_prefixes(self) -> AsyncIterator[str]:
        """The records of the prefixes that the server answers for, as `0.NA/88.901.7`."""
        return self._listed(OpCode.LIST_HOMED_PREFIXES, _prefix_record(PREFIX_RECORDS))

    async def home(self, prefix: str) -> None:
        """Let the server answer for a prefix."""
        await self._do(OpCode.HOME_PREFIX, _prefix_record(prefix))

    async def unhome(self, prefix: str) -> None:
        """Let the server answer for a prefix no longer."""
        await self._do(OpCode.UNHOME_PREFIX, _prefix_record(prefix))

    async def close(self) -> None:
        """End the session, if there is one, and hang up."""
        await self._conversation.close()

    async def _do(self, op_code: int, body: bytes, op_flags: int = 0) -> None:
        await self._conversation.ask(op_code, body, lambda _: None, op_flags)

    async def _ask(
        self, op_code: int, body: bytes, decode: Callable[[bytes], T], op_flags: int = 0
    ) -> T:
        found: list[T] = []
        await self._conversation.ask(
            op_code, body, lambda reply: found.append(decode(reply)), op_flags
        )
        return found[-1]

    async def _listed(self, op_code: int, body: bytes) -> AsyncIterator[str]:
        pages: asyncio.Queue[tuple[bytes, ...] | None] = asyncio.Queue()
        asking = asyncio.create_task(
            self._conversation.ask(
                op_code, body, lambda reply: pages.put_nowait(decode_handles(reply))
            )
        )
        asking.add_done_callback(lambda _: pages.put_nowait(None))
        try:
            while (page := await pages.get()) is not None:
                for handle in page:
                    yield handle.decode(errors="replace")
            await asking
        finally:
            asking.cancel()


def decode_created(body: bytes) -> str:
    """The name in the reply to a creation; old servers send none."""
    return decode_handle(body).decode(errors="replace") if body else ""


def _decode_values(body: bytes) -> tuple[Value, ...]:
    return decode_record(decode_resolve_reply(body).record)


def _with_values(identifier: str, values: Sequence[Value]) -> bytes:
    return encode_values_request(ValuesRequest(identifier.encode(), tuple(values)))


def _prefix_record(prefix: str) -> bytes:
    return encode_handle(f"{PREFIX_RECORDS}/{prefix}".encode())
