"""`idnode audit verify` on nodes as processes: running, stopped, tampered with."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from tests.support.processes import idnode, up
from tests.support.wire import fetch

NODES = 5


def test_every_node_gives_account_and_its_parent_is_witness(data: Path, tmp_path: Path) -> None:
    with up("minimal", data, nodes=NODES) as running:
        assert running.idnode("register", "88.901.7/A", "--set", "1:NOTE=a").status == 0
        live = idnode("audit", "verify", "--data", data)
        assert (live.status, live.err) == (0, "")
        database = data / "baijiu" / "node.db"
        with sqlite3.connect(database) as connection:
            entry = connection.execute(
                "SELECT event, actor, origin, subject FROM audit_log ORDER BY sequence DESC LIMIT 1"
            ).fetchone()
            connection.execute("VACUUM INTO ?", (str(tmp_path / "older.db"),))
        connection.close()
        assert entry == (
            "identifier:created",
            "operator@88.901.7",
            "http 127.0.0.1",
            "88.901.7/A",
        )
        assert running.idnode("register", "88.901.7/B", "--set", "1:NOTE=b").status == 0
        assert running.process.stop().status == 0
    stopped = idnode("audit", "verify", "--node", "baijiu", "--json", "--data", data)
    assert stopped.status == 0
    assert (stopped.json["witnessed"], stopped.json["findings"]) == (1, [])

    for name in ("node.db-wal", "node.db-shm"):
        (data / "baijiu" / name).unlink(missing_ok=True)
    shutil.copyfile(tmp_path / "older.db", database)
    older = idnode("audit", "verify", "--data", data)
    assert (older.status, "baijiu: entry" in older.out, "cut" in older.out) == (1, True, True)
    assert idnode("audit", "verify", "--node", "nobody", "--data", data).status == 2


def test_a_witness_believes_signatures_alone(data: Path) -> None:
    with up("minimal", data, nodes=NODES) as running:
        form = {"node": "baijiu", "sequence": 9, "hash": "00" * 32, "time": 1, "signature": "00"}
        base = running.node("chongqing").http

        def hand_over(document: object) -> int:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            return fetch(base, "/v1/audit/checkpoints", "POST", body).status

        assert hand_over({"prefix": "88.901", "checkpoint": form}) == 401
        assert hand_over({"prefix": "88.999", "checkpoint": form}) == 401
        assert hand_over({"prefix": "88.901", "checkpoint": form | {"hash": "0"}}) == 422
        assert hand_over({"prefix": "88.901"}) == 422
        assert hand_over(b"{") == 400
        kept = fetch(base, "/v1/audit/checkpoints?node=baijiu").json
        assert kept == {"checkpoints": []}
