"""`/identityv2/data`: identifiers, one by one and up to 2,000 in a call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from registry.authorisation import Operation, may
from registry.errors import ItemFault, NotConforming, NotFound, NotPermitted, Refusal
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.snms.answering import done, resource
from registry.registration.changes import Change, Create, Delete, ReplaceValues
from registry.registration.registrar import Registrar
from registry.schemes.handle import HandleRules, Key, ancestors, parse
from registry.snms.envelope import DONE, SUCCESS, refused
from registry.snms.forms import MAX_BATCH, DataForm, data_view, values_of
from registry.storage.interface import Reads
from registry.templates.template import FIRST_ITEM, TEMPLATE_INDEX, State, Template, newest

_PATH: Final = "/identityv2/data"
#: Changes of one batch that wait for a commit at the same time.
_IN_FLIGHT: Final = 256
_Forms = Annotated[list[DataForm], Meta(max_length=MAX_BATCH)]


class HandleForm(msgspec.Struct):
    """Which identifier."""

    handle: Annotated[str, Meta(min_length=1, max_length=255)]


class HandlesForm(msgspec.Struct):
    """Which identifiers, for clients that wrap the list."""

    handles: Annotated[list[str], Meta(max_length=MAX_BATCH)]


class Item(msgspec.Struct):
    """What came of one identifier of a batch."""

    handle: str
    msg: str
    code: int


class Identifiers:
    """Registering, changing, deleting and reading identifiers."""

    def __init__(self, registrar: Registrar, reads: Reads, rules: HandleRules) -> None:
        self._registrar = registrar
        self._reads = reads
        self._rules = rules

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of them."""
        register, read = Operation.REGISTER, Operation.READ
        handles = HandlesForm | Annotated[list[str], Meta(max_length=MAX_BATCH)]
        return [
            resource("GET", _PATH + "/detail", "detail", self._detail, read, query=HandleForm),
            resource("POST", _PATH, "create", self._create, register, DataForm),
            resource("PUT", _PATH, "update", self._update, register, DataForm),
            resource("DELETE", _PATH, "delete", self._delete, register, HandleForm),
            resource("POST", _PATH + "/batchCreate", "creates", self._creates, register, _Forms),
            resource("PUT", _PATH + "/batchUpdate", "updates", self._updates, register, _Forms),
            resource("DELETE", _PATH + "/batchDelete", "deletes", self._deletes, register, handles),
        ]

    async def _detail(self, call: Call) -> Reply:
        """An identifier: what resolution shows, and all text for whoever may read it"""
        key = parse(call.query.handle, self._rules)
        call.settle()
        record = await self._reads.record(*key)
        if record is None:
            raise NotFound()
        whole = may(call.principal, Operation.READ, key.prefix)
        return done(data_view(key.prefix, call.query.handle, record, whole=whole))

    async def _create(self, call: Call) -> Reply:
        """Register an identifier"""
        await self._submit(call, await self._creation(call, call.body))
        return done(True)

    async def _update(self, call: Call) -> Reply:
        """Replace the items of an identifier"""
        await self._submit(call, await self._replacement(call, call.body))
        return done(True)

    async def _delete(self, call: Call) -> Reply:
        """Delete an identifier"""
        await self._submit(call, Delete(self._key(call, call.body.handle)))
        return done(True)

    async def _creates(self, call: Call) -> Reply:
        """Register identifiers, each by itself"""
        forms: list[DataForm] = call.body
        handles = [form.handle for form in forms]
        return await self._each(call, handles, lambda at: self._creation(call, forms[at]))

    async def _updates(self, call: Call) -> Reply:
        """Replace the items of identifiers, each by itself"""
        forms: list[DataForm] = call.body
        handles = [form.handle for form in forms]
        return await self._each(call, handles, lambda at: self._replacement(call, forms[at]))

    async def _deletes(self, call: Call) -> Reply:
        """Delete identifiers, each by itself"""
        body: HandlesForm | list[str] = call.body
        handles = body.handles if isinstance(body, HandlesForm) else body

        async def deletion(at: int) -> Change:
            return Delete(self._key(call, handles[at]))

        return await self._each(call, handles, deletion)

    async def _each(
        self, call: Call, handles: Sequence[str], change: Callable[[int], Awaitable[Change]]
    ) -> Reply:
        """What came of each change, in order."""
        room = asyncio.Semaphore(_IN_FLIGHT)

        async def one(at: int) -> Item:
            try:
                async with room:
                    await self._submit(call, await change(at))
            except Refusal as refusal:
                said = refused(refusal)
                return Item(handles[at], said.message, said.status)
            return Item(handles[at], SUCCESS, DONE)

        call.settle()
        return done(await asyncio.gather(*map(one, range(len(handles)))))

    async def _creation(self, call: Call, form: DataForm) -> Change:
        key = self._key(call, form.handle)
        return Create(key, values_of(form, await self._named(key, form)))

    async def _replacement(self, call: Call, form: DataForm) -> Change:
        """What is no item, such as an administrator, stays."""
        key = self._key(call, form.handle)
        return ReplaceValues(key, values_of(form, await self._named(key, form)), FIRST_ITEM)

    def _key(self, call: Call, handle: str) -> Key:
        key = parse(handle, self._rules)
        if key.is_prefix_record:
            raise NotPermitted("records of prefixes are not registered here")
        call.need(key.prefix)
        return key

    async def _submit(self, call: Call, change: Change) -> None:
        await self._registrar.submit(change, call.actor)

    async def _named(self, key: Key, form: DataForm) -> Template:
        """The template of that name of the enterprise, or of the nodes above it."""
        name = form.template_version
        for prefix in ancestors(key.prefix):
            found = await self._reads.dossiers(
                Template, prefix=prefix, name=name, state=State.PUBLISHED.value
            )
            if found:
                return newest(found)
        raise NotConforming(name, [ItemFault(TEMPLATE_INDEX, "", "template", "no such template")])
