"""Accounts, log-ins, tokens and keys over HTTP, on a node that runs."""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from registry.accounts.challenges import LIFETIME, signed_text
from registry.accounts.sign_in import TOKEN_LIFETIME
from registry.clock import ManualClock
from resolver.data_directory import DataDirectory
from tests.support.management import HOSTED, SECTOR, Management, managed

PASSWORD = "seven wooden barrels"
ACCOUNTS = "/v1/accounts"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture
async def node(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Management]:
    async with managed(tmp_path, clock) as running:
        yield running


async def made(node: Management, by: str, role: str = "enterprise-app", **more: str) -> None:
    """An account `line-3` with a password."""
    body = {"username": "line-3", "role": role, "password": PASSWORD, **more}
    answer = await node.ask("POST", ACCOUNTS, node.tokens[by], body)
    assert answer.status == 201, answer


async def logged_in(node: Management) -> str:
    """A new token of `line-3`."""
    answer = await node.log_in("line-3", PASSWORD)
    assert answer.status == 201, answer
    return str(answer.body["token"])


class TestAccounts:
    async def test_an_enterprise_makes_accounts_for_itself(self, node: Management) -> None:
        await made(node, HOSTED)
        maker = await node.ask("GET", "/v1/me", node.tokens[HOSTED])
        me = await node.ask("GET", "/v1/me", await logged_in(node))
        assert me.body == {
            "username": "line-3",
            "role": "enterprise-app",
            "prefixes": [HOSTED],
            "enterprise": maker.body["enterprise"],
        }
        listed = await node.ask("GET", ACCOUNTS, node.tokens[HOSTED])
        assert [each["username"] for each in listed.body["items"]] == [
            "line-3",
            f"operator@{HOSTED}",
        ]

    async def test_staff_sees_all_accounts_page_by_page(self, node: Management) -> None:
        await made(node, HOSTED)
        seen, cursor = [], ""
        while True:
            page = await node.ask("GET", f"{ACCOUNTS}?limit=2&cursor={cursor}", node.tokens[SECTOR])
            seen += [each["username"] for each in page.body["items"]]
            if not (cursor := page.body.get("next_cursor", "")):
                break
        assert seen == ["line-3", f"operator@{SECTOR}", f"operator@{HOSTED}"]

    @pytest.mark.parametrize(
        ("by", "role", "more", "outcome"),
        [
            (SECTOR, "auditor", {}, 201),
            (SECTOR, "read-only", {}, 201),
            (SECTOR, "trainee", {"prefix": "88.1000.9"}, 201),
            (SECTOR, "enterprise-operator", {}, 422),
            (SECTOR, "operator", {"prefix": HOSTED}, 422),
            (SECTOR, "read-only", {"prefix": HOSTED}, 422),
            (SECTOR, "enterprise-app", {"enterprise": "E1"}, 422),
            (SECTOR, "enterprise-app", {"enterprise": "E1", "prefix": HOSTED}, 422),
            (SECTOR, "auditor", {"prefix": "88.1001"}, 403),
            (HOSTED, "enterprise-operator", {}, 201),
            (HOSTED, "trainee", {}, 201),
            (HOSTED, "operator", {}, 422),
            (HOSTED, "operator", {"prefix": SECTOR}, 403),
            (HOSTED, "enterprise-app", {"prefix": "88.1000.71"}, 403),
            (HOSTED, "enterprise-app", {"enterprise": "E1"}, 403),
        ],
    )
    async def test_nobody_makes_accounts_above_their_own(
        self, node: Management, by: str, role: str, more: dict[str, str], outcome: int
    ) -> None:
        body = {"username": "somebody", "role": role, **more}
        answer = await node.ask("POST", ACCOUNTS, node.tokens[by], body)
        assert answer.status == outcome, answer

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"username": "Ü", "role": "trainee"}, "/username"),
            ({"username": "ab", "role": "king"}, "/role"),
            ({"username": "ab", "role": "trainee", "password": "short"}, "/password"),
            (
                {"username": "ab-and-more", "role": "trainee", "password": "AB-and-more"},
                "/password",
            ),
            ({"username": "ab", "role": "trainee", "password": "x" * 129}, "/password"),
        ],
    )
    async def test_what_is_wrong_is_named(
        self, node: Management, body: dict[str, str], pointer: str
    ) -> None:
        answer = await node.ask("POST", ACCOUNTS, node.tokens[HOSTED], body)
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, pointer)
        assert body.get("password", "?") not in str(answer.body)

    async def test_a_name_is_given_once(self, node: Management) -> None:
        await made(node, HOSTED)
        body = {"username": "line-3", "role": "auditor"}
        answer = await node.ask("POST", ACCOUNTS, node.tokens[SECTOR], body)
        assert answer.code == "already-exists"

    async def test_a_disabled_account_lets_nobody_in(self, node: Management) -> None:
        await made(node, HOSTED)
        token, by = await logged_in(node), node.tokens[HOSTED]
        disabled = await node.ask("POST", f"{ACCOUNTS}/line-3/disable", by)
        assert disabled.body["disabled"] == "2023-11-14T22:13:20Z"
        assert (await node.ask("GET", "/v1/me", token)).status == 401
        assert (await node.log_in("line-3", PASSWORD)).status == 401
        assert (await node.ask("POST", f"{ACCOUNTS}/line-3/tokens", by, {})).status == 409
        enabled = await node.ask("POST", f"{ACCOUNTS}/line-3/enable", by)
        assert "disabled" not in enabled.body
        assert (await node.ask("GET", "/v1/me", token)).status == 401, "it ended for good"
        await logged_in(node)

    async def test_a_deleted_account_leaves_nothing(self, node: Management) -> None:
        await made(node, HOSTED)
        token, by = await logged_in(node), node.tokens[HOSTED]
        assert (await node.ask("DELETE", f"{ACCOUNTS}/line-3", by)).status == 204
        assert (await node.ask("GET", "/v1/me", token)).status == 401
        assert (await node.ask("GET", f"{ACCOUNTS}/line-3", by)).status == 404

    @pytest.mark.parametrize("step", ["disable", "enable", ""])
    async def test_nobody_ends_their_own_account(self, node: Management, step: str) -> None:
        path = f"{ACCOUNTS}/operator@{SECTOR}"
        method, path = ("POST", f"{path}/{step}") if step else ("DELETE", path)
        assert (await node.ask(method, path, node.tokens[SECTOR])).code == "state-conflict"


