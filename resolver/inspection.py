"""Taking a thing apart: a table from kind to the function that names its parts.

Octets or text in, a JSON object of named members out; refusals carry a code and, where it is known,
the offset of the octet at fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from registry.errors import DecodeError, InvalidIdentifier, Refusal
from registry.schemes import dns_name, handle
from registry.values.admin import admin_to_json, argument_mask, decode_admin
from registry.values.json_form import value_to_json
from registry.values.key import decode_public_key, public_key_to_json
from registry.values.site import (
    HASH_ALL,
    HASH_PREFIX,
    HASH_SUFFIX,
    decode_site,
    server_index,
    site_hash,
)
from registry.values.site_json import site_to_json
from registry.values.value import decode_value
from registry.values.vlist import decode_vlist, references_to_json
from resolver.codecs.handle.describe import describe_message

#: Numbers of servers for which `site-hash` names the one that is chosen.
_SERVERS: Final = (2, 3, 4, 5, 7, 16)
#: Kinds of the contract whose schemes are not built in.
LATER: Final = frozenset({"oid", "ecode", "gs1", "vaa", "did"})

Fields = dict[str, Any]


class Fault(Exception):  # noqa: N818 - an outcome
    """Why a thing could not be taken apart. `code` is a stable word, `offset` counts octets."""

    def __init__(self, code: str, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset

    def document(self) -> Fields:
        """The `error` member of the answer."""
        return {"code": self.code, "message": self.message, "offset": self.offset}


def inspect(kind: str, given: bytes) -> Fields:
    """The parts of `given` as what `kind` says it is. Raises Fault."""
    take_apart = KINDS.get(kind)
    if take_apart is None:
        code = "unsupported-kind" if kind in LATER else "unknown-kind"
        raise Fault(code, f"{kind!r} is none of {', '.join(KINDS)}")
    try:
        return take_apart(given)
    except (DecodeError, InvalidIdentifier) as error:
        raise Fault(error.outcome.slug, error.message, error.offset) from None
    except Refusal as error:
        raise Fault(error.outcome.slug, str(error)) from None
    except UnicodeDecodeError as error:
        raise Fault("malformed", "text in it is not UTF-8", error.start) from None


def inspect_hex(kind: str, text: str) -> Fields:
    """The same for octets written in hexadecimal; white space and colons may part them."""
    digits = "".join(text.split()).replace(":", "").removeprefix("0x")
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        raise Fault("bad-hex", "not an even number of hexadecimal digits") from None
    return inspect(kind, octets)


def inspect_line(line: bytes) -> Fields:
    """The answer to one JSON line `{"kind", "hex" | "text"}`. Never raises."""
    try:
        kind, given, in_hex = _read_line(line)
        take_apart = inspect_hex if in_hex else _inspect_text
        return {"ok": True, "kind": kind, "fields": take_apart(kind, given)}
    except Fault as fault:
        return {"ok": False, "error": fault.document()}


def _inspect_text(kind: str, text: str) -> Fields:
    return inspect(kind, text.encode("utf-8", "replace"))


def _read_line(line: bytes) -> tuple[str, str, bool]:
    """Kind, what is given, and whether that is hexadecimal. Raises Fault."""
    try:
        members = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Fault("bad-line", f"the line is not JSON: {error}") from None
    if not isinstance(members, dict) or not isinstance(members.get("kind"), str):
        raise Fault("bad-line", 'the line is no JSON object with a text "kind"')
    given = [name for name in ("hex", "text") if isinstance(members.get(name), str)]
    if len(given) != 1:
        raise Fault("bad-line", 'exactly one text member "hex" or "text" is needed')
    return members["kind"], members[given[0]], given[0] == "hex"


def _value(given: bytes) -> Fields:
    value = decode_value(given)
    return {
        "index": value.index,
        "timestamp": value.timestamp,
        "ttl_type": value.ttl_type,
        "ttl": value.ttl,
        "permissions_mask": value.permissions,
        "type": value.type.decode("utf-8", "replace"),
        "type_hex": value.type.hex(),
        "data_hex": value.data.hex(),
        "references": references_to_json(value.references),
        "json_api_form": value_to_json(value),
    }


def _site(given: bytes) -> Fields:
    site = decode_site(given)
    return {"hash_option": site.hash_option, "json_api_form": site_to_json(site)}


def _admin(given: bytes) -> Fields:
    admin = decode_admin(given)
    return {
        "admin_handle": admin.handle.decode(),
        "admin_index": admin.index,
        "perm_mask": argument_mask(admin.permissions),
        "json_api_form": admin_to_json(admin),
    }


def _vlist(given: bytes) -> Fields:
    return {"refs": references_to_json(decode_vlist(given))}


def _public_key(given: bytes) -> Fields:
    return {"json_api_form": public_key_to_json(decode_public_key(given))}


def _site_hash(given: bytes) -> Fields:
    prefix, slash, _ = given.partition(b"/")
    record = prefix if slash else b"0.NA"
    return {
        "handle": given.decode(),
        "by_prefix": _chosen(given, HASH_PREFIX),
        "by_suffix": _chosen(given, HASH_SUFFIX),
        "by_all": _chosen(given, HASH_ALL),
        "zero_na_handle": f"0.NA/{record.decode()}",
        "upper_case": given.upper().decode(),
    }


def _chosen(given: bytes, option: int) -> Fields:
    places = {f"servers_{count}": server_index(given, option, count) for count in _SERVERS}
    return {"hash_option": option, "hash": site_hash(given, option), **places}


def _handle(given: bytes) -> Fields:
    key = handle.parse(given)
    fields: Fields = {
        "canonical": str(key),
        "prefix": key.prefix,
        "suffix": key.suffix,
        "prefix_handle": str(handle.prefix_record(key.prefix)),
        "is_prefix_record": key.is_prefix_record,
        "octets": len(given),
    }
    try:
        return {**fields, "dns_name": dns_name.to_name(key)}
    except InvalidIdentifier as error:
        return {**fields, "dns_name": None, "dns_name_reason": error.message}


def _dns_name(given: bytes) -> Fields:
    found = dns_name.describe(given.decode())
    return _handle(found["canonical"].encode()) | found


#: What reads each kind; octets for all of them, the UTF-8 of a text for the last three.
KINDS: Final[dict[str, Callable[[bytes], Fields]]] = {
    "handle-message": describe_message,
    "handle-value": _value,
    "hs-site": _site,
    "hs-admin": _admin,
    "hs-vlist": _vlist,
    "hs-pubkey": _public_key,
    "site-hash": _site_hash,
    "handle": _handle,
    "dns-name": _dns_name,
}
#: Kinds that are written as text.
TEXT_KINDS: Final = frozenset({"site-hash", "handle", "dns-name"})
