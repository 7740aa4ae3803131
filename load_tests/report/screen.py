"""The summary of a run on one screen: generator first, then thresholds, latency, errors."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from load_tests import durations
from load_tests.result import Figures, Result
from resolver.cli.output import table

_GOOD, _BAD = "green", "bold red"
_MOST_REASONS: Final = 8
_SHOWN: Final = ("p50", "p90", "p99", "p99.9", "max")


def summary(result: Result) -> Group:
    """Everything that decides whether to believe a run, and what it says."""
    parts: list[RenderableType] = [_head(result), _generator(result), _thresholds(result)]
    parts.append(_loads(result))
    if result.total.reasons:
        parts.append(_reasons(result.total))
    return Group(*parts)


def failing(result: Result) -> list[str]:
    """A line for each threshold that was missed."""
    return [
        f"threshold missed: {judged.text} (measured: {judged.measured})"
        for judged in result.thresholds
        if not judged.held
    ]


def _head(result: Result) -> Text:
    ended = "interrupted after" if result.interrupted else "ran"
    where = ", ".join(sorted(set(result.target.values())))
    return Text(
        f"{result.profile} {ended} {result.total.seconds:.1f} s against {where}", style="bold"
    )


def _generator(result: Result) -> Text:
    health = result.health
    late = health.late / result.total.sent if result.total.sent else 0.0
    text = Text()
    text.append("generator  ")
    if health.sound:
        text.append("✓ kept its schedule", style=_GOOD)
    else:
        text.append("✗ do not believe the figures below before you have read this", style=_BAD)
    text.append(
        f"\n  {health.generators} process(es), {health.cpu:.2f} cores, {late:.2%} late"
        f" (p99 by {durations.written(health.late_p99)}), {health.unsent:,} unsent,"
        f" {health.dropped:,} dropped"
    )
    for concern in health.concerns:
        text.append(f"\n  {concern}", style=_BAD)
    for remark in health.remarks:
        text.append(f"\n  {remark}", style="yellow")
    return text


def _thresholds(result: Result) -> Text:
    text = Text("thresholds")
    for judged in result.thresholds:
        mark, style = ("✓", _GOOD) if judged.held else ("✗", _BAD)
        text.append(f"\n  {mark} {judged.text}", style=style)
        text.append(f"   {judged.measured}")
    return text


def _loads(result: Result) -> Table:
    """A row for each load, and one for all of them where there are several."""
    made = table(
        ["load", "right/s", "failed", *_SHOWN],
        right=["right/s", "failed", *_SHOWN],
        keep=["right/s", *_SHOWN],
    )
    rows = dict(result.loads)
    if len(rows) > 1:
        rows["all"] = result.total
    for name, figures in rows.items():
        failed = Text(f"{figures.failed:,}", style=_BAD if figures.failed else "")
        latencies = [durations.written(figures.latency[one]) for one in _SHOWN]
        made.add_row(name, f"{figures.rate:,.0f}", failed, *latencies)
    return made


def _reasons(total: Figures) -> Text:
    text = Text(
        f"errors     {total.wrong:,} wrong, {total.refused:,} refused, {total.lost:,} lost,"
        f" {total.slow:,} right but after the deadline"
    )
    for reason, count in list(total.reasons.items())[:_MOST_REASONS]:
        text.append(f"\n  {count:>9,}  {reason}")
    return text
