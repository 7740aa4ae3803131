from __future__ import annotations

import json

from rich.cells import cell_len

from resolver.data_directory import DataDirectory


def test_json_is_the_ready_file(data, node, idnode):
    found = idnode("nodes", "--json")
    assert found.status == 0
    assert list(found.json) == ["console", "nodes"]
    assert found.json["nodes"][0] == node.ready()


def test_the_table_fits_80_columns(tmp_path, idnode):
    nodes = [
        {
            "name": f"biomedicine-chengdu-{number}",
            "role": "enterprise",
            "prefix": f"88.9{number:02}.1234",
            "handle": f"127.0.0.1:{26401 + 10 * number}",
            "http": f"http://127.0.0.1:{26402 + 10 * number}",
            "https": f"https://127.0.0.1:{26404 + 10 * number}",
            "dns": f"127.0.0.1:{26403 + 10 * number}",
            "metrics": f"http://127.0.0.1:{26405 + 10 * number}",
            "identifiers": 1000,
        }
        for number in range(3)
    ]
    directory = DataDirectory(tmp_path / "other")
    directory.path.mkdir()
    directory.announce(nodes, "http://127.0.0.1:2630/")
    found = idnode("nodes", "--data", directory.path)
    assert found.status == 0
    assert all(cell_len(line) <= 80 for line in found.out.splitlines())
    for text in ("88.902.1234", "26401", "26402", "26403", "26404", "26405", "1000", "2630"):
        assert text in found.out
    assert "\x1b" not in found.out


def test_hosts_are_shown_where_they_differ(tmp_path, node, idnode):
    directory = DataDirectory(tmp_path / "data")
    directory.path.mkdir()
    far = {**node.ready("far", "sector"), "handle": "192.0.2.7:2641"}
    directory.announce([node.ready(), far])
    assert "192.0.2.7" in idnode("nodes").out


def test_nothing_runs(tmp_path, idnode):
    found = idnode("nodes")
    assert found.status == 3
    where = tmp_path / "data"
    assert found.err == f"idnode: no running topology at {where}: start one with `idnode up`\n"
    found = idnode("nodes", "--data", tmp_path)
    assert f"`idnode up --data {tmp_path}`" in found.err


def test_a_process_that_has_ended_does_not_run(data, ended_process, idnode):
    content = json.loads(data.running_path.read_text())
    for entry in content["nodes"]:
        entry["pid"] = ended_process
    data.running_path.write_text(json.dumps(content))
    found = idnode("nodes")
    assert found.status == 3
    assert "no running topology" in found.err


def test_a_damaged_file_is_named(data, idnode):
    for content in ("{", '{"nodes": 1}', '{"nodes": [{}]}'):
        data.running_path.write_text(content)
        found = idnode("nodes")
        assert found.status == 3
        assert str(data.running_path) in found.err
