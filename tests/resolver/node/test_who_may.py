"""Who may do what over HTTP, all of it: every endpoint of a node, by everybody, about everything.

What decides about each endpoint stands here a second time; an endpoint without a line fails. The
store refuses to write meanwhile: whoever may change something gets 507, and nothing changes.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio

from registry.authorisation import GRANTS, Operation, Principal, Relation, nearest
from registry.errors import StorageUnavailable
from registry.http.endpoints import Endpoint
from registry.snms.envelope import NOT_LOGGED_IN, NOT_PERMITTED
from registry.storage.sql import SqlStore
from resolver.data_directory import DataDirectory
from tests.support.administered import administered_nodes
from tests.support.enterprises import form_members
from tests.support.management import Answer, Management
from tests.support.tenants import MARK, OTHER, Place, Tenants, tenants

VALUES: Final = [{"index": 1, "type": "DESC", "data": "x"}]
DEFINITION: Final = {"industry": "C1512", "items": [{"index": 2000, "name": "volume"}]}
REASON: Final = {"reason": "because"}


def _identifier(place: Place) -> str:
    return f"{place.prefix}/{MARK.format(place.name).upper()}"


def _snms_data(place: Place) -> dict[str, Any]:
    item = {"index": 1, "type": "DESC", "data": {"format": "string", "value": "x"}}
    return {"handle": f"{place.prefix}/NEW", "templateVersion": "CASK", "value": [item]}


def _snms_template(place: Place) -> dict[str, Any]:
    metadata = {"type": "string", "minLength": 0, "maxLength": 9}
    item = {"name": "体积", "idType": "volume", "idIndex": 2000, "required": False, "state": 0}
    return {
        "prefix": place.prefix,
        "version": "NEW",
        "industryCategory": "C",
        "industrySpecific": "15",
        "industryTrade": "151",
        "industrySubclass": "1512",
        "type": 2,
        "items": [{**item, "metadata": metadata}],
    }


def _new_account(place: Place) -> dict[str, Any]:
    if place.enterprise:
        return {"username": "new", "role": "enterprise-app", "enterprise": place.enterprise}
    return {"username": "new", "role": "auditor", "prefix": place.prefix}


def _identifiers(place: Place) -> list[dict[str, Any]]:
    return [{"identifier": f"{place.prefix}/NEW", "values": VALUES}]


class Case(NamedTuple):
    """What decides who may ask for an endpoint, by how the asker stands to `about`.

    No operation: whoever has a token may ("oneself"), or everybody ("anybody"). What is about
    nothing in particular is "elsewhere", about the asker's enterprise "company". A "draft" is for
    those who may draft, an offered prefix for its "receiver".
    """

    decides: Operation | None
    about: str
    body: Callable[[Place], Any] = lambda place: None
    query: str = ""


P, E, A, W = "prefix", "enterprise", "account", "elsewhere"
#: A name in a path, with the pattern that it may have.
_NAMED: Final = re.compile(r"\{(\w+)(?::[^}]*)?\}")
_IN_TEMPLATE: Final = "?prefix={prefix}&version=CASK"
CASES: Final[dict[str, Case]] = {
    # identifiers
    "upload-identifiers": Case(Operation.REGISTER, W),
    "register-identifiers": Case(
        Operation.REGISTER, W, lambda place: {"identifiers": _identifiers(place)}
    ),
    "add-identifier": Case(Operation.REGISTER, P, lambda place: _identifiers(place)[0]),
    "search-identifiers": Case(Operation.READ, P, query="?prefix={prefix}"),
    "reverse-look-up": Case(Operation.READ, W, query="?URL=x"),
    "read-history": Case(Operation.READ, P),
    "read-identifier": Case(Operation.READ, P),
    "register-identifier": Case(Operation.REGISTER, P, lambda _: {"values": VALUES}),
    "delete-identifier": Case(Operation.REGISTER, P),
    "reserve-identifier": Case(Operation.REGISTER, P),
    "hold-identifier": Case(Operation.HOLD, P),
    "release-identifier": Case(Operation.HOLD, P),
    "revoke-identifier": Case(Operation.HOLD, P),
    "restore-identifier": Case(Operation.HOLD, P),
    # the audit log
    "read-checkpoints": Case(None, "anybody"),
    "hand-over-checkpoint": Case(None, "anybody", lambda _: {}),
    "read-audit-log": Case(Operation.AUDIT_READ, "company"),
    # enterprises and prefixes
    "list-enterprises": Case(Operation.ENTERPRISE_READ, W),
    "enrol-enterprise": Case(None, "anybody", lambda _: {}),
    "read-enterprise": Case(Operation.ENTERPRISE_READ, E),
    "change-enterprise": Case(Operation.ENTERPRISE_CHANGE, E, lambda _: form_members(930)),
    "accept-enterprise": Case(Operation.ENTERPRISE_REVIEW, E),
    "reject-enterprise": Case(Operation.ENTERPRISE_REVIEW, E, lambda _: REASON),
    "list-prefixes": Case(Operation.PREFIX_READ, W),
    "apply-for-prefix": Case(
        Operation.PREFIX_APPLY, E, lambda place: {"enterprise": place.enterprise}
    ),
    "read-prefix": Case(Operation.PREFIX_READ, E),
    "accept-prefix": Case(Operation.PREFIX_REVIEW, E),
    "reject-prefix": Case(Operation.PREFIX_REVIEW, E, lambda _: REASON),
    "poll-prefix": Case(Operation.PREFIX_APPLY, E),
    "route-prefix": Case(Operation.PREFIX_ROUTE, E, lambda _: {"url": "http://127.0.0.1:1"}),
    "suspend-prefix": Case(Operation.PREFIX_CONTROL, E, lambda _: REASON),
    "resume-prefix": Case(Operation.PREFIX_CONTROL, E),
    "revoke-prefix": Case(Operation.PREFIX_CONTROL, E, lambda _: REASON),
    "restore-prefix": Case(Operation.PREFIX_CONTROL, E),
    "offer-prefix": Case(Operation.PREFIX_CONTROL, E, lambda _: {"receiver": OTHER.enterprise}),
    "take-prefix": Case(Operation.PREFIX_APPLY, "receiver"),
    "decline-prefix": Case(Operation.PREFIX_APPLY, E),
    "appoint-prefix-administrator": Case(Operation.ACCOUNT_MANAGE, E),
    # accounts
    "list-accounts": Case(Operation.ACCOUNT_READ, W),
    "create-account": Case(Operation.ACCOUNT_MANAGE, A, _new_account),
    "read-account": Case(Operation.ACCOUNT_READ, A),
    "delete-account": Case(Operation.ACCOUNT_MANAGE, A),
    "disable-account": Case(Operation.ACCOUNT_MANAGE, A),
    "enable-account": Case(Operation.ACCOUNT_MANAGE, A),
    "set-password": Case(
        Operation.ACCOUNT_MANAGE, A, lambda _: {"password": "seven wooden barrels"}
    ),
    "read-me": Case(None, "oneself"),
    "log-in": Case(None, "anybody", lambda _: {"username": "nobody", "password": "x"}),
    "log-out": Case(None, "oneself"),
    "make-challenge": Case(None, "anybody", lambda _: {"key": "0" * 16}),
    "list-tokens": Case(Operation.ACCOUNT_READ, A),
    "issue-token": Case(Operation.ACCOUNT_MANAGE, A, lambda _: {}),
    "revoke-token": Case(Operation.ACCOUNT_MANAGE, A),
    "list-keys": Case(Operation.ACCOUNT_READ, A),
    "add-key": Case(Operation.ACCOUNT_MANAGE, A, lambda place: {"public_key": PUBLIC}),
    "remove-key": Case(Operation.ACCOUNT_MANAGE, A),
    # templates
    "list-templates": Case(Operation.TEMPLATE_READ, W),
    "read-template": Case(Operation.TEMPLATE_READ, "draft"),
    "create-template": Case(
        Operation.TEMPLATE_DRAFT,
        P,
        lambda place: {**DEFINITION, "prefix": place.prefix, "name": "NEW"},
    ),
    "change-template": Case(Operation.TEMPLATE_DRAFT, P, lambda _: DEFINITION),
    "discard-template": Case(Operation.TEMPLATE_DRAFT, P),
    "publish-template": Case(Operation.TEMPLATE_PUBLISH, P),
    "withdraw-template": Case(Operation.TEMPLATE_PUBLISH, P),
    # quotas
    "read-quota": Case(Operation.QUOTA_READ, A),
    "set-quota": Case(Operation.QUOTA_SET, A, lambda _: {"requests": 1}),
    # the API of second-node management systems
    "snms-token": Case(None, "anybody", lambda _: {}),
    "snms-token-v1": Case(None, "anybody", lambda _: {}),
    "snms-detail": Case(None, "oneself", query="?handle={identifier}"),
    "snms-create": Case(Operation.REGISTER, P, _snms_data),
    "snms-update": Case(Operation.REGISTER, P, _snms_data),
    "snms-delete": Case(Operation.REGISTER, P, lambda place: {"handle": _identifier(place)}),
    "snms-creates": Case(Operation.REGISTER, P, lambda place: [_snms_data(place)]),
    "snms-updates": Case(Operation.REGISTER, P, lambda place: [_snms_data(place)]),
    "snms-deletes": Case(Operation.REGISTER, P, lambda place: [_identifier(place)]),
    "snms-template": Case(Operation.TEMPLATE_READ, P, query=_IN_TEMPLATE),
    "snms-template-add": Case(Operation.TEMPLATE_PUBLISH, P, _snms_template),
    "snms-template-change": Case(Operation.TEMPLATE_PUBLISH, P, _snms_template),
    "snms-template-drop": Case(
        Operation.TEMPLATE_PUBLISH,
        P,
        lambda place: {"prefix": place.prefix, "version": "CASK"},
    ),
}
PUBLIC: Final = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


@pytest_asyncio.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tenants]:
    """Everything there is, in a store that refuses to write."""

    @asynccontextmanager
    async def refuse(_store: SqlStore) -> AsyncIterator[None]:
        raise StorageUnavailable("the disk is full")
        yield

    async with tenants(tmp_path) as found:
        monkeypatch.setattr(SqlStore, "begin", refuse)
        yield found
        monkeypatch.undo()


def relation_to(principal: Principal, case: Case, place: Place) -> Relation:
    """How somebody stands to what the endpoint is asked about."""
    if case.about == "elsewhere":
        return Relation.OWN
    if case.about == "company":
        has = principal.enterprise or principal.runs_the_node
        return Relation.OWN if has else Relation.FOREIGN
    if case.about in ("prefix", "draft") or not place.enterprise:
        return nearest(principal, place.prefix)
    if principal.runs_the_node:
        return Relation.BELOW
    same = principal.enterprise == place.enterprise
    return Relation.OWN if same else Relation.FOREIGN


def granted(principal: Principal, case: Case, place: Place) -> bool:
    """Whether somebody may, by the table of rights."""
    if case.decides is None:
        return True
    found = relation_to(principal, case, place)
    if case.about == "draft" and (principal.role, Operation.TEMPLATE_DRAFT, found) not in GRANTS:
        return False
    return (principal.role, case.decides, found) in GRANTS


def asked_for(endpoint: Endpoint, case: Case, place: Place) -> str:
    """The path and query of a request about a place."""
    members = {
        "identifier": _identifier(place),
        "number": place.enterprise,
        "prefix": place.prefix,
        "name": "CASK",
        "username": place.account,
        "id": place.key if "/keys" in endpoint.path else place.token,
        "subject": f"account:{place.account}",
    }
    return _NAMED.sub(lambda named: quote(members[named[1]], safe="/"), endpoint.path + case.query)


def lets(answer: Answer, endpoint: Endpoint) -> bool:
    """Whether an answer says that somebody may, whatever came of it."""
    if endpoint.tag == "snms":
        told = answer.body["data"] if isinstance(answer.body["data"], list) else [answer.body]
        return all(each.get("code", each.get("status")) != NOT_PERMITTED for each in told)
    hidden = answer.status == 404 and answer.body["code"] == "not-found"
    return answer.status != 403 and not hidden


def places_of(case: Case, places: list[Place]) -> Iterator[Place]:
    """What the endpoint can be asked about."""
    for place in places:
        if place.enterprise or case.about not in ("enterprise", "receiver"):
            yield place


async def test_every_endpoint_has_a_case(world: Tenants) -> None:
    assert {endpoint.name for endpoint in world.endpoints} == set(CASES)


async def test_what_the_national_node_has_besides(tmp_path: Path) -> None:
    async with administered_nodes(tmp_path, "national") as (national,):
        decides = {each.name: each.operation for each in national.node.endpoints}
        assert {name: decides[name] for name in decides.keys() - CASES.keys()} == {
            "provision": None,  # signed by the sector node
            "list-audits": Operation.PREFIX_READ,
            "pass-audit": Operation.PREFIX_REVIEW,
            "refuse-audit": Operation.PREFIX_REVIEW,
        }
        accounts = DataDirectory(tmp_path / "data").read_credentials().accounts
        async with aiohttp.ClientSession() as session:
            node = Management(session, national.http, {})
            by = accounts[0].token
            auditor = await node.account("reviewer", "auditor", by)
            reader = await node.account("reader", "read-only", by)
            for token, listing, passing in (
                (auditor, 200, 404),
                (reader, 200, 403),
                ("", 401, 401),
            ):
                listed = await node.ask("GET", "/ntn/v1/prefixes", token)
                passed = await node.ask("POST", "/ntn/v1/prefixes/88.1000.7/pass", token, {})
                assert (listed.status, passed.status) == (listing, passing), passed


async def test_who_may_is_what_the_table_says(world: Tenants) -> None:
    wrong = []
    for endpoint in world.endpoints:
        case = CASES[endpoint.name]
        for place in places_of(case, world.places):
            target, body = asked_for(endpoint, case, place), case.body(place)
            for name, actor in world.actors.items():
                answer = await world.node.ask(endpoint.method, target, actor.token, body)
                expected = granted(actor.principal, case, place)
                if lets(answer, endpoint) is not expected or answer.status == 500:
                    wrong.append(
                        (endpoint.name, name, place.name, expected, answer.status, answer.body)
                    )
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("token", ["", "garbage"])
async def test_without_a_token_there_is_nothing(world: Tenants, token: str) -> None:
    _, own, _ = world.places
    for endpoint in world.endpoints:
        case = CASES[endpoint.name]
        target, body = asked_for(endpoint, case, own), case.body(own)
        answer = await world.node.ask(endpoint.method, target, token, body)
        unknown = answer.body.get("status" if endpoint.tag == "snms" else "code")
        if case.about != "anybody" or token:
            assert unknown in ("authentication", NOT_LOGGED_IN), (endpoint.name, answer)
        else:
            assert answer.status in (200, 201, 401, 422), (endpoint.name, answer)


@pytest.mark.parametrize("path", ["/v1/prefixes", "/v1/enterprises", "/v1/accounts", "/v1/audit"])
async def test_a_list_of_another_enterprise_is_not_there(world: Tenants, path: str) -> None:
    for name, actor in world.actors.items():
        target = f"{path}?enterprise={OTHER.enterprise}"
        answer = await world.node.ask("GET", target, actor.token)
        said = str(answer).lower().replace(target, "")
        assert actor.principal.runs_the_node or OTHER.prefix not in said, (name, answer)
        assert actor.principal.runs_the_node or OTHER.account not in said, (name, answer)


async def test_no_tenant_sees_anything_of_another(world: Tenants) -> None:
    """Not in any answer to any question, but for what the question itself says."""
    secrets = (MARK.format(OTHER.name), OTHER.account, OTHER.enterprise, OTHER.prefix)
    for endpoint in world.endpoints:
        case = CASES[endpoint.name]
        for place in world.places:
            target, body = asked_for(endpoint, case, place), case.body(place)
            for name, actor in world.actors.items():
                if actor.principal.runs_the_node or endpoint.name == "snms-detail":
                    continue
                answer = await world.node.ask(endpoint.method, target, actor.token, body)
                said = str(answer).lower()
                for secret in secrets:
                    known = secret.lower() in f"{target} {body}".lower()
                    assert known or secret.lower() not in said, (endpoint.name, name, answer)
