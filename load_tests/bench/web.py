"""JSON GET on kept connections, asked by wrk where it is installed, beside nginx's fixed reply."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from load_tests.bench.figure import Figure
from load_tests.bench.loads import Records
from load_tests.bench.peers import installed, nginx
from load_tests.bench.server import Server, Topology
from registry.values.json_form import value_to_json
from registry.values.value import decode_record

NGINX_PORT: Final = 31_608
CONNECTIONS: Final = 32
#: Names that wrk goes through.
_NAMES: Final = 1000
_SCRIPT: Final = """\
local paths, requests, at = {{ {paths} }}, {{}}, 0
init = function()
  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
"""
_REQUESTS: Final = re.compile(r"(\d+) requests in ")
_RATE: Final = re.compile(r"Requests/sec:\s*([\d.]+)")
_FAILED: Final = re.compile(r"Non-2xx or 3xx responses|Socket errors")


def compare(
    node: Topology, name: str, directory: Path, core: int, known: Records, seconds: float
) -> list[Figure]:
    """CPU and rate of JSON GET; nothing without wrk."""
    if installed("wrk") is None:
        return []
    script = directory / "paths.lua"
    paths = [f'"/api/handles/{quote(str(key), safe="/")}"' for key, _ in known[:_NAMES]]
    script.write_text(_SCRIPT.format(paths=", ".join(paths)))
    host, port = node.address(name, "http")
    _ask(node.server, f"http://{host}:{port}/", script, 1.0)
    own = _ask(node.server, f"http://{host}:{port}/", script, seconds)
    theirs: dict[str, tuple[float, float]] = {}
    with nginx(directory, NGINX_PORT, core, _typical(known)) as server:
        if server is not None:
            theirs["nginx"] = _ask(server, f"http://127.0.0.1:{NGINX_PORT}/", script, seconds)
    cpu, rate = ({peer: figures[i] for peer, figures in theirs.items()} for i in (0, 1))
    return [
        Figure("JSON GET, kept connections: CPU", own[0], "us", peers=cpu),
        Figure("JSON GET, kept connections: rate", own[1], "/s", ">= 60000", peers=rate),
    ]


def _typical(known: Sequence[tuple[object, bytes]]) -> bytes:
    """The body of one reply, for who has the same one for everything."""
    key, record = known[0]
    values = [value_to_json(value) for value in decode_record(record)]
    return msgspec.json.encode({"responseCode": 1, "handle": str(key), "values": values})


def _ask(server: Server, url: str, script: Path, seconds: float) -> tuple[float, float]:
    """CPU microseconds for each request, and requests a second."""
    before = server.cpu
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
    said = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    spent = server.cpu - before
    done, rate = _REQUESTS.search(said), _RATE.search(said)
    if done is None or rate is None or _FAILED.search(said):
        raise SystemExit(f"wrk failed at {url}:\n{said}")
    return spent / int(done[1]) * 1e6, float(rate[1])
