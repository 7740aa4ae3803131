"""Every codec that is counted runs."""

from __future__ import annotations

import pytest

from load_tests.bench.codecs import CODECS


@pytest.mark.parametrize("name", CODECS)
def test_it_runs_again_and_again(name):
    assert CODECS[name]() == CODECS[name]()
