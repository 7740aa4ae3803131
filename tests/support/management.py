"""The management API of a node that runs in the process of the test, and the accounts to use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import aiohttp
import msgspec

from registry.clock import Clock
from resolver.data_directory import DataDirectory
from tests.support.administered import administered_nodes

SECTOR, HOSTED = "88.1000", "88.1000.7"


class Answer(NamedTuple):
    """A reply: its status, headers and JSON body (empty if there is none)."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The word of a problem document."""
        return str(self.body["code"])


class Management:
    """Asks one node. `tokens` are those of credentials.json by the prefix of the account."""

    def __init__(self, session: aiohttp.ClientSession, url: str, tokens: dict[str, str]) -> None:
        self._session = session
        self.url = url
        self.tokens = tokens

    async def ask(
        self,
        method: str,
        path: str,
        token: str = "",
        body: Any = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        headers = {**headers, **_bearing(token)}
        data = body if body is None or isinstance(body, bytes) else msgspec.json.encode(body)
        async with self._session.request(
            method, self.url + path, headers=headers, data=data
        ) as reply:
            content = await reply.read()
            found = msgspec.json.decode(content) if content else {}
            return Answer(reply.status, dict(reply.headers), found)

    async def upload(self, token: str, lines: bytes) -> list[dict[str, Any]]:
        """Upload lines; what was answered line by line, and in the end."""
        headers = {**_bearing(token), "Content-Type": "application/x-ndjson"}
        url = f"{self.url}/v1/identifiers/bulk"
        async with self._session.post(url, headers=headers, data=lines) as reply:
            return [msgspec.json.decode(line) async for line in reply.content]

    async def log_in(self, username: str, password: str) -> Answer:
        return await self.ask(
            "POST", "/v1/tokens", body={"username": username, "password": password}
        )

    async def account(self, username: str, role: str, by: str, **more: str) -> str:
        """Make an account in the name of a token, and a token for it that does not expire."""
        body = {"username": username, "role": role, **more}
        made = await self.ask("POST", "/v1/accounts", by, body)
        assert made.status == 201, made
        issued = await self.ask("POST", f"/v1/accounts/{username}/tokens", by, {})
        assert issued.status == 201, issued
        return str(issued.body["token"])


def _bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


@asynccontextmanager
async def managed(directory: Path, clock: Clock | None = None) -> AsyncIterator[Management]:
    """A sector node with the prefixes SECTOR and HOSTED, and nothing registered."""
    async with (
        administered_nodes(directory, "bench", clock=clock) as (node,),
        aiohttp.ClientSession() as session,
    ):
        accounts = DataDirectory(directory / "data").read_credentials().accounts
        tokens = {account.prefix: account.token for account in accounts}
        yield Management(session, node.http, tokens)
