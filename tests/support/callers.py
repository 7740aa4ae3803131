"""Somebody who uses the management API of a node, with a token of their own."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.support.enterprises import form_members
from tests.support.processes import Node, Topology
from tests.support.wire import HttpReply, fetch

PASSWORD = "a bottle of the best"


class Caller(NamedTuple):
    """A token at the HTTP address of a node; no token for a stranger."""

    http: str
    token: str = ""

    def ask(self, method: str, path: str, body: Any = None) -> HttpReply:
        """The reply to a request."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        content = None if body is None else json.dumps(body).encode()
        return fetch(self.http, path, method, content, **headers)

    def done(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """The body of the reply to a request that is granted."""
        reply = self.ask(method, path, body)
        assert reply.status < 300, f"{method} {path}: {reply.status} {reply.body!r}"
        found: dict[str, Any] = reply.json if reply.body else {}
        return found

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and code of the reply to a request that is refused."""
        reply = self.ask(method, path, body)
        return reply.status, reply.json.get("code", "")

    def items(self, path: str) -> list[dict[str, Any]]:
        """The first page of a list."""
        found: list[dict[str, Any]] = self.done("GET", path)["items"]
        return found


def operator(topology: Topology, node: str, prefix: str) -> Caller:
    """The operator of a prefix, by the bootstrap credentials."""
    accounts = json.loads((topology.data / "credentials.json").read_bytes())["accounts"]
    token = next(each["token"] for each in accounts if each["prefix"] == prefix)
    return Caller(topology.node(node).http, token)


class Enterprise(NamedTuple):
    """An enterprise that enrolled, and who acts for it."""

    number: str
    caller: Caller


def enrolled(node: Node, number: int) -> Enterprise:
    """Enrol the made-up enterprise with this number, by itself, and log in."""
    stranger = Caller(node.http)
    account = {"username": f"enterprise-{number}", "password": PASSWORD}
    made = stranger.done("POST", "/v1/enterprises", {**form_members(number), "account": account})
    token = stranger.done("POST", "/v1/tokens", account)["token"]
    return Enterprise(made["number"], Caller(node.http, token))
