"""The folder of a run: page, figures in JSON and CSV, histograms, facts about the machine.

report.html   for people; opens without a network
summary.json  everything (`load_tests.result.Result`)
points.csv    a line for each second
loads.csv     a line for each load
hdr/*.hdr     latency and service time of each load, HdrHistogram V2 in base64
machine.json  what it ran on
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from load_tests import hdr
from load_tests.report.page import render
from load_tests.result import PERCENTILES, Result
from load_tests.run import Run
from load_tests.series import Point

SUMMARY: Final = "summary.json"
PAGE: Final = "report.html"
_COUNTS: Final = ("sent", "unsent", "right", "wrong", "refused", "lost", "slow", "late", "strays")


class NoResult(Exception):  # noqa: N818 - it is what was found
    """A folder holds no result that can be read; str() says why."""


def write(run: Run, folder: Path, earlier: Result | None = None) -> None:
    """Write everything; `earlier` is drawn beside it. Raises OSError."""
    result = run.result
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hdr").mkdir(exist_ok=True)
    for name, tally in run.tallies.items():
        (folder / "hdr" / f"{name}.latency.hdr").write_text(hdr.encode(tally.latency) + "\n")
        (folder / "hdr" / f"{name}.service.hdr").write_text(hdr.encode(tally.service) + "\n")
    (folder / SUMMARY).write_bytes(_json(result))
    (folder / "machine.json").write_bytes(_json(result.machine))
    _csv(folder / "points.csv", Point._fields, result.points)
    _csv(folder / "loads.csv", ("load", "rate", *_COUNTS, *PERCENTILES, "mean"), _rows(result))
    (folder / PAGE).write_text(render(result, earlier), encoding="utf-8")


def read(folder: Path) -> Result:
    """The result in a folder. Raises NoResult."""
    path = folder / SUMMARY if folder.is_dir() else folder
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except OSError as error:
        raise NoResult(f"{path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise NoResult(f"{path} is not the summary of a run: {error}") from None


def _rows(result: Result) -> Iterable[Sequence[object]]:
    for name, figures in {**result.loads, "total": result.total}.items():
        counts = [getattr(figures, count) for count in _COUNTS]
        latencies = [figures.latency[one] for one in (*PERCENTILES, "mean")]
        yield (name, figures.rate, *counts, *latencies)


def _csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def _json(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
