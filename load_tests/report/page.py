"""The report as one HTML page with inline style and SVG: it opens anywhere, without a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from load_tests import durations
from load_tests.report import charts
from load_tests.report.charts import Line
from load_tests.report.comparison import differences
from load_tests.result import PERCENTILES, Result

_STYLE: Final = """
:root { color-scheme: light dark; --edge: #8884; --good: #00783e; --bad: #c0392b; }
@media (prefers-color-scheme: dark) { :root { --good: #4cc38a; --bad: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: .5rem 0; } .wide { overflow-x: auto; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--edge); text-align: right; }
th:first-child, td:first-child { text-align: left; } td.text, th.text { text-align: left; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; } svg { width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
svg .grid { stroke: var(--edge); stroke-width: 1; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; } .quiet { opacity: .75; }
code { overflow-wrap: anywhere; }
"""
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head>
<body>
{body}
</body></html>
"""
_MOST_COUNTERS: Final = 12


def render(result: Result, earlier: Result | None = None) -> str:
    """The page; with an earlier run the comparison is part of it."""
    title = f"{result.profile}, {result.started}"
    parts = [
        f"<h1>{escape(result.title.get('en', result.profile))}</h1>",
        f'<p class="quiet">{escape(result.title.get("zh", ""))} · {escape(_when(result))}</p>',
        _generator(result),
        _thresholds(result),
        "<h2>Latency</h2>",
        '<p class="quiet">From the time a request was due, whenever it went out; right replies'
        " only. Service time counts from the real sending.</p>",
        _latencies(result),
        _curve(result, earlier),
        "<h2>Over time</h2>",
        _rates(result),
        _latency_over_time(result, earlier),
        _errors(result),
        _comparison(result, earlier) if earlier is not None else "",
        _hops(result),
        _nodes(result),
        _machine(result),
    ]
    return _PAGE.format(title=escape(title), style=_STYLE, body="\n".join(filter(None, parts)))


def _when(result: Result) -> str:
    where = ", ".join(f"{load} to {address}" for load, address in result.target.items())
    ended = "interrupted after" if result.interrupted else "ran"
    return f"{result.started} · {ended} {result.total.seconds:.1f} s · {where}"


def _generator(result: Result) -> str:
    health = result.health
    verdict = (
        '<span class="good">✓ kept its schedule</span>'
        if health.sound
        else '<span class="bad">✗ read this before you believe the figures</span>'
    )
    concerns = "".join(f'<li class="bad">{escape(concern)}</li>' for concern in health.concerns)
    concerns += "".join(f"<li>{escape(remark)}</li>" for remark in health.remarks)
    rows = [
        ("processes", f"{health.generators}"),
        ("cores used", f"{health.cpu:.2f}"),
        ("sent late (10 ms or more)", f"{health.late:,}"),
        ("late by, p99", durations.written(health.late_p99)),
        ("not sent", f"{health.unsent:,}"),
        ("replies dropped by its sockets", f"{health.dropped:,}"),
        ("datagrams that belong to nothing", f"{result.total.strays:,}"),
    ]
    return f"<h2>Generator</h2><p>{verdict}</p><ul>{concerns}</ul>" + _table((), rows)


def _thresholds(result: Result) -> str:
    rows = [
        (
            f'<span class="{"good" if judged.held else "bad"}">{"✓" if judged.held else "✗"}'
            f" {escape(judged.text)}</span>",
            escape(judged.measured),
        )
        for judged in result.thresholds
    ]
    return "<h2>Thresholds</h2>" + _table(("threshold", "measured"), rows, escaped=True)


def _latencies(result: Result) -> str:
    rows = []
    for name, figures in {**result.loads, "all": result.total}.items():
        latencies = [durations.written(figures.latency[one]) for one in PERCENTILES]
        rows.append((name, f"{figures.rate:,.0f}", f"{figures.sent:,}", *latencies))
    service = [durations.written(result.total.service[one]) for one in PERCENTILES]
    rows.append(("all, service time", "", "", *service))
    return _table(("load", "right/s", "sent", *PERCENTILES), rows)


def _curve(result: Result, earlier: Result | None) -> str:
    """Latency over percentiles, each further nine as wide as the one before."""
    lines = [
        Line(name, _stretched(figures.curve), number)
        for number, (name, figures) in enumerate(result.loads.items())
    ]
    if earlier is not None:
        lines += [
            Line(f"{name}, earlier", _stretched(figures.curve), number, 1)
            for number, (name, figures) in enumerate(earlier.loads.items())
            if name in result.loads
        ]
    values = [y for line in lines for _, y in line.points if y > 0]
    if not values:
        return ""
    up = charts.decades(min(values), max(values), durations.written)
    nines = max(x for line in lines for x, _ in line.points)
    across = charts.linear(max(1.0, nines), _percentile)
    across = across._replace(ticks=range(int(across.most) + 1))
    return charts.chart("Latency by percentile", lines, across, up)


def _stretched(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Percentiles as their number of nines; the last point, 100 %, lies where its rest ends."""
    return [(-math.log10(1 - part), y) for part, y in curve if part < 1]


def _percentile(nines: float) -> str:
    return f"{100 - 100 / 10**nines:.{max(0, round(nines) - 2)}f} %"


def _rates(result: Result) -> str:
    points = result.points
    lines = [
        Line("sent", [(point.at, point.sent) for point in points], 1, 1),
        Line("right", [(point.at, point.right) for point in points], 0),
        Line("failed", [(point.at, point.failed) for point in points], 3),
    ]
    most = max((point.sent for point in points), default=1)
    most = max(most, max((point.right for point in points), default=1), 1)
    return charts.chart("Requests a second", lines, _seconds(result), charts.linear(most, _number))


def _latency_over_time(result: Result, earlier: Result | None) -> str:
    answered = [point for point in result.points if point.right]
    if not answered:
        return ""
    lines = [
        Line("p50", [(point.at, point.p50) for point in answered], 0),
        Line("p99", [(point.at, point.p99) for point in answered], 1),
        Line("longest", [(point.at, point.longest) for point in answered], 3, 2),
    ]
    if earlier is not None:
        before = [(point.at, point.p99) for point in earlier.points if point.right]
        lines.append(Line("p99, earlier", before, 1, 1))
    values = [y for line in lines for _, y in line.points if y > 0]
    up = charts.decades(min(values), max(values), durations.written)
    return charts.chart("Latency of the replies of each second", lines, _seconds(result), up)


def _seconds(result: Result) -> charts.Axis:
    last = max((point.at for point in result.points), default=1)
    return charts.linear(max(1, last), lambda value: f"{value:g} s")


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _errors(result: Result) -> str:
    total = result.total
    if not total.reasons:
        return ""
    rows = [(reason, f"{count:,}") for reason, count in total.reasons.items()]
    examples = "".join(f"<li><code>{escape(one)}</code></li>" for one in total.examples)
    shown = f"<p>Wrong replies, in hexadecimal:</p><ul>{examples}</ul>" if examples else ""
    return (
        f"<h2>Errors</h2><p>{total.wrong:,} wrong, {total.refused:,} refused, {total.lost:,} lost,"
        f" {total.slow:,} right but after the deadline</p>" + _table(("reason", ""), rows) + shown
    )


def _comparison(result: Result, earlier: Result) -> str:
    rows = []
    for one in differences(earlier, result):
        style = {True: "good", False: "bad", None: "quiet"}[one.better]
        change = f'<span class="{style}">{escape(one.change)}</span>'
        rows.append((escape(one.load), escape(one.figure), one.before, one.after, change))
    head = ("load", "figure", escape(earlier.started), "this run", "change")
    return "<h2>Compared with an earlier run</h2>" + _table(head, rows, escaped=True)


def _hops(result: Result) -> str:
    if not result.hops:
        return ""
    rows = [
        (hop.role, hop.protocol, f"{hop.asked:,}", f"{hop.p50:.3f} ms", f"{hop.longest:.3f} ms")
        for hop in result.hops
    ]
    return (
        '<h2>Hops</h2><p class="quiet">Resolutions traced during the run, past all caches: how'
        " long the recursive node waited for each role.</p>"
        + _table(("role", "protocol", "asked", "p50", "longest"), rows)
    )


def _nodes(result: Result) -> str:
    """What the nodes counted themselves, the largest first."""
    rows = []
    for node, counters in result.nodes.items():
        largest = sorted(counters.items(), key=lambda one: -one[1])[:_MOST_COUNTERS]
        rows += [(node, series, f"{grown:,.6g}") for series, grown in largest]
    if not rows:
        return ""
    head = "<h2>What the nodes counted meanwhile</h2>"
    return head + _table(("node", "counter", "grew by"), rows)


def _machine(result: Result) -> str:
    rows = [(name, str(value)) for name, value in result.machine.items()]
    return "<h2>Machine</h2>" + _table((), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, escaped: bool = False) -> str:
    def cell(text: str) -> str:
        return text if escaped else escape(text)

    top = "".join(f"<th>{cell(text)}</th>" for text in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'
