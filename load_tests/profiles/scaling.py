"""A profile at another rate or of another length."""

from __future__ import annotations

import msgspec

from load_tests import durations
from load_tests.profiles.model import Number, Profile, StageSpec


def scaled(profile: Profile, rate: float | None, duration: float | None) -> Profile:
    """The same profile with all rates so that the highest sum is `rate`, and of another length.

    Stages keep their proportions. Raises ValueError where it has no rate to be scaled.
    """
    rate_factor = 1.0
    if rate is not None:
        if not (peak := _peak(profile)):
            raise ValueError("a profile of closed loops has no rate")
        rate_factor = rate / peak
    time_factor = duration / profile.seconds if duration is not None else 1.0
    loads = tuple(
        msgspec.structs.replace(
            load,
            stages=tuple(_scaled_stage(spec, rate_factor, time_factor) for spec in load.stages),
        )
        for load in profile.loads
    )
    return msgspec.structs.replace(profile, loads=loads)


def _peak(profile: Profile) -> float:
    """The sum of the highest rates of all loads; of bursts alone, what comes in their stages."""
    peaks = 0.0
    for load in profile.loads:
        stages = [spec.stage() for spec in load.stages]
        peaks += max(max(s.start, s.end) or s.burst / s.seconds for s in stages)
    return peaks


def _scaled_stage(spec: StageSpec, rate: float, time: float) -> StageSpec:
    def times(value: Number | None) -> Number | None:
        return None if value is None else value * rate

    return StageSpec(
        duration=f"{durations.seconds(spec.duration) * time:.9f}s",
        rate=times(spec.rate),
        start=times(spec.start),
        end=times(spec.end),
        burst=round(spec.burst * rate),
    )
