"""docs/accounts.md: its examples run as they stand, and its tables and figures are the code's."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from registry import outcomes
from registry.accounts import attempts, challenges, passwords
from registry.accounts import office as account_office
from registry.audit.log import Event
from registry.authorisation import Role
from registry.quotas import request_meter
from resolver.exposure import Rule
from tests.support.processes import IDNODE, environment, up
from tests.support.tenants import tenants

PAGE = (Path(__file__).parents[2] / "docs" / "accounts.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_run_in_their_order(tmp_path: Path) -> None:
    with up("minimal", tmp_path / "data", nodes=5) as running:
        place = {"IDNODE_DATA": str(running.data), "PATH": f"{IDNODE.parent}:{os.defpath}"}
        told = [
            subprocess.run(
                ["bash", "-euo", "pipefail", "-c", commands],
                cwd=tmp_path,
                env={**environment(), **place},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for commands in EXAMPLES
        ]
    assert len(told) == 5
    assert "line-3: enterprise-app of " in told[1]
    assert "88.901.7/PRESSED-1 registered" in told[1]
    assert "press 3" in told[2]
    assert len(told[3].strip()) > 40, "a token"
    assert "100000" in told[4]


def test_the_roles_and_rules_are_those_there_are() -> None:
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    assert rows == {role.value for role in Role} | {rule.value for rule in Rule}


@pytest.mark.parametrize(
    "said",
    [
        f"{passwords.MIN_LENGTH} to {passwords.MAX_LENGTH} characters",
        f"argon2id ({passwords.MEMORY_KIB // 1024} MiB, {passwords.PASSES} passes)",
        f"At most {passwords.MAX_WAITING} hashes",
        f"{attempts.PER_SOURCE.burst} at once may come from one address",
        f"every {attempts.PER_SOURCE.seconds:g} seconds",
        f"for one account {attempts.PER_ACCOUNT.burst}",
        f"every {attempts.PER_ACCOUNT.seconds:g} seconds",
        f"holds for {challenges.LIFETIME} seconds",
        f"at most {account_office.MAX_TOKENS} tokens",
        f"after {request_meter.STEP} of them or {request_meter.SECONDS:g} seconds",
    ],
)
def test_the_figures(said: str) -> None:
    assert said in re.sub(r"\s+", " ", PAGE)


@pytest.mark.parametrize(
    "outcome", [outcomes.REQUEST_QUOTA, outcomes.REGISTRATION_QUOTA, outcomes.PREFIX_QUOTA]
)
def test_the_codes_of_quotas(outcome: outcomes.Outcome) -> None:
    assert f"| {outcome.http} `{outcome.slug}` | {outcome.handle} |" in PAGE


def test_the_events_are_those_of_the_log() -> None:
    told = re.findall(r"`([a-z]+:[a-z-]+)`", PAGE.rpartition("audit log:")[2])
    assert told
    assert set(told) <= {event.value for event in Event}


async def test_the_table_of_requests_is_whole(tmp_path: Path) -> None:
    """Each endpoint about accounts and quotas has its path in the table."""
    table = PAGE.rpartition("## Over HTTP")[2]
    async with tenants(tmp_path) as world:
        for endpoint in world.endpoints:
            if endpoint.tag in ("accounts", "quotas"):
                last = endpoint.path.removeprefix("/v1/accounts/{username}")
                assert endpoint.path in table or last in table, endpoint.path
