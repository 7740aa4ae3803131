"""JSON in the bodies of requests, read more strictly than JSON readers usually do.

Refused as malformed, besides what is no JSON (RFC 8259): duplicate names, NaN and infinities,
nesting deeper than anything an interface here asks for, numbers of more digits than anybody means.
"""

from __future__ import annotations

import json
from typing import Any, Final

from registry.errors import DecodeError

MAX_DEPTH: Final = 32
#: Digits of a number; those of an interface have 10 at most.
MAX_DIGITS: Final = 64


def read_json(body: bytes) -> Any:
    """The value in a body. Raises DecodeError, whose text says where and names no internals."""
    try:
        found = json.loads(
            body.decode(),
            object_pairs_hook=_members,
            parse_int=_integer,
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


def _constant(name: str) -> Any:
    raise DecodeError(f"The body is not JSON: {name} is no JSON number")


def _check_depth(value: object, left: int) -> None:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if inner and not left:
        raise _too_deep()
    for each in inner:
        _check_depth(each, left - 1)


def _too_deep() -> DecodeError:
    return DecodeError(f"The body is nested deeper than {MAX_DEPTH} levels")