class TestPasswords:
    async def test_ones_own_takes_the_old_one_and_ends_every_token(self, node: Management) -> None:
        await made(node, HOSTED)
        token, path = await logged_in(node), f"{ACCOUNTS}/line-3/password"
        for old in ("", "wrong wrong wrong"):
            body = {"password": "nine iron barrels", "old": old}
            assert (await node.ask("PUT", path, token, body)).status == 401
        body = {"password": "nine iron barrels", "old": PASSWORD}
        assert (await node.ask("PUT", path, token, body)).status == 204
        assert (await node.ask("GET", "/v1/me", token)).status == 401
        assert (await node.log_in("line-3", PASSWORD)).status == 401
        assert (await node.log_in("line-3", "nine iron barrels")).status == 201

    async def test_who_manages_accounts_resets_them(self, node: Management) -> None:
        await made(node, HOSTED)
        body = {"password": "nine iron barrels"}
        path = f"{ACCOUNTS}/line-3/password"
        assert (await node.ask("PUT", path, node.tokens[SECTOR], body)).status == 204
        assert (await node.log_in("line-3", "nine iron barrels")).status == 201

    async def test_a_password_that_was_made_is_shown_once(self, node: Management) -> None:
        body = {"username": "line-4", "role": "enterprise-app"}
        answer = await node.ask("POST", ACCOUNTS, node.tokens[HOSTED], body)
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await node.log_in("line-4", answer.body["password"])).status == 201
        shown = await node.ask("GET", f"{ACCOUNTS}/line-4", node.tokens[HOSTED])
        assert "password" not in shown.body


