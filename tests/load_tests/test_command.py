"""`idnode load` as people call it, against a node on real sockets."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.small_node import SmallNode

FILES = {"report.html", "summary.json", "machine.json", "points.csv", "loads.csv", "hdr"}


def test_a_run_that_holds_its_thresholds(
    load: Callable[..., object], profile: Path, names: Path, tmp_path: Path
) -> None:
    done = load(profile, "--identifiers", names, "--report", tmp_path / "report")
    assert done.status == 0, done.err
    assert "✓ errors = 0" in done.out
    assert done.out.index("generator") < done.out.index("thresholds") < done.out.index("p99.9")
    folder = tmp_path / "report"
    assert {path.name for path in folder.iterdir()} == FILES
    summary = json.loads((folder / "summary.json").read_bytes())
    assert summary["total"]["right"] == summary["total"]["sent"] > 20
    assert set(summary["loads"]) == {"udp", "json"}
    assert sum(point[2] for point in summary["points"]) == summary["total"]["right"]
    with (folder / "loads.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row["load"] for row in rows] == ["udp", "json", "total"]
    assert {path.name for path in (folder / "hdr").iterdir()} == {
        f"{name}.{kind}.hdr" for name in ("udp", "json", "total") for kind in ("latency", "service")
    }


class _Page(HTMLParser):
    """What a page refers to, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_opens_offline_and_shows_everything(
    load: Callable[..., object], profile: Path, names: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert load(profile, "--identifiers", names, "--report", first).status == 0
    done = load(profile, "--identifiers", names, "--report", second, "--against", first)
    assert done.status == 0
    page = _Page()
    page.feed((second / "report.html").read_text())
    text = " ".join(page.texts)
    assert page.references == []
    assert "url(" not in (second / "report.html").read_text()
    assert page.tags.count("svg") == 3
    for part in ("Generator", "Thresholds", "Latency", "Over time", "Compared", "Hops", "Machine"):
        assert part in text


def test_a_planted_wrong_answer_fails_the_run(
    load: Callable[..., object], profile: Path, names: Path, node: SmallNode, tmp_path: Path
) -> None:
    profile.write_text(profile.read_text().replace('"errors = 0", ', ""))
    names.write_text(names.read_text() + "\n88.901.7/PLANTED")
    from registry.schemes.handle import parse

    key = parse(b"88.901.7/BOT-3")
    served = node.records[key]
    other = served.replace(b"BOT-3", b"BOT-9")
    asked = iter([served])
    node.records = _Changing(node.records, key, asked, other)
    done = load(profile, "--identifiers", names, "--report", tmp_path / "report")
    assert done.status == 1
    assert "threshold missed: wrong = 0" in done.err
    summary = json.loads((tmp_path / "report" / "summary.json").read_bytes())
    assert summary["total"]["wrong"] > 0
    assert summary["total"]["examples"]


class _Changing(dict):  # type: ignore[type-arg]
    """Records of which one is another one from the second look on."""

    def __init__(self, records, key, first, later):  # type: ignore[no-untyped-def]
        super().__init__(records)
        self._key, self._first, self._later = key, first, later

    def get(self, key, default=None):  # type: ignore[no-untyped-def]
        if key == self._key:
            return next(self._first, self._later)
        return super().get(key, default)


def test_a_missed_threshold_is_named(
    load: Callable[..., object], profile: Path, names: Path
) -> None:
    profile.write_text(profile.read_text().replace("p99 < 10s", "json.p50 < 1us"))
    done = load(profile, "--identifiers", names)
    assert done.status == 1
    assert "threshold missed: json.p50 < 1us (measured: " in done.err


def test_registration_is_read_again(load: Callable[..., object], profile: Path) -> None:
    profile.write_text(
        profile.read_text().partition("[[load]]")[0]
        + '[[load]]\nname = "new"\noperation = "register"\nprefix = "88.901.7"\n'
        'stages = [{ for = "200ms", rate = 50 }]\n'
    )
    done = load(profile, "--json")
    assert done.status == 0, done.err
    assert done.json["total"]["right"] == done.json["total"]["sent"] > 0


def test_json_and_scaling(load: Callable[..., object], profile: Path, names: Path) -> None:
    done = load(profile, "--identifiers", names, "--json", "--rate", 300, "--duration", "200ms")
    assert done.status == 0
    assert done.json["planned"] == pytest.approx(0.2)
    assert 30 <= done.json["total"]["sent"] <= 100


def test_comparing_two_runs(
    load: Callable[..., object], profile: Path, names: Path, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        load(profile, "--identifiers", names, "--report", tmp_path / name)
    done = load("compare", tmp_path / "a", tmp_path / "b", "--page", tmp_path / "both.html")
    assert done.status == 0
    assert "right/s" in done.out
    assert "Compared" in (tmp_path / "both.html").read_text()
    figures = load("compare", tmp_path / "a", tmp_path / "b", "--json").json
    assert {one["load"] for one in figures} == {"udp", "json", "all"}
    assert load("compare", tmp_path / "a", tmp_path / "nothing").status == 2


def test_what_cannot_be_run_is_refused_before_anything_is_sent(
    load: Callable[..., object], profile: Path, names: Path, tmp_path: Path, node: SmallNode
) -> None:
    def refused(*arguments: object) -> str:
        done = load(*arguments)
        assert done.status == 2, done.err
        return str(done.err)

    assert 'did you mean "steady"' in refused("stead")
    assert "--via: 192.0.2.7 is not this machine" in refused(
        profile, "--identifiers", names, "--via", "http://192.0.2.7:80"
    ).replace(
        "load udp (handle-udp) needs hdl:// or hdl+udp://host:port", "192.0.2.7 is not this machine"
    )
    only_udp = tmp_path / "udp.toml"
    only_udp.write_text(profile.read_text().rpartition("[[load]]")[0])
    assert "--via: 192.0.2.7 is not this machine" in refused(only_udp, "--via", "hdl://192.0.2.7")
    assert "needs hdl:// or hdl+udp://host:port" in refused(only_udp, "--via", "dns://127.0.0.1")
    only_udp.write_text('target = "elsewhere"' + only_udp.read_text())
    assert 'no node or role "elsewhere"' in refused(only_udp)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "summary.json").touch()
    assert "holds the report" in refused(profile, "--report", tmp_path / "old")
    assert "--rate" in refused(profile, "--rate", "0")
    assert "no duration" in refused(profile, "--duration", "soon")
    assert node.protocols == []


def test_nobody_there(
    load: Callable[..., object], profile: Path, names: Path, tmp_path: Path, node: SmallNode
) -> None:
    profile.write_text(profile.read_text().rpartition("[[load]]")[0])
    assert load(profile, "--data", tmp_path / "none").status == 3
    # The names are resolved before the run, which takes a node; so here there is none to ask.
    missing = load(profile, "--via", "hdl+udp://127.0.0.1:9", "--identifiers", names)
    assert missing.status == 1
    assert "no identifier" in missing.err


def test_ctrl_c_writes_the_report_of_what_was_run(
    profile: Path, names: Path, tmp_path: Path, data: Path, node: SmallNode
) -> None:
    profile.write_text(profile.read_text().replace("300ms", "1h"))
    folder = tmp_path / "report"
    command = [sys.executable, "-m", "resolver.cli", "load", str(profile)]
    process = subprocess.Popen(
        [*command, "--identifiers", str(names), "--report", str(folder)],
        env={**os.environ, "IDNODE_DATA": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    asked = len(names.read_text().split())
    try:
        while len(node.protocols) <= 2 * asked and process.poll() is None:
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert b"interrupted after" in out
    summary = json.loads((folder / "summary.json").read_bytes())
    assert summary["interrupted"]
    assert summary["total"]["right"] > 0
