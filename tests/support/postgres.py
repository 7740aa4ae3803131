"""A PostgreSQL server that the tests start themselves, from Debian's package.

It stores in a directory of its own under the system's temporary one, syncs like any other, listens
on a loopback port and ends with the tests. It refuses to run as root, so root starts it as the user
`postgres` or `nobody`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Seconds after which something that should have happened long ago is given up.
PATIENCE = 30.0
_READY = "database system is ready to accept"
_numbers = itertools.count(1)


def programs() -> Path | None:
    """The directory of the server's programs, None if there is no server of version 15 or newer."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if config := shutil.which("pg_config"):
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        found.append(Path(said.stdout.strip()))
    fit = [path for path in found if (path / "initdb").exists() and _version(path) >= 15]
    return max(fit, key=_version, default=None)


def _version(path: Path) -> int:
    said = subprocess.run([path / "postgres", "--version"], capture_output=True, text=True)
    return int(said.stdout.split()[2].partition(".")[0]) if said.returncode == 0 else 0


def _user() -> dict[str, Any]:
    """Whom the server runs as, for subprocess."""
    if os.geteuid():
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Server:
    """A running server with its databases."""

    def __init__(self, bin_: Path, data: Path) -> None:
        self._bin = bin_
        self._data = data
        self.port = _free_port()
        self._log: list[str] = []
        self._start()

    def _start(self) -> None:
        program = (self._bin / "postgres", "-D", self._data)
        self._ready = threading.Semaphore(0)
        self._process = subprocess.Popen(
            [*program, "-p", str(self.port), "-k", self._data.parent],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            **_user(),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line)
            if _READY in line:
                self._ready.release()

    def wait_ready(self) -> None:
        """Wait until it takes connections, for the first time or again after a crash."""
        assert self._ready.acquire(timeout=PATIENCE), "".join(self._log[-20:])

    def stop(self) -> None:
        """End it, if it still runs."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self._process.stderr is not None
        self._process.stderr.close()

    @property
    def bin(self) -> Path:
        """The directory of its programs."""
        return self._bin

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """It ends at once, as in a crash, and runs again when the context ends."""
        self.stop()
        try:
            yield
        finally:
            self._start()

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes in everything and answers nothing, until the context ends."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        stopped = [self._process.pid, *map(int, children.read_text().split())]
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in stopped:
                os.kill(process, signal.SIGCONT)

    def url(self, database: str) -> str:
        return f"postgresql://idnode@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(_numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def run(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for a statement."""
        command = [self._bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement]
        done = subprocess.run(
            [*command, self.url(database)], capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def crash(self, database: str) -> None:
        """Kill the processes that serve a database: the server recovers from its log."""
        listed = self.run(f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}'")
        for process in listed.split()[:1]:
            os.kill(int(process), signal.SIGKILL)
        self.wait_ready()

    @contextlib.contextmanager
    def standby(self) -> Iterator[Server]:
        """A server that follows this one and can be read."""
        with _directory() as directory:
            data = directory / "data"
            command = [self._bin / "pg_basebackup", "-D", data, "-h", "127.0.0.1", "-U", "idnode"]
            _run([*command, "-p", str(self.port), "-R", "-c", "fast", "-X", "stream"])
            server = Server(self._bin, data)
            try:
                yield server
            finally:
                server.stop()


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A new server. Raises LookupError with the reason why there is none."""
    bin_ = programs()
    if bin_ is None:
        raise LookupError("no PostgreSQL 15 or newer is installed (`make peers` installs Debian's)")
    with _directory() as directory:
        data = directory / "data"
        _run([bin_ / "initdb", "-D", data, "-U", "idnode", "-A", "trust", "-E", "UTF8", "-N"])
        with (data / "postgresql.conf").open("a") as settings:
            settings.write("listen_addresses = '127.0.0.1'\nmax_connections = 200\n")
        server = Server(bin_, data)
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    """A directory of the user that the server runs as."""
    path = Path(tempfile.mkdtemp(prefix="idnode-postgres-"))
    if user := _user():
        os.chown(path, user["user"], user["group"])
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _run(command: list[Any]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, cwd="/", **_user()
    )
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
