"""Servers to compare with that are no name servers, where they are installed: nginx, an echo in C.

nginx(directory, port, core, body) -> Server       one fixed JSON reply for every request
echo(directory, port, core, octets) -> Server      every datagram back, compiled on the spot
stream_echo(directory, port, core) -> Server       the same for what comes on connections
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from load_tests.bench.server import START_LIMIT, Server, started

_ECHO: Final = Path(__file__).with_name("echo.c")
_STREAM_ECHO: Final = Path(__file__).with_name("stream_echo.c")
_NGINX: Final = """\
daemon off;
master_process off;
worker_processes 1;
error_log {run}/error.log;
pid {run}/pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {run}; proxy_temp_path {run}; fastcgi_temp_path {run};
    uwsgi_temp_path {run}; scgi_temp_path {run};
    server {{
        listen 127.0.0.1:{port};
        default_type application/json;
        location / {{ return 200 '{body}'; }}
    }}
}}
"""


def installed(command: str) -> str | None:
    """The path of a server's program; Debian has them where only root looks."""
    return shutil.which(command) or shutil.which(command, path="/usr/sbin:/usr/local/sbin")


def compiled(source: Path, directory: Path) -> Path | None:
    """A C program in a directory, made if it is not there yet; None without a compiler."""
    program = directory / source.stem
    compiler = installed("cc")
    if compiler is None:
        return None
    if not program.exists():
        subprocess.run([compiler, "-O2", "-o", str(program), str(source)], check=True)
    return program


@contextlib.contextmanager
def echo(directory: Path, port: int, core: int, octets: int = 0) -> Iterator[Server | None]:
    """Every datagram back (with `octets`: made so long); None without a compiler."""
    with _compiled_server(_ECHO, directory, core, port, octets) as server:
        yield server


@contextlib.contextmanager
def stream_echo(directory: Path, port: int, core: int) -> Iterator[Server | None]:
    """All that comes on a connection back; None without a compiler."""
    with _compiled_server(_STREAM_ECHO, directory, core, port) as server:
        yield server


@contextlib.contextmanager
def _compiled_server(
    source: Path, directory: Path, core: int, *told: int
) -> Iterator[Server | None]:
    program = compiled(source, directory)
    if program is None:
        yield None
        return
    with started([str(program), *map(str, told)], core) as server:
        server.output.readline()
        yield server


@contextlib.contextmanager
def nginx(directory: Path, port: int, core: int, body: bytes) -> Iterator[Server | None]:
    """nginx with one fixed body for every request."""
    program = installed("nginx")
    if program is None:
        yield None
        return
    config = directory / "nginx.conf"
    quoted = body.decode().replace("'", "\\u0027").replace("$", "\\u0024")
    config.write_text(_NGINX.format(run=directory, port=port, body=quoted))
    with started([program, "-c", str(config), "-p", str(directory)], core) as server:
        wait_for(port)
        yield server


def wait_for(port: int) -> None:
    """Wait until somebody listens on a TCP port. Raises TimeoutError."""
    limit = time.monotonic() + START_LIMIT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            if time.monotonic() > limit:
                raise TimeoutError(f"nobody listens on port {port}") from None
            time.sleep(0.05)
        else:
            return
