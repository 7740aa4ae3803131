"""`idnode import` into a running node."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support.everywhere import values_of
from tests.support.killed_imports import between, run
from tests.support.processes import up
from tests.support.stores import minimal_on
from tests.support.workbook import text, workbook

PREFIX = "88.901.7"


def report_of(path: Path) -> list[tuple[int, str]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(said["line"], said["error"]["code"]) for said in map(json.loads, lines)]


def test_a_file_is_registered_row_by_row(stored, tmp_path):
    path = tmp_path / "bottles.csv"
    path.write_text("suffix,1:URL\nIMP-1,a\nIMP-2,\nimp-1,b\nIMP-3,c\n")
    tried = stored.idnode("import", str(path), "--prefix", PREFIX, "--dry-run")
    assert (tried.status, "3 identifiers would be registered" in tried.out) == (1, True)
    done = stored.idnode("import", str(path), "--prefix", PREFIX)
    assert (done.status, "2 identifiers registered" in done.out) == (1, True)
    assert report_of(tmp_path / "bottles.csv.report.ndjson") == [
        (3, "validation"),
        (4, "already-exists"),
    ]
    found = values_of(stored.node("recursive"), f"{PREFIX}/IMP-3")
    assert [value["data"]["value"] for value in found] == ["c"]
    assert not (tmp_path / "bottles.csv.import.json").exists()


COLUMNS = ["Number", "Link", "Lot", "Remark"]
TABLES = {
    "csv": lambda path, rows: path.write_text("\n".join(map(",".join, rows)), "utf-8"),
    "tsv": lambda path, rows: path.write_text("\n".join(map("\t".join, rows)), "utf-8"),
    "xlsx": lambda path, rows: workbook(path, "".join(text(*row) for row in rows)),
}


@pytest.mark.parametrize("kind", TABLES)
def test_columns_are_mapped(stored, tmp_path, kind):
    path = tmp_path / f"table.{kind}"
    names = [f"MAP-{kind}-{number}" for number in range(3)]
    TABLES[kind](path, [COLUMNS, *([name, f"https://例.test/{name}", "L1", ""] for name in names)])
    mapped = ("Number=suffix", "2=1:URL", "Lot=2002:lot")
    arguments = [argument for each in mapped for argument in ("--map", each)]
    done = stored.idnode("import", str(path), "--prefix", PREFIX, *arguments)
    assert (done.status, done.err) == (0, "columns left out: Remark\n")
    for name in names:
        found = values_of(stored.node("baijiu"), f"{PREFIX}/{name}")
        said = [(value["index"], value["type"], value["data"]["value"]) for value in found]
        assert said == [(1, "URL", f"https://例.test/{name}"), (2002, "lot", "L1")]


def test_an_import_that_was_cut_off_goes_on(stored, tmp_path):
    path = tmp_path / "bottles.ndjson"
    lines = [
        {"suffix": f"CUT-{at}", "values": [{"index": 1, "type": "N", "data": str(at)}]}
        for at in range(1, 31)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines[:20]))
    arguments = ("import", str(path), "--prefix", PREFIX)
    assert stored.idnode(*arguments).status == 0
    # As if it had been killed behind row 10 of a file that has the same 20 rows.
    state = tmp_path / "bottles.ndjson.import.json"
    state.write_text(json.dumps({"file": "another", "committed_through": 10, "accepted": 10}))
    refused = stored.idnode(*arguments, "--resume")
    assert (refused.status, "another file" in refused.err) == (1, True)
    # Without a state any row may have been sent before.
    state.unlink()
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    resumed = stored.idnode(*arguments, "--resume")
    assert (resumed.status, "30 identifiers registered" in resumed.out) == (0, True)
    nobody = stored.idnode(*arguments, "--via", "http://127.0.0.1:9", "--token", "x")
    assert (nobody.status, "nothing was sent" in nobody.err) == (3, True)
    wrong = stored.idnode(*arguments, "--token", "x")
    assert (wrong.status, "not valid" in wrong.err) == (1, True)
    assert sorted(left.name for left in tmp_path.iterdir()) == ["bottles.ndjson"]


async def test_an_import_is_killed_again_and_again(data, tmp_path, store_url):
    """Each row has one verdict in the end, whatever the kills came between."""
    path = tmp_path / "many.csv"
    rows = ["suffix,1:URL", *(f"KILL-{at:05},https://example.org/{at}" for at in range(30_000))]
    bad = dict.fromkeys(range(1000, 30000, 1500), f'"{"x" * 300}",b')
    bad[20_000] = "KILL-00500,twice"
    for at, row in bad.items():
        rows[at] = row
    rows[26_000] = ""
    path.write_text("\n".join(rows) + "\n")
    report = path.with_name("many.csv.report.ndjson")
    with up(minimal_on(store_url, tmp_path), data, nodes=5) as running:
        accounts = json.loads((data / "credentials.json").read_bytes())["accounts"]
        (token,) = {each["token"] for each in accounts if each["prefix"] == PREFIX}
        options = ("--prefix", PREFIX, "--token", token)
        async with between(running.node("baijiu")) as (killing, url):
            for kill_after in (1, 2, 3, 4):
                again = ("--resume",) if kill_after > 1 else ()
                status, _ = await run(killing, url, path, *options, *again, kill_after=kill_after)
                assert status == -signal.SIGKILL
            status, said = await run(killing, url, path, *options, "--resume", kill_after=None)
        assert status == 1, said
        accepted = 30_000 - len(bad) - 1
        assert f"{accepted:,} identifiers registered" in said
        assert f"{len(bad):,} rows refused" in said
        assert [line for line, _ in report_of(report)] == sorted(at + 1 for at in bad)
        exported = running.idnode("export", "--prefix", PREFIX).out
        there = {json.loads(line)["identifier"] for line in exported.splitlines()}
        assert sum(f"{PREFIX}/KILL-" in each for each in there) == accepted
        assert running.idnode("audit", "verify", "--node", "baijiu").status == 0


def test_serial_numbers(stored, tmp_path):
    arguments = ("import", "--prefix", PREFIX, "--serial", "SER-{:03d}", "--to", "250")
    link = "1:URL=https://example.org/{suffix}"
    done = stored.idnode(*arguments, "--set", link, "--report", str(tmp_path / "report"))
    assert (done.status, "250 identifiers registered" in done.out) == (0, True)
    found = values_of(stored.node("recursive"), f"{PREFIX}/ser-250")
    assert found[0]["data"]["value"] == "https://example.org/SER-250"


def test_what_is_exported_can_be_imported_again(stored, tmp_path):
    values = [
        {"index": 1, "type": "URL", "data": "https://example.org/é"},
        {"index": 2, "type": "X", "data": {"format": "base64", "value": "AAH/"}, "ttl": 60},
        {"index": 3, "type": "Y", "data": "", "permissions": "1100"},
    ]
    path, first, again = (tmp_path / name for name in ("in.ndjson", "1.ndjson", "2.ndjson"))
    path.write_text(json.dumps({"identifier": "88.901.7/EXP", "values": values}) + "\n")
    assert stored.idnode("import", str(path), "--prefix", PREFIX).status == 0
    assert stored.idnode("export", str(first), "--prefix", PREFIX).status == 0
    resumed = stored.idnode("import", str(first), "--prefix", PREFIX, "--resume")
    assert resumed.status == 0, "every one of them is there with the same values"
    assert stored.idnode("export", str(again), "--prefix", PREFIX).status == 0
    assert first.read_bytes() == again.read_bytes()
    assert json.dumps(values[0], ensure_ascii=False, separators=(",", ":")) in first.read_text(
        encoding="utf-8"
    )


def test_what_does_not_fit_is_a_usage_error(minimal, tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("x")
    for arguments in ([str(path)], [], ["--serial", "A"], ["--serial", "{}{}", "--to", "2"]):
        assert minimal.idnode("import", *arguments, "--prefix", PREFIX).status == 2
