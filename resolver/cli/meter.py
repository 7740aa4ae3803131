"""How far a long command is: a bar where somebody watches, now and then a line elsewhere."""

from __future__ import annotations

import sys
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import click

from resolver.cli.output import note

if TYPE_CHECKING:
    from rich.progress import Progress

#: Seconds between two lines where there is no bar.
_LINE_EVERY: Final = 5.0


class Meter:
    """Counts `what`, such as rows, up to `total` if that is known; on standard error.

    A context. With --quiet it says nothing. The bar goes when the context ends: the command has the
    last word.
    """

    def __init__(self, what: str, total: int | None = None) -> None:
        self._what = what
        self._total = total
        self._said_at = monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        context = click.get_current_context(silent=True)
        quiet = bool(context and context.find_root().params.get("quiet"))
        if sys.stderr.isatty() and not quiet:
            self._bar = _bar()
            self._bar.add_task(self._what, total=self._total)
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def reach(self, count: int, what: str | None = None) -> None:
        """So many are done; `what` changes what is counted."""
        self._what = what or self._what
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=count, description=self._what)
        elif monotonic() - self._said_at >= _LINE_EVERY:
            self._said_at = monotonic()
            note(_counted(count, self._total, self._what))


def _counted(count: int, total: int | None, what: str) -> str:
    return f"{count:,}{f' of {total:,}' if total else ''} {what}"


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
    from rich.text import Text

    class Counted(ProgressColumn):
        """The count and the rate."""

        def render(self, task: Task) -> Text:
            total = None if task.total is None else int(task.total)
            rate = f", {task.speed:,.0f}/s" if task.speed else ""
            return Text(_counted(int(task.completed), total, task.description) + rate)

    context = click.get_current_context(silent=True)
    plain = bool(context and context.find_root().params.get("no_color"))
    console = Console(stderr=True, no_color=plain or None, highlight=False)
    columns = (BarColumn(), Counted(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, refresh_per_second=4)
