"""What tests of every part share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for the whole run; without one the tests that ask for it are skipped."""
    try:
        with postgres.running() as server:
            yield server
    except LookupError as reason:
        pytest.skip(str(reason))
