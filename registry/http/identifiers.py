"""`/v1/identifiers/{identifier}`: one identifier, its life and its past, with a bearer token."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec
from aiohttp import hdrs, web

from registry.audit import Actor
from registry.authorisation import Operation, Principal, may
from registry.changes import Change, Create, Delete, IfVersion, Move, Reserve
from registry.errors import DecodeError, InvalidValue, NotPermitted, Refusal
from registry.grouping import Once, Receipt
from registry.http.bearer import Bearers
from registry.http.past import shown, state_at, told
from registry.http.preconditions import if_match
from registry.http.problem import refusal_problem
from registry.lifecycle import Operation as Step
from registry.registration import Registrar
from registry.schemes.handle import HandleRules, Key, parent, parse
from registry.storage.interface import Reads
from registry.values.json_form import value_from_json
from registry.values.value import Value

PATH = "/v1/identifiers/"
MAX_BODY = 1 << 20
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
MAX_IDEMPOTENCY_KEY: Final = 255
_HISTORY: Final = "/history"
#: The last segment of a POST, and what it asks for.
_STEPS: Final = ("reserve", "hold", "release", "revoke", "restore")


class PutBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be stored: values in the form of the Handle JSON API."""

    values: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]
    overwrite: bool = False


class _Asked(NamedTuple):
    """A request by somebody who may: `key` is what it is about, `more` the path behind that."""

    request: web.Request
    key: Key
    actor: Actor
    more: str = ""


_Act = Callable[[_Asked], Awaitable[web.Response]]


class IdentifierRoutes:
    """GET shows an identifier as it is or was, or (`/history`) all that it was; PUT creates (201)
    or with `overwrite` replaces (200); DELETE ends it (204); POST `/hold`, `/release`, `/revoke`,
    `/restore` and `/reserve` move it through its life (200, 201)."""

    def __init__(
        self,
        registrar: Registrar,
        reads: Reads,
        bearers: Bearers,
        rules: HandleRules,
        changes: Counter[tuple[str, str]],
    ) -> None:
        self._registrar = registrar
        self._reads = reads
        self._bearers = bearers
        self._rules = rules
        self._changes = changes

    def add_to(self, app: web.Application) -> None:
        identifier = PATH + "{identifier:(?s:.+)}"
        app.router.add_get(identifier + _HISTORY, self._history)
        app.router.add_get(identifier, self._get)
        app.router.add_put(identifier, self._put)
        app.router.add_delete(identifier, self._delete)
        for step in _STEPS:
            app.router.add_post(f"{identifier}/{step}", self._step)

    async def _get(self, request: web.Request) -> web.Response:
        return await self._answer(request, "read", self._show)

    async def _history(self, request: web.Request) -> web.Response:
        return await self._answer(request, "read-history", self._tell, _HISTORY)

    async def _put(self, request: web.Request) -> web.Response:
        return await self._answer(request, "create", self._create)

    async def _delete(self, request: web.Request) -> web.Response:
        return await self._answer(request, "delete", self._remove)

    async def _step(self, request: web.Request) -> web.Response:
        step = request.path.rpartition("/")[2]
        return await self._answer(request, step, self._move, f"/{step}")

    async def _answer(
        self, request: web.Request, operation: str, act: _Act, more: str = ""
    ) -> web.Response:
        try:
            principal = await self._bearers.principal(request)
            key = self._key(request, principal, more)
            actor = Actor(principal.username, f"{request.scheme} {request.remote}")
            response = await act(_Asked(request, key, actor, more))
        except Refusal as refusal:
            self._changes[operation, refusal.outcome.slug] += 1
            status, headers, body = refusal_problem(refusal, instance=request.raw_path)
            return web.Response(status=status, headers=headers, body=body)
        self._changes[operation, "ok"] += 1
        return response

    def _key(self, request: web.Request, principal: Principal, more: str) -> Key:
        """What is asked for; refused before anything else is looked at."""
        target = request.raw_path.partition("?")[0].removeprefix(PATH).removesuffix(more)
        key = parse(unquote_to_bytes(target), self._rules)
        prefix = key.prefix if not key.is_prefix_record else (parent(key.suffix) or key.suffix)
        if not may(principal, Operation.REGISTER, prefix):
            raise NotPermitted(f"the token may not register under prefix {prefix}")
        return key

    # --- reading ---

    async def _show(self, asked: _Asked) -> web.Response:
        versions = await self._reads.versions(*asked.key)
        found = state_at(versions, asked.request.query.get("at"))
        return web.json_response(shown(found), headers={hdrs.ETAG: f'"{found.row.version}"'})

    async def _tell(self, asked: _Asked) -> web.Response:
        return web.json_response(told(asked.key, await self._reads.versions(*asked.key)))

    # --- changes ---

    async def _create(self, asked: _Asked) -> web.Response:
        body = _decode(await asked.request.read())
        change = Create(asked.key, tuple(_values(body.values)), overwrite=body.overwrite)
        return _done(asked, await self._submit(asked, change))

    async def _remove(self, asked: _Asked) -> web.Response:
        await self._submit(asked, Delete(asked.key))
        return web.Response(status=204)

    async def _move(self, asked: _Asked) -> web.Response:
        step = Step(asked.more.removeprefix("/"))
        reserves = step is Step.RESERVE
        change = Reserve(asked.key) if reserves else Move(asked.key, step)
        receipt = await self._submit(asked, change)
        return _done(asked, receipt._replace(created=reserves))

    async def _submit(self, asked: _Asked, change: Change) -> Receipt:
        """Make the change if the identifier is as expected, and once where that is asked for."""
        wanted = if_match(asked.request.headers.get(hdrs.IF_MATCH))
        if wanted is not None:
            change = IfVersion(change, wanted.versions)
        once = await _once(asked)
        if once is None:
            return (await self._registrar.submit(change, asked.actor)).receipt
        return await self._registrar.submit_once(change, asked.actor, once)


async def _once(asked: _Asked) -> Once | None:
    """The idempotency key of a request, which is its sender's own. Raises DecodeError."""
    request = asked.request
    text = request.headers.get(IDEMPOTENCY_KEY)
    if text is None:
        return None
    if not 0 < len(text) <= MAX_IDEMPOTENCY_KEY:
        raise DecodeError(f"{IDEMPOTENCY_KEY} has 1 to {MAX_IDEMPOTENCY_KEY} characters")
    said = (request.method, request.raw_path, request.headers.get(hdrs.IF_MATCH, ""))
    body = await request.read()
    return Once(
        _digest(asked.actor.name.encode(), text.encode("utf-8", "surrogateescape")),
        _digest(*(part.encode("utf-8", "surrogateescape") for part in said), body),
    )


def _digest(*parts: bytes) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _done(asked: _Asked, receipt: Receipt) -> web.Response:
    members = {"identifier": str(asked.key), "version": receipt.version}
    return web.json_response(
        members,
        status=201 if receipt.created else 200,
        headers={hdrs.ETAG: f'"{receipt.version}"'},
    )


def _decode(body: bytes) -> PutBody:
    try:
        return msgspec.json.decode(body, type=PutBody)
    except msgspec.ValidationError as error:
        raise InvalidValue(str(error)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(f"the body is not the JSON asked for: {error}") from None


def _values(members: list[dict[str, Any]]) -> list[Value]:
    return [value_from_json(member) for member in members]
