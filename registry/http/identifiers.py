"""`/v1/identifiers/{identifier}`: registering and deleting one identifier with a bearer token."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

import msgspec
from aiohttp import hdrs, web

from registry import accounts
from registry.accounts import Operation, Principal
from registry.audit import Actor
from registry.changes import Create, Delete
from registry.errors import AuthenticationNeeded, DecodeError, InvalidValue, NotPermitted, Refusal
from registry.http.problem import refusal_problem
from registry.registration import Registrar
from registry.schemes.handle import HandleRules, Key, parent, parse
from registry.values.json_form import value_from_json
from registry.values.value import Value

PATH = "/v1/identifiers/"
MAX_BODY = 1 << 20


class PutBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be stored: values in the form of the Handle JSON API."""

    values: Annotated[list[dict[str, Any]], msgspec.Meta(min_length=1)]
    overwrite: bool = False


class IdentifierRoutes:
    """PUT creates (201) or with `overwrite` replaces (200); DELETE ends an identifier (204)."""

    def __init__(
        self,
        registrar: Registrar,
        directory: accounts.AppKeyDirectory,
        rules: HandleRules,
        changes: Counter[tuple[str, str]],
    ) -> None:
        self._registrar = registrar
        self._directory = directory
        self._rules = rules
        self._changes = changes

    def add_to(self, app: web.Application) -> None:
        app.router.add_put(PATH + "{identifier:(?s:.+)}", self._put)
        app.router.add_delete(PATH + "{identifier:(?s:.+)}", self._delete)

    async def _put(self, request: web.Request) -> web.Response:
        return await self._answer(request, "create", self._create)

    async def _delete(self, request: web.Request) -> web.Response:
        return await self._answer(request, "delete", self._remove)

    async def _answer(self, request: web.Request, operation: str, act: Any) -> web.Response:
        try:
            principal = await self._principal(request)
            key = self._key(request, principal)
            actor = Actor(principal.username, f"{request.scheme} {request.remote}")
            response: web.Response = await act(request, key, actor)
        except Refusal as refusal:
            self._changes[operation, refusal.outcome.slug] += 1
            status, headers, body = refusal_problem(refusal, instance=request.raw_path)
            return web.Response(status=status, headers=headers, body=body)
        self._changes[operation, "ok"] += 1
        return response

    def _key(self, request: web.Request, principal: Principal) -> Key:
        """What is asked for; refused before anything else is looked at."""
        target = request.raw_path.partition("?")[0].removeprefix(PATH)
        key = parse(unquote_to_bytes(target), self._rules)
        prefix = key.prefix if not key.is_prefix_record else (parent(key.suffix) or key.suffix)
        if not accounts.may(principal, Operation.REGISTER, prefix):
            raise NotPermitted(f"the token may not register under prefix {prefix}")
        return key

    async def _principal(self, request: web.Request) -> Principal:
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer":
            raise AuthenticationNeeded("a bearer token is needed")
        principal = await accounts.authenticate(self._directory, token.strip())
        if principal is None:
            raise AuthenticationNeeded("the bearer token is not valid")
        return principal

    async def _create(self, request: web.Request, key: Key, actor: Actor) -> web.Response:
        body = _decode(await request.read())
        change = Create(key, tuple(_values(body.values)), overwrite=body.overwrite)
        done = await self._registrar.submit(change, actor)
        assert done.after is not None
        members = {"identifier": str(key), "version": done.after.version}
        return web.json_response(members, status=201 if done.created else 200)

    async def _remove(self, request: web.Request, key: Key, actor: Actor) -> web.Response:
        await self._registrar.submit(Delete(key), actor)
        return web.Response(status=204)


def _decode(body: bytes) -> PutBody:
    try:
        return msgspec.json.decode(body, type=PutBody)
    except msgspec.ValidationError as error:
        raise InvalidValue(str(error)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(f"the body is not the JSON asked for: {error}") from None


def _values(members: list[dict[str, Any]]) -> list[Value]:
    return [value_from_json(member) for member in members]
