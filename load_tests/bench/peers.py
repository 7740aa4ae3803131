"""Servers to compare with, each where it is installed: Knot DNS, nginx, and an echo in C.

knot(directory, port, zone, names) -> Server       the same TXT records, from a zone file
nginx(directory, port, body) -> Server             one fixed JSON reply for every request
echo(directory, port) -> Server                    every datagram back, compiled on the spot
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from load_tests.bench.server import START_LIMIT, Server, started
from resolver.codecs.dns.rdata import txt

_SOURCE: Final = Path(__file__).with_name("echo.c")
_KNOT: Final = """\
server:
    listen: 127.0.0.1@{port}
    rundir: "{run}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{run}"
zone:
  - domain: {zone}
    file: "{file}"
    zonefile-load: whole
    semantic-checks: off
"""
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


@contextlib.contextmanager
def echo(directory: Path, port: int, core: int) -> Iterator[Server | None]:
    """Every datagram back from where it came; None without a C compiler."""
    compiler = installed("cc")
    if compiler is None:
        yield None
        return
    program = directory / "echo"
    subprocess.run([compiler, "-O2", "-o", str(program), str(_SOURCE)], check=True)
    with started([str(program), str(port)], core) as server:
        server.output.readline()
        yield server


@contextlib.contextmanager
def knot(
    directory: Path, port: int, core: int, zone: str, records: Iterable[tuple[str, bytes]]
) -> Iterator[Server | None]:
    """Knot DNS with the TXT records of names, given by the wire form of their values."""
    program = installed("knotd")
    if program is None:
        yield None
        return
    file, config = directory / "zone", directory / "knot.conf"
    with file.open("w") as lines:
        lines.write(f"$ORIGIN {zone}.\n$TTL 86400\n@ SOA ns admin 1 1800 900 604800 5\n@ NS ns\n")
        lines.write("ns A 127.0.0.1\n")
        for name, record in records:
            lines.writelines(f"{name}. TXT {_presentation(rdata)}\n" for rdata in txt(record))
    config.write_text(_KNOT.format(port=port, run=directory, zone=zone, file=file))
    with started([program, "-c", str(config)], core) as server:
        _wait_for(port)
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
        _wait_for(port)
        yield server


def _presentation(rdata: bytes) -> str:
    """The strings of a TXT record in the form of zone files (RFC 1035 section 5.1)."""
    strings, at = [], 0
    while at < len(rdata):
        end = at + 1 + rdata[at]
        strings.append('"' + "".join(f"\\{octet:03}" for octet in rdata[at + 1 : end]) + '"')
        at = end
    return " ".join(strings)


def _wait_for(port: int) -> None:
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
