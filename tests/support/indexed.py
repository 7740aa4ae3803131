"""Waiting for a node's index of values, which follows registration by itself."""

from __future__ import annotations

import json
import time
import urllib.request

from tests.support.processes import PATIENCE


def wait_for_the_index(url: str, token: str) -> None:
    """Ask a node until its index has everything that was registered before."""
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"{url}/v1/identifiers?value=x", headers=headers)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with urllib.request.urlopen(request) as reply:
            if json.loads(reply.read())["complete"]:
                return
    raise AssertionError("the index does not follow")
