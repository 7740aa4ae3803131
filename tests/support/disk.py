"""Disks that are full: by the limit on the size of files, and small ones that are filled."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def full_disk(file: Path) -> Iterator[None]:
    """Let the system refuse to write more than a little behind the present end of `file`."""
    size = file.stat().st_size + 20_000
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def small_disk(path: Path, octets: int) -> Iterator[Path]:
    """A file system of that size at `path`. Raises LookupError where none may be mounted."""
    path.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={octets}", "tmpfs"]
    try:
        mounted = subprocess.run(["mount", *options, path], capture_output=True, text=True)
    except FileNotFoundError:
        raise LookupError("there is no mount") from None
    if mounted.returncode:
        raise LookupError(f"no tmpfs can be mounted: {mounted.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


@contextmanager
def filled(disk: Path, room: int) -> Iterator[None]:
    """Let `disk` have no more room than that many octets."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
        file.truncate(max(0, file.tell() - room))
    try:
        yield
    finally:
        ballast.unlink()
