"""The server that the recorded exchanges in `tests/vectors/handle` came from, rebuilt as a node.

Its records are read off its replies; what the public never saw of them is added. The node is sector
node `bench` of a topology of its own, homes 88.1000 as the recorded server did, and keeps prefix
records too.

    with recorded_server(tmp_path) as node: ...
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from registry.schemes.handle import PREFIX_RECORDS, Key, parse
from registry.storage.backends import open_store
from registry.storage.interface import ACTIVE, Row, is_counted
from registry.values.json_form import value_from_json
from registry.values.value import ADMIN_READ, ADMIN_WRITE, Value, decode_record, encode_record
from resolver.codecs.handle.bodies.digest import split_digest
from resolver.codecs.handle.bodies.resolution import decode_referral, decode_resolve_reply
from resolver.codecs.handle.codes import OpCode, ResponseCode
from resolver.codecs.handle.header import RD
from resolver.codecs.handle.message import Message, decode_message
from resolver.data_directory import DataDirectory
from tests.support.handle_vectors import cases
from tests.support.processes import Node, Process, free_base
from tests.support.wire import joined

PREFIX: Final = "88.1000"
NODE: Final = "bench"
#: The secret of the administrator 301:0.NA/88.1000, as the recorded requests use it.
SECRET: Final = b"bench-secret-key"
#: The prefix that the recorded server delegates.
DELEGATED: Final = Key(PREFIX_RECORDS, "88.3000")
#: Only administrators may read these.
HIDDEN: Final = {
    Key(PREFIX, "PERMS"): [
        Value(2, b"SECRET", b"for administrators", permissions=ADMIN_READ | ADMIN_WRITE),
        # Written as "0000"; the recorded server takes admin read as given.
        Value(4, b"NOBODY", b"for nobody", permissions=ADMIN_READ),
    ],
    Key(PREFIX, "BASE"): [Value(2, b"NOTE", b"base", timestamp=1_795_387_650)],
    Key(PREFIX, "NOURL"): [Value(1, b"EMAIL", b"a@b.example")],
    Key(PREFIX_RECORDS, PREFIX): [
        Value(301, b"HS_SECKEY", SECRET, permissions=ADMIN_READ | ADMIN_WRITE)
    ],
}
TOPOLOGY: Final = """
name = "recorded"
title = { en = "The recorded server", zh = "录制的服务器" }
[[node]]
name = "recursive"
role = "recursive"
title = { en = "Recursive", zh = "递归" }
[[node]]
name = "root"
role = "root"
title = { en = "Root", zh = "根" }
[[node]]
name = "national"
role = "national"
parent = "root"
prefix = "88"
title = { en = "National", zh = "国家" }
[[node]]
name = "bench"
role = "sector"
parent = "national"
prefix = "88.1000"
title = { en = "Bench", zh = "试验" }
industry = "C1512"
prefecture = "511500"
product = "baijiu"
hosted = [{ prefix = "88.1000.7", title = { en = "Demo", zh = "示例" } }]
"""


def body_of(reply: Message) -> bytes:
    """The body behind the request digest."""
    return split_digest(reply.body, reply.version)[1] if reply.op_flags & RD else reply.body


def records() -> dict[Key, list[Value]]:
    """Every record that a reply shows, whole or in parts, and what is hidden in it."""
    shown: dict[Key, list[list[Value]]] = {}
    for key, values in [*_over_handle(), *_over_http(), *HIDDEN.items()]:
        shown.setdefault(key, []).append(values)
    return {key: _merged(lists) for key, lists in shown.items()}


def _merged(lists: list[list[Value]]) -> list[Value]:
    """One value for each index, in the order of the longest list and then of the others."""
    merged: dict[int, Value] = {}
    for values in sorted(lists, key=len, reverse=True):
        for value in values:
            merged.setdefault(value.index, value)
    return list(merged.values())


def _over_handle() -> Iterator[tuple[Key, list[Value]]]:
    for case in [*cases("wire_udp"), *cases("wire_tcp")]:
        packets = case.get("response_packets_hex") or [case.get("response_hex")]
        if not packets[0] or case.get("response_messages", 1) != 1:
            continue
        reply = decode_message(joined([bytes.fromhex(packet) for packet in packets]))
        if reply.op_code != OpCode.RESOLVE:
            continue
        if reply.response_code == ResponseCode.SUCCESS:
            handle, record = decode_resolve_reply(body_of(reply))
            if b"@" not in handle:  # made from a template
                yield parse(handle), list(decode_record(record))
        elif reply.response_code == ResponseCode.PREFIX_REFERRAL:
            yield DELEGATED, list(decode_record(decode_referral(body_of(reply)).record or b""))


def _over_http() -> Iterator[tuple[Key, list[Value]]]:
    for case in cases("json_api"):
        if case["transport"] == "https":
            continue  # what those show, others of them have put there
        reply: dict[str, Any] = case["response"].get("json") or {}
        handle = reply.get("handle", "")
        if reply.get("responseCode") == 1 and "@" not in handle and reply.get("values"):
            yield parse(handle), [value_from_json(form) for form in reply["values"]]


async def _fill(path: Path) -> None:
    now = int(time.time())
    rows = [Row(*key, encode_record(values), ACTIVE, 1, now) for key, values in records().items()]
    counted = sum(is_counted(row.prefix, row.suffix) for row in rows)
    store = await open_store(f"sqlite:///{path}")
    try:
        async with store.begin() as transaction:
            await transaction.home([PREFIX, PREFIX_RECORDS])
            await transaction.insert(rows)
            await transaction.count({PREFIX: counted})
    finally:
        await store.close()


@contextlib.contextmanager
def recorded_server(directory: Path) -> Iterator[Node]:
    """The node, in a process of its own, with its data and topology in `directory`."""
    topology, ready = directory / "recorded.toml", directory / "recorded.ready.json"
    topology.write_text(TOPOLOGY, "utf-8")
    data = DataDirectory(directory / "recorded")
    asyncio.run(_fill(data.node_path(NODE) / "node.db"))
    arguments = ("serve", NODE, topology, "--data", data.path, "--ready-file", ready)
    with Process(*arguments, "--base-port", free_base(4)) as process:
        process.started()
        yield Node(json.loads(ready.read_bytes())["nodes"][0])
        ended = process.stop()
        assert (ended.status, ended.err.splitlines()[-1]) == (0, "draining"), ended
