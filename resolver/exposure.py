"""What a node that other machines can reach is not started with.

Each rule has a name, which the refusal begins with. A node on a loopback address may break them
all: it is there to try things out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from registry.accounts.passwords import is_known
from registry.storage.interface import ADMINISTRATOR, Reads
from registry.values.value import decode_record
from resolver.data_directory import DataDirectory
from resolver.topology import NodeSpec, Topology, endpoints
from resolver.transports.http_client import is_loopback

#: Files of a node's directory that hold secrets.
_PRIVATE: Final = ("server.key", "tls.pem", "store.url")
#: Group and others.
_NOT_OWNER: Final = 0o077


class Rule(StrEnum):
    """What is asked of a node that others can reach."""

    PRIVATE_FILES = "private-files"  # only their owner may read files with secrets
    OWN_SECRETS = "own-secrets"  # no secret is one that everybody knows


class UnsafeToExpose(Exception):  # noqa: N818 - it refuses, nothing malfunctioned
    """A node must not be started: str() names the rule, what breaks it and what to do."""

    def __init__(self, node: str, rule: Rule, said: str) -> None:
        super().__init__(f"{rule}: node {node} listens for other machines, and {said}")
        self.rule = rule


def is_exposed(topology: Topology, spec: NodeSpec) -> bool:
    """Whether a node listens on an address that other machines can reach."""
    return not is_loopback(endpoints(topology, spec).http)


def check_files(topology: Topology, specs: Sequence[NodeSpec], data: DataDirectory) -> None:
    """Raise UnsafeToExpose unless the files of nodes are fit for the addresses they listen on."""
    for spec in specs:
        if is_exposed(topology, spec):
            for path in _readable_by_others(spec.name, data):
                said = f"others may read {path}: chmod go= {path}"
                raise UnsafeToExpose(spec.name, Rule.PRIVATE_FILES, said)
            for owner in _known_to_all(spec.name, data):
                said = (
                    f"the secret of {owner} in {data.credentials_path} is a known one: replace it"
                )
                raise UnsafeToExpose(spec.name, Rule.OWN_SECRETS, said)


async def check_administrators(topology: Topology, spec: NodeSpec, reads: Reads) -> None:
    """Raise UnsafeToExpose if an administrator of a homed prefix has a secret that all know."""
    if not is_exposed(topology, spec):
        return
    for prefix in spec.homed:
        record = await reads.record(prefix, ADMINISTRATOR)
        values = decode_record(record) if record is not None else ()
        if any(value.type == b"HS_SECKEY" and _is_known(value.data) for value in values):
            said = f"{prefix}/{ADMINISTRATOR} has a secret key that is a known one: replace it"
            raise UnsafeToExpose(spec.name, Rule.OWN_SECRETS, said)


def _readable_by_others(name: str, data: DataDirectory) -> Iterator[Path]:
    paths = (data.credentials_path, *(data.node_path(name) / each for each in _PRIVATE))
    return (path for path in paths if path.exists() and path.stat().st_mode & _NOT_OWNER)


def _known_to_all(name: str, data: DataDirectory) -> Iterator[str]:
    """Whose bootstrap secrets are known, among those of a node."""
    credentials = data.read_credentials()
    for account in credentials.accounts:
        if account.node == name and _any_known((account.password, account.token)):
            yield account.username
    for admin in credentials.handle_admins:
        if _any_known((admin.secret,)):
            yield admin.handle


def _any_known(secrets: Iterable[str]) -> bool:
    return any(map(is_known, secrets))


def _is_known(secret: bytes) -> bool:
    return is_known(secret.decode(errors="replace"))
