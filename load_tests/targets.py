"""Where a load goes: a node of the running topology, or the URL given; loopback unless allowed."""

from __future__ import annotations

import ipaddress
import socket
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from load_tests.operations import OPERATIONS
from load_tests.profiles.model import Load, Profile
from resolver.cli.running import RunningNode, RunningTopology
from resolver.data_directory import Account

_PORTS: Final = {"http": 80, "dns": 53}
_HANDLE_PORT: Final = 2641


class TargetError(Exception):
    """A load cannot go where it is to go; str() names the key and says why."""


class Target(NamedTuple):
    """An address, and the token for writing there."""

    host: str
    port: int
    token: str = ""


def of_load(
    profile: Profile,
    load: Load,
    running: RunningTopology | None,
    via: str | None,
    accounts: list[Account],
) -> Target:
    """The target of a load. Raises TargetError."""
    account = _account(load, accounts)
    token = account.token if account else ""
    if via is not None:
        return _of_url(load, via)._replace(token=token)
    if running is None:
        raise TargetError("no topology runs: start one with `idnode up`, or give --via")
    wanted = account.node if account else load.target or profile.target
    node = _node(running, wanted, f"target of load {load.name}")
    door = OPERATIONS[load.operation].door
    address = getattr(node, door)
    if address is None:
        raise TargetError(f"target of load {load.name}: node {node.name} has no {door} port")
    return _address(address if "//" in address else f"//{address}")._replace(token=token)


def check_loopback(target: Target, key: str) -> None:
    """Refuse what could lean on somebody else's machine. Raises TargetError."""
    try:
        found = socket.getaddrinfo(target.host, target.port)
    except OSError as error:
        raise TargetError(f"{key}: {target.host}: {error.strerror}") from None
    for *_, address in found:
        if not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
            raise TargetError(
                f"{key}: {target.host} is not this machine; give --allow-remote if its operator"
                " has agreed to the load"
            )


def _account(load: Load, accounts: list[Account]) -> Account | None:
    """The account that registers under the prefix of a load; None for one that only reads."""
    if load.prefix is None:
        return None
    for account in accounts:
        if account.prefix == load.prefix:
            return account
    known = ", ".join(sorted({account.prefix for account in accounts})) or "none"
    raise TargetError(
        f"prefix of load {load.name}: the data directory has no token for {load.prefix};"
        f" it has them for {known}"
    )


def _node(running: RunningTopology, wanted: str, key: str) -> RunningNode:
    """The node of that name, or the first one of that role."""
    for node in running.nodes:
        if node.name == wanted:
            return node
    for node in running.nodes:
        if node.role == wanted:
            return node
    names = ", ".join(node.name for node in running.nodes)
    raise TargetError(f'{key}: the running topology has no node or role "{wanted}"; it has {names}')


def _of_url(load: Load, via: str) -> Target:
    schemes = OPERATIONS[load.operation].schemes
    scheme = urlsplit(via).scheme
    if scheme not in schemes:
        wanted = " or ".join(f"{one}://" for one in schemes)
        raise TargetError(f"--via: load {load.name} ({load.operation}) needs {wanted}host:port")
    return _address(via)


def _address(url: str) -> Target:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise TargetError(f"{url}: {error}") from None
    if not parts.hostname:
        raise TargetError(f"{url}: names no host")
    return Target(parts.hostname, port or _PORTS.get(parts.scheme, _HANDLE_PORT))