class TestTokens:
    async def test_a_token_ends_after_a_day(self, node: Management, clock: ManualClock) -> None:
        await made(node, HOSTED)
        token = await logged_in(node)
        clock.advance(TOKEN_LIFETIME - 1)
        assert (await node.ask("GET", "/v1/me", token)).status == 200
        clock.advance(1)
        answer = await node.ask("GET", "/v1/me", token)
        assert (answer.status, answer.code) == (401, "authentication")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert (await node.ask("GET", "/v1/me", node.tokens[HOSTED])).status == 200

    async def test_tokens_are_told_apart_and_revoked(self, node: Management) -> None:
        await made(node, HOSTED)
        first, second = await logged_in(node), await logged_in(node)
        path = f"{ACCOUNTS}/line-3/tokens"
        listed = (await node.ask("GET", path, first)).body["items"]
        assert {each["ending"] for each in listed} == {first[-4:], second[-4:]}
        assert first not in str(listed)
        assert {each["expires"] for each in listed} == {"2023-11-15T22:13:20Z"}
        (ended,) = [each["id"] for each in listed if each["ending"] == second[-4:]]
        assert (await node.ask("DELETE", f"{path}/{ended}", first)).status == 204
        assert (await node.ask("DELETE", f"{path}/{ended}", first)).status == 404
        assert (await node.ask("GET", "/v1/me", second)).status == 401

    async def test_logging_out(self, node: Management) -> None:
        await made(node, HOSTED)
        token = await logged_in(node)
        assert (await node.ask("DELETE", "/v1/tokens/current", token)).status == 204
        assert (await node.ask("GET", "/v1/me", token)).status == 401
        kept = node.tokens[HOSTED]
        assert (await node.ask("DELETE", "/v1/tokens/current", kept)).code == "state-conflict"

    async def test_tokens_of_programs(self, node: Management, clock: ManualClock) -> None:
        await made(node, HOSTED)
        path, by = f"{ACCOUNTS}/line-3/tokens", node.tokens[HOSTED]
        lasting = await node.ask("POST", path, by, {"label": "press"})
        ending = await node.ask("POST", path, by, {"label": "press", "days": 2})
        assert "expires" not in lasting.body
        clock.advance(3 * 86_400)
        assert (await node.ask("GET", "/v1/me", lasting.body["token"])).status == 200
        assert (await node.ask("GET", "/v1/me", ending.body["token"])).status == 401

    @pytest.mark.parametrize("token", ["x", "Ü", "x" * 4000, "null"])
    async def test_garbage_is_nobodys(self, node: Management, token: str) -> None:
        assert (await node.ask("GET", "/v1/me", token)).status == 401

    async def test_bootstrap_passwords_log_in(self, node: Management, tmp_path: Path) -> None:
        for account in DataDirectory(tmp_path / "data").read_credentials().accounts:
            assert (await node.log_in(account.username, account.password)).status == 201


class TestRefusedLogIns:
    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"username": "line-3"},
            {"key": "1" * 16, "nonce": "x"},
            {"username": "line-3", "password": "x", "key": "1"},
        ],
    )
    async def test_half_a_log_in(self, node: Management, body: dict[str, str]) -> None:
        assert (await node.ask("POST", "/v1/tokens", body=body)).status == 422

    async def test_nobody_learns_what_was_wrong(self, node: Management) -> None:
        await made(node, HOSTED)
        await node.ask("POST", f"{ACCOUNTS}/operator@{HOSTED}/disable", node.tokens[SECTOR])
        answers = [
            await node.log_in(username, PASSWORD + "!")
            for username in ("line-3", "nobody", f"operator@{HOSTED}", "not a name", "")
        ]
        said = [{**answer.body, "request_id": ""} for answer in answers[:4]]
        assert said == said[:1] * 4
        assert answers[0].status == 401

    async def test_guesses_are_few(self, node: Management, clock: ManualClock) -> None:
        await made(node, HOSTED)
        statuses = [
            (await node.log_in("line-3", f"guess {n} {PASSWORD}")).status for n in range(11)
        ]
        assert statuses == [401] * 10 + [429]
        answer = await node.log_in("line-3", PASSWORD)
        assert (answer.code, answer.headers["Retry-After"]) == ("rate-limited", "6")
        clock.advance(6)
        assert (await node.log_in("line-3", PASSWORD)).status == 201


