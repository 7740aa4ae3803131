"""`POST /v1/identifiers/bulk`: an upload of any length, answered line by line while it goes.

Beside it `POST /v1/identifiers/batch` for a list, and `POST /v1/identifiers` for one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final
from urllib.parse import quote

import aiohttp
import msgspec
from aiohttp import hdrs, web

from registry import outcomes
from registry.authorisation import Operation, Principal, may
from registry.bulk.batches import MAX_LINES, Batch, decide, error_members
from registry.bulk.registering import Registering
from registry.bulk.rows import RefusedRow, RowReader
from registry.bulk.upload import Upload, UploadCut
from registry.clock import Clock
from registry.errors import (
    DecodeError,
    InvalidValue,
    NotPermitted,
    Overloaded,
    PrefixNotHomed,
    Refusal,
    UnsupportedMedia,
)
from registry.http.endpoints import Call, Endpoint, Reply
from registry.http.forms import Changed
from registry.http.headers import ETAG, LOCATION
from registry.http.identifiers import PATH, TAG, prefix_of
from registry.http.request_id import HEADER, request_id
from registry.http.upload_forms import BatchBody, Line, RowForm, RowResult, UploadQuery, Verdicts
from registry.prefixes.tree import PrefixTree
from registry.registration.changes import Create
from registry.registration.registrar import Registrar
from registry.schemes.handle import HandleRules, Key
from registry.storage.interface import Reads
from registry.values.value import decode_record

NDJSON: Final = "application/x-ndjson"
_READ: Final = {
    NDJSON,
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
    "text/plain",
}
#: What a row of an upload or a list is counted as.
ROW: Final = "register-row"
#: Uploads at the same time; each holds two batches in memory.
MAX_UPLOADS: Final = 16
#: Octets of a list.
MAX_BATCH_BODY: Final = 8 << 20
#: Octets of an answer that may wait for a sender that reads it only once it has sent everything.
MAX_UNREAD: Final = 16 << 20
_CUT: Final = (aiohttp.ClientError, ConnectionError, web.RequestPayloadError)


class _Items(msgspec.Struct, forbid_unknown_fields=True):
    identifiers: list[msgspec.Raw]


class _TooLarge(Refusal):
    outcome = outcomes.TOO_LARGE


class BulkRegistration:
    """Registers many identifiers at once, and one whose name is in the body."""

    def __init__(
        self,
        registrar: Registrar,
        reads: Reads,
        rules: HandleRules,
        clock: Clock,
        changes: Counter[tuple[str, str]],
    ) -> None:
        self._registrar = registrar
        self._reads = reads
        self._rules = rules
        self._clock = clock
        self._changes = changes
        self._uploads = 0

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "POST",
                "/v1/identifiers/bulk",
                "upload-identifiers",
                "Register any number of identifiers, a line each; answered while it goes",
                self._bulk,
                Operation.REGISTER,
                body=RowForm,
                query=UploadQuery,
                answers={200: Line},
                tag=TAG,
                media=NDJSON,
                answer_media=NDJSON,
                streamed=True,
            ),
            Endpoint(
                "POST",
                "/v1/identifiers/batch",
                "register-identifiers",
                "Register a list of identifiers, with a verdict on each",
                self._batch,
                Operation.REGISTER,
                body=BatchBody,
                query=UploadQuery,
                answers={200: Verdicts},
                tag=TAG,
                streamed=True,
            ),
            Endpoint(
                "POST",
                "/v1/identifiers",
                "add-identifier",
                "Register an identifier",
                self._one,
                Operation.REGISTER,
                body=RowForm,
                answers={201: Changed},
                tag=TAG,
                gives=(ETAG, LOCATION),
                streamed=True,
            ),
        ]

    async def _reader(self, principal: Principal) -> RowReader:
        homed = PrefixTree(await self._reads.homed_prefixes())

        def check(key: Key) -> None:
            prefix = prefix_of(key)
            if not may(principal, Operation.REGISTER, prefix):
                raise NotPermitted(f"the token may not register under prefix {prefix}")
            if not homed.homes(key):
                raise PrefixNotHomed(key.prefix)

        return RowReader(self._rules, check, int(self._clock.now()))

    def _registering(self, call: Call) -> Registering:
        return Registering(self._registrar, self._reads, call.actor, call.query.existing)

    # --- one ---

    async def _one(self, call: Call) -> Reply:
        call.need_anywhere()
        reader = await self._reader(call.principal)
        try:
            row = reader.read(await call.request.read())
        except RefusedRow as refused:
            raise refused.refusal from None
        key = Key(row.prefix, row.suffix)
        done = await self._registrar.submit(Create(key, decode_record(row.record)), call.actor)
        assert done.after is not None
        version = done.after.version
        headers: dict[str, str] = {hdrs.LOCATION: PATH + quote(str(key)), hdrs.ETAG: f'"{version}"'}
        return Reply(201, Changed(str(key), version), headers)

    # --- a list ---

    async def _batch(self, call: Call) -> Reply:
        call.need_anywhere()
        items = _items(await _read_up_to(call.request, MAX_BATCH_BODY))
        reader, batch = await self._reader(call.principal), Batch(0)
        asked = [_take(batch, reader, bytes(item)) for item in items]
        refused = await decide(batch, self._registering(call))
        self._count(
            len(items) - len(refused), Counter(each.refusal.outcome.slug for each in refused)
        )
        errors = {verdict.line: error_members(verdict.refusal) for verdict in refused}
        results = [
            RowResult(text, error=errors[line]) if line in errors else RowResult(text, created=True)
            for line, text in enumerate(asked, 1)
        ]
        return Reply(body=Verdicts(len(items) - len(refused), len(refused), results))

    # --- a stream ---

    async def _bulk(self, call: Call) -> web.StreamResponse:
        call.need_anywhere()
        if call.request.content_type not in _READ:
            raise UnsupportedMedia(f"send {NDJSON}")
        if self._uploads >= MAX_UPLOADS:
            raise Overloaded(f"{MAX_UPLOADS} uploads are under way already")
        self._uploads += 1
        try:
            return await self._upload(call)
        finally:
            self._uploads -= 1

    async def _upload(self, call: Call) -> web.StreamResponse:
        answer, store = _Answer(call.request), self._registering(call)
        upload = Upload(await self._reader(call.principal), store, self._clock, answer.send)
        try:
            await upload.run(_reading(call.request))
        except Refusal as refusal:
            if not answer.begun and not isinstance(refusal, UploadCut):
                raise
            with suppress(ConnectionError):
                await answer.end(upload.summary(refusal), keep=False)
        else:
            await answer.end(upload.summary(), keep=True)
        finally:
            self._count(upload.accepted, upload.refusals)
        return answer.response

    def _count(self, accepted: int, refusals: Counter[str]) -> None:
        self._changes[ROW, "ok"] += accepted
        for slug, count in refusals.items():
            self._changes[ROW, slug] += count


class _Answer:
    """The answer to an upload, begun with the first thing to say."""

    def __init__(self, request: web.Request) -> None:
        self.begun = False
        self.response = web.StreamResponse(
            headers={hdrs.CONTENT_TYPE: NDJSON, HEADER: request_id(request)}
        )
        self._request = request

    async def send(self, octets: bytes) -> None:
        """Send lines; waits where too much is unread. Raises ConnectionError."""
        if not self.begun:
            self.begun = True
            self.response.enable_chunked_encoding()
            await self.response.prepare(self._request)
            if self._request.transport is not None:
                self._request.transport.set_write_buffer_limits(MAX_UNREAD)
        await self.response.write(octets)

    async def end(self, octets: bytes, *, keep: bool) -> None:
        """Send the last line; without `keep` the connection ends with it."""
        if not keep:
            self.response.force_close()
        await self.send(octets)
        await self.response.write_eof()


def _reading(request: web.Request) -> Callable[[], Awaitable[bytes]]:
    """What reads a request's body; it raises UploadCut where that does not come to its end."""
    read = request.content.readany

    async def reading() -> bytes:
        try:
            octets = await read()
        except _CUT:
            raise UploadCut("the upload was cut off") from None
        if not octets and getattr(request.protocol, "cut_off", False):
            raise UploadCut("the upload ends before its end")
        return octets

    return reading


def _take(batch: Batch, reader: RowReader, item: bytes) -> str | None:
    """Take in an item; the identifier in it, if there is one."""
    try:
        row = reader.read(item)
    except RefusedRow as refused:
        batch.refuse(refused)
        return refused.asked
    batch.add(row)
    return row.asked


async def _read_up_to(request: web.Request, limit: int) -> bytes:
    body = bytearray()
    try:
        while octets := await request.content.readany():
            body += octets
            if len(body) > limit:
                raise _TooLarge(f"a list has at most {limit} octets; send {NDJSON} to /bulk")
    except _CUT:
        raise UploadCut("the upload was cut off") from None
    return bytes(body)


def _items(body: bytes) -> list[msgspec.Raw]:
    try:
        items = msgspec.json.decode(body, type=_Items).identifiers
    except msgspec.ValidationError as error:
        raise InvalidValue(str(error), field="identifiers") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(f"the body is not the JSON asked for: {error}") from None
    if len(items) > MAX_LINES:
        raise InvalidValue(
            f"{len(items)} items, at most {MAX_LINES} are taken", field="identifiers"
        )
    return items
