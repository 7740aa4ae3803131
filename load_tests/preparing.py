"""From the command line's options to what a run needs: profile, targets, identifiers."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from load_tests import oracle, targets
from load_tests.oracle import Known
from load_tests.profiles.loading import ProfileError, load
from load_tests.profiles.model import Profile
from load_tests.profiles.scaling import scaled
from load_tests.run import Setting
from load_tests.targets import Target
from resolver.cli.errors import Negative, NobodyAnswered, Unsafe
from resolver.cli.running import RunningTopology, read_running
from resolver.data_directory import DataDirectory


def plan(
    source: str,
    rate: float | None = None,
    duration: float | None = None,
    processes: int | None = None,
    seed: int | None = None,
) -> Profile:
    """The profile with what the command line changes of it. Raises Unsafe, click.BadParameter."""
    try:
        profile = scaled(load(source), rate, duration)
    except ProfileError as error:
        raise Unsafe(str(error)) from None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--rate") from None
    if processes is not None:
        profile = msgspec.structs.replace(profile, processes=processes)
    return profile if seed is None else msgspec.structs.replace(profile, seed=seed)


def setting(
    profile: Profile,
    data: Path,
    via: str | None,
    identifiers: Path | None,
    zone: str,
    allow_remote: bool,
) -> Setting:
    """Targets, known identifiers, and the nodes that are watched.

    Raises Unsafe, Negative, NobodyAnswered.
    """
    running = _running(data, needed=via is None)
    found = _targets(profile, data, running, via, allow_remote)
    nodes = running.nodes if running is not None else []
    return Setting(
        targets=found,
        known=_known(profile, data, identifiers, found[profile.loads[0].name]),
        zone=zone,
        metrics={node.name: node.metrics for node in nodes if node.metrics},
        tracer=next((node.http for node in nodes if node.role == "recursive"), None),
    )


def _targets(
    profile: Profile,
    data: Path,
    running: RunningTopology | None,
    via: str | None,
    allow_remote: bool,
) -> dict[str, Target]:
    accounts = DataDirectory(data).read_credentials().accounts
    found = {}
    try:
        for one in profile.loads:
            found[one.name] = targets.of_load(profile, one, running, via, accounts)
            if not allow_remote:
                key = "--via" if via is not None else f"target of load {one.name}"
                targets.check_loopback(found[one.name], key)
    except targets.TargetError as error:
        raise Unsafe(str(error)) from None
    return found


def _running(data: Path, *, needed: bool) -> RunningTopology | None:
    try:
        return read_running(data)
    except NobodyAnswered:
        if needed:
            raise
        return None


def _known(profile: Profile, data: Path, identifiers: Path | None, target: Target) -> list[Known]:
    """The identifiers of a run, with their records. Raises Negative where there are none."""
    wanted = profile.identifiers
    if all(one.prefix is not None for one in profile.loads):
        return []
    if identifiers is not None:
        names = identifiers.read_text(encoding="utf-8").split()
        known = oracle.asked(names[: wanted.count], target.host, target.port)
        where = f"of {identifiers} resolves"
    else:
        known = oracle.from_stores(data, wanted.count, wanted.sectors)
        where = f"is in the stores under {data}"
    if not known:
        raise Negative(f"no identifier that the profile asks for {where}")
    return known
