"""Every target of `make fuzz`, for a moment: as many runs with the same seed each time."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

RUNS = "3000"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris is not made for this platform"
)


def test_no_decoder_breaks_its_invariant() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--runs", RUNS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
