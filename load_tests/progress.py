"""What one sees while a run is on: a line of figures that is renewed each second."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from load_tests import durations
from load_tests.series import Point

_BARS: Final = "▁▂▃▄▅▆▇█"
_SHOWN: Final = 60


def sparkline(values: list[float]) -> str:
    """The values as a row of bars, the highest one full."""
    most = max(values, default=0.0)
    if not most:
        return _BARS[0] * len(values)
    return "".join(_BARS[round(value / most * (len(_BARS) - 1))] for value in values)


class Progress:
    """A context that shows the run on a terminal, and nothing anywhere else."""

    def __init__(self, console: Console, name: str, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._recent: deque[Point] = deque(maxlen=_SHOWN)
        self._sent = self._right = self._failed = 0
        self._live = Live(console=console, transient=True, auto_refresh=False)
        self._on = console.is_terminal

    def __enter__(self) -> Self:
        if self._on:
            self._live.start()
            self._live.update(Text(f"{self._name}: preparing the generators"), refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._on:
            self._live.stop()

    def show(self, point: Point) -> None:
        """One more second is over."""
        self._recent.append(point)
        self._sent += point.sent
        self._right += point.right
        self._failed += point.failed
        if self._on:
            self._live.update(self.view(), refresh=True)

    def view(self) -> Group:
        """The picture after the last second."""
        last = self._recent[-1]
        done = min(last.at + 1, self._seconds)
        head = Table.grid(padding=(0, 2))
        head.add_row(
            Text(self._name, style="bold"),
            ProgressBar(total=self._seconds, completed=done, width=30),
            f"{last.at + 1} of {self._seconds:.0f} s   (Ctrl-C ends it and writes the report)",
        )
        body = Table.grid(padding=(0, 2))
        right = [float(point.right) for point in self._recent]
        slow = [point.p99 for point in self._recent]
        body.add_row("right/s", f"{last.right:,}", sparkline(right))
        body.add_row("p99", durations.written(last.p99), sparkline(slow))
        style = "bold red" if self._failed else ""
        body.add_row(
            "so far",
            f"{self._sent:,} sent",
            Text(f"{self._right:,} right, {self._failed:,} failed", style=style),
        )
        return Group(head, body)
