"""The op codes of administration: each request read into the task that it asks for."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from registry.errors import InvalidIdentifier, InvalidValue, PrefixNotHomed, Unsupported
from registry.registration.changes import (
    AddValues,
    Change,
    Create,
    Delete,
    ModifyValues,
    PutValues,
    RemoveValues,
    check_indexes,
)
from registry.schemes.handle import DEFAULT_RULES, HandleRules, parse
from resolver.administration.changing import ChangeTask
from resolver.administration.context import TCP, Context
from resolver.administration.service import Administration
from resolver.administration.tasks import (
    HomePrefix,
    ListHandles,
    ListHomedPrefixes,
    LogIn,
    ReadValues,
    Replication,
    Resolve,
    Task,
    TellSite,
    Vouch,
)
from resolver.administration.verification import Verifier
from resolver.codecs.handle.answering import decode_query
from resolver.codecs.handle.bodies.administration import (
    decode_handle,
    decode_remove_request,
    decode_values_request,
)
from resolver.codecs.handle.bodies.authentication import decode_login, decode_verify_request
from resolver.codecs.handle.codes import OpCode
from resolver.codecs.handle.header import AT, MINT, OVERWRITE
from resolver.codecs.handle.message import Message

#: Reads a task from a request; raises DecodeError or the Refusal of what the request says.
TaskOf = Callable[[Message, Context], Task]


class Operations:
    """The tasks of administration by op code: `table` for `Dialogue`; `site` is the node's own."""

    def __init__(
        self,
        administration: Administration,
        verifier: Verifier,
        resolve: Resolve,
        site: Callable[[], bytes],
        rules: HandleRules = DEFAULT_RULES,
    ) -> None:
        self._administration = administration
        self._verifier = verifier
        self._resolve = resolve
        self._rules = rules
        self.table: dict[int, TaskOf] = {
            OpCode.RESOLVE: self._read,
            OpCode.SITE_INFO: lambda *_: TellSite(site()),
            OpCode.CREATE_HANDLE: self._create,
            OpCode.DELETE_HANDLE: self._delete,
            OpCode.ADD_VALUES: self._add,
            OpCode.REMOVE_VALUES: self._remove,
            OpCode.MODIFY_VALUES: self._modify,
            OpCode.LIST_HANDLES: self._list,
            OpCode.LIST_HOMED_PREFIXES: lambda *_: ListHomedPrefixes(administration),
            OpCode.HOME_PREFIX: lambda request, context: self._home(request, context, True),
            OpCode.UNHOME_PREFIX: lambda request, context: self._home(request, context, False),
            OpCode.VERIFY_CHALLENGE: self._vouch,
            OpCode.IDIS_LOGIN_KEY: self._log_in,
            OpCode.NEXT_TRANSACTION: _next_transaction,
            OpCode.RETRIEVE_TRANSACTIONS: lambda *_: Replication(administration),
            OpCode.DUMP_HANDLES: lambda *_: Replication(administration),
            OpCode.BACKUP_SERVER: lambda *_: Replication(administration),
        }

    def _read(self, request: Message, _: Context) -> Task:
        query = decode_query(request, self._rules)
        return ReadValues(self._administration, query, self._resolve)

    def _vouch(self, request: Message, _: Context) -> Task:
        return Vouch(self._verifier, decode_verify_request(request.body), request.version)

    def _log_in(self, request: Message, context: Context) -> Task:
        if context.protocol != TCP:
            raise Unsupported("Only a connection that is kept can be logged in")
        login = decode_login(request.body)
        return LogIn(context, self._verifier.identity(login.handle, login.key_index))

    def _create(self, request: Message, context: Context) -> Task:
        handle, values = decode_values_request(request.body)
        if request.op_flags & MINT:
            handle = minted(handle)
        key = parse(handle, self._rules)
        check_indexes(values)
        overwrite = bool(request.op_flags & OVERWRITE)
        change = Create(key, values, overwrite)
        flags = AT | request.op_flags & MINT
        return self._task(change, context, open=True, created=handle, flags=flags)

    def _delete(self, request: Message, context: Context) -> Task:
        key = parse(decode_handle(request.body), self._rules)
        return self._task(Delete(key), context)

    def _add(self, request: Message, context: Context) -> Task:
        handle, values = decode_values_request(request.body)
        key = parse(handle, self._rules)
        if not values:
            raise InvalidValue("Value list was empty")
        check_indexes(values)
        change = PutValues(key, values) if request.op_flags & OVERWRITE else AddValues(key, values)
        return self._task(change, context)

    def _remove(self, request: Message, context: Context) -> Task:
        handle, indexes = decode_remove_request(request.body)
        change = RemoveValues(parse(handle, self._rules), indexes)
        return self._task(change, context)

    def _modify(self, request: Message, context: Context) -> Task:
        handle, values = decode_values_request(request.body)
        change = ModifyValues(parse(handle, self._rules), values)
        return self._task(change, context, open=True)

    def _list(self, request: Message, _: Context) -> Task:
        key = parse(decode_handle(request.body), self._rules)
        if not key.is_prefix_record:
            raise PrefixNotHomed(key.prefix)  # as the reference server says it
        return ListHandles(self._administration, self._prefix(request))

    def _home(self, request: Message, context: Context, homed: bool) -> Task:
        return HomePrefix(self._administration, self._prefix(request), homed, context.origin)

    def _task(
        self,
        change: Change,
        context: Context,
        *,
        open: bool = False,  # noqa: A002 - the task's own word
        created: bytes | None = None,
        flags: int = AT,
    ) -> Task:
        return ChangeTask(
            self._administration, change, context.origin, open, created=created, flags=flags
        )

    def _prefix(self, request: Message) -> str:
        """The prefix whose record the body names."""
        key = parse(decode_handle(request.body), self._rules)
        if not key.is_prefix_record or not key.suffix:
            raise InvalidIdentifier("prefix", "Handle is not a prefix handle")
        return key.suffix


def minted(start: bytes) -> bytes:
    """A new handle that begins so: with a slash where there is none, and a random UUID."""
    slash = b"" if b"/" in start else b"/"
    return start + slash + str(uuid.uuid4()).encode()


def _next_transaction(request: Message, context: Context) -> Task:
    raise Unsupported("Next txn id no longer supported; upgrade required")
