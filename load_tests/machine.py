"""Facts about the machine that a run was made on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from resolver import __version__


def facts() -> dict[str, str | int | float]:
    """What somebody needs to know to compare figures of two machines."""
    return {
        "idnode": __version__,
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "system": f"{platform.system()} {platform.release()}",
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def _field(path: str, name: str) -> str:
    """The first field of that name in a file of /proc; empty if there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
