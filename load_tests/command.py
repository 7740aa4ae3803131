"""`idnode load`: run a load profile, or compare two runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from registry.schemes.dns_name import DEFAULT_ZONE
from resolver.cli.errors import DONE, NEGATIVE, NOBODY, Negative, Unsafe
from resolver.cli.output import note, print_json, show
from resolver.cli.output import table as make_table
from resolver.cli.running import data_option

if TYPE_CHECKING:
    from load_tests.profiles.model import Profile
    from load_tests.result import Result
    from load_tests.run import Run, Setting


class Duration(click.ParamType[float]):
    """Seconds, or a duration with its unit."""

    name = "DURATION"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        from load_tests import durations

        text = str(value)
        try:
            found = float(text) if text.replace(".", "", 1).isdigit() else durations.seconds(text)
        except ValueError as error:
            self.fail(str(error), param)
        if found <= 0:
            self.fail("must be longer than nothing", param)
        return found


class RunByDefault(click.Group):
    """`load PROFILE` is `load run PROFILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=RunByDefault)
def load() -> None:
    """Run a load profile and hold it to its thresholds.

    `idnode load PROFILE` runs a built-in profile by name, or the one in a TOML file. `idnode load
    list` names them, `search PROFILE` looks for the rate that saturates the nodes, `compare A B`
    puts two runs side by side.
    """


@load.command("list")
def list_() -> None:
    """List the built-in profiles."""
    from load_tests.profiles.loading import built_in
    from load_tests.profiles.loading import load as read_profile

    shown = make_table(["profile", "seconds", "what"], right=["seconds"], keep=["profile"])
    for name in built_in():
        profile = read_profile(name)
        shown.add_row(name, f"{profile.seconds:.0f}", f"{profile.title.en} {profile.title.zh}")
    show(shown)


@load.command()
@click.argument("profile")
@data_option
@click.option("--via", metavar="URL", help="Where to send: hdl+udp://, hdl+tcp://, dns://, http://")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True, max=1e6), help="Scale to it.")
@click.option("--duration", type=Duration(), help="Scale to it: seconds, or 90s, 5m, 8h.")
@click.option("--processes", type=click.IntRange(1, 64), help="Generator processes of each load.")
@click.option("--seed", type=int, help="Of arrivals and choice of identifiers.")
@click.option("--report", type=click.Path(path_type=Path, file_okay=False), help="The folder.")
@click.option("--against", type=click.Path(path_type=Path), help="An earlier run, drawn beside it.")
@click.option(
    "--identifiers",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="One a line; what they resolve to now is held to be right.",
)
@click.option("--zone", default=DEFAULT_ZONE, show_default=True, help="The DNS zone.")
@click.option("--allow-remote", is_flag=True, help="The target may be another machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    profile: str,
    data: Path,
    via: str | None,
    rate: float | None,
    duration: float | None,
    processes: int | None,
    seed: int | None,
    report: Path | None,
    against: Path | None,
    identifiers: Path | None,
    zone: str,
    allow_remote: bool,
    as_json: bool,
) -> int:
    """Run PROFILE; exit 0 only when its thresholds hold."""
    from load_tests import preparing
    from load_tests.report import folder, screen

    plan = preparing.plan(profile, rate, duration, processes, seed)
    where = _folder(report, data, plan.name)
    earlier = None if against is None else _read(against)
    done = _run(plan, preparing.setting(plan, data, via, identifiers, zone, allow_remote))
    folder.write(done, where, earlier)
    result = done.result
    if as_json:
        print_json(result)
    else:
        show(screen.summary(result))
    note(f"report: {where / folder.PAGE}")
    for line in screen.failing(result):
        note(f"idnode: {line}")
    if not result.total.right:
        return NOBODY if result.total.lost == result.total.sent else NEGATIVE
    return DONE if result.passed else NEGATIVE


@load.command()
@click.argument("profile")
@data_option
@click.option("--from", "lowest", type=click.FloatRange(min=1), default=500, show_default=True)
@click.option("--to", "highest", type=click.FloatRange(min=1, max=1e6), default=200_000)
@click.option("--duration", type=Duration(), default="5s", show_default=True, help="Of each run.")
@click.option("--processes", type=click.IntRange(1, 64), help="Generator processes of each load.")
@click.option("--json", "as_json", is_flag=True, help="Print what was tried as JSON.")
def search(
    profile: str,
    data: Path,
    lowest: float,
    highest: float,
    duration: float,
    processes: int | None,
    as_json: bool,
) -> int:
    """Search for the highest rate at which PROFILE is answered rightly and in time.

    The rate is doubled until it is not held, then the gap is halved.
    """
    from load_tests import durations, preparing
    from load_tests.measure import Summary, saturation, summarise

    def measure(rate: float) -> Summary:
        plan = preparing.plan(profile, rate, duration, processes)
        setting = preparing.setting(plan, data, None, None, DEFAULT_ZONE, False)
        return summarise(_run(plan, setting).tallies["total"])

    tried = saturation(measure, lowest, highest)
    found = max((rate for rate, summary in tried if summary.held), default=None)
    if as_json:
        print_json(
            {
                "saturation": found,
                "tried": [
                    {"asked": rate, "right": one.rate, "p99": one.p99, "held": one.held}
                    for rate, one in tried
                ],
            }
        )
        return DONE if found else NEGATIVE
    shown = make_table(
        ["asked/s", "right/s", "failed", "late", "p99", ""],
        right=["asked/s", "right/s", "failed", "late", "p99"],
    )
    for rate, one in tried:
        counts = (f"{one.tally.failed + one.tally.slow:,}", f"{one.tally.late:,}")
        written = (f"{rate:,.0f}", f"{one.rate:,.0f}", *counts, durations.written(one.p99))
        shown.add_row(*written, "held" if one.held else "not held")
    show(shown, "no rate was held" if found is None else f"held up to {found:,.0f} requests/s")
    return DONE if found else NEGATIVE


@load.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), help="Write the charts.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def compare(before: Path, after: Path, page: Path | None, as_json: bool) -> None:
    """Compare two runs by their report folders."""
    from load_tests.report.comparison import differences
    from load_tests.report.page import render

    first, second = _read(before), _read(after)
    found = list(differences(first, second))
    if page is not None:
        page.write_text(render(second, first), encoding="utf-8")
    if as_json:
        print_json([one._asdict() for one in found])
        return
    shown = make_table(
        ["load", "figure", "before", "after", "change", ""], right=["before", "after", "change"]
    )
    marks = {True: "better", False: "worse", None: ""}
    for one in found:
        shown.add_row(one.load, one.figure, one.before, one.after, one.change, marks[one.better])
    for name, result in (("before", first), ("after", second)):
        if not result.health.sound:
            note(f"idnode: the generator of the run {name} did not do well: see its report")
    show(f"{first.profile} {first.started}  →  {second.profile} {second.started}", shown)


def _folder(given: Path | None, data: Path, name: str) -> Path:
    """Where the report goes. A folder that has one already is not written over."""
    if given is None:
        return data / "load" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{name}"
    if (given / "summary.json").exists():
        raise click.BadParameter(f"{given} holds the report of a run", param_hint="--report")
    return given


def _read(path: Path) -> Result:
    from load_tests.report.folder import NoResult, read

    try:
        return read(path)
    except NoResult as error:
        raise Unsafe(str(error)) from None


def _run(plan: Profile, setting: Setting) -> Run:
    from rich.console import Console

    from load_tests.fleet import GeneratorFailed
    from load_tests.progress import Progress
    from load_tests.run import run as run_profile

    with Progress(Console(stderr=True), plan.name, plan.seconds) as progress:
        try:
            return run_profile(plan, setting, progress.show)
        except GeneratorFailed as error:
            raise Negative(str(error)) from None
