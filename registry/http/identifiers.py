"""`/v1/identifiers/{identifier}`: one identifier, its life and its past."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from aiohttp import hdrs

from registry.authorisation import Operation
from registry.errors import InvalidValue
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.forms import Changed, History, PutBody, Shown
from registry.http.headers import ETAG, IDEMPOTENCY_KEY, IF_MATCH
from registry.http.idempotency import once
from registry.http.past import shown, state_at, told
from registry.http.preconditions import if_match
from registry.http.reading import pointer
from registry.registration.changes import Change, Create, Delete, IfVersion, Move, Reserve
from registry.registration.grouping import Receipt
from registry.registration.lifecycle import Operation as Step
from registry.registration.registrar import Registrar
from registry.schemes.handle import HandleRules, Key, parent, parse
from registry.storage.interface import Reads
from registry.values.json_form import value_from_json
from registry.values.value import Value

PATH: Final = "/v1/identifiers/"
TAG: Final = "identifiers"
_HISTORY: Final = "/history"
_CONDITIONS: Final = (IF_MATCH, IDEMPOTENCY_KEY)
_STEPS: Final = {
    Step.RESERVE: "Keep an identifier free for oneself",
    Step.HOLD: "Take an identifier out of resolution for a while",
    Step.RELEASE: "Bring an identifier that is on hold back into resolution",
    Step.REVOKE: "End an identifier; within 30 days it can be restored",
    Step.RESTORE: "Bring a revoked identifier back",
}
#: The identifier takes the rest of the path: slashes in it may stand as they are.
_ANY: Final = PATH + "{identifier:(?s:.+)}"
#: Such as have no other resource where they would be.
_ELSE: Final = "".join(
    f"(?<!{tail})" for tail in (_HISTORY, *(f"/{each.value}" for each in _STEPS))
)
_ONE: Final = PATH + "{identifier:(?!bulk$|batch$)(?s:.+)" + _ELSE + "}"


class AtQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Which version is meant: its number, or a time (RFC 3339) at which it was there."""

    at: str | None = None


def prefix_of(key: Key) -> str:
    """The prefix that decides who may do what about an identifier; `0.NA/P` is P's parent's."""
    return key.prefix if not key.is_prefix_record else parent(key.suffix) or key.suffix


class Identifiers:
    """Shows identifiers as they are or were, and moves them through their life."""

    def __init__(self, registrar: Registrar, reads: Reads, rules: HandleRules) -> None:
        self._registrar = registrar
        self._reads = reads
        self._rules = rules

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "GET",
                _ANY + _HISTORY,
                "read-history",
                "All that an identifier was, without its values",
                self._tell,
                Operation.READ,
                answers={200: History},
                tag=TAG,
            ),
            Endpoint(
                "GET",
                _ONE,
                "read-identifier",
                "An identifier as it is or was",
                self._show,
                Operation.READ,
                query=AtQuery,
                answers={200: Shown},
                tag=TAG,
                gives=(ETAG,),
            ),
            Endpoint(
                "PUT",
                _ONE,
                "register-identifier",
                "Register an identifier, or with `overwrite` replace its values",
                self._create,
                Operation.REGISTER,
                body=PutBody,
                answers={201: Changed, 200: Changed},
                tag=TAG,
                takes=_CONDITIONS,
                gives=(ETAG,),
            ),
            Endpoint(
                "DELETE",
                _ONE,
                "delete-identifier",
                "Delete an identifier; its past stays",
                self._remove,
                Operation.REGISTER,
                answers={204: None},
                tag=TAG,
                takes=_CONDITIONS,
            ),
            *(self._step(step, summary) for step, summary in _STEPS.items()),
        ]

    def _step(self, step: Step, summary: str) -> Endpoint:
        reserves = step is Step.RESERVE

        async def move(call: Call) -> Reply:
            key = self._key(call)
            call.need(prefix_of(key))
            receipt = await self._submit(call, Reserve(key) if reserves else Move(key, step))
            return _done(key, receipt._replace(created=reserves))

        return Endpoint(
            "POST",
            f"{_ANY}/{step.value}",
            f"{step.value}-identifier",
            summary,
            move,
            Operation.REGISTER if reserves else Operation.HOLD,
            answers={201 if reserves else 200: Changed},
            tag=TAG,
            takes=_CONDITIONS,
            gives=(ETAG,),
        )

    def _key(self, call: Call) -> Key:
        """The identifier in the path, by its octets."""
        path = call.request.raw_path.partition("?")[0]
        tail = call.endpoint.path.rpartition("}")[2]
        return parse(unquote_to_bytes(path.removeprefix(PATH).removesuffix(tail)), self._rules)

    # --- reading ---

    async def _show(self, call: Call) -> Reply:
        key = self._key(call)
        call.need_to_see(prefix_of(key))
        found = state_at(await self._reads.versions(*key), call.query.at)
        return Reply(body=shown(found), headers={hdrs.ETAG: f'"{found.row.version}"'})

    async def _tell(self, call: Call) -> Reply:
        key = self._key(call)
        call.need_to_see(prefix_of(key))
        return Reply(body=told(key, await self._reads.versions(*key)))

    # --- changes ---

    async def _create(self, call: Call) -> Reply:
        key, body = self._key(call), call.body
        call.need(prefix_of(key))
        change = Create(key, _values(body.values), overwrite=body.overwrite)
        return _done(key, await self._submit(call, change))

    async def _remove(self, call: Call) -> Reply:
        key = self._key(call)
        call.need(prefix_of(key))
        await self._submit(call, Delete(key))
        return Reply(204)

    async def _submit(self, call: Call, change: Change) -> Receipt:
        """Make the change if the identifier is as expected, and once where that is asked for."""
        actor = call.actor
        wanted = if_match(call.request.headers.get(hdrs.IF_MATCH))
        if wanted is not None:
            change = IfVersion(change, wanted.versions)
        key = await once(call.request, actor.name)
        if key is None:
            return (await self._registrar.submit(change, actor)).receipt
        return await self._registrar.submit_once(change, actor, key)


def _done(key: Key, receipt: Receipt) -> Reply:
    body = Changed(str(key), receipt.version)
    return Reply(201 if receipt.created else 200, body, {hdrs.ETAG: f'"{receipt.version}"'})


def _values(forms: list[dict[str, Any]]) -> tuple[Value, ...]:
    """Raises InvalidValue with the path of the member at fault from the body on."""
    values = []
    for place, form in enumerate(forms):
        try:
            values.append(value_from_json(form))
        except InvalidValue as error:
            field = pointer(f"values[{place}].{error.field or ''}".rstrip("."))
            raise InvalidValue(str(error), error.index, field) from None
    return tuple(values)
