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
from registry.audit import Actor
from registry.authorisation import Operation, Principal, may
from registry.bulk.batches import MAX_LINES, Batch, decide, error_members
from registry.bulk.registering import Existing, Registering
from registry.bulk.rows import RefusedRow, RowReader
from registry.bulk.upload import Upload, UploadCut
from registry.changes import Create
from registry.clock import Clock
from registry.errors import (
    DecodeError,
    InvalidValue,
    NotPermitted,
    Overloaded,
    PrefixNotHomed,
    Refusal,
)
from registry.http.bearer import Bearers
from registry.http.identifiers import PATH
from registry.http.problem import refusal_problem
from registry.prefix_tree import PrefixTree
from registry.registration import Registrar
from registry.schemes.handle import HandleRules, Key, parent
from registry.storage.interface import Reads
from registry.values.value import decode_record

NDJSON: Final = "application/x-ndjson"
_READ: Final = {NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines"}
#: Uploads at the same time; each holds two batches in memory.
MAX_UPLOADS: Final = 16
#: Octets of a list.
MAX_BATCH_BODY: Final = 8 << 20
#: Octets of an answer that may wait for a sender that reads it only once it has sent everything.
MAX_UNREAD: Final = 16 << 20
_CUT: Final = (aiohttp.ClientError, ConnectionError, web.RequestPayloadError)


class _BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    identifiers: list[msgspec.Raw]


class _UnsupportedMedia(Refusal):
    outcome = outcomes.UNSUPPORTED_MEDIA


class _TooLarge(Refusal):
    outcome = outcomes.TOO_LARGE


class BulkRoutes:
    """Registering many identifiers with a bearer token."""

    def __init__(
        self,
        registrar: Registrar,
        reads: Reads,
        bearers: Bearers,
        rules: HandleRules,
        clock: Clock,
        changes: Counter[tuple[str, str]],
    ) -> None:
        self._registrar = registrar
        self._reads = reads
        self._bearers = bearers
        self._rules = rules
        self._clock = clock
        self._changes = changes
        self._uploads = 0

    def add_to(self, app: web.Application) -> None:
        app.router.add_post("/v1/identifiers/bulk", self._answered(self._bulk))
        app.router.add_post("/v1/identifiers/batch", self._answered(self._batch))
        app.router.add_post("/v1/identifiers", self._answered(self._one))

    def _answered(
        self, act: Callable[[web.Request, Principal], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Refuse whoever may register nothing, before anything else is read."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                principal = await self._bearers.principal(request)
                if not any(may(principal, Operation.REGISTER, own) for own in principal.prefixes):
                    raise NotPermitted("the token may register nothing")
                return await act(request, principal)
            except Refusal as refusal:
                self._changes["create", refusal.outcome.slug] += 1
                status, headers, body = refusal_problem(refusal, instance=request.raw_path)
                return web.Response(status=status, headers=headers, body=body)

        return answer

    async def _reader(self, principal: Principal) -> RowReader:
        homed = PrefixTree(await self._reads.homed_prefixes())

        def check(key: Key) -> None:
            prefix = (parent(key.suffix) or key.suffix) if key.is_prefix_record else key.prefix
            if not may(principal, Operation.REGISTER, prefix):
                raise NotPermitted(f"the token may not register under prefix {prefix}")
            if not homed.homes(key):
                raise PrefixNotHomed(key.prefix)

        return RowReader(self._rules, check, int(self._clock.now()))

    def _registering(self, request: web.Request, principal: Principal) -> Registering:
        actor = Actor(principal.username, f"{request.scheme} {request.remote}")
        return Registering(self._registrar, self._reads, actor, _existing(request))

    # --- one ---

    async def _one(self, request: web.Request, principal: Principal) -> web.Response:
        reader = await self._reader(principal)
        try:
            row = reader.read(await request.read())
        except RefusedRow as refused:
            raise refused.refusal from None
        key = Key(row.prefix, row.suffix)
        actor = Actor(principal.username, f"{request.scheme} {request.remote}")
        done = await self._registrar.submit(Create(key, decode_record(row.record)), actor)
        assert done.after is not None
        self._changes["create", "ok"] += 1
        headers = {hdrs.LOCATION: PATH + quote(str(key))}
        members = {"identifier": str(key), "version": done.after.version}
        return web.json_response(members, status=201, headers=headers)

    # --- a list ---

    async def _batch(self, request: web.Request, principal: Principal) -> web.Response:
        items = _items(await _read_up_to(request, MAX_BATCH_BODY))
        reader, batch = await self._reader(principal), Batch(0)
        asked = [_take(batch, reader, bytes(item)) for item in items]
        refused = await decide(batch, self._registering(request, principal))
        self._count(
            len(items) - len(refused), Counter(each.refusal.outcome.slug for each in refused)
        )
        errors = {verdict.line: error_members(verdict.refusal) for verdict in refused}
        results = [
            {"identifier": text}
            | ({"error": errors[line]} if line in errors else {"created": True})
            for line, text in enumerate(asked, 1)
        ]
        members = {
            "accepted": len(items) - len(refused),
            "rejected": len(refused),
            "results": results,
        }
        body = msgspec.json.encode(members)
        return web.Response(body=body, content_type="application/json")

    # --- a stream ---

    async def _bulk(self, request: web.Request, principal: Principal) -> web.StreamResponse:
        if request.content_type not in _READ:
            raise _UnsupportedMedia(f"send {NDJSON}")
        if self._uploads >= MAX_UPLOADS:
            raise Overloaded(f"{MAX_UPLOADS} uploads are under way already")
        self._uploads += 1
        try:
            return await self._upload(request, principal)
        finally:
            self._uploads -= 1

    async def _upload(self, request: web.Request, principal: Principal) -> web.StreamResponse:
        answer = _Answer(request)
        store = self._registering(request, principal)
        upload = Upload(await self._reader(principal), store, self._clock, answer.send)
        try:
            await upload.run(_reading(request))
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
        self._changes["create", "ok"] += accepted
        for slug, count in refusals.items():
            self._changes["create", slug] += count


class _Answer:
    """The answer to an upload, begun with the first thing to say."""

    def __init__(self, request: web.Request) -> None:
        self.begun = False
        self.response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: NDJSON})
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
        items = msgspec.json.decode(body, type=_BatchBody).identifiers
    except msgspec.ValidationError as error:
        raise InvalidValue(str(error), field="identifiers") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DecodeError(f"the body is not the JSON asked for: {error}") from None
    if len(items) > MAX_LINES:
        raise InvalidValue(
            f"{len(items)} items, at most {MAX_LINES} are taken", field="identifiers"
        )
    return items


def _existing(request: web.Request) -> Existing:
    """What the query asks for: `existing=refuse` (the default), `same` or `replace`."""
    asked = request.query.get("existing", Existing.REFUSE.value)
    try:
        return Existing(asked)
    except ValueError:
        words = ", ".join(each.value for each in Existing)
        raise InvalidValue(f"existing: one of {words} is expected", field="existing") from None
