"""What requests to the management API bring: query, body, and what they take for an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from registry.errors import DecodeError, InvalidValue, NotAcceptable, UnsupportedMedia
from registry.json_text import read_json

JSON: Final = "application/json"
#: What programs say of a body when nobody told them what it is.
_UNSAID: Final = {"application/octet-stream", "application/x-www-form-urlencoded"}
_TAKES_JSON: Final = {"*/*", "application/*", JSON}
_PATH_IN_ERROR: Final = " - at `$"


def check_acceptable(request: web.Request, media: str = JSON) -> None:
    """Raise NotAcceptable where a request takes neither JSON nor that media type.

    RFC 9110 section 12.5.1.
    """
    accept = request.headers.get(hdrs.ACCEPT)
    if accept in (None, "*/*", JSON):
        return
    ranges = [
        each.partition(";") for each in ",".join(request.headers.getall(hdrs.ACCEPT)).split(",")
    ]
    fitting = {*_TAKES_JSON, media}
    if not any(kind.strip().lower() in fitting and _weight(more) for kind, _, more in ranges):
        raise NotAcceptable(f"there is {media} only")


def _weight(parameters: str) -> float:
    for parameter in parameters.split(";"):
        name, _, text = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(text)
            except ValueError:
                return 0.0
    return 1.0


def check_media(request: web.Request, media: str) -> None:
    """Raise UnsupportedMedia for a body that says it is of another media type."""
    said = request.content_type
    structured = media == JSON and said.endswith("+json")
    if not (said == media or said in _UNSAID or structured):
        raise UnsupportedMedia(f"send {media}")


def read_body(body: bytes, kind: Any) -> Any:
    """A JSON body as a value of a type. Raises DecodeError, or InvalidValue naming the member."""
    return _converted(read_json(body), kind, strict=True)


def read_query(request: web.Request, kind: type[msgspec.Struct]) -> Any:
    """The query of a request as a struct. Raises DecodeError, InvalidValue."""
    members = dict(request.query)
    if len(members) < len(request.query):
        raise DecodeError("a parameter of the query is given twice")
    return convert_query(members, kind)


def convert_query(members: Mapping[str, str], kind: type[msgspec.Struct]) -> Any:
    """The parameters of a query as a struct. Raises InvalidValue."""
    found = _converted(members, kind, strict=False)
    for name in members:
        if getattr(found, name, name) is None:  # the text `null` is read so
            raise InvalidValue("null is no value of a parameter", field=name)
    return found


def _converted(found: Any, kind: Any, *, strict: bool) -> Any:
    try:
        return msgspec.convert(found, kind, strict=strict)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(_PATH_IN_ERROR)
        raise InvalidValue(message, field=pointer(where)) from None


def pointer(where: str) -> str | None:
    """The path of a member, as `.items[0].name` and perhaps a backquote, as `items/0/name`."""
    path = where.rstrip("`").replace("[", ".").replace("]", "")
    return path.removeprefix(".").replace(".", "/") or None
