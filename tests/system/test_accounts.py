"""`idnode account` against nodes that run, and the token of an account that it made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.processes import Outcome, Topology, up

HOSTED = "88.901.7"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with up("minimal", tmp_path_factory.mktemp("accounts") / "data", nodes=5) as topology:
        yield topology


def account(topology: Topology, *arguments: object, stdin: str = "") -> Outcome:
    return topology.idnode("account", *arguments, stdin=stdin)


def test_from_an_account_to_a_registration(running: Topology) -> None:
    where = ("--prefix", HOSTED)
    made = account(running, "add", "line-3", "--role", "enterprise-app", "--password", *where,
                   stdin="seven wooden barrels\n")  # fmt: skip
    assert (made.status, made.out) == (0, "line-3 may log in as enterprise-app\n")
    logged_in = account(running, "login", "line-3", *where, stdin="seven wooden barrels\n")
    token = logged_in.out.strip()
    assert "24" not in logged_in.out
    mine = account(running, "me", *where, "--token", token)
    assert mine.out.startswith("line-3: enterprise-app of ")
    assert HOSTED in mine.out
    done = running.idnode("register", f"{HOSTED}/PRESSED-1", "--set", "1:DESC=x", "--token", token)
    assert done.status == 0
    listed = account(running, "tokens", "line-3", *where)
    assert token[-4:] in listed.out
    assert token not in listed.out
    assert account(running, "logout", *where, "--token", token).status == 0
    refused = account(running, "me", *where, "--token", token)
    assert (refused.status, "authentication" in refused.err) == (1, True)


def test_a_program_with_a_key(running: Topology, tmp_path: Path) -> None:
    file = tmp_path / "line.pem"
    private = ed25519.Ed25519PrivateKey.generate()
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    where = ("--prefix", HOSTED)
    made = account(running, "add", "press", "--role", "enterprise-app", *where, "--json")
    assert made.json["password"]
    key = account(running, "key", "press", file, "--label", "press", *where, "--json").json
    assert "PRIVATE" not in key["public_key"]
    token = account(running, "login", "--key", file, "--key-id", key["id"], *where).out.strip()
    assert account(running, "me", *where, "--token", token, "--json").json["username"] == "press"
    assert account(running, "keys", "press", *where).out.count(key["id"]) == 1
    assert account(running, "remove-key", "press", key["id"], *where).status == 0
    assert account(running, "login", "--key", file, "--key-id", key["id"], *where).status == 1


def test_disabling_limiting_and_deleting(running: Topology) -> None:
    where = ("--node", "baijiu")
    account(running, "add", "tester", "--role", "trainee", "--acts-for", HOSTED, *where)
    token = account(running, "token", "tester", "--days", 1, *where).out.strip()
    limited = account(running, "quota", "account:tester", "--registrations", 1, *where, "--json")
    assert limited.json["limits"] == {"requests": None, "registrations": 1, "prefixes": None}
    sets = ("--set", "1:DESC=x", "--token", token)
    assert running.idnode("register", f"{HOSTED}/T-1", *sets).status == 0
    spent = running.idnode("register", f"{HOSTED}/T-2", *sets)
    assert (spent.status, "quota-exceeded" in spent.err) == (1, True)
    assert "1" in account(running, "quota", "account:tester", *where).out
    account(running, "quota", "account:tester", "--registrations", "none", *where)
    assert running.idnode("register", f"{HOSTED}/T-2", *sets).status == 0
    assert "disabled since" in account(running, "disable", "tester", *where).out
    assert account(running, "me", *where, "--token", token).status == 1
    assert "disabled" not in account(running, "enable", "tester", *where).out
    assert account(running, "delete", "tester", *where).status == 0
    assert account(running, "show", "tester", *where).status == 1


def test_another_password(running: Topology) -> None:
    where = ("--prefix", HOSTED)
    account(running, "add", "clerk", "--role", "read-only", "--password", *where,
            stdin="seven wooden barrels\n")  # fmt: skip
    token = account(running, "login", "clerk", *where, stdin="seven wooden barrels\n").out.strip()
    both = "nine iron barrels\nseven wooden barrels\n"
    done = account(running, "password", "clerk", *where, "--token", token, stdin=both)
    assert done.status == 0
    assert account(running, "login", "clerk", *where, stdin="nine iron barrels\n").status == 0
    assert account(running, "login", "clerk", *where, stdin="seven wooden barrels\n").status == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list",), "say whose accounts"),
        (("login", "--prefix", HOSTED), "give USERNAME"),
        (("login", "x", "--prefix", HOSTED), "no terminal"),
        (("quota", "account:x", "--requests", "many", "--prefix", HOSTED), "neither a number"),
        (("key", "x", __file__, "--prefix", HOSTED), "no key in PEM"),
    ],
)
def test_wrong_usage(running: Topology, arguments: tuple[str, ...], said: str) -> None:
    ended = account(running, *arguments)
    assert (ended.status, said in ended.err) == (2, True), ended.err
