"""A value as an object of the Handle JSON API.

Data shows its own form where its type has one (admin, vlist, site, key) and it can be read as such;
otherwise it is a string if it looks like text, else base64. A type, or the handle of a reference,
that is not UTF-8 shows U+FFFD in place of the octets that are not; nothing else is lost on the way.
"""

from __future__ import annotations

import binascii
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from registry.errors import DecodeError, InvalidValue
from registry.values.admin import admin_from_json, admin_to_json, decode_admin, encode_admin
from registry.values.json_members import (
    MAX_U32,
    Members,
    octets_from_base64,
    octets_to_base64,
    read_objects,
)
from registry.values.key import (
    decode_public_key,
    encode_public_key,
    public_key_from_json,
    public_key_to_json,
)
from registry.values.site import decode_site, encode_site
from registry.values.site_json import site_from_json, site_to_json
from registry.values.value import (
    DEFAULT_PERMISSIONS,
    DEFAULT_TTL,
    TTL_ABSOLUTE,
    TTL_RELATIVE,
    Reference,
    Value,
)
from registry.values.vlist import (
    decode_vlist,
    encode_vlist,
    references_from_json,
    references_to_json,
)

_PERMISSIONS: Final = re.compile("[01]{4,5}")
_PERMISSION_BITS: Final = 0xF
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: Octets that no text has: control characters, save 09h to 13h, which peers count as white space.
_NO_TEXT: Final = re.compile(rb"[\x00-\x08\x14-\x1f\x7f]")


def _site_form(data: bytes) -> object:
    return site_to_json(decode_site(data), signed_serial=True)


def _key_form(data: bytes) -> object:
    key = decode_public_key(data)
    if key.kty == "DH":
        raise DecodeError("DH keys have no JSON form that peers read")
    return public_key_to_json(key)


_Form = tuple[str, Callable[[bytes], object]]
_SITE: Final[_Form] = ("site", _site_form)
#: Upper-case type -> the name of its form and what makes it.
_FORMS: Final[dict[bytes, _Form]] = {
    b"HS_ADMIN": ("admin", lambda data: admin_to_json(decode_admin(data))),
    b"HS_VLIST": ("vlist", lambda data: references_to_json(decode_vlist(data))),
    b"HS_PUBKEY": ("key", _key_form),
    b"HS_SITE": _SITE,
    b"HS_SITE.6": _SITE,
    b"HS_SITE.PREFIX": _SITE,
    b"HS_NA_DELEGATE": _SITE,
}


def looks_like_text(data: bytes) -> bool:
    """Whether data is shown as a string: it is UTF-8 without control characters but white space."""
    if _NO_TEXT.search(data):
        return False
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@lru_cache(maxsize=4096)
def iso_time(seconds: int) -> str:
    """A Unix time as `2023-11-14T22:13:20Z`."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def data_to_json(type_: bytes, data: bytes) -> dict[str, object]:
    """The `data` member of a value: `format` and `value`."""
    form = _FORMS.get(type_.upper())
    if form is not None:
        name, make = form
        try:
            return {"format": name, "value": make(data)}
        except (DecodeError, UnicodeDecodeError):
            pass  # not what its type says: shown as any other data
    if looks_like_text(data):
        return {"format": "string", "value": data.decode()}
    return {"format": "base64", "value": octets_to_base64(data)}


def value_to_json(value: Value) -> dict[str, object]:
    """The JSON form of a value, members in the order in which peers write them."""
    form: dict[str, object] = {
        "index": value.index,
        "type": value.type.decode("utf-8", "replace"),
        "data": data_to_json(value.type, value.data),
    }
    permissions = value.permissions & _PERMISSION_BITS
    if permissions != DEFAULT_PERMISSIONS:
        form["permissions"] = f"{permissions:04b}"
    form["ttl"] = value.ttl if value.ttl_type == TTL_RELATIVE else iso_time(value.ttl)
    if value.timestamp:
        form["timestamp"] = iso_time(value.timestamp)
    if value.references:
        form["references"] = [
            {"handle": reference.handle.decode("utf-8", "replace"), "index": reference.index}
            for reference in value.references
        ]
    return form


def _base64(value: Members) -> bytes:
    try:
        return octets_from_base64(value.text("value"))
    except ValueError:
        raise value.refuse("value", "not base64") from None


def _hex(value: Members) -> bytes:
    try:
        return binascii.unhexlify(value.text("value"))
    except ValueError:
        raise value.refuse("value", "not hexadecimal") from None


def _inner(data: Members) -> Members:
    return Members(data.get("value"), data.at("value"))


#: What reads the data of each format.
_READERS: Final[dict[str, Callable[[Members], bytes]]] = {
    "string": lambda data: data.text("value").encode(),
    "base64": _base64,
    "hex": _hex,
    "admin": lambda data: encode_admin(admin_from_json(_inner(data))),
    "vlist": lambda data: encode_vlist(
        references_from_json(read_objects(data.get("value"), data.at("value")))
    ),
    "site": lambda data: encode_site(site_from_json(_inner(data))),
    "key": lambda data: encode_public_key(public_key_from_json(_inner(data))),
}


def value_from_json(form: object) -> Value:
    """The value in a JSON form. Raises InvalidValue with the value's index and the member at fault.

    `data` may be a plain string; permissions default to 1110, the TTL to a day, the timestamp to 0.
    """
    members = Members(form)
    index = members.number("index")
    try:
        ttl_type, ttl = _ttl(members)
        return Value(
            index,
            members.text("type").encode(),
            _data(members),
            ttl_type,
            ttl,
            _time(members, "timestamp") if members.get("timestamp", None) is not None else 0,
            _permissions(members),
            _references(members),
        )
    except InvalidValue as error:
        raise InvalidValue(str(error), index, error.field) from None


def _data(members: Members) -> bytes:
    if isinstance(members.get("data"), str):
        return members.text("data").encode()
    data = Members(members.get("data"), "data")
    read = _READERS.get(data.text("format").lower())
    if read is None:
        raise data.refuse("format", f"one of {', '.join(_READERS)} is expected")
    return read(data)


def _permissions(members: Members) -> int:
    """Four digits, admin read first; peers put a fifth before them and do not read it."""
    digits = members.get("permissions", None)
    if digits is None:
        return DEFAULT_PERMISSIONS
    if not isinstance(digits, str) or not _PERMISSIONS.fullmatch(digits):
        raise members.refuse("permissions", "four or five digits 0 or 1 are expected")
    return int(digits[-4:], 2)


def _ttl(members: Members) -> tuple[int, int]:
    if isinstance(members.get("ttl", None), str):
        return TTL_ABSOLUTE, _time(members, "ttl")
    return TTL_RELATIVE, members.number("ttl", default=DEFAULT_TTL)


def _time(members: Members, name: str) -> int:
    """An ISO 8601 time, in UTC unless it says otherwise, as a Unix time of 32 bits."""
    try:
        moment = datetime.fromisoformat(members.text(name))
    except ValueError:
        raise members.refuse(name, "a time such as 2030-01-01T00:00:00Z is expected") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = int((moment - _EPOCH).total_seconds() // 1)
    if not 0 <= seconds <= MAX_U32:
        raise members.refuse(name, "the time does not fit 32 bits")
    return seconds


def _references(members: Members) -> tuple[Reference, ...]:
    return references_from_json(members.objects("references", []))