async def test_nothing_secret_is_logged(node: Management, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await made(node, HOSTED)
    token = await logged_in(node)
    await node.ask("GET", "/v1/me", token)
    await node.ask("GET", "/v1/me", token + "x")
    await node.log_in("line-3", PASSWORD + "!")
    await node.ask("POST", "/v1/tokens", body={"username": "line-3", "password": 1})
    await node.ask("PUT", f"{ACCOUNTS}/line-3/password", token, {"password": "x", "old": PASSWORD})
    for secret in (PASSWORD, token, node.tokens[HOSTED]):
        assert secret not in caplog.text


KEYS: dict[str, Any] = {
    "RSA 2048": rsa.generate_private_key(65537, 2048),
    "EC P-256": ec.generate_private_key(ec.SECP256R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate(),
}


def pem(key: Any) -> str:
    public = key.public_key()
    return str(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def signature(key: Any, text: bytes) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        signed = key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        signed = key.sign(text, ec.ECDSA(hashes.SHA256()))
    else:
        signed = key.sign(text)
    return base64.b64encode(signed).decode()


class TestKeys:
    async def added(self, node: Management, key: Any) -> str:
        await made(node, HOSTED)
        body = {"public_key": pem(key), "label": "press"}
        answer = await node.ask("POST", f"{ACCOUNTS}/line-3/keys", node.tokens[HOSTED], body)
        assert answer.status == 201, answer
        return str(answer.body["id"])

    async def answered(self, node: Management, key: Any, key_id: str) -> dict[str, str]:
        """The body of a log-in with a signed challenge."""
        challenge = (await node.ask("POST", "/v1/challenges", body={"key": key_id})).body
        signed = signature(key, signed_text(challenge["node"], key_id, challenge["nonce"]))
        return {"key": key_id, "nonce": challenge["nonce"], "signature": signed}

    @pytest.mark.parametrize("kind", KEYS)
    async def test_a_program_logs_in_once_for_a_challenge(
        self, node: Management, kind: str
    ) -> None:
        key_id = await self.added(node, KEYS[kind])
        body = await self.answered(node, KEYS[kind], key_id)
        answer = await node.ask("POST", "/v1/tokens", body=body)
        assert (answer.status, answer.body["account"]) == (201, "line-3")
        assert (await node.ask("GET", "/v1/me", answer.body["token"])).status == 200
        assert (await node.ask("POST", "/v1/tokens", body=body)).status == 401
        (listed,) = (await node.ask("GET", f"{ACCOUNTS}/line-3/keys", answer.body["token"])).body[
            "items"
        ]
        assert (listed["kind"], listed["public_key"]) == (kind, pem(KEYS[kind]))

    async def test_what_does_not_log_in(self, node: Management, clock: ManualClock) -> None:
        key = KEYS["Ed25519"]
        key_id = await self.added(node, key)
        good = await self.answered(node, key, key_id)
        unknown = await self.answered(node, key, "0" * 16)
        other = await self.answered(node, KEYS["EC P-256"], key_id)
        for body in (
            other,
            unknown,
            good | {"key": "0" * 16},
            good | {"nonce": unknown["nonce"]},
            good | {"nonce": "?"},
            good | {"signature": "?"},
            good | {"signature": "AA=="},
        ):
            answer = await node.ask("POST", "/v1/tokens", body=body)
            assert (answer.status, answer.code) == (401, "authentication")
        clock.advance(LIFETIME)
        assert (await node.ask("POST", "/v1/tokens", body=good)).status == 401

    async def test_a_removed_key_opens_nothing(self, node: Management) -> None:
        key_id = await self.added(node, KEYS["Ed25519"])
        path = f"{ACCOUNTS}/line-3/keys/{key_id}"
        assert (await node.ask("DELETE", path, node.tokens[HOSTED])).status == 204
        assert (await node.ask("DELETE", path, node.tokens[HOSTED])).status == 404
        body = await self.answered(node, KEYS["Ed25519"], key_id)
        assert (await node.ask("POST", "/v1/tokens", body=body)).status == 401

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            pem(ec.generate_private_key(ec.SECP384R1())),
            pem(rsa.generate_private_key(65537, 1024)),
        ],
    )
    async def test_keys_that_are_not_taken(self, node: Management, text: str) -> None:
        await made(node, HOSTED)
        body = {"public_key": text}
        answer = await node.ask("POST", f"{ACCOUNTS}/line-3/keys", node.tokens[HOSTED], body)
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "/public_key")


class TestTenants:
    """What one enterprise has of accounts does not exist for another."""

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", ""),
            ("DELETE", ""),
            ("POST", "/disable"),
            ("POST", "/enable"),
            ("PUT", "/password"),
            ("GET", "/tokens"),
            ("POST", "/tokens"),
            ("DELETE", "/tokens/0000000000000000"),
            ("GET", "/keys"),
            ("POST", "/keys"),
            ("DELETE", "/keys/0000000000000000"),
        ],
    )
    async def test_foreign_accounts_are_not_there(
        self, node: Management, method: str, path: str
    ) -> None:
        await made(node, HOSTED)
        foreign = await node.account(
            "stranger", "enterprise-operator", node.tokens[SECTOR], prefix="88.1000.8"
        )
        bodies = {
            "/password": {"password": "nine iron barrels"},
            "/tokens": {},
            "/keys": {"public_key": pem(KEYS["Ed25519"])},
        }
        body = bodies.get(path) if method in ("POST", "PUT") else None
        for username in ("line-3", "not-there", f"operator@{SECTOR}"):
            answer = await node.ask(method, f"{ACCOUNTS}/{username}{path}", foreign, body)
            assert (answer.status, answer.body["detail"]) == (404, "there is no such account")
        listed = await node.ask("GET", ACCOUNTS, foreign)
        assert [each["username"] for each in listed.body["items"]] == ["stranger"]
