"""Instructions for each call of a codec, counted by callgrind: noise does not change them.

python -m load_tests.bench.codecs [--out FILE]       all of them, each under valgrind
python -m load_tests.bench.codecs NAME COUNT         one of them so often: what valgrind runs
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Final

from load_tests.bench.figure import Figure, tell
from load_tests.bench.peers import installed
from load_tests.requests import dns, handle
from registry.schemes.dns_name import to_name
from registry.schemes.handle import parse
from registry.values.shape import survey
from registry.values.value import DEFAULT_TTL, Value, encode_record
from resolver.codecs.dns.endings import Endings
from resolver.codecs.dns.plain_txt import PlainTxt
from resolver.codecs.dns.question import read_question
from resolver.codecs.dns.rdata import txt
from resolver.codecs.dns.txt_form import txt_records
from resolver.codecs.dns.zone import ZoneView, name_server
from resolver.codecs.handle.alike import Alike
from resolver.codecs.handle.fast import cache_key, decode_plain_resolve, encode_plain_reply
from resolver.codecs.handle.message import decode_message
from resolver.codecs.plain_http import PlainRequests

#: Calls that are counted, besides the start-up that is subtracted.
CALLS: Final = 400
_MODULE: Final = "load_tests.bench.codecs"
_SAME_HASHES: Final = {**os.environ, "PYTHONHASHSEED": "0"}
_COUNTED: Final = re.compile(r"Collected : (\d+)")

_NAME: Final = "88.901.7/BOT-000001"
_RECORD: Final = encode_record(
    [Value(1, b"URL", b"https://example.org/88.901.7/BOT-000001")]
    + [
        Value(index, b"TEXT", b"a value of some forty octets, more or less")
        for index in range(2, 9)
    ]
)
_HANDLE: Final = handle.resolution(_NAME.encode(), _RECORD).request
_DNS: Final = dns.question(to_name(parse(_NAME)), _RECORD).request
_HTTP: Final = f"GET /api/handles/{_NAME} HTTP/1.1\r\nHost: node\r\n\r\n".encode()
_PLAIN: Final = PlainRequests()
_ENDINGS: Final = Endings()
_ALIKE: Final = Alike()
_VIEW: Final = ZoneView((b"id", b"test"), name_server("127.0.0.1", 53))
_PLAIN_TXT: Final = PlainTxt(_VIEW)
#: What was asked for last is not looked at again.
_RECORDS: Final = cycle([_RECORD, bytes(bytearray(_RECORD))])


def _dns_reply() -> None:
    asked = _PLAIN_TXT.read(_DNS)
    assert asked is not None
    asked[0].reply(_DNS, next(_RECORDS))


def _handle_reply() -> None:
    request = decode_plain_resolve(_HANDLE)
    assert request is not None
    encode_plain_reply(_HANDLE, request, _RECORD, serial=1, expiration=1)


CODECS: Final[dict[str, Callable[[], object]]] = {
    "handle-key": lambda: cache_key(_HANDLE),
    "handle-plain-reply": _handle_reply,
    "handle-request, alike": lambda: _ALIKE.read(_HANDLE),
    "handle-message": lambda: decode_message(_HANDLE),
    "handle-identifier": lambda: parse(_NAME),
    "dns-question": lambda: read_question(_DNS),
    "dns-question, known ending": lambda: _ENDINGS.read(_DNS),
    "dns-plain-reply": _dns_reply,
    "dns-txt": lambda: list(txt(_RECORD)),
    "dns-txt, known form": lambda: txt_records(next(_RECORDS), DEFAULT_TTL),
    "record-survey": lambda: survey(next(_RECORDS), 0),
    "http-plain-request": lambda: _PLAIN.line_of(_HTTP),
}


def figures() -> list[Figure]:
    """Instructions for each call; nothing without valgrind."""
    if installed("valgrind") is None:
        return []
    start_up = _instructions("record-survey", 0)
    return [
        Figure(f"codec {name}", (_instructions(name, CALLS) - start_up) / CALLS, "instr")
        for name in CODECS
    ]


def _instructions(name: str, count: int) -> int:
    with tempfile.TemporaryDirectory() as directory:
        out = f"--callgrind-out-file={Path(directory) / 'out'}"
        command = ["valgrind", "--tool=callgrind", out, sys.executable, "-m"]
        command = [*command, _MODULE, name, str(count)]
        said = subprocess.run(
            command, check=True, capture_output=True, text=True, env=_SAME_HASHES
        ).stderr
    counted = _COUNTED.search(said)
    if counted is None:
        raise SystemExit(f"callgrind counted nothing:\n{said}")
    return int(counted[1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m load_tests.bench.codecs")
    parser.add_argument("name", nargs="?", choices=list(CODECS))
    parser.add_argument("count", nargs="?", type=int, default=1)
    parser.add_argument("--out", type=Path, help="also write the figures here, as JSON")
    options = parser.parse_args()
    if options.name is not None:
        call = CODECS[options.name]
        for _ in range(options.count):
            call()
        return
    tell(figures(), options.out)


if __name__ == "__main__":
    main()
