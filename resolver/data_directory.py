"""The data directory: everything a topology must not lose, and who is using it now.

DIR/lock               held while `idnode up` runs; names its holder
DIR/credentials.json   bootstrap accounts and Handle administrators (mode 0600)
DIR/running.json       the ready file of what runs here, with the process id of each node
DIR/<node>/node.db     the node's store; lock, server.key and tls.pem beside it
DIR/<node>/store.url   the database that is its store instead (mode 0600: it may hold a password)
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from registry.errors import StorageUnavailable

#: Either of these in a node's directory says that it has a store.
_STORES = ("node.db", "store.url")


class DirectoryInUse(Exception):  # noqa: N818 - it is what happened
    """Another process holds the lock; `holder` is what it wrote about itself."""

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is in use by {holder}")
        self.path = path
        self.holder = holder


class Lock:
    """An exclusive lock on a file that says who holds it. It goes when its process does."""

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
    _draft(path, content, mode).replace(path)
    _sync(path.parent)


def write_once(path: Path, content: bytes, mode: int = 0o644) -> bytes:
    """Make a file unless another process has made it meanwhile; what it holds now."""
    draft = _draft(path, content, mode)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return path.read_bytes()
    finally:
        draft.unlink()
    _sync(path.parent)
    return content


def _draft(path: Path, content: bytes, mode: int) -> Path:
    """A durable file beside the one at `path`."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_native_id()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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

    def store_url(self, name: str) -> str:
        """The database URL of a node's store: the SQLite file in its directory, or what it uses."""
        remembered = self.path / name / "store.url"
        if remembered.exists():
            return remembered.read_text().strip()
        return f"sqlite:///{self.path / name / 'node.db'}"

    def remember_store(self, name: str, url: str | None) -> None:
        """Note which database a node uses, None for the file in its directory."""
        remembered = self.node_path(name) / "store.url"
        if url is not None:
            write_atomically(remembered, url.encode() + b"\n", 0o600)
        elif remembered.exists():
            remembered.unlink()

    def stored_nodes(self) -> list[str]:
        """The names of the nodes that have a store, sorted."""
        found = {path.parent.name for name in _STORES for path in self.path.glob(f"*/{name}")}
        return sorted(found)

    def lock(self, what: str) -> Lock:
        """The lock of the whole directory."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Lock(self.path / "lock", f"{what} (process {os.getpid()})")

    def lock_node(self, name: str, what: str) -> Lock:
        """The lock of one node's directory."""
        return Lock(self.node_path(name) / "lock", f"{what} (process {os.getpid()})")

    def read_credentials(self) -> Credentials:
        """What credentials.json holds; empty if there is none. Raises StorageUnavailable."""
        try:
            return msgspec.json.decode(self.credentials_path.read_bytes(), type=Credentials)
        except FileNotFoundError:
            return Credentials()
        except msgspec.DecodeError as error:
            raise StorageUnavailable(f"{self.credentials_path} cannot be read: {error}") from None

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

    def announce(self, entries: Sequence[dict[str, Any]], console: str | None = None) -> None:
        """Say which nodes this process serves; those of other processes that live stay listed."""
        with _exclusive(self.path / ".running.lock"):
            served = {entry["name"]: entry for entry in self._living()}
            served |= {entry["name"]: {**entry, "pid": os.getpid()} for entry in entries}
            self._write_running(list(served.values()), console)

    def withdraw(self) -> None:
        """Say that this process serves no node any more."""
        with _exclusive(self.path / ".running.lock"):
            left = [entry for entry in self._living() if entry["pid"] != os.getpid()]
            if left:
                self._write_running(left, None)
            else:
                self.running_path.unlink(missing_ok=True)

    def running(self) -> dict[str, Any] | None:
        """The ready file of what runs here now, None if nothing does."""
        entries = self._living()
        if not entries:
            return None
        console = self._read_running().get("console")
        nodes = [{name: entry[name] for name in entry if name != "pid"} for entry in entries]
        return {"console": console, "nodes": nodes}

    def _living(self) -> list[dict[str, Any]]:
        """The listed nodes whose process is alive."""
        return [entry for entry in self._read_running()["nodes"] if _alive(entry["pid"])]

    def _read_running(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = msgspec.json.decode(self.running_path.read_bytes())
        except FileNotFoundError:
            return {"nodes": []}
        return found

    def _write_running(self, nodes: list[dict[str, Any]], console: str | None) -> None:
        content = msgspec.json.encode({"console": console, "nodes": nodes})
        write_atomically(self.running_path, content + b"\n")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


class _exclusive:  # noqa: N801 - reads as a verb in a with statement
    """Wait for, then hold, an advisory lock on a file."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *exc: object) -> None:
        os.close(self._descriptor)
