"""HTTP requests: the Handle JSON API, redirects to an identifier's URL, and registration.

The check is made on `Reply.content`: status, location and body. The first right reply is taken
apart, and its repetitions are compared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import msgspec

from load_tests.requests.template import UNKNOWN, Kind, Part, Template, Verdict
from registry.values.json_form import value_to_json
from registry.values.value import decode_record

#: Statuses with which a server says that it cannot or will not now.
_REFUSALS: Final = frozenset((401, 403, 408, 413, 429, 500, 502, 503, 504))
_FOUND: Final = frozenset((301, 302, 303, 307, 308))


def lookup(handle: str, record: bytes, host: str, types: tuple[bytes, ...] = ()) -> Template:
    """`GET /api/handles/HANDLE`, where the handle's selected values in wire form are `record`."""
    path = f"/api/handles/{quote(handle, safe='/')}"
    if types:
        path += "?" + "&".join(f"type={quote(one)}" for one in types)
    values = [value_to_json(value) for value in decode_record(record)]
    return Template(_request("GET", path, host), [UNKNOWN], partial(_judge_lookup, values))


def stored_lookup(handle: str, values: list[dict[str, Any]], host: str) -> Template:
    """The same for a handle just registered; the node may add values and sets timestamps."""
    path = f"/api/handles/{quote(handle, safe='/')}"
    return Template(_request("GET", path, host), [UNKNOWN], partial(_judge_stored, values))


def denied_lookup(handle: str, host: str) -> Template:
    """The same for a handle that does not exist."""
    path = f"/api/handles/{quote(handle, safe='/')}"
    return Template(_request("GET", path, host), [UNKNOWN], _judge_denial)


def redirect(handle: str, url: bytes, host: str) -> Template:
    """`GET /HANDLE`, which must lead to `url`."""
    request = _request("GET", f"/{quote(handle, safe='/')}", host)
    return Template(request, [UNKNOWN], partial(_judge_redirect, url))


def registration(
    handle: str,
    values: list[dict[str, Any]],
    host: str,
    token: str,
    acknowledged: Callable[[], None] = lambda: None,
) -> Template:
    """`PUT /v1/identifiers/HANDLE` of a handle that does not exist yet.

    `acknowledged` is called when the target says that it is stored.
    """
    request = _request(
        "PUT",
        f"/v1/identifiers/{quote(handle, safe='')}",
        host,
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n",
        msgspec.json.encode({"values": values}),
    )
    return Template(request, [UNKNOWN], partial(_judge_registration, acknowledged))


def bulk_registration(
    rows: Sequence[tuple[str, list[dict[str, Any]]]],
    host: str,
    token: str,
    acknowledged: Callable[[], None] = lambda: None,
) -> Template:
    """`POST /v1/identifiers/bulk` of identifiers that do not exist yet, with their values."""
    lines = [
        msgspec.json.encode({"identifier": handle, "values": values}) for handle, values in rows
    ]
    request = _request(
        "POST",
        "/v1/identifiers/bulk",
        host,
        f"Authorization: Bearer {token}\r\nContent-Type: application/x-ndjson\r\n",
        b"\n".join(lines) + b"\n",
    )
    return Template(request, [UNKNOWN], partial(_judge_bulk, len(rows), acknowledged))


def _request(method: str, path: str, host: str, headers: str = "", body: bytes = b"") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}{length}\r\n".encode() + body


def _judge_lookup(values: list[dict[str, Any]], number: int, content: bytes) -> Verdict:
    status, _, body = _split(content)
    if status in _REFUSALS:
        return Verdict(Kind.REFUSED, f"status {status}")
    members = _members(body)
    if status != 200 or members.get("responseCode") != 1:
        code = members.get("responseCode", "none")
        return Verdict(Kind.WRONG, f"denied what exists: status {status}, response code {code}")
    if members.get("values") != values:
        return Verdict(Kind.WRONG, "the values are not the expected ones")
    return _right(content)


def _judge_stored(values: list[dict[str, Any]], number: int, content: bytes) -> Verdict:
    status, _, body = _split(content)
    found = {value.get("index"): value for value in _members(body).get("values", ())}
    for value in values:
        stored = found.get(value["index"], {})
        data = stored.get("data", {}).get("value")
        if (stored.get("type"), data) != (value["type"], value["data"]):
            return Verdict(Kind.WRONG, f"status {status}, and not the values that were stored")
    return Verdict(Kind.RIGHT)


def _judge_denial(number: int, content: bytes) -> Verdict:
    status, _, body = _split(content)
    if status in _REFUSALS:
        return Verdict(Kind.REFUSED, f"status {status}")
    if status == 404 and _members(body).get("responseCode") == 100:
        return _right(content)
    return Verdict(Kind.WRONG, f"status {status} for what does not exist")


def _judge_redirect(url: bytes, number: int, content: bytes) -> Verdict:
    status, location, _ = _split(content)
    if status in _FOUND:
        if location == url:
            return _right(content)
        return Verdict(Kind.WRONG, "the redirect leads elsewhere")
    if status in _REFUSALS:
        return Verdict(Kind.REFUSED, f"status {status}")
    return Verdict(Kind.WRONG, f"status {status} in place of a redirect")


def _judge_registration(acknowledged: Callable[[], None], number: int, content: bytes) -> Verdict:
    status, _, body = _split(content)
    if status == 201:
        acknowledged()
        return Verdict(Kind.RIGHT)
    code = _members(body).get("code", "no problem document")
    return Verdict(Kind.REFUSED, f"status {status} ({code})")


def _judge_bulk(
    rows: int, acknowledged: Callable[[], None], number: int, content: bytes
) -> Verdict:
    status, _, body = _split(content)
    said = _members(body.rstrip().rpartition(b"\n")[2])
    if status != 200:
        return Verdict(Kind.REFUSED, f"status {status} ({said.get('code', 'no problem document')})")
    if said.get("accepted") != rows or said.get("committed_through") != rows:
        return Verdict(Kind.REFUSED, f"{said.get('rejected', 'some')} rows were not accepted")
    acknowledged()
    return Verdict(Kind.RIGHT)


def _right(content: bytes) -> Verdict:
    return Verdict(Kind.RIGHT, part=Part(len(content), ((0, content),)))


def _split(content: bytes) -> tuple[int, bytes, bytes]:
    head, _, body = content.partition(b"\n")
    status, _, location = head.partition(b" ")
    return int(status), location, body


def _members(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; empty if there is none."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}
