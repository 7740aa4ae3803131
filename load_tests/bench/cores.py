"""Which core does what: servers run on the first one allowed here, what asks them on the last."""

from __future__ import annotations

import os


def leave_first() -> int:
    """Run on the last core from now on; the first one, for servers."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    return cores[0]
