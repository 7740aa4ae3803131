"""JSON in the bodies of requests, read more strictly than JSON readers usually do.

Refused as malformed, besides what is no JSON (RFC 8259): duplicate names, NaN and infinities,
nesting deeper than anything an interface here asks for, numbers of more digits than anybody means.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

import msgspec

from registry.errors import DecodeError

MAX_DEPTH: Final = 32
#: Digits of a number; those of an interface have 10 at most.
MAX_DIGITS: Final = 64

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode
_SPACE: Final = b" \t\r\n"
_TOO_MANY_DIGITS: Final = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))


def read_json(body: bytes) -> Any:
    """The value in a body. Raises DecodeError, whose text says where and names no internals."""
    try:
        found = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_closely(body)
    return found if _is_plain(body, found) else _read_closely(body)


def _is_plain(body: bytes, found: Any) -> bool:
    """Whether a body that was read as `found` has certainly none of what is refused.

    Of a name that stands twice one is lost. So a body that is written anew then has fewer names:
    fewer places where a colon follows a quotation mark. (Inside of texts there are as many as
    before, unless a body escapes them by number.)
    """
    if b"\\u" in body or _TOO_MANY_DIGITS.search(body):
        return False
    shallow = body.count(b"[") + body.count(b"{") <= MAX_DEPTH
    return shallow and _names(body) == _names(_encode(found))


def _names(text: bytes) -> int:
    return text.translate(None, _SPACE).count(b'":')


def _read_closely(body: bytes) -> Any:
    try:
        found = json.loads(
            body.decode(),
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
    except UnicodeDecodeError as error:
        raise DecodeError("The body is not UTF-8", error.start) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DecodeError(f"The body is not JSON: {error.msg} ({where})", error.pos) from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(found, MAX_DEPTH)
    if b"\\u" in body:
        _check_text(found)
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise DecodeError("The body is not JSON to rely on: an object has a name twice")
    return members


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise DecodeError(f"A number in the body has more than {MAX_DIGITS} digits")
    return int(digits)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise DecodeError("A number in the body is larger than any that can be meant")
    return number


def _constant(name: str) -> Any:
    raise DecodeError(f"The body is not JSON: {name} is no JSON number")


def _check_depth(value: object, left: int) -> None:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inner and not left:
        raise _too_deep()
    for each in inner:
        _check_depth(each, left - 1)


def _check_text(value: object) -> None:
    """Refuse half of a surrogate pair: it is no character, and nothing can be done with it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise DecodeError("The body is not JSON to rely on: an escape is no character") from None


def _too_deep() -> DecodeError:
    return DecodeError(f"The body is nested deeper than {MAX_DEPTH} levels")
