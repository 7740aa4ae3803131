"""Name servers to compare with, each with the same TXT records: Knot DNS, NSD, PowerDNS on SQLite.

Each is a context manager: server(directory, port, core, zone, names) gives the running server, None
where its program is not installed. `names` are DNS names with the wire form of their values.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from load_tests.bench.peers import installed, wait_for
from load_tests.bench.server import Server, started
from resolver.codecs.dns.rdata import txt

Names = Sequence[tuple[str, bytes]]
NameServer = Callable[[Path, int, int, str, Names], AbstractContextManager[Server | None]]

_TTL: Final = 86_400
_SOA: Final = "ns.{zone}. admin.{zone}. 1 1800 900 604800 5"
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
_NSD: Final = """\
server:
    server-count: 1
    ip-address: 127.0.0.1@{port}
    username: ""
    rrl-ratelimit: 0
    chroot: ""
    database: ""
    pidfile: ""
    zonesdir: "{run}"
    logfile: "{run}/nsd.log"
    xfrdfile: "{run}/xfrd.state"
    zonelistfile: "{run}/zone.list"
remote-control:
    control-enable: no
zone:
    name: {zone}
    zonefile: "{file}"
"""
_POWERDNS: Final = """\
launch=gsqlite3
gsqlite3-database={file}
gsqlite3-dnssec=no
local-address=127.0.0.1
local-port={port}
receiver-threads=1
distributor-threads=1
cache-ttl=3600
query-cache-ttl=3600
max-cache-entries=2000000
max-packet-cache-entries=2000000
max-tcp-connections=256
socket-dir={run}
daemon=no
guardian=no
security-poll-suffix=
"""
#: What PowerDNS reads of its tables.
_TABLES: Final = """\
CREATE TABLE domains (id INTEGER PRIMARY KEY, name TEXT, master TEXT, last_check INTEGER,
    type TEXT, notified_serial INTEGER, account TEXT, options TEXT, catalog TEXT);
CREATE TABLE records (id INTEGER PRIMARY KEY, domain_id INTEGER, name TEXT, type TEXT,
    content TEXT, ttl INTEGER, prio INTEGER, disabled INTEGER DEFAULT 0, ordername TEXT,
    auth INTEGER DEFAULT 1);
CREATE TABLE domainmetadata (id INTEGER PRIMARY KEY, domain_id INTEGER, kind TEXT, content TEXT);
CREATE INDEX by_name ON records (name, type);
CREATE INDEX by_zone ON records (domain_id, name, type);
"""


@contextlib.contextmanager
def knot(directory: Path, port: int, core: int, zone: str, names: Names) -> Iterator[Server | None]:
    """Knot DNS, with one worker."""
    with _from_file("knotd", _KNOT, directory, port, core, zone, names) as server:
        yield server


@contextlib.contextmanager
def nsd(directory: Path, port: int, core: int, zone: str, names: Names) -> Iterator[Server | None]:
    """NSD, with one server process."""
    with _from_file("nsd", _NSD, directory, port, core, zone, names, "-d") as server:
        yield server


@contextlib.contextmanager
def powerdns(
    directory: Path, port: int, core: int, zone: str, names: Names
) -> Iterator[Server | None]:
    """PowerDNS with the names in an SQLite file and every reply in its packet cache."""
    program = installed("pdns_server")
    if program is None:
        yield None
        return
    run = directory / "powerdns"
    run.mkdir()
    file = run / "names.db"
    _fill(file, zone, names)
    (run / "pdns.conf").write_text(_POWERDNS.format(port=port, run=run, file=file))
    with started([program, f"--config-dir={run}"], core) as server:
        wait_for(port)
        yield server


NAME_SERVERS: Final[dict[str, NameServer]] = {"Knot": knot, "NSD": nsd, "PowerDNS": powerdns}


@contextlib.contextmanager
def _from_file(
    command: str,
    config: str,
    directory: Path,
    port: int,
    core: int,
    zone: str,
    names: Names,
    *options: str,
) -> Iterator[Server | None]:
    """A server that reads a zone file. `config` is a format of what it is told besides."""
    program = installed(command)
    if program is None:
        yield None
        return
    run = directory / command
    run.mkdir()
    file, told = run / "zone", run / "config"
    with file.open("w") as lines:
        lines.write(f"$ORIGIN {zone}.\n$TTL {_TTL}\n@ SOA {_SOA.format(zone=zone)}\n@ NS ns\n")
        lines.write("ns A 127.0.0.1\n")
        lines.writelines(f"{name}. TXT {content}\n" for name, content in _contents(names))
    told.write_text(config.format(port=port, run=run, zone=zone, file=file))
    with started([program, *options, "-c", str(told)], core) as server:
        wait_for(port)
        yield server


def _fill(file: Path, zone: str, names: Names) -> None:
    connection = sqlite3.connect(file)
    connection.executescript(_TABLES)
    connection.execute("INSERT INTO domains (id, name, type) VALUES (1, ?, 'NATIVE')", (zone,))
    own = [(zone, "SOA", _SOA.format(zone=zone)), (zone, "NS", f"ns.{zone}")]
    connection.executemany(
        f"INSERT INTO records (domain_id, ttl, name, type, content) VALUES (1, {_TTL}, ?, ?, ?)",
        [*own, *((name, "TXT", content) for name, content in _contents(names))],
    )
    connection.commit()
    connection.close()


def _contents(names: Names) -> Iterable[tuple[str, str]]:
    """Each TXT record: its name, and its strings in the form of zone files."""
    return ((name, _presentation(rdata)) for name, record in names for rdata in txt(record))


def _presentation(rdata: bytes) -> str:
    """The strings of a TXT record in the form of zone files (RFC 1035 section 5.1)."""
    strings, at = [], 0
    while at < len(rdata):
        end = at + 1 + rdata[at]
        strings.append('"' + "".join(f"\\{octet:03}" for octet in rdata[at + 1 : end]) + '"')
        at = end
    return " ".join(strings)
