"""The data directory: everything a topology must not lose, and who is using it now.

    DIR/lock               held while `idnode up` runs; names its holder
    DIR/credentials.json   bootstrap accounts and Handle administrators (mode 0600)
    DIR/running.json       the ready file of the running topology and its process id
    DIR/<node>/node.db     the node's store; lock, server.key and tls.pem beside it
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec


class DirectoryInUse(Exception):
    """Another process holds the lock; `holder` is what it wrote about itself."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is in use by {holder}")
        self.path = path
        self.holder = holder


class Lock:
    """An exclusive lock on a file that says who holds it. Released when the process ends, however."""

    def __init__(self, path: Path, holder: str) -> None:
        self._path = path
        self._holder = holder
        self._descriptor = -1

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 4096, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise DirectoryInUse(self._path.parent, holder or "another process") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{self._holder}\n".encode(), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def write_atomically(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file so that a reader, or a crash, sees the old content or the new, whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


class Account(msgspec.Struct, frozen=True):
    """A bootstrap account as credentials.json holds it."""

    node: str
    prefix: str
    role: str
    username: str
    password: str
    token: str


class HandleAdmin(msgspec.Struct, frozen=True):
    """A bootstrap Handle administrator: the secret is the text of the HS_SECKEY at `index`."""

    prefix: str
    handle: str
    index: int
    secret: str


class Credentials(msgspec.Struct):
    """The content of credentials.json."""

    accounts: list[Account] = []
    handle_admins: list[HandleAdmin] = []


class DataDirectory:
    """Paths and small files under one directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.credentials_path = path / "credentials.json"
        self.running_path = path / "running.json"

    def node_path(self, name: str) -> Path:
        """The node's own directory, made if it is missing (mode 0700)."""
        path = self.path / name
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def lock(self, what: str) -> Lock:
        """The lock of the whole directory."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Lock(self.path / "lock", f"{what} (process {os.getpid()})")

    def lock_node(self, name: str, what: str) -> Lock:
        """The lock of one node's directory."""
        return Lock(self.node_path(name) / "lock", f"{what} (process {os.getpid()})")

    def read_credentials(self) -> Credentials:
        """What credentials.json holds; empty if there is none."""
        try:
            return msgspec.json.decode(self.credentials_path.read_bytes(), type=Credentials)
        except FileNotFoundError:
            return Credentials()

    def add_credentials(self, added: Credentials) -> None:
        """Merge into credentials.json; an entry for the same account or handle is replaced."""
        with _exclusive(self.path / ".credentials.lock"):
            old = self.read_credentials()
            accounts = {(entry.node, entry.username): entry for entry in old.accounts}
            accounts |= {(entry.node, entry.username): entry for entry in added.accounts}
            admins = {entry.handle: entry for entry in old.handle_admins}
            admins |= {entry.handle: entry for entry in added.handle_admins}
            merged = Credentials(list(accounts.values()), list(admins.values()))
            content = msgspec.json.format(msgspec.json.encode(merged), indent=1)
            write_atomically(self.credentials_path, content + b"\n", 0o600)

    def write_running(self, ready: dict[str, Any]) -> None:
        """Say what is running here and under which process id."""
        content = msgspec.json.encode({**ready, "pid": os.getpid()})
        write_atomically(self.running_path, content + b"\n")

    def clear_running(self) -> None:
        self.running_path.unlink(missing_ok=True)


class _exclusive:  # noqa: N801 - reads as a verb in a with statement
    """Wait for, then hold, an advisory lock on a file."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *exc: object) -> None:
        os.close(self._descriptor)
